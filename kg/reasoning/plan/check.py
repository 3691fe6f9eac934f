"""Whether a plan that a person has edited is still safe: each finding with where it is and what is wrong.

The plan is read as plain data and judged anew against the gate, for the client that it names itself. Nothing in it is
trusted but the condition, the client, and what is to be done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from kg.errors import PalpateError
from kg.graph.names import nearest
from kg.reasoning.client import Client
from kg.reasoning.rank import Entry, Ranking, Withheld

if TYPE_CHECKING:
    from kg.reasoning.plan.planner import Planner

KINDS = ("form", "unknown", "unsafe", "scope", "caution", "order", "dose", "time", "rest", "load", "home")
"""What can be wrong with a plan, the gravest not first: all of them keep it from being exported."""
_GRAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: its kind (of `KINDS`), where it is, what is wrong in one sentence, sources where a rule has them."""

    kind: str
    where: str
    message: str
    sources: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "where": self.where, "message": self.message, "sources": list(self.sources)}


class UnsafePlan(PalpateError):
    """A plan that has findings and is therefore not exported."""

    exit_status = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


def check(planner: "Planner", plan: Any) -> list[Finding]:
    """All that is wrong with a plan, in the order of its sessions; an empty list means that it may be used.

    Args:
        plan: a plan as plain data, of the shape that `Plan.to_dict` gives; anything else is a finding, never an error.
    """
    try:
        condition, client = about(planner, plan)
    except PalpateError as error:
        return [Finding("unknown", "plan", error.message)]
    except _Malformed as error:
        return [Finding("form", "plan", str(error))]
    return list(_Check(planner, planner.engine.rank(condition, client, explain=False), plan).findings())


class _Malformed(Exception):
    """The plan does not have the shape of a plan."""


def about(planner: "Planner", plan: Any) -> tuple[str, Client]:
    """The condition and the client that a plan names."""
    if not isinstance(plan, dict):
        raise _Malformed("a plan is a JSON object.")
    condition = plan.get("condition")
    name = condition.get("slug") if isinstance(condition, dict) else condition
    context = plan.get("context")
    if not isinstance(name, str) or not isinstance(context, dict):
        raise _Malformed("a plan names its 'condition' and the client in 'context'.")
    words = {key: context.get(key) or [] for key in ("hazards", "red_flags")}
    if not all(isinstance(v, list) and all(isinstance(w, str) for w in v) for v in words.values()):
        raise _Malformed("'hazards' and 'red_flags' of 'context' are lists of names.")
    dates, on = _objects(context.get("dates") or []), context.get("on")
    if dates is None or not all(isinstance(value, str) for d in dates for value in (d.get("hazard"), d.get("date"), on)):
        raise _Malformed("'dates' of 'context' are objects with 'hazard' and 'date', and 'on' is the day of the session.")
    dated = {d["hazard"] for d in dates}
    hazards = [*(h for h in words["hazards"] if h not in dated), *(f"{d['hazard']}={d['date']}" for d in dates)]
    phase, irritability = context.get("phase"), context.get("irritability")
    if not all(value is None or isinstance(value, str) for value in (phase, irritability)):
        raise _Malformed("'phase' and 'irritability' of 'context' are words or null.")
    client = planner.engine.client(phase, irritability, hazards, words["red_flags"], on if dates else None)
    return planner.engine.names.resolve(name, "Condition"), client


class _Check:
    """One plan under check."""

    def __init__(self, planner: "Planner", ranking: Ranking, plan: Mapping[str, Any]) -> None:
        self._planner, self._ranking, self._plan = planner, ranking, plan
        self._facts, self._knowledge = planner.facts, planner.knowledge
        self._allowed: dict[str, Entry] = {e.technique: e for e in (*ranking.recommended, *ranking.adjuncts)}
        self._withheld: dict[str, Withheld] = {w.technique: w for w in ranking.withheld}
        self._discuss = {e.technique for e in ranking.discuss}

    def findings(self) -> Iterator[Finding]:
        sessions = _objects(self._plan.get("sessions"))
        if sessions is None:
            yield Finding("form", "plan", "'sessions' is a list of sessions.")
            return
        referral = self._ranking.referral
        if referral and referral.stops and sessions:
            first = referral.reasons[0]
            yield Finding("unsafe", "plan", f"{first.label}: no session is given; {referral.action}", first.sources)
        for number, session in enumerate(sessions, 1):
            yield from self._session(f"session {session.get('number', number)}", session)
        yield from self._rest(sessions)

    @cached_property
    def _limit(self) -> float | None:
        return _number(self._plan["context"].get("minutes"))

    def _session(self, where: str, session: Mapping[str, Any]) -> Iterator[Finding]:
        steps, home = _objects(session.get("steps")), _objects(session.get("home_care", []))
        if steps is None or home is None:
            yield Finding("form", where, "'steps' and 'home_care' are lists of objects.")
            return
        named = []
        for number, step in enumerate(steps, 1):
            place = f"{where}, step {number}"
            found = list(self._technique(place, step))
            yield from found
            if not found or found[0].kind not in ("form", "unknown"):
                named.append((place, step))
        yield from self._times(where, session, steps)
        yield from self._order(named)
        yield from self._load(where, named)
        for number, item in enumerate(home, 1):
            yield from self._gate(f"{where}, home care {number}", item)
        most = int(self._facts["plan-home-items-most"])
        if len(home) > most:
            yield Finding("home", where, f"{len(home)} items of home care; more than {most} are not kept up.")

    # ------------------------------------------------------------------ one step
    def _technique(self, where: str, step: Mapping[str, Any]) -> Iterator[Finding]:
        yield from self._gate(where, step)
        name = step.get("technique")
        if isinstance(name, str) and name in self._allowed:
            yield from self._cautions(where, step, self._allowed[name])
            yield from self._dose(where, step, name)

    def _gate(self, where: str, step: Mapping[str, Any]) -> Iterator[Finding]:
        """What the gate says of a step or an item of home care."""
        name = step.get("technique")
        if not isinstance(name, str):
            yield Finding("form", where, "it names no 'technique'.")
        elif name in self._withheld:
            held = self._withheld[name]
            reason = held.because[0]
            why = f"{reason.label}: {reason.reason}. {reason.action}".strip()
            yield Finding("unsafe", where, f"{held.label} is withheld ({held.level}): {why}", reason.sources)
        elif name in self._discuss:
            yield Finding("scope", where, f"{self._knowledge.label(name)} is outside the scope of massage.")
        elif name not in self._allowed:
            known = (*self._allowed, *self._withheld, *self._discuss)
            if known:
                hint = nearest(name, known)
                yield Finding("unknown", where, f"there is no technique {name!r}." + (f" Did you mean: {', '.join(hint)}?" if hint else ""))

    def _cautions(self, where: str, step: Mapping[str, Any], entry: Entry) -> Iterator[Finding]:
        """Cautions that the gate gives and the step no longer tells."""
        told = step.get("cautions")
        rules = [c.get("rule") for c in told if isinstance(c, dict)] if isinstance(told, list) else []
        for caution in entry.cautions:
            if caution.rule not in rules:
                dropped = f"{caution.label}: {caution.where or caution.action}"
                yield Finding("caution", where, f"{entry.label}: the caution was dropped: {dropped}", caution.sources)

    def _dose(self, where: str, step: Mapping[str, Any], name: str) -> Iterator[Finding]:
        minutes, usual = _number(step.get("minutes")), self._facts.minutes(name)[1]
        if minutes is None or minutes <= 0:
            yield Finding("form", where, "'minutes' is a number above 0.")
        elif minutes > max(usual, self._facts["plan-step-least-minutes"]) + _GRAIN:
            yield Finding("dose", where, f"{self._knowledge.label(name)} for {minutes:g} minutes; usual are at most {usual:g}.")
        dose, tissues = step.get("dose"), step.get("tissues")
        stated = _number(dose.get("discomfort_most")) if isinstance(dose, dict) else None
        known = [t for t in tissues if isinstance(t, str) and t in self._knowledge] if isinstance(tissues, list) else []
        lowest = self._facts.irritabilities[-1]
        most = self._facts.discomfort(self._ranking.client.phase, lowest, known)
        if stated is not None and stated > most:
            yield Finding("dose", where, f"discomfort up to {stated:g} of 10; here at most {most}.")

    # ------------------------------------------------------------------ one session
    def _times(self, where: str, session: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
        planned = _number(session.get("minutes"))
        if planned is None:
            yield Finding("form", where, "'minutes' is a number.")
            return
        taken = sum(_number(step.get("minutes")) or 0.0 for step in steps)
        if taken > planned + _GRAIN:
            yield Finding("time", where, f"the steps take {taken:g} minutes, the session has {planned:g}.")
        if self._limit is not None and planned > self._limit + _GRAIN:
            yield Finding("time", where, f"the session has {planned:g} minutes, the plan allows {self._limit:g}.")
        if len(steps) > self._facts["plan-steps-most"]:
            yield Finding("time", where, f"{len(steps)} steps; a session has room for {self._facts['plan-steps-most']:g}.")

    def _roles(self, step: Mapping[str, Any]) -> set[str]:
        own = {role.slug for role in self._facts.roles_of.get(step["technique"], ())}
        stated = step.get("role")
        return {stated} if isinstance(stated, str) and stated in own else own

    def _order(self, named: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Finding]:
        """Steps that lack what must come before or after them."""
        roles = [self._roles(step) for _, step in named]
        for place, (where, step) in enumerate(named):
            for rule in self._facts.rules:
                if not roles[place] or not roles[place] <= rule.needed_by:
                    continue
                after = bool(roles[place] & rule.later)
                others = roles[:place] if after else roles[place + 1 :]
                if not any(other & (rule.earlier if after else rule.later) for other in others):
                    side = "comes before it" if after else "comes after it"
                    yield Finding("order", where, f"{self._knowledge.label(step['technique'])}: nothing fitting {side}. {rule.reason}")

    def _load(self, where: str, named: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Finding]:
        loads = [0.0, 0.0, 0.0]
        for _, step in named:
            minutes = _number(step.get("minutes")) or 0.0
            loads = [load + rate * minutes for load, rate in zip(loads, self._facts.strain(step["technique"]), strict=True)]
        for part, load, limit in zip(("thumbs", "wrists", "back"), loads, self._facts.strain_limits, strict=True):
            if load > limit + _GRAIN:
                yield Finding("load", where, f"{load:g} minutes of full load on the therapist's {part}; at most {limit:g}.")

    # ------------------------------------------------------------------ across sessions
    def _rest(self, sessions: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
        """Sessions with strong work that come too soon after the last one with such."""
        last: tuple[str, float, int] | None = None
        for number, session in enumerate(sessions, 1):
            where, day = f"session {session.get('number', number)}", _number(session.get("day"))
            if day is None:
                yield Finding("form", where, "'day' is the number of days from the first session.")
                continue
            names = [step.get("technique") for step in _objects(session.get("steps")) or []]
            rest = max((self._facts.rest_days(name) for name in names if isinstance(name, str) and name in self._allowed), default=0)
            if last and rest > 1 and day - last[1] < last[2]:
                gap = f"{day - last[1]:g} days after that of {last[0]}"
                yield Finding("rest", where, f"strong work {gap}; it needs {last[2]} days of rest.")
            if rest > 1:
                last = (where, day, rest)


def _number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None


def _objects(value: Any) -> list[dict[str, Any]] | None:
    """A list of objects; None for anything else."""
    return value if isinstance(value, list) and all(isinstance(v, dict) for v in value) else None
