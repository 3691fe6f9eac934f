"""The score of a technique for a condition: mechanism as a prior, evidence as observations, joined by Bayes' rule.

    mechanism = low + (high - low) * plausibility * tolerance
    prior     = Beta with mean  (1 - r) * mechanism + r * record,   worth a few observations, fewer where effects are refuted
    posterior = prior + successes and failures of every evidence statement
    score     = posterior mean; interval = its central 90%

Every number comes from the ontology (scoring.ttl). Arrays are built once; ranking touches no RDF.
docs/method.md works an example by hand.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from kg.graph.knowledge import Knowledge
from kg.reasoning.client import Client
from kg.reasoning.evidence import Evidence, Floats, Observation, Sums
from kg.reasoning.mechanism import Mechanism, Need
from kg.reasoning.parameters import Parameters

Number = TypeVar("Number", float, Floats)

_KEPT = 1024
"""How many conditions and phases are kept with their sums; the graph never changes, so they stay right."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the model says of one technique: prior, observations, posterior."""

    technique: str
    plausibility: float
    tolerance: float
    mechanism_mean: float
    record: tuple[float, float]
    """Successes and failures in conditions that are no kin of this one."""
    prior_mean: float
    doubt: float
    prior_observations: float
    successes: float
    failures: float
    low: float
    high: float
    index: int
    scores: "Scores"

    @property
    def alpha(self) -> float:
        return self.prior_mean * self.prior_observations + self.successes

    @property
    def beta(self) -> float:
        return (1 - self.prior_mean) * self.prior_observations + self.failures

    @property
    def mean(self) -> float:
        return self.alpha / (self.alpha + self.beta)

    @property
    def variance(self) -> float:
        total = self.alpha + self.beta
        return self.alpha * self.beta / (total * total * (total + 1))

    @property
    def observations(self) -> tuple[Observation, ...]:
        """The statements that made the posterior, the weightiest first."""
        return self.scores.observations(self.index)


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What a condition and a phase bring, whatever the irritability: arrays of shape (techniques,)."""

    plausibility: Floats
    doubt: Floats
    record_successes: Floats
    record_failures: Floats
    sums: Sums


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of all techniques for one condition and client: arrays of shape (techniques,)."""

    model: "Model"
    basis: Basis
    tolerance: Floats
    mechanism_mean: Floats
    prior_mean: Floats
    prior_observations: Floats
    alpha: Floats
    beta: Floats

    @property
    def mean(self) -> Floats:
        return self.alpha / (self.alpha + self.beta)

    def intervals(self) -> tuple[Floats, Floats]:
        """The central 90% of each posterior: lower and upper ends."""
        from scipy.special import betaincinv

        tail = self.model.parameters["interval-tail"]
        ends = betaincinv(self.alpha, self.beta, np.array([[tail], [1 - tail]]))
        return ends[0], ends[1]

    def observations(self, index: int) -> tuple[Observation, ...]:
        """The statements about one technique, by its place."""
        return self.model.evidence.observations(self.basis.sums, index, float(self.tolerance[index]))

    def __iter__(self) -> Iterator[Score]:
        basis, (low, high) = self.basis, self.intervals()
        columns = zip(
            self.model.techniques, basis.plausibility.tolist(), self.tolerance.tolist(), self.mechanism_mean.tolist(),
            basis.record_successes.tolist(), basis.record_failures.tolist(), self.prior_mean.tolist(), basis.doubt.tolist(),
            self.prior_observations.tolist(), (basis.sums.successes * self.tolerance).tolist(), basis.sums.failures.tolist(),
            low.tolist(), high.tolist(), strict=True,
        )  # fmt: skip
        for i, (slug, plausibility, tolerance, mechanism, won, lost, prior, doubt, count, s, f, lo, hi) in enumerate(columns):
            yield Score(slug, plausibility, tolerance, mechanism, (won, lost), prior, doubt, count, s, f, lo, hi, i, self)


class Model:
    """Mechanism and evidence of the whole graph, and the score from them.

    Args:
        techniques: what is scored, and the order of all arrays.
        parameters: the numbers of the model; those of the graph by default.
        mechanism: that of another model whose numbers for mechanism are the same.
    """

    def __init__(self, knowledge: Knowledge, techniques: Sequence[str], parameters: Parameters | None = None,
                 mechanism: Mechanism | None = None) -> None:  # fmt: skip
        self.knowledge, self.techniques = knowledge, tuple(techniques)
        self.parameters = parameters or Parameters(knowledge)
        self.evidence = Evidence(knowledge, self.techniques, self.parameters)
        self.mechanism = mechanism or Mechanism(knowledge, self.techniques, self.parameters, self.evidence)
        self._basis = lru_cache(maxsize=_KEPT)(self.basis)
        self._intensity = [knowledge[slug].one("intensity") for slug in self.techniques]
        self._tolerances: dict[tuple[str | None, str | None], Floats] = {}

    def needs(self, condition: str, phase: str | None) -> tuple[Need, ...]:
        """The impairments of a condition in a phase; see `Mechanism.needs`."""
        return self.mechanism.needs(condition, phase)

    def tolerance(self, phase: str | None, irritability: str | None) -> Floats:
        """What share of the benefit of each technique can be expected: shape (techniques,)."""
        key = (phase, irritability)
        if key not in self._tolerances:
            by_intensity = {kind: self.parameters.tolerance(kind, phase, irritability) for kind in set(self._intensity)}
            self._tolerances[key] = np.array([by_intensity[kind] for kind in self._intensity])
        return self._tolerances[key]

    def basis(self, condition: str, phase: str | None, without: Collection[str] = ()) -> Basis:
        """Plausibility, record and evidence of every technique, without what rests on the sources in `without`."""
        evidence, mechanism = self.evidence, self.mechanism
        bound = mechanism.bound_elsewhere(condition)
        won, lost = evidence.record(condition, without)  # what a technique did in its own region says nothing of another
        return Basis(
            mechanism.plausibility(condition, phase), mechanism.doubt(condition, phase), np.where(bound, 0.0, won),
            np.where(bound, 0.0, lost), evidence.sums(evidence.rows(condition, bound), phase, without),
        )  # fmt: skip

    def scores(self, condition: str, client: Client, without: Collection[str] = ()) -> Scores:
        """The score of every technique, in the order of `techniques`; hazards and red flags have no part in it.

        Args:
            without: sources whose statements on treatment are left out, to see what hangs on them.
        """
        basis = self.basis(condition, client.phase, without) if without else self._basis(condition, client.phase)
        return self.join(basis, self.tolerance(client.phase, client.irritability))

    def prior(self, mechanism: Number, won: Number, lost: Number) -> Number:
        """The mean of the prior: what mechanism says, moved by the record elsewhere; numbers or arrays of one shape."""
        share, half = self.parameters["record-share"], self.parameters["record-half"]
        return (1 - share) * mechanism + share * (won + half * mechanism) / (won + lost + half)

    def join(self, basis: Basis, tolerance: Floats) -> Scores:
        """Prior and posterior from their parts."""
        p = self.parameters
        low, high = p["prior-mean-low"], p["prior-mean-high"]
        mechanism = low + (high - low) * basis.plausibility * tolerance
        prior = self.prior(mechanism, basis.record_successes * tolerance, basis.record_failures)
        count = p["prior-observations"] * (1 - basis.doubt)
        return Scores(
            self, basis, tolerance, mechanism, prior, count,
            prior * count + basis.sums.successes * tolerance, (1 - prior) * count + basis.sums.failures,
        )  # fmt: skip
