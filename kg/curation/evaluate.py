"""`python -m kg evaluate`: how far the ranking can be trusted, measured on evidence that is held out.

Everything is computed anew from the graph, the same each time; docs/evaluation.md is what the command prints.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kg.curation.baselines import Baselines
from kg.curation.heldout import HeldOut, Predictor
from kg.curation.measures import Direction, Placing, calibration, direction, kendall, placing
from kg.graph.knowledge import Knowledge
from kg.reasoning.client import Client
from kg.reasoning.evidence import Floats
from kg.reasoning.score import Basis, Model, Scores

FULL = "full model"
_COVERED = 0.9
_MOVED = 0.2
_EVERY = 4
"""Orders are compared for every fourth condition; more takes minutes and says the same."""
_LEAST_SOURCES = 3
_WORST = 10
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One way to rank: how well it foretells directions, if its numbers are chances, and how well it places."""

    name: str
    direction: Direction
    is_chance: bool
    placing: Placing
    by_kind: dict[str, Placing]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the observed number of favorable sources lies in the predictive interval."""

    pairs: int
    covered: float
    mean_width: float


@dataclass(frozen=True, slots=True)
class Moved:
    """How much of the order stays when one number is moved up or down: the smaller Kendall's tau of both."""

    slug: str
    tau: float


@dataclass(frozen=True, slots=True)
class Miss:
    """A held-out finding that was foretold badly."""

    statement: str
    foretold: float
    share: float
    because: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that is measured."""

    questions: int
    findings: int
    sources: int
    orders: int
    favored: float
    rows: tuple[Row, ...]
    calibration: tuple[tuple[float, float, int], ...]
    coverage: Coverage
    moved: tuple[Moved, ...]
    misses: tuple[Miss, ...]


class Evaluator:
    """Measures one graph."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.held_out = HeldOut(knowledge)
        self.model = self.held_out.model
        self._answers = self.held_out.answers(self.model)

    def run(self, progress: Progress = lambda step: None) -> Evaluation:
        """Measure everything."""
        full: Predictor = lambda question: self._answers[id(question)].mean  # noqa: E731
        findings = self.held_out.findings(full)
        progress("Baselines and ablations")
        rows = [self._row(FULL, full, True), *self._ablations(), *self._baselines()]
        progress("Intervals")
        coverage = self._coverage()
        progress("Stability")
        moved = self._stability()
        return Evaluation(
            len(self.held_out.questions), len(findings.share), len(set(findings.cluster.tolist())), len(self.held_out.orders),
            float(np.average(findings.share, weights=findings.importance)), tuple(rows), tuple(calibration(findings)), coverage,
            tuple(moved), tuple(self._misses()),
        )  # fmt: skip

    def _row(self, name: str, predict: Predictor, is_chance: bool) -> Row:
        kinds = sorted({order.kind for order in self.held_out.orders})
        return Row(
            name, direction(self.held_out.findings(predict)), is_chance, placing(self.held_out.orders, predict),
            {kind: placing((order for order in self.held_out.orders if order.kind == kind), predict) for kind in kinds},
        )  # fmt: skip

    # ------------------------------------------------------------------ what it is compared with
    def _ablations(self) -> list[Row]:
        """The model without one of its parts."""
        level = float(np.mean([scores.mechanism_mean.mean() for scores in self._answers.values()]))
        tiny = 1e-9
        plain = self.model.mechanism
        changed = {
            "without the record elsewhere": {"record-share": tiny},
            "without kindred conditions": {"discount-condition-step": tiny, "discount-subtype-step": tiny},
            "without more general techniques": {"discount-technique-step": tiny},
            "without age of the work": {"age-half-life": 1e9},
        }
        models = {name: self.held_out.with_weights(weights, plain) for name, weights in changed.items()}
        bare = models["without the record elsewhere"]
        return [
            self._row("mechanism only", lambda question: self._answers[id(question)].mechanism_mean, True),
            self._row("prior only (mechanism and record)", lambda question: self._answers[id(question)].prior_mean, True),
            self._row("evidence only", self._without_mechanism(bare, level), True),
            *(self._row(name, self.held_out.predictor(model), True) for name, model in models.items()),
        ]

    def _without_mechanism(self, model: Model, level: float) -> Predictor:
        """Evidence on a prior that is the same for all techniques."""
        low, high = model.parameters["prior-mean-low"], model.parameters["prior-mean-high"]
        flat = np.full(len(model.techniques), (level - low) / (high - low))
        nothing = np.zeros(len(model.techniques))
        tolerance = np.ones(len(model.techniques))

        def scores(basis: Basis) -> Scores:
            return model.join(Basis(flat, nothing, nothing, nothing, basis.sums), tolerance)

        found = {id(q): scores(model.basis(q.condition, q.phase, q.sources)).mean for q in self.held_out.questions}
        return lambda question: found[id(question)]

    def _baselines(self) -> list[Row]:
        chances = {"vote counting", "record of the technique"}
        return [self._row(name, predict, name in chances) for name, predict in Baselines(self.held_out).all().items()]

    # ------------------------------------------------------------------ intervals
    def _coverage(self) -> Coverage:
        """Pairs with several sources of their own, all held out: is the number that favors it within the 90% it predicts?"""
        from scipy.stats import betabinom

        evidence = self.model.evidence
        inside, widths = [], []
        for (condition, technique), clusters in sorted(self._well_studied().items()):
            sources = {evidence.sources[i] for i in np.flatnonzero(np.isin(evidence.cluster, list(clusters)))}
            scores = self.model.join(self.model.basis(condition, None, sources), np.ones(len(self.model.techniques)))
            place, count = self.model.techniques.index(technique), len(clusters)
            favorable = sum(share >= 0.5 for share in clusters.values())
            low, high = betabinom.interval(_COVERED, count, scores.alpha[place], scores.beta[place])
            inside.append(low <= favorable <= high)
            widths.append((high - low) / count)
        return Coverage(len(inside), float(np.mean(inside)), float(np.mean(widths)))

    def _well_studied(self) -> dict[tuple[str, str], dict[int, float]]:
        """Pairs with at least three independent sources, and the mean share of success of each source."""
        evidence = self.model.evidence
        shares: dict[tuple[str, str], dict[int, list[float]]] = {}
        for i, node in enumerate(evidence.statements):
            if not np.isnan(evidence.share[i]):
                pair = (node.one("evidenceCondition"), node.one("evidenceTechnique"))
                shares.setdefault(pair, {}).setdefault(int(evidence.cluster[i]), []).append(float(evidence.share[i]))
        return {
            pair: {cluster: float(np.mean(found)) for cluster, found in groups.items()}
            for pair, groups in shares.items() if len(groups) >= _LEAST_SOURCES
        }  # fmt: skip

    # ------------------------------------------------------------------ stability
    def _stability(self) -> list[Moved]:
        """Each number of the score moved by a fifth, up and down: how much of the orders stays."""
        numbers = [node.slug for node in self.knowledge if "value" in node.properties]
        before = self._orders(self.model)
        moved = []
        for slug in numbers:
            value = self.model.parameters[slug]
            taus = [self._tau(before, {slug: value * (1 + by)}) for by in (_MOVED, -_MOVED) if value]
            if taus and min(taus) < 1:
                moved.append(Moved(slug, min(taus)))
        return sorted(moved, key=lambda m: (m.tau, m.slug))

    def _tau(self, before: Sequence[Floats], changed: dict[str, float]) -> float:
        after = self._orders(self.held_out.with_weights(changed))
        return float(np.mean([kendall(one.tolist(), other.tolist()) for one, other in zip(before, after, strict=True)]))

    def _orders(self, model: Model) -> list[Floats]:
        conditions = sorted(model.evidence.kin)[::_EVERY]
        ranked = [not self.knowledge[slug].properties.get("unspecified") for slug in model.techniques]
        return [model.scores(condition, Client()).mean[ranked] for condition in conditions]

    # ------------------------------------------------------------------ where it is wrong
    def _misses(self) -> list[Miss]:
        """The heaviest direct findings that went against what was foretold."""
        evidence = self.model.evidence
        place = {slug: i for i, slug in enumerate(self.model.techniques)}
        found = []
        for question in self.held_out.questions:
            scores = self._answers[id(question)]
            for i in question.statements:
                node = evidence.statements[i]
                index = place[node.one("evidenceTechnique")]
                foretold, share = float(scores.mean[index]), float(evidence.share[i])
                weight = float(evidence.own[i].prod())
                found.append((weight * abs(foretold - share), Miss(node.slug, foretold, share, _because(scores, index))))
        return [miss for _, miss in sorted(found, key=lambda item: (-item[0], item[1].statement))[:_WORST]]


def _because(scores: Scores, index: int) -> str:
    """What the wrong number was made of."""
    won, lost = float(scores.basis.sums.successes[index]), float(scores.basis.sums.failures[index])
    if won + lost < 1:
        return f"hardly any other evidence ({won:.1f} for, {lost:.1f} against); the prior was {scores.prior_mean[index]:.2f}"
    return f"other evidence said otherwise: {won:.1f} for, {lost:.1f} against"
