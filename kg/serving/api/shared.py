"""What all routes share: CORS, JSON answers, and one error shape, the problem details of RFC 9457."""

import json
import re
from collections.abc import Collection
from typing import Any

from starlette.datastructures import QueryParams
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


def known(query: QueryParams, names: Collection[str], once: Collection[str]) -> None:
    """Refuse a parameter that is not known, or is given twice where once is meant.

    Raises:
        PalpateError: naming it.
    """
    if unknown := sorted(set(query) - set(names)):
        raise PalpateError(f"Unknown parameter {unknown[0]!r}; there are {', '.join(sorted(names))}.")
    if repeated := next((name for name in once if len(query.getlist(name)) > 1), None):
        raise PalpateError(f"The parameter {repeated!r} may be given once.")


def whole(query: QueryParams, name: str, least: int = 0) -> int | None:
    """A parameter that is a whole number; None where it is not given.

    Raises:
        PalpateError: where it is something else.
    """
    text = query.get(name)
    if text is not None and (not WHOLE.fullmatch(text) or int(text) < least):
        raise PalpateError(f"{name} must be a whole number of {least} or more, not {text!r}.")
    return int(text) if text is not None else None


def yes(query: QueryParams, name: str) -> bool:
    """A parameter that is true or false; false where it is not given.

    Raises:
        PalpateError: where it is something else.
    """
    text = query.get(name, "false").lower()
    if text not in ("true", "false"):
        raise PalpateError(f"{name} must be true or false, not {text!r}.")
    return text == "true"
