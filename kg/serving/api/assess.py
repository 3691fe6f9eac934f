"""`/api/screen` and `/api/assess`: screening and assessment of the library as JSON; both take a JSON object by POST."""

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError
from kg.reasoning.assess import results_of
from kg.serving.api.shared import as_json, problem

_LONGEST = 100_000
_WORDS = {"complaint", "region", "sex"}
_LISTS = {"present", "absent", "finding"}
_SCREEN = {"complaint", "region", "age", "sex", "present", "absent"}
_ASSESS = {"finding", "absent", "test", "region", "age", "sex"}
_PLURALS = {"findings": "finding", "tests": "test"}
"""Fields of several values may be named in the plural too."""


async def screen(request: Request) -> Response:
    """`POST /api/screen` with complaint, region, age, sex, present, absent."""
    return await _answer(request, _SCREEN, lambda body: kg.screen(**body).to_dict())


async def assess(request: Request) -> Response:
    """`POST /api/assess` with finding, absent, test, region, age, sex."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        tests = body.pop("test", {})
        return kg.assess(body.pop("finding", ()), tests=results_of(tests) if isinstance(tests, list) else tests, **body).to_dict()

    return await _answer(request, _ASSESS, answer)


async def _answer(request: Request, fields: set[str], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
    try:
        body = _checked(await _body(request), fields)
        return as_json(await run_in_threadpool(answer, body))
    except PalpateError as error:
        return problem(error, 400)


async def _body(request: Request) -> Any:
    """The JSON of a request.

    Raises:
        PalpateError: where it is too long or no JSON.
    """
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > _LONGEST:
            raise PalpateError(f"The body is longer than {_LONGEST} bytes.")
    try:
        return json.loads(bytes(text))
    except (ValueError, RecursionError):
        raise PalpateError("The body must be a JSON object.") from None


def _checked(body: Any, fields: set[str]) -> dict[str, Any]:
    """The fields of a body, each of its kind; null is as good as left out.

    Raises:
        PalpateError: for a body that is no object, an unknown field, or a field of the wrong kind.
    """
    if not isinstance(body, dict):
        raise PalpateError("The body must be a JSON object.")
    for plural, name in _PLURALS.items():
        if plural in body and name in fields:
            if name in body:
                raise PalpateError(f"Give {name} or {plural}, not both.")
            body = {name if field == plural else field: value for field, value in body.items()}
    if unknown := sorted(set(body) - fields):
        raise PalpateError(f"Unknown field {unknown[0]!r}; there are {', '.join(sorted(fields))}.")
    given = {name: value for name, value in body.items() if value is not None}
    for name, value in given.items():
        if name in _WORDS and not isinstance(value, str):
            raise PalpateError(f"{name} must be a text.")
        if name in _LISTS and not _all_texts(value):
            raise PalpateError(f"{name} must be a list of texts.")
        if name == "test" and not _all_texts(list(value.values()) if isinstance(value, dict) else value):
            raise PalpateError('test must be an object such as {"neer": "positive"}, or a list such as ["neer=positive"].')
    return given


def _all_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)
