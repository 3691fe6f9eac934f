"""`/api/intake`: a physician's note read as JSON; the note is neither stored nor logged."""

import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError
from kg.serving.api.operations import Operation
from kg.serving.api.shared import body_of, private

_LONGEST = 4_000_000
"""Bytes of a body; a note of the greatest length that is read, as escaped JSON, takes less."""
_JSON = ("application/json", "application/fhir+json")


async def intake(request: Request) -> Response:
    """`POST /api/intake`: the note as text/plain, as FHIR, or as `{"text": ...}`."""
    body = await body_of(request, _LONGEST)
    note = _note(body, request.headers.get("content-type", "text/plain").partition(";")[0].strip().lower())
    return private(await run_in_threadpool(lambda: kg.intake(note).to_dict()))


def _note(body: bytes, media: str) -> str:
    """The note of a body: of an object with nothing but `text` its text, else all of it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise PalpateError("The body is not UTF-8 text.") from None
    if media not in _JSON:
        return text
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return text  # the reader says what is wrong with it
    if isinstance(given, dict) and set(given) == {"text"}:
        if not isinstance(given["text"], str):
            raise PalpateError("'text' must be a string.")
        return given["text"]
    return text


OPERATIONS = (
    Operation("POST", "/api/intake", "Read a physician's note; nothing is kept", intake,
              body={"text/plain": {"type": "string"}, "application/json": {"type": "object"}, "application/fhir+json": {"type": "object"}}),
)  # fmt: skip
