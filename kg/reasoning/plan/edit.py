"""Changes that a person makes to a plan: each gives a new plan that has passed its check, or says why it is refused.

    plan = planner.plan("plantar-fasciitis", client).to_dict()
    others = alternatives(planner, plan, session=2, step=1)
    plan = swap(planner, plan, [2, 3], 1, others[0].technique)

A plan is plain data, as `Plan.to_dict` gives it. What is given in is never changed.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.graph.names import nearest
from kg.reasoning.plan.check import Finding, UnsafePlan, about, check
from kg.reasoning.plan.choose import Candidate, akin
from kg.reasoning.plan.facts import PlanPhase
from kg.reasoning.plan.goals import goal_text
from kg.reasoning.plan.model import Step, cited
from kg.reasoning.plan.planner import SESSIONS, Making, Planner

Data = Mapping[str, Any]
_OFFERED = 8
_MAY_BE_NULL = ("referral", "maintenance", "expected")
"""Parts of a plan that a person may take out."""


# ---------------------------------------------------------------------------------------------------- edits of steps
def alternatives(planner: Planner, plan: Data, session: int, step: int, most: int = _OFFERED) -> tuple[Step, ...]:
    """Other steps that serve the same impairment and may stand in place of one, the best first; those of its role before others.

    Args:
        session: its number.
        step: its place in the session, from 1.
        most: how many at most.

    Raises:
        PalpateError: where the plan has no such session or step.
    """
    held = _session(plan, session)
    old = _step(held, step)
    making, phase = _making(planner, plan, held)
    aims = {serving["impairment"] for serving in old["serves"]}
    main = old["serves"][0]["impairment"] if old["serves"] else ""
    others = [s["technique"] for s in held["steps"]]
    weights = making.weights(phase)

    def order(candidate: Candidate) -> tuple[bool, int, float]:
        worth = sum(weights[need] * share for need, share in candidate.covers.items())
        return candidate.role.slug != old["role"], -len(aims & making.impairments(candidate)), -worth - candidate.merit

    fitting = [c for c in making.candidates(phase) if c.technique not in others and main in making.impairments(c) | {""}
               and not any(akin(planner.knowledge, c.technique, o) for o in others if o != old["technique"])]  # fmt: skip
    found: dict[str, Step] = {}
    for candidate in sorted(fitting, key=order):
        if len(found) < most and candidate.technique not in found:
            made = making.step(candidate, _within(old["minutes"], candidate), phase)
            if not check(planner, _revised(planner, plan, [session], partial(_put, planner, step, made))):
                found[candidate.technique] = made
    return tuple(found.values())


def swap(planner: Planner, plan: Data, sessions: Collection[int], step: int, technique: str) -> dict[str, Any]:
    """A plan with another technique in place of a step; one of another role goes to where its role stands.

    Args:
        sessions: the sessions, alike in their steps, in which it is done.
        step: the place of the step, from 1.
        technique: by any name.

    Raises:
        UnsafePlan: with what the check finds.
        PalpateError: where there is no such session, step or technique, or it serves nothing in this phase.
    """
    name = planner.engine.names.resolve(technique, "Technique")

    def change(held: Data) -> Callable[[list[Any]], list[Any]]:
        old = _step(held, step)
        making, phase = _making(planner, plan, held)
        own = sorted((c for c in making.candidates(phase) if c.technique == name), key=lambda c: c.role.slug != old["role"])
        if not own:
            _refuse(planner, plan, held, step, name)
            raise PalpateError(f"{planner.knowledge.label(name)} has no part in the phase {phase.label.lower()} of this plan: "
                               "it serves none of its needs there, or is too strong for it.")  # fmt: skip
        made = making.step(own[0], _within(old["minutes"], own[0]), phase)
        return partial(_put, planner, step, made)

    return _changed(planner, plan, sessions, change)


def move(planner: Planner, plan: Data, sessions: Collection[int], step: int, to: int) -> dict[str, Any]:
    """A plan with a step at another place of its session; raises as `swap`."""

    def change(held: Data) -> Callable[[list[Any]], list[Any]]:
        _step(held, step)
        _step(held, to)
        return partial(_moved, step, to)

    return _changed(planner, plan, sessions, change)


def retime(planner: Planner, plan: Data, sessions: Collection[int], step: int, minutes: float) -> dict[str, Any]:
    """A plan with other minutes for a step; raises as `swap`."""

    def change(held: Data) -> Callable[[list[Any]], list[Any]]:
        old = _step(held, step)
        new = {**old, "minutes": minutes, "dose": {**old["dose"], "minutes": minutes}}
        return lambda steps: [*steps[: step - 1], new, *steps[step:]]

    return _changed(planner, plan, sessions, change)


def drop(planner: Planner, plan: Data, sessions: Collection[int], step: int) -> dict[str, Any]:
    """A plan without a step; raises as `swap`."""

    def change(held: Data) -> Callable[[list[Any]], list[Any]]:
        _step(held, step)
        return lambda steps: [*steps[: step - 1], *steps[step:]]

    return _changed(planner, plan, sessions, change)


def _changed(planner: Planner, plan: Data, sessions: Collection[int],
             change: Callable[[Data], Callable[[list[Any]], list[Any]]]) -> dict[str, Any]:  # fmt: skip
    """The plan after a change of some sessions, if it is safe."""
    changes = {number: change(_session(plan, number)) for number in sessions}
    made: Any = plan
    for number, apply in changes.items():
        made = _revised(planner, made, [number], apply)
    if found := check(planner, made):
        raise UnsafePlan(found)
    return dict(made)


def _revised(planner: Planner, plan: Data, sessions: Collection[int], change: Callable[[list[Any]], list[Any]]) -> dict[str, Any]:
    """The plan with other steps in some sessions: numbered, each with its reason, in a session as long as they and the talk are."""
    held = []
    for session in plan["sessions"]:
        if session["number"] in sessions:
            talk = session["minutes"] - sum(step["minutes"] for step in session["steps"])
            steps = _numbered(planner, change(list(session["steps"])))
            session = {**session, "steps": steps, "minutes": talk + sum(step["minutes"] for step in steps)}
        held.append(session)
    made = {**plan, "sessions": held}
    return {**made, "sources": cited(planner.knowledge, made)}


def _numbered(planner: Planner, steps: Sequence[Data]) -> list[dict[str, Any]]:
    roles = [step["role"] for step in steps]
    return [{**step, "order": place + 1, "why_here": planner.order.reason(roles[place], roles[:place]) or None}
            for place, step in enumerate(steps)]  # fmt: skip


def _put(planner: Planner, place: int, made: Step, steps: Sequence[Any]) -> list[Any]:
    """Steps with a new one in place of an old one, or where its role stands if that is another."""
    old, new = steps[place - 1], made.to_dict()
    rest = [*steps[: place - 1], *steps[place:]]
    if old["role"] != new["role"]:
        mine = planner.order.place(new["role"])
        place = next((i for i, step in enumerate(rest, 1) if planner.order.place(step["role"]) > mine), len(steps))
    return [*rest[: place - 1], new, *rest[place - 1 :]]


def _moved(step: int, to: int, steps: Sequence[Any]) -> list[Any]:
    rest = [*steps[: step - 1], *steps[step:]]
    return [*rest[: to - 1], steps[step - 1], *rest[to - 1 :]]


def _within(minutes: float, candidate: Candidate) -> float:
    return min(max(minutes, candidate.low), candidate.high)


def _refuse(planner: Planner, plan: Data, held: Data, step: int, technique: str) -> None:
    """Say what the gate has against a technique that cannot be a step.

    Raises:
        UnsafePlan: where it has something.
    """
    bare = {**_step(held, step), "technique": technique}
    made = _revised(planner, plan, [held["number"]], lambda steps: [*steps[: step - 1], bare, *steps[step:]])
    if found := [finding for finding in check(planner, made) if finding.kind in ("unsafe", "scope")]:
        raise UnsafePlan(found)


def _making(planner: Planner, plan: Data, held: Data) -> tuple[Making, PlanPhase]:
    """What makes steps for the client of a plan, and the phase of a session."""
    phase = next((p for p in planner.facts.phases if p.slug == held["phase"]), None)
    if phase is None:
        raise UnknownName("phase of a plan", str(held["phase"]), nearest(str(held["phase"]), [p.slug for p in planner.facts.phases]))
    condition, client = about(planner, plan)
    return planner.making(condition, client, plan["context"]["minutes"]), phase


def _session(plan: Data, number: int) -> Data:
    held = next((s for s in plan["sessions"] if s["number"] == number), None)
    if held is None:
        raise PalpateError(f"The plan has no session {number}; it has {len(plan['sessions'])}.")
    return dict(held)


def _step(session: Data, place: int) -> Data:
    if not 1 <= place <= len(session["steps"]):
        raise PalpateError(f"Session {session['number']} has no step {place}; it has {len(session['steps'])}.")
    return dict(session["steps"][place - 1])


# ---------------------------------------------------------------------------------------------------- scores
def record(plan: Data, measure: str, session: int, score: float | None) -> dict[str, Any]:
    """A plan with the score of a measure at a session, or without it where it is None; that of the first session is the baseline.

    Raises:
        UnknownName: where no goal of the plan has that measure.
        PalpateError: where the plan has no such session, or the score is no number from 0 up.
    """
    measures = [goal["measure"] for goal in plan["goals"]]
    if measure not in measures:
        raise UnknownName("measure of a goal", measure, nearest(measure, measures))
    first = min((s["number"] for s in plan["sessions"]), default=None)
    _session(plan, session)
    if score is not None and not (isfinite(score) and score >= 0):
        raise PalpateError(f"A score is a number from 0 up, not {score:g}.")
    kept = [s for s in plan["scores"] if (s["measure"], s["session"]) != (measure, session)]
    new = [] if score is None else [{"measure": measure, "session": session, "score": score}]
    scores = sorted([*kept, *new], key=lambda s: (s["measure"], s["session"]))
    goals = [_rebased(goal, score) if goal["measure"] == measure and session == first else goal for goal in plan["goals"]]
    return {**plan, "scores": scores, "goals": goals}


def _rebased(goal: Data, baseline: float | None) -> dict[str, Any]:
    change = goal["target_change"]
    target = None if baseline is None or change is None else round(baseline + change, 2)
    text = goal_text(goal["measure_label"], goal["higher_is_better"], change, baseline, goal["by_session"])
    return {**goal, "baseline": baseline, "target": target, "text": text}


# ---------------------------------------------------------------------------------------------------- plans from files
def read(planner: Planner, data: Any) -> dict[str, Any]:
    """A plan from a file that a person may have edited, if it is safe and has all parts of a plan.

    Raises:
        UnsafePlan: with what the check finds, or what it lacks.
    """
    if found := check(planner, data):
        raise UnsafePlan(found)
    count = len(data["sessions"])
    if count > SESSIONS[1]:
        raise UnsafePlan([Finding("form", "plan", f"{count} sessions; a plan has at most {SESSIONS[1]}.")])
    condition, client = about(planner, data)
    like = planner.plan(condition, client, sessions=count or None).to_dict()
    taken_out = {name for name in _MAY_BE_NULL if data.get(name, "") is None}
    fixed = {name: part for name, part in like.items() if name not in taken_out}
    score = {"measure": "", "session": 0, "score": 0.0}
    lacking = list(_lacking(data, [{**fixed, "sources": {}, "scores": [score]}], "plan"))
    if not lacking and [s["number"] for s in data["sessions"]] != list(range(1, count + 1)):
        lacking.append(Finding("form", "plan", "sessions are numbered from 1 without a gap."))
    if lacking:
        raise UnsafePlan(lacking)
    return dict(data)


def _lacking(value: Any, like: Sequence[Any], where: str) -> Iterator[Finding]:
    """Where a value has not the shape of values like it: the same kind, the keys that all of them have; null is as good as a word."""
    objects, lists = [v for v in like if isinstance(v, dict)], [v for v in like if isinstance(v, list)]
    if objects:
        if not isinstance(value, dict):
            if value is not None or None not in like:
                yield Finding("form", where, "it is not an object.")
            return
        for key in [key for key in objects[0] if all(key in v for v in objects)]:
            if key in value:
                yield from _lacking(value[key], [v[key] for v in objects], f"{where}, {key}")
            else:
                yield Finding("form", where, f"{key!r} is missing.")
    elif lists:
        if not isinstance(value, list):
            yield Finding("form", where, "it is not a list.")
            return
        inner = [v for part in lists for v in part]
        for number, item in enumerate(value if inner else (), 1):
            yield from _lacking(item, inner, f"{where} {number}")
    elif value is not None and (told := {_kind(v) for v in like if v is not None}) and _kind(value) not in told:
        yield Finding("form", where, f"it is not {' or '.join(sorted(told))}.")


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case _:
            return "a part of another kind"
