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
from datetime import date
from pathlib import Path

import numpy as np

from kg.curation.heldout import HeldOut
from kg.curation.measures import direction, placing
from kg.curation.turtle import dump, header, read, write_atomically
from kg.graph.knowledge import Knowledge
from kg.graph.terms import ONTOLOGY_DIR, PAL

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
        self._fold = {question.cluster: _fold(min(question.sources)) for question in self._held_out.questions}

    def run(self, progress: Callable[[str], None] = lambda step: None) -> Fitted:
        """Choose weights on all sources, and tell by folds what that gains on others."""
        progress("Fitting")
        weights = self.choose(range(FOLDS))
        gains = []
        for left_out in range(FOLDS):
            progress(f"Fold {left_out + 1} of {FOLDS}")
            chosen = self.choose([fold for fold in range(FOLDS) if fold != left_out])
            gains.append((self.objective(self.reasoned, [left_out]), self.objective(chosen, [left_out])))
        before, after = np.mean(gains, axis=0).tolist()
        statements = sum(len(question.statements) for question in self._held_out.questions)
        return Fitted(weights, statements, self._held_out.fingerprint(), before, after)

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
        predict = self._held_out.predictor(self._held_out.with_weights(weights, self._mechanism))
        placed = placing((order for order in self._held_out.orders if self._fold[order.question.cluster] in folds), predict)
        findings = self._held_out.findings(predict)
        told = direction(findings.part(np.array([self._fold[cluster] in folds for cluster in findings.cluster.tolist()])))
        return (placed.ndcg + placed.auroc + 1 - told.brier) / 3


def _fold(name: str) -> int:
    """The fold of a source, by its name alone, so that new sources move no other."""
    return hashlib.sha256(name.encode()).digest()[0] % FOLDS


def write(fitted: Fitted, on: date, ontology: Path = ONTOLOGY_DIR) -> Path:
    """Write fitted weights into scoring.ttl, with what they were fitted to and when."""
    from rdflib import Literal, Namespace
    from rdflib.namespace import RDF, SKOS, XSD
    from rdflib.term import Node

    pal = Namespace(PAL)
    path = ontology / "scoring.ttl"
    graph = read(path)
    for slug, value in fitted.weights.items():
        graph.set((pal[slug], pal.value, Literal(repr(float(value)), datatype=XSD.decimal)))
        if value != float(str(graph.value(pal[slug], pal.reasonedValue))):
            graph.set((pal[slug], pal.basis, pal["fitted-to-evidence"]))
        else:
            graph.remove((pal[slug], pal.basis, pal["fitted-to-evidence"]))
    record = pal["fit-of-weights"]
    graph.remove((record, None, None))
    said: tuple[tuple[Node, Node], ...] = (
        (RDF.type, pal.WeightFit), (SKOS.prefLabel, Literal("Fit of the weights", "en")), (pal.fittedOn, Literal(on.isoformat())),
        (pal.fittedTo, Literal(fitted.evidence)), (pal.heldOutStatements, Literal(fitted.statements)),
        (pal.objectiveAsReasoned, Literal(f"{fitted.as_reasoned:.4f}", datatype=XSD.decimal)),
        (pal.objectiveAsFitted, Literal(f"{fitted.as_fitted:.4f}", datatype=XSD.decimal)),
    )  # fmt: skip
    for prop, stated in said:
        graph.add((record, prop, stated))
    write_atomically(path, dump(graph, header(path.read_text(encoding="utf-8"))))
    return path
