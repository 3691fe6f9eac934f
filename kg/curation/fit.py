"""`python -m kg fit`: weights of the score from the graph's own evidence.

Each weight that the ontology marks (`pal:fittedAs`) is tried a step up and down, round after round, and keeps what
serves best on evidence that is held out; it leaves its reasoned value only for a gain that counts. The objective is the
mean of what the ranking is for and what its numbers claim:

    nDCG and AUROC of favored techniques (mean over guidelines, reviews, trials and scopes), and 1 - Brier score of findings

Folds of sources that had no part in choosing tell how much of the gain is real.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from kg.curation.heldout import Findings, HeldOut, Order
from kg.curation.measures import direction, placing
from kg.graph.knowledge import Knowledge

FOLDS = 5
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight to be fitted: its reasoned value, and whether it is a share or a ratio."""

    slug: str
    reasoned: float
    is_share: bool

    def moved(self, value: float, factor: float) -> float:
        """The value a step away: a ratio times the factor, a share with its odds times the factor; three digits."""
        changed = value * factor if not self.is_share else value * factor / (1 - value + value * factor)
        return float(f"{changed:.3g}")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit found."""

    weights: dict[str, float]
    statements: int
    evidence: str
    as_reasoned: float
    as_fitted: float
    """Objective on folds that had no part in choosing."""


class Fit:
    """The evidence of one graph, and weights for it."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._held_out = HeldOut(knowledge)
        parameters = self._held_out.model.parameters
        self._step, self._least_gain = parameters["fit-step"], parameters["fit-least-gain"]
        self.weights = tuple(
            Weight(node.slug, node.number("reasonedValue"), node.one("fittedAs") == "fitted-share")
            for node in knowledge if "fittedAs" in node.properties
        )  # fmt: skip
        self.reasoned = {weight.slug: weight.reasoned for weight in self.weights}
        self._mechanism = self._held_out.model.mechanism  # no fitted weight has a part in it

    def run(self, progress: Callable[[str], None] = lambda step: None) -> Fitted:
        """Choose weights on all sources, and tell by folds what that gains on others."""
        everything = range(FOLDS)
        weights = self.choose(everything)
        gains = []
        for left_out in everything:
            progress(f"Fold {left_out + 1} of {FOLDS}")
            chosen = self.choose([fold for fold in everything if fold != left_out])
            gains.append((self.objective(self.reasoned, [left_out]), self.objective(chosen, [left_out])))
        before, after = np.mean(gains, axis=0).tolist()
        return Fitted(weights, len(self._findings_of(self.reasoned).share), self.evidence(), before, after)

    def choose(self, folds: Collection[int]) -> dict[str, float]:
        """Coordinate ascent from the reasoned weights on the sources of some folds."""
        chosen = dict(self.reasoned)
        best = self.objective(chosen, folds)
        for _ in range(_ROUNDS):
            before = best
            for weight in self.weights:
                for factor in (self._step, 1 / self._step):
                    trial = chosen | {weight.slug: weight.moved(chosen[weight.slug], factor)}
                    reached = self.objective(trial, folds)
                    if reached > best + self._least_gain:
                        chosen, best = trial, reached
            if best == before:
                break
        return chosen

    def objective(self, weights: dict[str, float], folds: Collection[int]) -> float:
        """How good these weights are on the sources of some folds."""
        model = self._held_out.with_weights(weights, self._mechanism)
        predict = self._held_out.predictor(model)
        part = self._part(folds)
        placed, told = placing(part, predict), direction(part.findings(predict))
        return (placed.ndcg + placed.auroc + 1 - told.brier) / 3
