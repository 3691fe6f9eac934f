"""Goals: for the weightiest impairments a measure, what change counts, and by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kg.graph.knowledge import Node
from kg.reasoning.mechanism import Need
from kg.reasoning.plan.facts import Facts

_GENERIC = 3
"""From here on a measure fits because it suits anybody."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A measure with the interpretation that fits a condition best; changes in scale points, None where nobody published one."""

    measure: str
    label: str
    outcome: str
    higher_is_better: bool
    important: float | None
    detectable: float | None
    scale: str
    about: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a plan is to reach for an impairment: the measure, the least change that matters, and by which session."""

    impairment: str
    label: str
    others: tuple[str, ...]
    weight: float
    reading: Reading
    baseline: float | None
    change: float | None
    session: int
    week: int

    @property
    def target(self) -> float | None:
        """The score to reach; None until there is a baseline."""
        return None if self.baseline is None or self.change is None else round(self.baseline + self.change, 2)

    @property
    def text(self) -> str:
        """The target in words."""
        return goal_text(self.reading.label, self.reading.higher_is_better, self.change, self.baseline, self.session)

    def to_dict(self) -> dict[str, Any]:
        r = self.reading
        return {
            "impairment": self.impairment, "label": self.label, "also": list(self.others), "weight": self.weight, "measure": r.measure,
            "measure_label": r.label, "outcome": r.outcome, "higher_is_better": r.higher_is_better, "scale": r.scale or None,
            "baseline": self.baseline, "target": self.target, "target_change": self.change, "mcid": r.important, "mdc": r.detectable,
            "mcid_from": list(r.about), "by_session": self.session, "by_week": self.week, "text": self.text, "sources": list(r.sources),
        }  # fmt: skip


def goal_text(measure: str, higher_is_better: bool, change: float | None, baseline: float | None, session: int) -> str:
    """A goal in a sentence."""
    way = "up" if higher_is_better else "down"
    if change is None:
        return f"{measure}: {way} by a tenth of the scale or more by session {session}."
    start = "the first score" if baseline is None else f"{baseline:g}"
    return f"{measure}: {way} by {abs(change):g} or more from {start} by session {session}."


class Measures:
    """Which measure follows which impairment of a condition."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._knowledge = facts.knowledge

    @cached_property
    def _by_outcome(self) -> dict[str, list[tuple[Node, Node]]]:
        """Outcome -> pairs of a measure and one of its interpretations that give a number."""
        found: dict[str, list[tuple[Node, Node]]] = {}
        for reading in self._knowledge.of_class("MeasureInterpretation"):
            measure = self._knowledge[reading.one("ofMeasure")]
            if {"importantChange", "detectableChange"} & set(reading.properties):
                for outcome in measure.all("measuresOutcome"):
                    found.setdefault(outcome, []).append((measure, reading))
        return found

    def reading(self, condition: str, impairment: str) -> Reading | None:
        """The measure by which an impairment of a condition is followed, or that of the outcome that stands in for it.

        One made for the condition, its family or its region goes before one that suits anybody.
        """
        chain: list[str] = []
        outcome = self._knowledge[impairment].one("followedBy")
        while outcome and outcome not in chain:
            chain.append(outcome)
            outcome = self._knowledge[outcome].one("elseFollowedBy")
        fits = []
        for place, outcome in enumerate(chain):
            for measure, reading in self._by_outcome.get(outcome, ()):
                fit = self._fit(condition, measure, reading)
                if fit is not None:
                    fits.append((fit >= _GENERIC, place, fit, -reading.number("importantChange", 0.0), reading.slug, measure, reading))
        best = min(fits, key=lambda fit: fit[:5], default=None)
        return self._read(chain[best[1]], best[5], best[6]) if best else None

    def _fit(self, condition: str, measure: Node, reading: Node) -> int | None:
        """How well an interpretation fits: 0 for the condition itself, more for its family, its region, any region; None for not."""
        lineage = self._facts.lineage(condition)
        about = set(reading.all("measuredIn"))
        if condition in about:
            return 0
        if about & set(lineage):
            return 1
        regions = measure.all("suitsRegion") or tuple(r for r in reading.all("inRegion") if r != "general")
        inside = bool(regions) and self._facts.regions.inside(condition, regions)
        if measure.properties.get("genericMeasure"):
            return 2 if inside else _GENERIC if "general" in reading.all("inRegion") else _GENERIC + 1
        return 2 if inside and measure.all("suitsRegion") else None

    def _read(self, outcome: str, measure: Node, reading: Node) -> Reading:
        numbers = [reading.number(name) if name in reading.properties else None for name in ("importantChange", "detectableChange")]
        return Reading(
            measure.slug, measure.label.partition(" (")[0], outcome.removeprefix("outcome-"), bool(measure.properties["higherIsBetter"][0]),
            numbers[0], numbers[1], reading.one("scaleRange"), reading.all("measuredIn"), reading.all("dcterms:source"),
        )  # fmt: skip

    def goals(self, condition: str, needs: Sequence[Need], baselines: Mapping[str, float], session: int, week: int) -> tuple[Goal, ...]:
        """One goal a measure, for the weightiest impairments first; the least change that matters is the goal."""
        weights: dict[str, float] = {}
        for need in needs:
            weights[need.impairment] = weights.get(need.impairment, 0.0) + need.weight
        grouped: dict[str, tuple[Reading, list[str]]] = {}
        for impairment in sorted(weights, key=lambda i: (-weights[i], i)):
            if reading := self.reading(condition, impairment):
                grouped.setdefault(reading.measure, (reading, []))[1].append(impairment)
        ranked = sorted(grouped.values(), key=lambda group: (-sum(weights[i] for i in group[1]), group[1][0]))
        goals = []
        for reading, own in ranked[: int(self._facts["plan-goals-most"])]:
            baseline = baselines.get(reading.measure)
            goals.append(Goal(own[0], self._knowledge.label(own[0]), tuple(own[1:]), sum(weights[i] for i in own), reading, baseline,
                              self._change(reading), session, week))  # fmt: skip
        return tuple(goals)

    @staticmethod
    def _change(reading: Reading) -> float | None:
        """The least change that matters, with the sign of a change for the better."""
        points = reading.important or reading.detectable
        if points is None:
            return None
        return points if reading.higher_is_better else -points
