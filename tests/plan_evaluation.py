"""Plans against the published protocols of ontology/plans/protocols.ttl, point by point; `python -m tests.plan_evaluation` writes the page.

For each protocol a plan is made for its condition and phase and compared: number of sessions, weeks, minutes, techniques
and their order. A technique of the protocol is met by itself, by a kind of it, or by what it is a kind of.
"""

import re
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from statistics import mean

import kg
from kg.reasoning.plan import Plan, Planner
from kg.reasoning.plan.facts import Protocol

PAGE = Path(__file__).parents[1] / "docs" / "plan-evaluation.md"
_MARKS = re.compile(r"(?<=<!-- comparison: written by tests/plan_evaluation.py -->\n).*?(?=<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Comparison:
    """A plan beside a protocol: techniques met, and why each other one is not; pairs of techniques in the order of the protocol."""

    protocol: Protocol
    plan: Plan
    met: tuple[str, ...]
    missed: dict[str, str]
    in_order: int
    pairs: int


def compare(planner: Planner, protocol: Protocol) -> Comparison:
    """The plan for a protocol's condition and phase (chronic where it names none) against the protocol."""
    phase = protocol.phase if protocol.phase != "any" else "chronic"
    plan = planner.plan(protocol.condition, planner.engine.client(phase))
    steps = [{step.technique for step in session.steps} for session in plan.sessions]
    used = set().union(*steps, *({item.technique for item in session.home} for session in plan.sessions))
    techniques = tuple(dict.fromkeys(protocol.techniques))
    by = {t: _kinds(planner, t) & used for t in techniques}
    met = tuple(t for t in techniques if by[t])
    in_order = pairs = 0
    for earlier, later in combinations(met, 2):
        places = [_places(session, by[earlier], by[later]) for session in plan.sessions]
        both = [place for place in places if place]
        pairs += bool(both)
        in_order += any(first < second for first, second in both)
    return Comparison(protocol, plan, met, {t: _why(planner, plan, t) for t in techniques if not by[t]}, in_order, pairs)


def _places(session: object, earlier: set[str], later: set[str]) -> tuple[int, int] | None:
    """Where in a session the first of the one and the last of the other stand; None where either is missing or both are the same."""
    steps = session.steps  # type: ignore[attr-defined]
    first = [step.order for step in steps if step.technique in earlier - later]
    second = [step.order for step in steps if step.technique in later - earlier]
    return (min(first), max(second)) if first and second else None


def _kinds(planner: Planner, technique: str) -> set[str]:
    """A technique, its kinds, and what it is a kind of, general names left out."""
    knowledge = planner.knowledge
    general = set(knowledge[technique].all("variantOf"))
    kinds = {n.slug for n in knowledge.of_class("Technique") if technique in n.all("variantOf")}
    return {technique} | kinds | {g for g in general if not knowledge[g].properties.get("unspecified")}


def _why(planner: Planner, plan: Plan, technique: str) -> str:
    """Why a technique of a protocol is not in a plan."""
    kinds = _kinds(planner, technique)
    engine = planner.engine
    ranking = engine.rank(plan.condition, plan.client, explain=False)
    if kinds <= {e.technique for e in ranking.discuss} | {technique} and technique in {e.technique for e in ranking.discuss}:
        return "outside the scope of massage"
    if kinds & {w.technique for w in ranking.withheld}:
        return "withheld in this phase"
    entries = [e for e in (*ranking.recommended, *ranking.adjuncts) if e.technique in kinds]
    if entries and all(e.class_ == "against" for e in entries):
        return "the evidence speaks against it"
    return "others cover more in the minutes"


@cache
def comparisons() -> list[Comparison]:
    planner = kg.planner()
    return [compare(planner, protocol) for protocol in planner.facts.protocols]


def table() -> str:
    """The comparison as Markdown: the figures over all, then a row for each protocol."""
    found = comparisons()
    label = kg.load().knowledge.label
    counted = [c for c in found if c.protocol.count]
    near = [c for c in counted if abs(len(c.plan.sessions) - c.protocol.count) <= 2]  # type: ignore[operator]
    met, named = sum(len(c.met) for c in found), sum(len(c.met) + len(c.missed) for c in found)
    in_order, pairs = sum(c.in_order for c in found), sum(c.pairs for c in found)
    lines = [
        f"{len(found)} protocols of {len({c.protocol.condition for c in found})} conditions. Of {named} techniques that they name, "
        f"plans hold {met} or a kind of them ({met / named:.0%}). Of {pairs} pairs of these that stand in one session of the plan, "
        f"{in_order} stand in the order of the protocol. Of {len(counted)} protocols with a number of sessions, {len(near)} plans "
        "differ from it by two at most; the mean difference is "
        f"{mean(abs(len(c.plan.sessions) - c.protocol.count) for c in counted):.1f} sessions.",  # type: ignore[operator]
        "",
        "| condition (phase) | protocol | sessions: protocol, plan | weeks | minutes | techniques met | not met, and why |",
        "| --- | --- | --: | --: | --: | --- | --- |",
    ]
    for c in sorted(found, key=lambda c: (c.protocol.condition, c.protocol.slug)):
        p, plan = c.protocol, c.plan
        missed = "; ".join(f"{label(t)} ({why})" for t, why in c.missed.items())
        lines.append(
            f"| {label(p.condition)} ({plan.client.phase}) | `{p.sources[0]}` | {_show(p.count)}, {len(plan.sessions)} "
            f"| {_show(p.weeks)}, {plan.sessions[-1].week} | {_show(p.minutes)}, {plan.minutes:g} "
            f"| {'; '.join(label(t) for t in c.met) or 'none'} | {missed} |"
        )
    return "\n".join(lines) + "\n"


def _show(number: float | None) -> str:
    return "not stated" if number is None else f"{number:g}"


def page() -> str:
    """The page with the comparison as it is now."""
    return _MARKS.sub(lambda _: f"\n{table()}\n", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
