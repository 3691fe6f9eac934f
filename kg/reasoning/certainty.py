"""What the numbers mean in words: the class of a recommendation, and the certainty of its evidence with the reasons.

Certainty is read in the manner of GRADE: it begins where the best design of the evidence may begin, and goes down a step
for each doubt of bias, inconsistency, indirectness and imprecision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kg.graph.knowledge import Knowledge
from kg.reasoning.evidence import Booleans, Floats, totals
from kg.reasoning.score import Model, Scores

SUPPORTED, MECHANISM, CONFLICTING, AGAINST, UNKNOWN = "supported", "mechanism-only", "conflicting", "against", "unknown"
CERTAINTIES = ("very-low", "low", "moderate", "high")
_LOW = 2
"""Certainties as numbers: 1 is very low, 4 is high."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One domain of certainty: how many steps it takes away, and why."""

    domain: str
    down: int
    reason: str

    def to_dict(self) -> dict[str, Any]:
        return {"domain": self.domain, "down": self.down, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure the evidence makes the score of one technique."""

    level: str
    start: str
    doubts: tuple[Doubt, ...]

    def __str__(self) -> str:
        return self.level

    @property
    def reason(self) -> str:
        """In one line: where it began, and what took it down."""
        told = "; ".join(doubt.reason for doubt in self.doubts if doubt.down)
        return f"{self.start}; {told}" if told else self.start

    def to_dict(self) -> dict[str, Any]:
        return {"level": self.level, "start": self.start, "domains": [doubt.to_dict() for doubt in self.doubts]}


class Reader:
    """Reads the scores of one model."""

    def __init__(self, model: Model) -> None:
        self._model, self._knowledge, p = model, model.knowledge, model.parameters
        self._near_least, self._for, self._against = p["class-evidence-least"], p["class-supported-share"], p["class-against-share"]
        self._plausible, self._speaks = p["class-plausibility-least"], p["certainty-weight-least"]
        self._widths = (p["certainty-width-serious"], p["certainty-width-very-serious"])
        self._consistent, self._straight = p["certainty-consistency-least"], p["certainty-directness-least"]
        self._trusted = p["certainty-trusted-share"]

    @cached_property
    def _ceilings(self) -> Floats:
        """The highest certainty that the design behind each statement allows: 1 very low to 4 high."""
        return np.array([_design(self._knowledge, source).number("ceiling") for source in self._model.evidence.sources])

    @cached_property
    def _doubted(self) -> Booleans:
        """Which statements come with a low or very low certainty of their own source."""
        low = {node.slug for node in self._knowledge.of_class("Certainty") if node.number("ceiling") <= _LOW}
        return np.array([node.one("certainty") in low for node in self._model.evidence.statements])

    def read(self, scores: Scores, widths: Sequence[float]) -> list[tuple[str, Certainty]]:
        """Class and certainty of each technique, in the order of the model's techniques.

        Args:
            scores: of all techniques.
            widths: of their intervals.
        """
        sums, rows = scores.basis.sums, scores.basis.sums.rows
        won, lost = sums.row_successes, sums.row_failures
        weight, count = won + lost, len(self._model.techniques)

        def total(values: Floats) -> list[float]:
            return totals(rows.technique, values, count).tolist()  # type: ignore[no-any-return]

        near, near_won, direct = total(weight * rows.near), total(won * rows.near), total(weight * rows.direct)
        doubted = total(weight * self._doubted[rows.statement])
        ceilings, first = np.where(weight > 0, self._ceilings[rows.statement], 0.0), rows.first
        every, every_won, plausibility = total(weight), total(won), scores.basis.plausibility.tolist()
        found = []
        for i in range(count):
            class_ = self._classify(near[i], near_won[i], plausibility[i])
            if class_ in (MECHANISM, UNKNOWN):
                found.append((class_, _NO_STUDY))
                continue
            place, end = first[i], first[i + 1]
            heavy = weight[place:end] >= self._speaks * every[i]
            ceiling = int((ceilings[place:end] * heavy).max())
            best = int(rows.statement[place + int((ceilings[place:end] * heavy).argmax())])
            shares = (doubted[i] / every[i], every_won[i] / every[i], direct[i] / every[i], near[i] / every[i])
            certainty = self._certainty(ceiling, best, *shares, widths[i])
            found.append((class_, certainty))
        return found

    def _classify(self, evidence: float, successes: float, plausibility: float) -> str:
        """What near enough evidence says, else whether a mechanism makes it plausible.

        Evidence is near enough within `class-steps-most` steps; farther evidence moves the score, but makes no technique
        "supported".
        """
        if evidence < self._near_least:
            return MECHANISM if plausibility >= self._plausible else UNKNOWN
        share = successes / evidence
        if share >= self._for:
            return SUPPORTED
        return AGAINST if share <= self._against else CONFLICTING

    def _certainty(self, ceiling: int, best: int, doubted: float, share: float, direct: float, near: float,
                   width: float) -> Certainty:  # fmt: skip
        design = _design(self._knowledge, self._model.evidence.sources[best]).label
        minority = min(share, 1 - share)
        doubts = (
            Doubt("bias", int(doubted >= self._trusted), f"{doubted:.0%} of the evidence is of low certainty by its own sources"),
            Doubt("inconsistency", int(minority >= self._consistent), f"{minority:.0%} of the evidence says otherwise"),
            Doubt("indirectness", (direct < self._straight) + (near < self._straight), _directness(direct)),
            Doubt("imprecision", sum(width > limit for limit in self._widths), f"interval {width:.2f} wide"),
        )
        level = max(ceiling - 1 - sum(doubt.down for doubt in doubts), 0)
        return Certainty(CERTAINTIES[level], f"begins at {CERTAINTIES[ceiling - 1]} (best kind of source: {design})", doubts)


_NO_STUDY = Certainty(CERTAINTIES[0], "no study of weight speaks to it", ())


def _design(knowledge: Knowledge, source: str) -> Any:
    return knowledge[knowledge[source].one("design")]


def _directness(direct: float) -> str:
    if direct == 0.0:
        return "only indirect evidence"
    return f"{direct:.0%} of the evidence is about this very condition and technique"


def bands(ordered: Sequence[tuple[float, float]], separation: float) -> list[int]:
    """Bands of techniques that cannot be told apart from the best of their band, numbered from 1.

    Args:
        ordered: mean and variance of each technique, the best first.
        separation: from how many standard deviations of the difference two techniques are told apart.
    """
    found: list[int] = []
    leader: tuple[float, float] | None = None
    for mean, variance in ordered:
        if leader is None:
            leader, band = (mean, variance), 1
        elif leader[0] - mean >= separation * (leader[1] + variance) ** 0.5:
            leader, band = (mean, variance), band + 1
        found.append(band)
    return found
