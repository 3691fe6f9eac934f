"""A plan as FHIR R4: a Bundle of one CarePlan, its Goals and its Condition, validated by fhir.resources."""

from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from kg.documents.plan_text import Data, blocks, frame_line, heading
from kg.graph.terms import PAL

_SUBJECT = {"display": "The client"}
"""No person is named: the plan knows none."""


def bundle(plan: Data, start: date | None = None) -> dict[str, Any]:
    """The plan as a FHIR R4 Bundle of type collection; with `start`, goals and sessions bear dates.

    A plan without sessions becomes a CarePlan that is on hold, with the referral as its one activity.
    """
    from fhir.resources.R4B.bundle import Bundle

    condition = _id(plan, "condition")
    goals = [_goal(plan, goal, start) for goal in plan["goals"]]
    resources = [(_id(plan, "care-plan"), _care_plan(plan, condition, start)), (condition, _condition(plan)),
                 *((_id(plan, f"goal-{g['measure']}"), body) for g, body in zip(plan["goals"], goals, strict=True))]  # fmt: skip
    entries = [{"fullUrl": f"urn:uuid:{own}", "resource": body} for own, body in resources]
    checked = Bundle.model_validate({"resourceType": "Bundle", "type": "collection", "entry": entries})
    return _plain(checked)


def _plain(resource: Any) -> dict[str, Any]:
    import json

    return dict(json.loads(resource.model_dump_json()))


def _id(plan: Data, part: str) -> str:
    """The same for the same plan: its condition, client and graph, and the part."""
    context = sorted((key, str(value)) for key, value in plan["context"].items())
    return str(uuid5(NAMESPACE_URL, f"{PAL}{plan['condition']['slug']}/{context}/{plan['graph']['sha256']}/{part}"))


def _concept(slug: str, label: str) -> dict[str, Any]:
    return {"coding": [{"system": PAL, "code": slug, "display": label}], "text": label}


def _condition(plan: Data) -> dict[str, Any]:
    code = _concept(plan["condition"]["slug"], plan["condition"]["label"])
    return {"resourceType": "Condition", "subject": _SUBJECT, "code": code}


def _goal(plan: Data, goal: Data, start: date | None) -> dict[str, Any]:
    target: dict[str, Any] = {"measure": _concept(goal["measure"], goal["measure_label"])}
    target |= {"detailQuantity": {"value": goal["target"]}} if goal["target"] is not None else {"detailString": goal["text"]}
    if start:
        day = next(s["day"] for s in plan["sessions"] if s["number"] == goal["by_session"])
        target["dueDate"] = (start + timedelta(days=day)).isoformat()
    return {
        "resourceType": "Goal", "lifecycleStatus": "proposed", "subject": _SUBJECT, "description": {"text": goal["text"]},
        "target": [target], "addresses": [{"reference": f"urn:uuid:{_id(plan, 'condition')}"}],
    }  # fmt: skip


def _care_plan(plan: Data, condition: str, start: date | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "CarePlan", "status": "draft" if plan["sessions"] else "on-hold", "intent": "proposal",
        "title": f"Treatment plan: {plan['condition']['label']}", "subject": _SUBJECT,
        "description": frame_line(plan) if plan["sessions"] else plan.get("note") or "No treatment is planned.",
        "addresses": [{"reference": f"urn:uuid:{condition}"}],
        "activity": _activities(plan, start),
        "note": [{"text": stop["text"]} for stop in plan["stop_and_refer_when"] if not stop.get("red_flag")],
    }  # fmt: skip
    if plan["goals"]:
        body["goal"] = [{"reference": f"urn:uuid:{_id(plan, 'goal-' + g['measure'])}"} for g in plan["goals"]]
    if start and plan["sessions"]:
        last = start + timedelta(days=plan["sessions"][-1]["day"])
        body["period"] = {"start": start.isoformat(), "end": last.isoformat()}
    return {key: value for key, value in body.items() if value}


def _activities(plan: Data, start: date | None) -> list[dict[str, Any]]:
    """Each step of each kind of session, then each item of home care; or the referral."""
    if plan.get("referral"):
        referral = [_detail({"text": f"Referral: {plan['referral']['urgency']}"}, plan["referral"]["action"], None)]
    else:
        referral = []
    steps = []
    for block in blocks(plan):
        days = [s["day"] for s in plan["sessions"] if s["number"] in block.numbers]
        when: Any = heading(plan, block)
        if start:
            dates = [(start + timedelta(days=day)).isoformat() for day in days]
            when = {"event": [f"{one}T00:00:00Z" for one in dates]}
        for step in block.session["steps"]:
            text = f"{step['intent']} {step['minutes']:g} minutes, discomfort at most {step['dose']['discomfort_most']} of 10."
            cares = [f"{c['label']}: {c.get('where') or c['action']}" for c in step["cautions"]]
            steps.append(_detail(_concept(step["technique"], step["label"]), " ".join([text, *cares]), when))
    home = {item["item"]: item for session in plan["sessions"] for item in session["home_care"]}
    items = [_detail(_concept(i["technique"], i["label"]), f"{i['instruction']} {i['stop']}", i["dose"]) for i in home.values()]
    return [*referral, *steps, *items]


def _detail(code: dict[str, Any], description: str, when: Any) -> dict[str, Any]:
    detail: dict[str, Any] = {"kind": "ServiceRequest", "status": "not-started", "code": code, "description": description}
    if when:
        detail["scheduledString" if isinstance(when, str) else "scheduledTiming"] = when
    return {"detail": detail}
