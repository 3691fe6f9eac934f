"""`/api/intake`: a physician's note read as JSON; the note is neither stored nor logged."""

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError
from kg.serving.api.answers import INTAKE
from kg.serving.api.operations import Arguments, Operation, Parameter, Tool
from kg.serving.api.schema import OBJECT, STRING, TEXT
from kg.serving.api.shared import body_of, private

_LONGEST = 4_000_000
"""Bytes of a body; a note of the greatest length that is read, as escaped JSON, takes less."""
_JSON = ("application/json", "application/fhir+json")


def read(asked: Arguments) -> dict[str, Any]:
    """What `kg.intake` reads in a note."""
    return kg.intake(asked["text"]).to_dict()


async def intake(request: Request) -> Response:
    """`POST /api/intake`: the note as text/plain, as FHIR, or as `{"text": ...}`."""
    body = await body_of(request, _LONGEST)
    note = _note(body, request.headers.get("content-type", "text/plain").partition(";")[0].strip().lower())
    return private(await run_in_threadpool(read, {"text": note}))


def _note(body: bytes, media: str) -> str:
    """The note of a body: of a JSON object with nothing but `text` its text, else all of it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise PalpateError("The body is not UTF-8 text.") from None
    if media not in _JSON:
        return text
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise PalpateError("The body must be JSON.") from None
    if not isinstance(given, dict):
        raise PalpateError("A body of JSON must be an object: FHIR, or {\"text\": NOTE}.")
    if set(given) == {"text"}:
        if not isinstance(given["text"], str):
            raise PalpateError("'text' must be a string.")
        return given["text"]
    if "resourceType" not in given:
        raise PalpateError("A body of JSON must be FHIR, which names its resourceType, or {\"text\": NOTE} and nothing beside.")
    return text


OPERATIONS = (
    Operation(
        "POST", "/api/intake", "Read a physician's note; nothing is kept", read,
        (Parameter("text", "The note: free text, lines of ICD-10-CM codes, or FHIR R4 as JSON.", TEXT, required=True),),
        handler=intake,
        details="Gives conditions, hazards and red flags, each with the words it was read from, and what was not understood. Nothing of it "
                "is confirmed: show it to a person before it is used.",
        body={"text/plain": STRING, "application/json": OBJECT, "application/fhir+json": OBJECT},
        answer={"application/json": INTAKE}, longest=_LONGEST, tool=Tool("intake"),
    ),
)  # fmt: skip
