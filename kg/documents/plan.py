"""A plan in every form in which it leaves the program. What is unsafe does not leave it: each export checks the plan first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.reasoning.plan import Planner, UnsafePlan, check

FORMATS: Mapping[str, tuple[str, str]] = {
    "json": ("application/json", "json"), "markdown": ("text/markdown; charset=utf-8", "md"), "pdf": ("application/pdf", "pdf"),
    "client-pdf": ("application/pdf", "pdf"), "fhir": ("application/fhir+json", "json"), "ics": ("text/calendar; charset=utf-8", "ics"),
}  # fmt: skip
"""Format -> media type and extension of a file."""


@dataclass(frozen=True, slots=True)
class Document:
    """A plan as bytes, and what they are."""

    content: bytes
    media_type: str
    extension: str


def first_day(text: str | None) -> date | None:
    """The day of the first session, from what somebody wrote.

    Raises:
        PalpateError: where it is no day.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise PalpateError(f"A day is YYYY-MM-DD, not {text!r}.") from None


def export(planner: Planner, plan: Any, format: str, start: date | None = None) -> Document:
    """A plan, made or edited, in one of `FORMATS`.

    Raises:
        UnsafePlan: with all findings, where the plan does not pass its check.
        UnknownName: where there is no such format.
        PalpateError: where a calendar has no day to start on.
    """
    if format not in FORMATS:
        raise UnknownName("format", format, list(FORMATS))
    if findings := check(planner, plan):
        raise UnsafePlan(findings)
    media, extension = FORMATS[format]
    try:
        return Document(_content(planner, plan, format, start), media, extension)
    except (KeyError, TypeError, IndexError, StopIteration, AttributeError, ValueError) as error:  # an edited plan may lack a part
        what = str(error).partition("\n")[0]
        raise PalpateError(f"The plan lacks what a {format} document needs ({type(error).__name__}: {what}).") from None


def _content(planner: Planner, plan: Any, format: str, start: date | None) -> bytes:
    named = {tissue for session in plan["sessions"] for step in session["steps"] for tissue in step.get("tissues", ())}
    named.update(*(plan["context"].get(key) or () for key in ("hazards", "red_flags")))
    labels = {slug: planner.knowledge.label(slug) for slug in sorted(named)}
    match format:
        case "json":
            return json.dumps(plan, ensure_ascii=False, indent=1).encode()
        case "markdown":
            from kg.documents.plan_text import markdown

            return markdown(plan, labels).encode()
        case "pdf":
            from kg.documents.plan_pdf import therapist

            return therapist(plan, labels)
        case "client-pdf":
            from kg.documents.plan_pdf import client

            return client(plan)
        case "fhir":
            from kg.documents.fhir import bundle

            return json.dumps(bundle(plan, start), ensure_ascii=False, indent=1).encode()
        case _:
            from kg.documents.calendar import calendar

            if start is None:
                raise PalpateError("A calendar needs the day of the first session: start, as YYYY-MM-DD.")
            return calendar(plan, start)
