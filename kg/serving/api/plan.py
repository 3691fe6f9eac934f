"""`/api/plan` and `/api/plan/check`: plans made, checked and printed. Nothing that is sent is kept."""

from datetime import date
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError
from kg.reasoning.plan import UnsafePlan, check
from kg.serving.api.operations import Operation
from kg.serving.api.shared import PRIVATE, json_body, private, problem

_FIELDS: dict[str, tuple[type, ...]] = {
    "condition": (str,), "phase": (str, type(None)), "irritability": (str, type(None)), "hazards": (list,), "red_flags": (list,),
    "sessions": (int, type(None)), "minutes": (int, float, type(None)), "baselines": (dict,), "format": (str,), "start": (str, type(None)),
    "plan": (dict,),
}  # fmt: skip
_LONGEST = 4_000_000
"""Bytes of a body; a plan of forty sessions has less than one million."""


async def plan(request: Request) -> Response:
    """`POST /api/plan`: a condition and client, or an edited plan under `plan`; answers with the plan in `format` (json)."""
    body = await json_body(request, _LONGEST)
    try:
        return await run_in_threadpool(_make, body)
    except UnsafePlan as error:
        return problem(error, 422)


async def check_plan(request: Request) -> Response:
    """`POST /api/plan/check`: a plan; answers with what is wrong with it."""
    body = await json_body(request, _LONGEST)
    findings = await run_in_threadpool(check, kg.planner(), body)
    return private({"graph": kg.load().knowledge.version.to_dict(), "findings": [finding.to_dict() for finding in findings]})


def _make(body: Any) -> Response:
    from kg.documents.plan import export

    if not isinstance(body, dict):
        raise PalpateError("The body is a JSON object.")
    if unknown := sorted(set(body) - set(_FIELDS)):
        raise PalpateError(f"Unknown field {unknown[0]!r}; there are {', '.join(_FIELDS)}.")
    if wrong := next((name for name, value in body.items() if not isinstance(value, _FIELDS[name]) or isinstance(value, bool)), None):
        raise PalpateError(f"{wrong!r} is of the wrong kind.")
    if ("condition" in body) == ("plan" in body):
        raise PalpateError("Give 'condition' or 'plan'.")
    made = body["plan"] if "plan" in body else _plan(body)
    document = export(kg.planner(), made, body.get("format", "json"), _day(body.get("start")))
    return Response(document.content, 200, PRIVATE, document.media_type)


def _plan(body: dict[str, Any]) -> dict[str, Any]:
    hazards, flags = body.get("hazards", []), body.get("red_flags", [])
    if not all(isinstance(word, str) for word in (*hazards, *flags)):
        raise PalpateError("'hazards' and 'red_flags' are lists of names.")
    baselines = body.get("baselines", {})
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in baselines.values()):
        raise PalpateError("'baselines' holds a number for each measure.")
    client = kg.planner().engine.client(body.get("phase"), body.get("irritability"), hazards, flags)
    made = kg.planner().plan(body["condition"], client, sessions=body.get("sessions"), minutes=body.get("minutes"), baselines=baselines)
    return made.to_dict()


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise PalpateError(f"A day is YYYY-MM-DD, not {text!r}.") from None


OPERATIONS = (
    Operation("POST", "/api/plan", "Plan a treatment over several sessions, or print an edited plan", plan,
              body={"application/json": {"type": "object"}}, missing=("condition",)),
    Operation("POST", "/api/plan/check", "Check a plan that a person has edited", check_plan,
              body={"application/json": {"type": "object"}}),
)  # fmt: skip
