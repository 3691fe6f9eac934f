"""What all routes share: JSON answers, and one error shape, the problem details of RFC 9457."""

import json
import re
from typing import Any

from starlette.responses import Response

from kg.errors import PalpateError, UnknownName

WHOLE = re.compile(r"[0-9]{1,9}")
FRESH = {"Cache-Control": "public, max-age=3600"}
"""Of answers that stay the same as long as the graph does."""


def problem(error: PalpateError, status: int, headers: dict[str, str] | None = None, **extra: Any) -> Response:
    """Problem details for a mistake of a user."""
    detail: dict[str, Any] = {"type": "about:blank", "title": type(error).__name__, "status": status, "detail": error.message, **extra}
    if isinstance(error, UnknownName):
        detail |= {"name": error.name, "nearest": list(error.nearest)}
    body = json.dumps(detail, ensure_ascii=False)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/problem+json")


def as_json(body: Any) -> Response:
    """An answer as JSON."""
    return Response(json.dumps(body, ensure_ascii=False), 200, FRESH, "application/json")
