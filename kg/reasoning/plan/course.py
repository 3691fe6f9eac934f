"""How many sessions, how often, how long: from published protocols of the condition or its family, else by reasoning."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from kg.reasoning.client import ANY_PHASE
from kg.reasoning.plan.facts import Facts, PlanPhase, Protocol


@dataclass(frozen=True, slots=True)
class Course:
    """The frame of a plan, and the protocols it rests on; `basis` says how near these are, `asked` what the user asked for instead."""

    sessions: int
    weekly: float
    minutes: float
    about: str
    protocols: tuple[Protocol, ...]
    basis: str
    asked: tuple[str, ...]


def course(facts: Facts, condition: str, phase: str | None, sessions: int | None, minutes: float | None) -> Course:
    """The frame for a condition and phase; what a user asks for goes before what protocols say."""
    about, found = facts.protocols_for(condition)
    fitting = _fitting(about, found, phase)
    counts, frequencies, lengths = ([value for value in values if value] for values in (
        [p.count for p in fitting], [p.frequency for p in fitting], [p.minutes for p in fitting]))  # fmt: skip
    count = median(counts) if counts else facts["plan-sessions-default"]
    weekly = median(frequencies) if frequencies else facts["plan-weekly-default"]
    length = median(lengths) if lengths else facts["plan-minutes-default"]
    return Course(
        sessions or max(1, round(min(count, facts["plan-sessions-most"]))),
        min(weekly, facts["plan-weekly-most"]),
        minutes or min(max(length, facts["plan-minutes-least"]), facts["plan-minutes-most"]),
        about, fitting, "expert-reasoning" if not counts else "protocol" if {p.condition for p in fitting} == {condition} else
        "protocol-of-family", tuple(name for name, value in (("sessions", sessions), ("minutes", minutes)) if value),
    )  # fmt: skip


def _fitting(about: str, found: tuple[Protocol, ...], phase: str | None) -> tuple[Protocol, ...]:
    """The protocols that fit best: of the condition itself in this phase, in any; then of its kinds; then whatever the phase."""
    own = tuple(p for p in found if p.condition == about)
    if phase is None:
        return own or found
    for group in (own, found):
        for fit in (phase, ANY_PHASE):
            if best := tuple(p for p in group if p.phase == fit):
                return best
    return own or found


def share_out(sessions: int, phases: Sequence[PlanPhase], shares: Sequence[float]) -> list[tuple[PlanPhase, int]]:
    """Sessions to phases by largest remainder, each phase at least one; with too few sessions the smallest shares go without."""
    ranked = sorted(range(len(phases)), key=lambda i: (-shares[i], i))[:sessions]
    kept = sorted(ranked)
    total = sum(shares[i] for i in kept)
    exact = {i: shares[i] / total * sessions for i in kept}
    given = {i: max(1, int(exact[i])) for i in kept}
    while sum(given.values()) > sessions:
        given[max((i for i in kept if given[i] > 1), key=lambda i: (given[i] - exact[i], i))] -= 1
    while sum(given.values()) < sessions:
        given[max(kept, key=lambda i: (exact[i] - given[i], -i))] += 1
    return [(phases[i], given[i]) for i in kept]


def days(weekly: float, spacings: Sequence[float]) -> list[int]:
    """The day of each session, from 0: a session comes after the usual gap times the spacing of its phase, at least a day."""
    found, at = [0], 0.0
    for spacing in spacings[1:]:
        at = max(at + 7 / weekly * spacing, found[-1] + 1)
        found.append(round(at) if round(at) > found[-1] else found[-1] + 1)
    return found
