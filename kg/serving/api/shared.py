"""What all routes share: JSON answers, and one error shape, the problem details of RFC 9457."""

import asyncio
import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from kg.errors import PalpateError, UnknownName
from kg.serving.sparql.errors import QueryError

WHOLE = re.compile(r"[0-9]{1,9}")
FRESH = {"Cache-Control": "public, max-age=3600"}
"""Of answers that stay the same as long as the graph does."""
PRIVATE = {"Cache-Control": "no-store"}
BODY_SECONDS = 30.0
"""How long a client may take to send its query."""


def problem(error: PalpateError, status: int, headers: dict[str, str] | None = None, **extra: Any) -> Response:
    """Problem details for a mistake of a user."""
    detail: dict[str, Any] = {"type": "about:blank", "title": type(error).__name__, "status": status, "detail": error.message, **extra}
    if isinstance(error, UnknownName):
        detail |= {"name": error.name, "nearest": list(error.nearest)}
    body = json.dumps(detail, ensure_ascii=False)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/problem+json")


def as_json(body: Any) -> Response:
    """An answer as JSON, the same as long as the graph is."""
    return Response(json.dumps(body, ensure_ascii=False), 200, FRESH, "application/json")


def private(body: Any) -> Response:
    """An answer as JSON to what somebody sent of a client; nobody on the way may keep it."""
    return Response(json.dumps(body, ensure_ascii=False), 200, PRIVATE, "application/json")


async def body_of(request: Request, longest: int) -> bytes:
    """The body of a request, never more of it than may be.

    Raises:
        QueryError: where it is longer than `longest` bytes (413) or does not come in time (408).
    """
    received = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                received += chunk
                if len(received) > longest:
                    raise QueryError(f"The body is longer than {longest} bytes.", 413)
    except TimeoutError:
        raise QueryError(f"The body did not come within {BODY_SECONDS:g} seconds.", 408) from None
    return bytes(received)


async def json_body(request: Request, longest: int) -> Any:
    """The JSON that a request brings.

    Raises:
        QueryError: see `body_of`.
        PalpateError: where it is no JSON.
    """
    try:
        return json.loads(await body_of(request, longest))
    except (ValueError, RecursionError):
        raise PalpateError("The body must be JSON.") from None
