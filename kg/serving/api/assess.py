"""`/api/screen` and `/api/assess`: screening and assessment of the library as JSON; both take a JSON object by POST."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError
from kg.reasoning.assess import results_of
from kg.serving.api.operations import Operation
from kg.serving.api.schema import STRING, WHOLE, Schema, array, mapping
from kg.serving.api.shared import json_body, private

_LONGEST = 100_000
_WORDS = {"complaint", "region", "sex"}
_LISTS = {"present", "absent", "finding"}
_SCREEN = {"complaint", "region", "age", "sex", "present", "absent"}
_ASSESS = {"finding", "absent", "test", "region", "age", "sex"}
_PLURALS = {"findings": "finding", "tests": "test"}
"""Fields of several values may be named in the plural too."""


async def screen(request: Request) -> Response:
    """`POST /api/screen` with complaint, region, age, sex, present, absent."""
    body = _checked(await json_body(request, _LONGEST), _SCREEN)
    return private(await run_in_threadpool(lambda: kg.screen(**body).to_dict()))


async def assess(request: Request) -> Response:
    """`POST /api/assess` with finding, absent, test, region, age, sex."""
    body = _checked(await json_body(request, _LONGEST), _ASSESS)
    tests, findings = body.pop("test", {}), body.pop("finding", ())
    results = results_of(tests) if isinstance(tests, list) else tests
    return private(await run_in_threadpool(lambda: kg.assess(findings, tests=results, **body).to_dict()))


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


def _object(fields: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": fields}


def _all_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


_PERSON = {"region": STRING, "age": WHOLE, "sex": {"enum": ["female", "male"]}}
OPERATIONS = (
    Operation(
        "POST", "/api/screen", "Look for serious disease behind a complaint", screen,
        body={"application/json": _object(_PERSON | {"complaint": STRING, "present": array(STRING), "absent": array(STRING)})},
    ),
    Operation(
        "POST", "/api/assess", "Say which conditions findings and tests are consistent with, and what to ask next", assess,
        body={"application/json": _object(_PERSON | {
            "finding": array(STRING), "absent": array(STRING), "test": mapping({"enum": ["positive", "negative"]}),
        })},
    ),
)  # fmt: skip
