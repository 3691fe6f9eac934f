"""What all routes share: CORS, JSON answers, and one error shape, the problem details of RFC 9457."""

import json
import re
from typing import Any

from starlette.responses import Response

from kg.errors import PalpateError, UnknownName

CORS = {"Access-Control-Allow-Origin": "*"}
WHOLE = re.compile(r"[0-9]{1,9}")


def problem(error: PalpateError, status: int) -> Response:
    """Problem details for a mistake of a user."""
    detail: dict[str, Any] = {"type": "about:blank", "title": type(error).__name__, "status": status, "detail": error.message}
    if isinstance(error, UnknownName):
        detail |= {"name": error.name, "nearest": list(error.nearest)}
    return Response(json.dumps(detail, ensure_ascii=False), status, CORS, "application/problem+json")


def as_json(body: Any) -> Response:
    """An answer as JSON."""
    return Response(json.dumps(body, ensure_ascii=False), 200, CORS, "application/json")
