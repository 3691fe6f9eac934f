"""`python -m kg fit`: weights of the score from the graph's own evidence.

Each statement is predicted from all others but those of its own source. Weights are chosen for two tasks: to foretell
what the statement says, and to place a technique that it favors above those that nobody has tried for the condition.

    loss = N * (cross-entropy of held-out statements + fit-order-weight * loss of order)
           + sum of ((x - reasoned) / fit-spread)^2 / 2          x: log of a ratio, log-odds of a share
    loss of order = mean of -log P(the favored one is better than the untried one), by their posteriors

The first alone would learn from published findings, three in four of which favor what was tried, that all is good; the
second alone would forget how sure it may be. Which weights are fitted, and from where, the ontology says:
`pal:fittedAs`, `pal:reasonedValue`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kg.graph.knowledge import Knowledge
from kg.reasoning.client import ANY_PHASE
from kg.reasoning.evidence import Evidence, Floats, Integers, pool, starts_of, totals
from kg.reasoning.parameters import Parameters
from kg.reasoning.score import Model

FOLDS = 5
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight to be fitted."""

    slug: str
    reasoned: float
    is_share: bool

    def free(self, value: float) -> float:
        """The value on a scale without bounds."""
        return float(np.log(value / (1 - value)) if self.is_share else np.log(value))

    def bound(self, free: float) -> float:
        """The value from the scale without bounds."""
        return float(1 / (1 + np.exp(-free)) if self.is_share else np.exp(free))


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Pairs of a condition and a technique to be predicted, and the statements that speak to each, as flat arrays."""

    pair: Integers
    plausibility: Floats
    doubt: Floats
    query: Integers
    statement: Integers
    steps: Integers
    fit: Integers
    """Which factor of phase: 0 open, 1 the same, 2 another."""
    starts: Integers
    gone_query: Integers
    gone_row: Integers
    """Rows of `Evidence.direct` that belong to the record of a pair, but come from the cluster that is held out."""


class Fit:
    """The evidence of one graph, ready to be predicted with any weights."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.parameters = Parameters(knowledge)
        self.model = Model(knowledge, tuple(node.slug for node in knowledge.of_class("Technique")))
        self.evidence: Evidence = self.model.evidence
        self.weights = tuple(
            Weight(node.slug, node.number("reasonedValue"), node.one("fittedAs") == "fitted-share")
            for node in knowledge if "fittedAs" in node.properties
        )  # fmt: skip
        self._conditions = list(self.evidence.kin)
        self._strangers = np.array([self.evidence.strangers(condition) for condition in self._conditions])

    # ------------------------------------------------------------------ what is predicted
    @cached_property
    def held_out(self) -> Integers:
        """The statements that are predicted: all that speak, but those of sources that measured effects too."""
        measured = {node.one("dcterms:source") for node in self.knowledge.of_class("MechanismEvidence")}
        speaking = ~np.isnan(self.evidence.share)
        return np.flatnonzero(speaking & [source not in measured for source in self.evidence.sources])

    @cached_property
    def importance(self) -> Floats:
        """The weight of each held-out statement in the loss: those of one source share the square root of their number."""
        cluster = self.evidence.cluster[self.held_out]
        return 1 / np.sqrt(np.bincount(cluster)[cluster])

    @cached_property
    def tried(self) -> Queries:
        """The pair of each held-out statement in its phase, without what its own source says."""
        places = {technique: i for i, technique in enumerate(self.model.techniques)}
        return self._queries([self._asked(i, places[self.evidence.statements[i].one("evidenceTechnique")]) for i in self.held_out])

    def _asked(self, statement: int, technique: int) -> tuple[str, int, str, int]:
        node = self.evidence.statements[statement]
        return node.one("evidenceCondition"), technique, node.one("inPhase", ANY_PHASE), int(self.evidence.cluster[statement])

    @cached_property
    def favored(self) -> tuple[Queries, Integers]:
        """The techniques of the ranking that a held-out statement favors, by name or as variants, and the statement's place."""
        lineage, techniques = self.evidence.technique_lineage, self.model.techniques
        asked, places = [], []
        for place in np.flatnonzero(self.evidence.share[self.held_out] >= self.parameters["class-supported-share"]).tolist():
            statement = int(self.held_out[place])
            about = self.evidence.statements[statement].one("evidenceTechnique")
            for t, technique in enumerate(techniques):
                if self._ranked[t] and about in lineage[technique]:
                    asked.append(self._asked(statement, t))
                    places.append(place)
        return self._queries(asked), np.array(places, dtype=np.intp)

    @cached_property
    def _ranked(self) -> list[bool]:
        return [not self.knowledge[slug].properties.get("unspecified") for slug in self.model.techniques]

    @cached_property
    def untried(self) -> Queries:
        """All pairs of a condition and a technique of the ranking of which no statement speaks directly."""
        asked = []
        for condition in self._conditions:
            rows = self.evidence.rows(condition, self.model.mechanism.bound_elsewhere(condition))
            spoken = set(rows.technique[rows.direct].tolist())
            asked += [(condition, t, ANY_PHASE, -1) for t, ranked in enumerate(self._ranked) if ranked and t not in spoken]
        return self._queries(asked)

    def _queries(self, asked: list[tuple[str, int, str, int]]) -> Queries:
        evidence, mechanism, count = self.evidence, self.model.mechanism, len(self.model.techniques)
        places = {condition: i for i, condition in enumerate(self._conditions)}
        parts, gone, pair = [], [], []
        plausibility, doubt = [], []
        direct, phases = evidence.direct, evidence.phases
        by_cluster: dict[int, list[int]] = {}
        for row, cluster in enumerate(direct.cluster.tolist()):
            by_cluster.setdefault(cluster, []).append(row)
        for query, (condition, technique, phase, cluster) in enumerate(asked):
            known = None if phase == ANY_PHASE else phase
            plausibility.append(mechanism.plausibility(condition, known)[technique])
            doubt.append(mechanism.doubt(condition, known)[technique])
            pair.append(places[condition] * count + technique)
            rows = evidence.rows(condition, mechanism.bound_elsewhere(condition))
            part = slice(rows.first[technique], rows.first[technique + 1])
            left = evidence.cluster[rows.statement[part]] != cluster
            stated = rows.phase[part][left]
            fit = np.where((stated == 0) | (known is None), 0, np.where(stated == phases.index(phase), 1, 2))
            parts.append(np.vstack((np.full(left.sum(), query), rows.statement[part][left], rows.steps[part][left].T, fit)))
            strange = self._strangers[places[condition]]
            gone += [(query, row) for row in by_cluster.get(cluster, ())
                     if direct.pair[row] % count == technique and strange[direct.pair[row] // count]]  # fmt: skip
        table = np.concatenate(parts, axis=1)
        out = np.array(gone, dtype=np.intp).reshape(-1, 2).T
        return Queries(
            np.array(pair), np.array(plausibility), np.array(doubt), table[0], table[1], table[2:5].T, table[5],
            starts_of(table[0], evidence.cluster[table[1]]), out[0], out[1],
        )  # fmt: skip

    # ------------------------------------------------------------------ prediction
    def predict(self, parameters: Parameters, queries: Queries) -> tuple[Floats, Floats]:
        """Mean and variance of each pair, as `Model` would give them with these parameters; tolerance has no part in it."""
        p, evidence = parameters, self.evidence
        own = evidence.own_by(p).prod(axis=1)
        share = np.nan_to_num(evidence.share)
        speaks = ~np.isnan(evidence.share)

        direct = evidence.direct
        weight = own[direct.statement] * p["discount-technique-step"] ** direct.steps * speaks[direct.statement]
        won, lost = pool(weight * share[direct.statement], weight * (1 - share[direct.statement]), direct.starts)
        shape = (len(self._conditions), len(self.model.techniques))
        record_won, record_lost = (
            (self._strangers @ totals(direct.pair, part, shape[0] * shape[1]).reshape(shape)).ravel()[queries.pair]
            - totals(queries.gone_query, part[queries.gone_row], len(queries.pair))
            for part in (won, lost)
        )

        steps, statement = queries.steps, queries.statement
        transfer = (p["discount-condition-step"] ** steps[:, 0] * p["discount-subtype-step"] ** steps[:, 1]
                    * p["discount-technique-step"] ** steps[:, 2])  # fmt: skip
        phase = np.array([p["phase-open"], p["phase-same"], p["phase-other"]])[queries.fit]
        weight = own[statement] * transfer * phase * speaks[statement]
        gains, losses = pool(weight * share[statement], weight * (1 - share[statement]), queries.starts)
        successes, failures = (totals(queries.query, part, len(queries.pair)) for part in (gains, losses))

        low, high, part, half = p["prior-mean-low"], p["prior-mean-high"], p["record-share"], p["record-half"]
        mechanism = low + (high - low) * queries.plausibility
        prior = (1 - part) * mechanism + part * (record_won + half * mechanism) / (record_won + record_lost + half)
        count = p["prior-observations"] * (1 - queries.doubt)
        total = count + successes + failures
        mean = (prior * count + successes) / total
        return mean, mean * (1 - mean) / (total + 1)

    # ------------------------------------------------------------------ the loss
    def changed(self, free: Floats) -> dict[str, float]:
        """The weights at a place of the free scale."""
        return {weight.slug: weight.bound(x) for weight, x in zip(self.weights, free, strict=True)}

    def loss(self, free: Floats, counted: Floats) -> float:
        """The loss with the weights at `free`; `counted` is the importance of each held-out statement."""
        p = Parameters(self.knowledge, self.changed(free))
        tried = self.entropy(p, counted)
        away = (free - self._reasoned) / self.parameters["fit-spread"]
        return float(counted.sum() * (tried + self.parameters["fit-order-weight"] * self.disorder(p, counted)) + (away**2).sum() / 2)

    def disorder(self, parameters: Parameters, counted: Floats) -> float:
        """The loss of order: how far untried techniques stand above those that held-out statements favor."""
        from scipy.special import log_ndtr

        favored, rivals, of_statement = self._order
        mean, variance = self.predict(parameters, self.favored[0])
        other_mean, other_variance = self.predict(parameters, self.untried)
        ahead = (mean[favored] - other_mean[rivals]) / np.sqrt(variance[favored] + other_variance[rivals])
        number = np.bincount(of_statement)[of_statement]  # all pairs of one statement count as one
        return _mean(-log_ndtr(ahead), counted[of_statement] / number)

    @cached_property
    def _order(self) -> tuple[Integers, Integers, Integers]:
        """Each favored technique with each untried one of its condition that its statement does not favor too.

        Places in `favored`, in `untried`, and of the statement in `held_out`.
        """
        count = len(self.model.techniques)
        queries, statements = self.favored
        by_condition: dict[int, list[int]] = {}
        for index, pair in enumerate(self.untried.pair.tolist()):
            by_condition.setdefault(pair // count, []).append(index)
        together: dict[int, set[int]] = {}
        for pair, statement in zip(queries.pair.tolist(), statements.tolist(), strict=True):
            together.setdefault(statement, set()).add(pair)
        found = [
            (index, rival, statement)
            for index, (pair, statement) in enumerate(zip(queries.pair.tolist(), statements.tolist(), strict=True))
            for rival in by_condition.get(pair // count, ()) if int(self.untried.pair[rival]) not in together[statement]
        ]  # fmt: skip
        table = np.array(found, dtype=np.intp)
        return table[:, 0], table[:, 1], table[:, 2]

    def entropy(self, parameters: Parameters, counted: Floats) -> float:
        """Cross-entropy of the held-out statements, each counted with this importance."""
        return _mean(_cross_entropy(self.evidence.share[self.held_out], self.predict(parameters, self.tried)[0]), counted)

    @cached_property
    def _reasoned(self) -> Floats:
        return np.array([weight.free(weight.reasoned) for weight in self.weights])

    def minimize(self, counted: Floats) -> dict[str, float]:
        """The weights that make the counted statements likeliest."""
        from scipy.optimize import minimize

        found = minimize(self.loss, self._reasoned, (counted,), method="L-BFGS-B", options={"maxiter": 60, "finite_diff_rel_step": _STEP})
        return self.changed(found.x)

    def cross_validate(self) -> tuple[float, float]:
        """Cross-entropy of statements whose sources had no part in choosing the weights: as reasoned, and as fitted."""
        fold = self.evidence.cluster[self.held_out] % FOLDS
        reasoned, fitted = [], []
        plain = Parameters(self.knowledge, {weight.slug: weight.reasoned for weight in self.weights})
        for left_out in range(FOLDS):
            chosen = Parameters(self.knowledge, self.minimize(self.importance * (fold != left_out)))
            counted = self.importance * (fold == left_out)
            reasoned.append(self.entropy(plain, counted) * counted.sum())
            fitted.append(self.entropy(chosen, counted) * counted.sum())
        return sum(reasoned) / self.importance.sum(), sum(fitted) / self.importance.sum()


def _cross_entropy(share: Floats, predicted: Floats) -> Floats:
    return -(share * np.log(predicted) + (1 - share) * np.log1p(-predicted))


def _mean(values: Floats, weights: Floats) -> float:
    return float((values * weights).sum() / weights.sum())


def rounded(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as they are written: three significant digits."""
    return {slug: float(f"{value:.3g}") for slug, value in weights.items()}
