"""What studies and guidelines say, as pseudo-observations: each statement's weight, and how statements share it.

    weight of a statement = product of its factors; of that `share` counts as success, the rest as failure
    within a source:  s = sum(gains) * max(gains) / total,   f = sum(losses) * max(losses) / total

Statements about kindred conditions and more general techniques count at a discount. The arrays of a condition are
built once; scoring touches nothing else.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.client import ANY_PHASE
from kg.reasoning.lineage import Lineages, kin, lineages
from kg.reasoning.parameters import Parameters

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]

OWN_FACTORS = ("design", "certainty", "participants", "outcome", "comparator", "age")
"""The factors that a statement has wherever it is used; `condition`, `technique` and `phase` depend on the question."""
_READINGS = {"no-difference": "noDifferenceReading", "harm": "worseReading"}
"""Results whose meaning depends on the comparator: not to differ from a treatment that works is no failure."""
_UNSTATED = "comparator-unspecified-control"
_ADVERSE = "outcome-adverse-event"


# ---------------------------------------------------------------------------------------------------- pooling
def pool(gains: Floats, losses: Floats, starts: Integers) -> tuple[Floats, Floats]:
    """Share out the weight among statements that rest on the same studies, so that these count once.

    Args:
        gains, losses: what each statement weighs for and against, ordered by cluster (a source, or sources of which one
            rests on another).
        starts: where each cluster begins.

    Returns:
        What each statement adds as success and as failure. A cluster weighs at most what its strongest statement does;
        a further success never lowers the mean; order within a cluster does not matter.
    """
    if not len(gains):
        return gains, losses
    total = np.add.reduceat(gains, starts) + np.add.reduceat(losses, starts)
    np.maximum(total, 1e-300, out=total)
    sizes = np.diff(np.append(starts, len(gains)))
    up, down = np.maximum.reduceat(gains, starts) / total, np.maximum.reduceat(losses, starts) / total
    return gains * np.repeat(up, sizes), losses * np.repeat(down, sizes)


def totals(places: Integers, values: Floats, count: int) -> Floats:
    """The values summed by place: shape (count,)."""
    return np.bincount(places, values, count).astype(np.float64, copy=False)


def starts_of(*keys: NDArray[np.generic]) -> Integers:
    """Where a new combination of keys begins in arrays that are sorted by them."""
    if not len(keys[0]):
        return np.zeros(0, dtype=np.intp)
    new = np.zeros(len(keys[0]), dtype=bool)
    new[0] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def clusters(knowledge: Knowledge) -> dict[str, str]:
    """Sources that rest on each other, each mapped to one name for all of them."""
    import networkx as nx

    graph = nx.Graph((node.slug, other) for node in knowledge.of_class("Source") for other in node.all("restsOn"))
    return {source: min(members) for members in nx.connected_components(graph) for source in members}


# ---------------------------------------------------------------------------------------------------- one statement
@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One evidence statement as it counts for one technique and condition: its factors, and what it adds.

    `share` says how far it speaks for the technique (1) or against it (0), None where it is silent. `successes` and
    `failures` are what it adds to the Beta distribution after its cluster has shared its weight.
    """

    statement: str
    direction: str
    source: str
    cluster: str
    factors: Mapping[str, float]
    share: float | None
    successes: float
    failures: float
    about_condition: str = ""
    about_technique: str = ""
    steps: tuple[int, int, int] = (0, 0, 0)
    """From the question to what was studied: up to a more general condition, down from there, up to a more general technique."""

    @property
    def direct(self) -> bool:
        """Whether it is about this very condition and technique."""
        return not any(self.steps)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What evidence says of each technique for one condition and phase; arrays of shape (techniques,) or (rows,)."""

    rows: "Rows"
    phase_fit: Floats
    row_successes: Floats
    row_failures: Floats
    successes: Floats
    failures: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The statements that speak to one condition, one row for each technique that they reach, by technique and cluster."""

    technique: Integers
    statement: Integers
    steps: NDArray[np.intp]
    """Shape (rows, 3); see `Observation.steps`."""
    transfer: Floats
    """The factors `condition` and `technique`: shape (rows, 2)."""
    weight: Floats
    """All factors but that of phase."""
    share: Floats
    phase: Integers
    starts: Integers
    first: Integers
    """Where the rows of each technique begin, and at last their number: shape (techniques + 1,)."""
    near: Booleans
    direct: Booleans


class Evidence:
    """All statements of treatment evidence as arrays, and what they add up to for a condition.

    Args:
        techniques: the order of techniques in all arrays.
    """

    def __init__(self, knowledge: Knowledge, techniques: Sequence[str], parameters: Parameters) -> None:
        self._knowledge, self._parameters = knowledge, parameters
        self.techniques = tuple(techniques)
        self.statements: tuple[Node, ...] = knowledge.of_class("TreatmentEvidence")
        self.phases = (ANY_PHASE, *(node.slug for node in knowledge.of_class("Phase") if node.slug != ANY_PHASE))
        self.technique_lineage: Lineages = lineages(knowledge, "Technique", "variantOf")
        self.condition_lineage: Lineages = lineages(knowledge, "Condition", "subtypeOf")
        self.kin = kin(self.condition_lineage, int(parameters["transfer-steps-most"]))
        self._cluster = clusters(knowledge)
        self._rows: dict[str, Rows] = {}
        self._unrelated: dict[str, Floats] = {}

    # ------------------------------------------------------------------ what a statement is worth by itself
    @cached_property
    def sources(self) -> list[str]:
        """The source of each statement."""
        return [node.one("dcterms:source") for node in self.statements]

    @cached_property
    def cluster(self) -> Integers:
        """The cluster of each statement, as a number."""
        names = [self._cluster.get(source, source) for source in self.sources]
        index = {name: i for i, name in enumerate(sorted(set(names)))}
        return np.array([index[name] for name in names], dtype=np.intp)

    @cached_property
    def share(self) -> Floats:
        """How far each statement speaks for its technique: 1 for, 0 against, NaN silent."""
        return np.array([self._share(node) for node in self.statements], dtype=np.float64)

    def _share(self, node: Node) -> float:
        direction = node.one("result")
        if (reading := _READINGS.get(direction)) and node.one("outcome") != _ADVERSE:
            return self._knowledge[node.one("comparator") or _UNSTATED].number(reading)
        share = self._parameters.get(direction)
        return float("nan") if share is None else share

    @cached_property
    def own(self) -> Floats:
        """The factors of each statement by itself, in the order of OWN_FACTORS: shape (statements, factors)."""
        return self.own_by(self._parameters)

    def own_by(self, parameters: Parameters) -> Floats:
        """The factors of each statement by these parameters."""
        rows = [self._own(node, parameters) for node in self.statements]
        return np.array(rows, dtype=np.float64).reshape(-1, len(OWN_FACTORS))

    def _own(self, node: Node, p: Parameters) -> tuple[float, ...]:
        source = self._knowledge[node.one("dcterms:source")]
        recommends = node.is_a("RecommendationStatement")
        age = self._newest - source.number("year", self._newest - p["age-unstated"])
        return (
            p[source.one("design")],
            p[node.one("certainty") or "certainty-unstated"],
            _size(node, recommends, p),
            p[node.one("outcome")],
            1.0 if recommends else p[node.one("comparator") or "comparator-unstated"],
            0.5 ** (age / p["age-half-life"]),
        )

    @cached_property
    def _newest(self) -> float:
        """The year of the newest source of the graph, from which the age of the others counts."""
        return max((node.number("year") for node in self._knowledge.of_class("Source") if "year" in node.properties), default=0.0)

    @cached_property
    def phase(self) -> Integers:
        """The phase of each statement, as its place in `phases`."""
        return np.array([self.phases.index(node.one("inPhase", ANY_PHASE)) for node in self.statements], dtype=np.intp)

    def phase_fit(self, phase: str | None) -> Floats:
        """The factor for a statement of each of `phases`, for a client in this one."""
        p, asked = self._parameters, phase or ANY_PHASE
        return np.array([
            p["phase-open"] if ANY_PHASE in (stated, asked) else p["phase-same"] if stated == asked else p["phase-other"]
            for stated in self.phases
        ])  # fmt: skip

    # ------------------------------------------------------------------ which statements reach which technique
    @cached_property
    def _by_condition(self) -> dict[str, Integers]:
        """For each condition the statements about it, once for each technique that they reach.

        Arrays of shape (3, rows): statement, technique, steps up to the technique that was studied.
        """
        reached: dict[str, list[tuple[int, int]]] = {}
        for place, technique in enumerate(self.techniques):
            for general, steps in self.technique_lineage[technique].items():
                reached.setdefault(general, []).append((place, steps))
        found: dict[str, list[tuple[int, int, int]]] = {}
        for i, node in enumerate(self.statements):
            rows = found.setdefault(node.one("evidenceCondition"), [])
            rows += [(i, place, steps) for place, steps in reached.get(node.one("evidenceTechnique"), ())]
        return {condition: np.array(rows, dtype=np.intp).reshape(-1, 3).T for condition, rows in found.items()}

    def rows(self, condition: str, bound: Booleans) -> Rows:
        """The statements that speak to a condition.

        Args:
            bound: which techniques are bound to a region in which the condition does not lie.
        """
        if condition not in self._rows:
            self._rows[condition] = self._find_rows(condition, bound)
        return self._rows[condition]

    def _find_rows(self, condition: str, bound: Booleans) -> Rows:
        p = self._parameters
        parts = [np.zeros((5, 0), dtype=np.intp)]
        for about, (up, down) in self.kin[condition].items():
            if about in self._by_condition:
                reached = self._by_condition[about]
                parts.append(np.vstack((reached[:2], np.full(reached.shape[1], up), np.full(reached.shape[1], down), reached[2:])))
        table = np.concatenate(parts, axis=1)
        table = table[:, (table[4] == 0) | ~bound[table[1]]]
        table = table[:, np.lexsort((table[0], self.cluster[table[0]], table[1]))]
        statement, technique, steps = table[0], table[1], table[2:].T
        transfer = np.stack((p["discount-condition-step"] ** steps[:, 0] * p["discount-subtype-step"] ** steps[:, 1],
                             p["discount-technique-step"] ** steps[:, 2]), axis=1)  # fmt: skip
        share = self.share[statement]
        silent = np.isnan(share)
        weight = np.where(silent, 0.0, self.own[statement].prod(axis=1) * transfer.prod(axis=1))
        return Rows(
            technique, statement, steps, transfer, weight, np.where(silent, 0.0, share), self.phase[statement],
            starts_of(technique, self.cluster[statement]), np.searchsorted(technique, np.arange(len(self.techniques) + 1)),
            steps.sum(axis=1) <= p["class-steps-most"], steps.sum(axis=1) == 0,
        )  # fmt: skip

    # ------------------------------------------------------------------ what they add up to
    def sums(self, rows: Rows, phase: str | None, without: Collection[str] = ()) -> Sums:
        """What the statements add for each technique, those of the sources in `without` left out."""
        fit = self.phase_fit(phase)[rows.phase]
        weight = rows.weight * fit
        if without:
            weight = weight * ~self.from_sources(without)[rows.statement]
        gains = weight * rows.share
        successes, failures = pool(gains, weight - gains, rows.starts)
        count = len(self.techniques)
        return Sums(
            rows, fit, successes, failures,
            totals(rows.technique, successes, count), totals(rows.technique, failures, count),
        )  # fmt: skip

    def observations(self, sums: Sums, technique: int, tolerance: float) -> tuple[Observation, ...]:
        """The statements about one technique, the weightiest first."""
        rows = sums.rows
        found = []
        for row in range(*rows.first[technique : technique + 2]):
            i = rows.statement[row]
            node, share = self.statements[i], float(self.share[i])
            factors = dict(zip(OWN_FACTORS, self.own[i].tolist(), strict=True)) | {
                "phase": float(sums.phase_fit[row]), "condition": float(rows.transfer[row, 0]), "technique": float(rows.transfer[row, 1]),
            }  # fmt: skip
            up, down, general = rows.steps[row].tolist()
            source = self.sources[i]
            found.append(Observation(
                node.slug, node.one("result"), source, self._cluster.get(source, source), factors, None if share != share else share,
                float(sums.row_successes[row]) * tolerance, float(sums.row_failures[row]),
                node.one("evidenceCondition"), node.one("evidenceTechnique"), (up, down, general),
            ))  # fmt: skip
        return tuple(sorted(found, key=lambda o: (-(o.successes + o.failures), o.statement)))

    # ------------------------------------------------------------------ the record of a technique elsewhere
    @cached_property
    def direct(self) -> "Direct":
        """All statements, each about its own condition alone, pooled by condition, technique and cluster."""
        places = {condition: i for i, condition in enumerate(self.kin)}
        table = np.concatenate([np.vstack((np.full(a.shape[1], places[c]), a)) for c, a in self._by_condition.items()], axis=1)
        condition, statement, technique, steps = table[:, np.lexsort((table[1], self.cluster[table[1]], table[2], table[0]))]
        share = self.share[statement]
        weight = self.own[statement].prod(axis=1) * self._parameters["discount-technique-step"] ** steps
        gains = np.where(np.isnan(share), 0.0, weight * share)
        losses = np.where(np.isnan(share), 0.0, weight * (1 - share))
        cluster = self.cluster[statement]
        pair = condition * len(self.techniques) + technique
        return Direct(pair, statement, steps, cluster, gains, losses, starts_of(pair, cluster))

    @cached_property
    def _by_pair(self) -> tuple[Floats, Floats]:
        direct = self.direct
        return self._pooled_by_pair(direct.pair, direct.gains, direct.losses, direct.starts)

    def _pooled_by_pair(self, pair: Integers, gains: Floats, losses: Floats, starts: Integers) -> tuple[Floats, Floats]:
        """Successes and failures of each technique in each condition: arrays of shape (conditions, techniques)."""
        shape = (len(self.kin), len(self.techniques))
        successes, failures = (totals(pair, part, shape[0] * shape[1]).reshape(shape) for part in pool(gains, losses, starts))
        return successes, failures

    def _withdrawn(self, without: Collection[str]) -> tuple[Floats, Floats]:
        """What `_by_pair` loses when sources are withdrawn: only their clusters are pooled anew."""
        direct, out = self.direct, self.from_sources(without)
        rows = np.flatnonzero(np.isin(direct.cluster, np.unique(self.cluster[out])))
        pair, gains, losses = direct.pair[rows], direct.gains[rows], direct.losses[rows]
        starts, left = starts_of(pair, direct.cluster[rows]), ~out[direct.statement[rows]]
        before = self._pooled_by_pair(pair, gains, losses, starts)
        after = self._pooled_by_pair(pair, gains * left, losses * left, starts)
        return before[0] - after[0], before[1] - after[1]

    def record(self, condition: str, without: Collection[str] = ()) -> tuple[Floats, Floats]:
        """Successes and failures of each technique in all conditions that are no kin of this one."""
        successes, failures = self._by_pair
        if without:
            gone = self._withdrawn(without)
            successes, failures = successes - gone[0], failures - gone[1]
        others = self.strangers(condition)
        return others @ successes, others @ failures

    def strangers(self, condition: str) -> Floats:
        """1 for each condition, in the order of `kin`, that is no kin of this one, else 0."""
        if condition not in self._unrelated:
            self._unrelated[condition] = np.array([other not in self.kin[condition] for other in self.kin], dtype=np.float64)
        return self._unrelated[condition]

    def from_sources(self, sources: Collection[str]) -> Booleans:
        """Which statements come from one of these sources: shape (statements,)."""
        out = np.zeros(len(self.statements), dtype=np.bool_)
        for source in sources:
            out[self._of_source.get(source, [])] = True
        return out

    @cached_property
    def _of_source(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for i, source in enumerate(self.sources):
            found.setdefault(source, []).append(i)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Direct:
    """Statements about their own condition; `pair` is condition and technique as one number."""

    pair: Integers
    statement: Integers
    steps: Integers
    cluster: Integers
    gains: Floats
    losses: Floats
    starts: Integers


def _size(node: Node, recommends: bool, p: Parameters) -> float:
    if "participants" not in node.properties:
        return 1.0 if recommends else p["participants-unstated"]
    size = (node.number("participants") / p["participants-reference"]) ** 0.5
    return float(min(max(size, p["participants-least"]), p["participants-most"]))


def pooled(observations: Iterable[tuple[str, float, float]]) -> tuple[float, float]:
    """Successes and failures of a few observations, each with its cluster, gain and loss."""
    rows = sorted(observations)
    gains, losses = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    successes, failures = pool(gains, losses, starts_of(np.array([row[0] for row in rows])))
    return float(successes.sum()), float(failures.sum())
