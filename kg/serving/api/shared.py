"""What all routes share: JSON answers, and one error shape, the problem details of RFC 9457."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from kg.errors import PalpateError, UnknownName

WHOLE = re.compile(r"[0-9]{1,9}")
FRESH = {"Cache-Control": "public, max-age=3600"}
"""Of answers that stay the same as long as the graph does."""
PRIVATE = {"Cache-Control": "no-store"}


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


async def json_body(request: Request, longest: int) -> Any:
    """The JSON that a request brings.

    Raises:
        PalpateError: where it is longer than `longest` bytes or no JSON.
    """
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > longest:
            raise PalpateError(f"The body is longer than {longest} bytes.")
    try:
        return json.loads(bytes(received))
    except (ValueError, RecursionError):
        raise PalpateError("The body must be JSON.") from None
