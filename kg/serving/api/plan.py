"""`/api/plan` and `/api/plan/check`: plans made, checked and printed. Nothing that is sent is kept."""

from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.documents.plan import FORMATS, Document, export, first_day
from kg.reasoning.plan import check
from kg.reasoning.plan.planner import MINUTES, SESSIONS
from kg.serving.api.answers import FINDINGS, PLAN
from kg.serving.api.client import CLIENT, CONDITION
from kg.serving.api.operations import Arguments, Operation, Parameter, Tool
from kg.serving.api.schema import ANY, DAY, NUMBER, OBJECT, STRING, mapping, one_of
from kg.serving.api.shared import json_body, private

_LONGEST = 4_000_000
"""Bytes of a body; a plan of forty sessions has less than one million."""


def plan(asked: Arguments) -> Document:
    """A plan of `kg.plan`, or one that was edited, in a format; one that does not pass its check is refused."""
    if asked["plan"] is None:
        made = kg.plan(
            asked["condition"], phase=asked["phase"], irritability=asked["irritability"], hazards=asked["hazard"],
            red_flags=asked["red_flag"], on=asked["on"] or asked["start"], age=asked["age"], sessions=asked["sessions"],
            minutes=asked["minutes"], baselines=asked["baselines"],
        ).to_dict()  # fmt: skip
    else:
        made = asked["plan"]
    return export(kg.planner(), made, asked["format"], first_day(asked["start"]))


def check_plan(asked: Arguments) -> dict[str, Any]:
    """What is wrong with a plan."""
    findings = check(kg.planner(), asked["plan"])
    return {"graph": kg.load().knowledge.version.to_dict(), "findings": [finding.to_dict() for finding in findings]}


async def checked(request: Request) -> Response:
    """`POST /api/plan/check`: the plan itself is the body."""
    body = await json_body(request, _LONGEST)
    return private(await run_in_threadpool(check_plan, {"plan": body}))


def _media() -> dict[str, Any]:
    known = {"application/json": PLAN, "application/fhir+json": OBJECT}
    return {media: known.get(media, STRING) for media in dict.fromkeys(kind.partition(";")[0] for kind, _ in FORMATS.values())}


_EDITED = Parameter("plan", "A plan in JSON as this operation makes it, perhaps edited, to print instead of making one.", OBJECT)

OPERATIONS = (
    Operation(
        "POST", "/api/plan", "Plan a treatment over several sessions, or print an edited plan", plan,
        (replace(CONDITION, required=False), _EDITED, *CLIENT,
         Parameter("sessions", "How many sessions; else as published protocols gave.",
                   {"type": "integer", "minimum": SESSIONS[0], "maximum": SESSIONS[1]}),
         Parameter("minutes", "Minutes of one session at most; else likewise.",
                   {"type": "number", "minimum": MINUTES[0], "maximum": MINUTES[1]}),
         Parameter("baselines", "First scores of outcome measures, a number for each by its slug.", mapping(NUMBER)),
         Parameter("start", "Day of the first session, YYYY-MM-DD; a calendar needs it. It is `on` where that is not given.", DAY),
         Parameter("format", "pdf is for the therapist, client-pdf for the client.", one_of(tuple(FORMATS)) | {"default": "json"})),
        details="With a referral that is emergency or urgent there are no sessions. An edited plan that is unsafe is refused, with all "
                "reasons.",
        either=("condition", "plan"), answer=_media(), missing=("condition",), longest=_LONGEST,
        tool=Tool("plan", {"format": "markdown"}),
    ),
    Operation(
        "POST", "/api/plan/check", "Check a plan that a person has edited", check_plan, (replace(_EDITED, required=True),),
        handler=checked, body={"application/json": ANY}, answer={"application/json": FINDINGS}, longest=_LONGEST,
        tool=Tool("check_plan"),
    ),
)  # fmt: skip
