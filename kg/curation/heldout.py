"""Evidence that is held out, to measure the ranking by it.

A question is one source (with those that rest on it) and one condition and phase of which it speaks. It is answered
without that source, and then asked: did the answer foretell the direction of each finding, and does it place the
techniques that the source favors above the others?
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kg.graph.knowledge import Knowledge
from kg.reasoning.client import ANY_PHASE
from kg.reasoning.evidence import Booleans, Floats, Integers
from kg.reasoning.mechanism import Mechanism
from kg.reasoning.parameters import Parameters
from kg.reasoning.score import Model, Scores

FAVORS, DISFAVORS = 0.75, 0.25
"""Shares of success from and up to which a statement counts as for or against, where only its side is asked."""
DEPTH, FIRST = 10, 3


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What one held-out source says of one condition in one phase."""

    cluster: int
    sources: frozenset[str]
    condition: str
    phase: str | None
    statements: tuple[int, ...]


Predictor = Callable[[Question], Floats]
"""Gives a number for every technique of the model; the higher, the better it is held to be."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The techniques of one scope that a held-out source of one kind favors: gain of each technique, 0 for the others."""

    question: Question
    kind: str
    scope: str
    members: Booleans
    gain: Floats


class HeldOut:
    """The questions that the evidence of one graph asks."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.techniques = tuple(node.slug for node in knowledge.of_class("Technique"))
        self.model = Model(knowledge, self.techniques)
        self._evidence = self.model.evidence
        self._place = {slug: i for i, slug in enumerate(self.techniques)}
        self.questions = self._questions()
        self.orders = self._orders()

    def with_weights(self, changed: dict[str, float], mechanism: Mechanism | None = None) -> Model:
        """The same model by other weights."""
        return Model(self.knowledge, self.techniques, Parameters(self.knowledge, changed), mechanism)

    def predictor(self, model: Model) -> Predictor:
        """The scores of a model, each question answered without its own sources."""
        scores = self.answers(model)
        return lambda question: scores[id(question)].mean

    def answers(self, model: Model) -> dict[int, Scores]:
        """The scores for each question, by the identity of the question."""
        tolerance = np.ones(len(self.techniques))
        return {id(q): model.join(model.basis(q.condition, q.phase, q.sources), tolerance) for q in self.questions}

    # ------------------------------------------------------------------ the questions
    def _questions(self) -> list[Question]:
        """Sources that measured effects, too, are left out: what they measured is in the mechanism."""
        evidence = self._evidence
        measured = {node.one("dcterms:source") for node in self.knowledge.of_class("MechanismEvidence")}
        sources: dict[int, set[str]] = {}
        found: dict[tuple[int, str, str], list[int]] = {}
        for i, node in enumerate(evidence.statements):
            sources.setdefault(int(evidence.cluster[i]), set()).add(evidence.sources[i])
            if not np.isnan(evidence.share[i]) and evidence.sources[i] not in measured:
                key = (int(evidence.cluster[i]), node.one("evidenceCondition"), node.one("inPhase", ANY_PHASE))
                found.setdefault(key, []).append(i)
        return [
            Question(cluster, frozenset(sources[cluster]), condition, None if phase == ANY_PHASE else phase, tuple(statements))
            for (cluster, condition, phase), statements in sorted(found.items())
        ]

    def _orders(self) -> list[Order]:
        scopes = np.array([self.knowledge[slug].one("scope") for slug in self.techniques])
        ranked = np.array([not self.knowledge[slug].properties.get("unspecified") for slug in self.techniques])
        groups = [(str(scope), ranked & (scopes == scope)) for scope in np.unique(scopes[ranked])]
        found = []
        for question in self.questions:
            for kind in sorted({self.kind(i) for i in question.statements} - {""}):
                gain = self._gain([i for i in question.statements if self.kind(i) == kind])
                found += [Order(question, kind, scope, members, gain[members]) for scope, members in groups if gain[members].any()]
        return found

    def kind(self, statement: int) -> str:
        """The group of designs with which a statement is evaluated; none for weak designs."""
        node = self._evidence.statements[statement]
        if node.is_a("RecommendationStatement"):
            return "guideline"
        return self.knowledge[self.knowledge[node.one("dcterms:source")].one("design")].one("evaluatedAs")

    def _gain(self, statements: Sequence[int]) -> Floats:
        """1 for a technique that is favored by name, 1/2 for its variants; 0 where any statement speaks against it."""
        gain, against = np.zeros(len(self.techniques)), np.zeros(len(self.techniques), dtype=np.bool_)
        for i in statements:
            about = self._evidence.statements[i].one("evidenceTechnique")
            variants = np.array([about in self._evidence.technique_lineage[slug] for slug in self.techniques])
            if self._evidence.share[i] >= FAVORS:
                gain = np.maximum(gain, 0.5 * variants)
                gain[self._place[about]] = 1.0
            elif self._evidence.share[i] <= DISFAVORS:
                against |= variants
        return np.where(against, 0.0, gain)

    # ------------------------------------------------------------------ the findings one by one
    def findings(self, predict: Predictor) -> "Findings":
        """Each held-out statement with what was foretold of it."""
        rows = [(i, question) for question in self.questions for i in question.statements]
        statements = np.array([i for i, _ in rows], dtype=np.intp)
        places = [self._place[self._evidence.statements[i].one("evidenceTechnique")] for i in statements]
        answered = {id(question): predict(question) for question in self.questions}
        cluster = np.array([question.cluster for _, question in rows], dtype=np.intp)
        foretold = np.array([answered[id(question)][place] for (_, question), place in zip(rows, places, strict=True)])
        importance = 1 / np.sqrt(np.bincount(cluster)[cluster])
        return Findings(statements, cluster, self._evidence.share[statements], foretold, importance)

    def fingerprint(self) -> str:
        """SHA-256 of the findings, so that anybody can tell whether the evidence has changed."""
        statements = [(self._evidence.statements[i], self._evidence.share[i]) for q in self.questions for i in q.statements]
        lines = [f"{node.slug} {node.one('evidenceCondition')} {node.one('evidenceTechnique')} {share:g}" for node, share in statements]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Held-out statements: which, of which cluster, their share of success, what was foretold, and how much each counts.

    The statements of one source share the square root of their number, since they are not independent.
    """

    statement: Integers
    cluster: Integers
    share: Floats
    foretold: Floats
    importance: Floats

    def part(self, chosen: Booleans) -> "Findings":
        """Some of them."""
        return Findings(self.statement[chosen], self.cluster[chosen], self.share[chosen], self.foretold[chosen], self.importance[chosen])
