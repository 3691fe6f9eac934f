"""The score of a technique for a condition: mechanism as a prior, evidence as observations, joined by Bayes' rule.

    plausibility = sum over impairments of weight * (1 - prod(1 - relieving path)) * prod(1 - aggravating path)
    prior        = Beta with mean  low + (high - low) * plausibility * tolerance  and few pseudo-observations
    posterior    = prior + successes and failures of every evidence statement
    score        = posterior mean; interval = its central 90%

Every number comes from the ontology (scoring.ttl). Arrays are built once at load; ranking touches no RDF.
docs/method.md works an example by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from kg.graph.knowledge import Knowledge, Node
from kg.graph.regions import Regions
from kg.reasoning.client import ANY_PHASE, Client

Floats = NDArray[np.float64]
_ANY_TISSUE = "any-tissue"
_ANYWHERE = frozenset((_ANY_TISSUE, "central-nervous-system"))
"""Tissue types in which an effect reaches an impairment without a tissue of its own, whatever the condition."""
_ANYWHERE_REFUTED = "refuted in any tissue"
_READINGS = {"no-difference": "noDifferenceReading", "harm": "worseReading"}
"""Results whose meaning depends on the comparator: not to differ from a treatment that works is no failure."""
_UNSTATED = "comparator-unspecified-control"
_KEPT = 128
"""How many scored conditions with phase and irritability are kept; the graph never changes, so they stay right."""


# ---------------------------------------------------------------------------------------------------- parameters
class Parameters:
    """The numbers of scoring.ttl: of parameters by their slug, of words of the vocabulary by theirs."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._value = {node.slug: node.number("value") for node in knowledge if "value" in node.properties}
        self._tolerance: dict[tuple[str, str], float] = {}
        for node in knowledge.of_class("Tolerance"):
            for setting in (*node.all("inPhase"), *node.all("atIrritability")):
                self._tolerance[setting, node.one("toleratedIntensity")] = node.number("value")

    def __getitem__(self, name: str) -> float:
        return self._value[name]

    def get(self, name: str, default: float | None = None) -> float | None:
        return self._value.get(name, default)

    def tolerance(self, intensity: str, client: Client) -> float:
        """What share of the benefit can be expected at this intensity in the client's phase and irritability."""
        settings = (client.phase or "", f"irritability-{client.irritability}")
        return float(np.prod([self._tolerance.get((setting, intensity), 1.0) for setting in settings]))


# ---------------------------------------------------------------------------------------------------- observations
@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One evidence statement as it counts for one technique and condition: its factors, and what it adds.

    `weight` is the product of `factors`; `share` says how far it speaks for the technique (1) or against it (0), None
    where it is silent. `successes` and `failures` are what is added to the Beta distribution after statements of one
    source have shared their weight.
    """

    statement: str
    direction: str
    source: str
    factors: Mapping[str, float]
    share: float | None
    successes: float = 0.0
    failures: float = 0.0
    about_condition: str = ""
    about_technique: str = ""

    @property
    def weight(self) -> float:
        return float(np.prod(list(self.factors.values())))


def pool(observations: Iterable[Observation], cluster: Mapping[str, str]) -> list[Observation]:
    """Share out the weight among statements that rest on the same studies, so that these count once.

    Within a cluster (a source, or sources of which one rests on another) successes add up to the weight of the
    strongest success times the share of successes in all its weight, failures likewise. So a source weighs at most what
    its strongest statement does; a further success never lowers the mean; order does not matter.
    """
    groups: dict[str, list[Observation]] = {}
    for observation in observations:
        groups.setdefault(cluster.get(observation.source, observation.source), []).append(observation)
    pooled = []
    for group in groups.values():
        gains = [o.weight * o.share if o.share is not None else 0.0 for o in group]
        losses = [o.weight * (1 - o.share) if o.share is not None else 0.0 for o in group]
        total = sum(gains) + sum(losses)
        gain_scale, loss_scale = (max(gains) / total, max(losses) / total) if total else (0.0, 0.0)
        pooled += [
            Observation(o.statement, o.direction, o.source, o.factors, o.share, gain * gain_scale, loss * loss_scale,
                        o.about_condition, o.about_technique)
            for o, gain, loss in zip(group, gains, losses, strict=True)
        ]  # fmt: skip
    return sorted(pooled, key=lambda o: (-(o.successes + o.failures), o.statement))


# ---------------------------------------------------------------------------------------------------- links and paths
@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """That a technique changes an effect in a kind of tissue: the claim, whose claim it is, and how strong it is.

    `strength` is the mean of a Beta distribution: the claim's prior strength, and laboratory evidence as observations;
    a claim that is passed down from a more general technique counts at a discount for each step.
    """

    technique: str
    effect: str
    direction: str
    tissue: str
    claim: str
    steps: int
    prior: float
    strength: float
    evidence: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """technique -> effect -> impairment: a link, the relief, and the product of both strengths.

    `relieves` is False where the effect goes the way that makes the impairment worse.
    """

    link: Link
    relief: str
    impairment: str
    relief_strength: float
    relieves: bool

    @property
    def strength(self) -> float:
        return self.link.strength * self.relief_strength


@dataclass(frozen=True, slots=True)
class Need:
    """An impairment of a condition in the client's phase: where it sits, its share of all needs, the profiles that say so.

    `reached_in` are the tissue types in which an effect reaches it: that of its tissue; without a tissue those that the
    condition affects. `whole_person` impairments are reached by work anywhere on the body.
    """

    impairment: str
    tissue: str
    reached_in: frozenset[str]
    whole_person: bool
    weight: float
    profiles: tuple[str, ...]

    @property
    def key(self) -> str:
        """One name for the need within an answer."""
        return f"{self.impairment}/{self.tissue}" if self.tissue else self.impairment


@dataclass(frozen=True, slots=True)
class Score:
    """What the model says of one technique: prior, observations, posterior."""

    technique: str
    plausibility: float
    tolerance: float
    prior_mean: float
    prior_observations: float
    alpha: float
    beta: float
    low: float
    high: float
    observations: tuple[Observation, ...] = field(repr=False)

    @property
    def mean(self) -> float:
        return self.alpha / (self.alpha + self.beta)

    @property
    def variance(self) -> float:
        total = self.alpha + self.beta
        return self.alpha * self.beta / (total * total * (total + 1))

    @property
    def successes(self) -> float:
        return sum(o.successes for o in self.observations)

    @property
    def failures(self) -> float:
        return sum(o.failures for o in self.observations)


class Model:
    """Links, paths, needs and observations of the whole graph as arrays, and the score from them."""

    def __init__(self, knowledge: Knowledge, techniques: Sequence[str]) -> None:
        self.knowledge, self.techniques = knowledge, tuple(techniques)
        self.parameters = Parameters(knowledge)
        self._position = {slug: i for i, slug in enumerate(self.techniques)}
        self._cluster = _clusters(knowledge)
        self._scores = lru_cache(maxsize=_KEPT)(self._compute)
        self._regions = Regions(knowledge)
        self._intensity = [knowledge[slug].one("intensity") for slug in self.techniques]

    # ------------------------------------------------------------------ lineage
    @cached_property
    def technique_lineage(self) -> dict[str, dict[str, int]]:
        """Each technique with itself and its more general ones, by number of steps."""
        return _lineages(self.knowledge, "Technique", "variantOf")

    @cached_property
    def condition_lineage(self) -> dict[str, dict[str, int]]:
        """Each condition with itself and its more general ones, by number of steps."""
        return _lineages(self.knowledge, "Condition", "subtypeOf")

    # ------------------------------------------------------------------ mechanism
    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every effect that a technique is held to have, its own and what more general techniques pass down."""
        claims = self.knowledge.group("EffectClaim", "claimTechnique")
        refuted = {(n.one("refutedTechnique"), n.one("refutedEffect"), n.one("tissueType", _ANY_TISSUE))
                   for n in self.knowledge.of_class("RefutedEffectClaim")}  # fmt: skip
        links = []
        for technique in self.techniques:
            taken: set[tuple[str, str]] = set()
            for holder, steps in sorted(self.technique_lineage[technique].items(), key=lambda item: item[1]):
                found = [self._link(technique, claim, steps) for claim in claims.get((holder,), ())]
                links += [link for link in found if not taken & {(link.effect, link.tissue), (link.effect, _ANYWHERE_REFUTED)}]
                taken |= {(link.effect, link.tissue) for link in found}
                taken |= {(effect, tissue) for owner, effect, tissue in refuted if owner == holder}
                taken |= {(effect, _ANYWHERE_REFUTED) for owner, effect, tissue in refuted if owner == holder and tissue == _ANY_TISSUE}
        return tuple(links)

    def _link(self, technique: str, claim: Node, steps: int) -> Link:
        effect, direction, tissue = claim.one("claimEffect"), claim.one("direction"), claim.one("tissueType")
        prior = self.parameters[claim.one("strength")]
        observations = tuple(self._laboratory(technique, effect, direction, tissue))
        count = self.parameters["link-prior-observations"]
        gains, losses = sum(o.successes for o in observations), sum(o.failures for o in observations)
        strength = (prior * count + gains) / (count + gains + losses) * self.parameters["discount-technique-step"] ** steps
        return Link(technique, effect, direction, tissue, claim.slug, steps, prior, strength, observations)

    @cached_property
    def _mechanism_evidence(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self.knowledge.group("MechanismEvidence", "evidenceTechnique", "evidenceEffect")

    def _laboratory(self, technique: str, effect: str, direction: str, tissue: str) -> list[Observation]:
        """Measurements of the effect under the technique or a more general one, in this kind of tissue."""
        shares = {direction: 1.0, "no-change": 0.0, "mixed-effect": 0.5}
        observations = []
        for general, steps in self.technique_lineage[technique].items():
            for node in self._mechanism_evidence.get((general, effect), ()):
                if _ANY_TISSUE not in (tissue, node.one("tissueType")) and node.one("tissueType") != tissue:
                    continue
                factors = {
                    "design": self._design(node),
                    "population": self.parameters.get(node.one("population")) or self.parameters["population-healthy"],
                    "technique": self.parameters["discount-technique-step"] ** steps,
                }
                measured = node.one("direction")
                observations.append(Observation(node.slug, measured, node.one("dcterms:source"), factors, shares.get(measured, 0.0),
                                                about_technique=general))  # fmt: skip
        return pool(observations, self._cluster)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """All paths from a technique over an effect to an impairment that it relieves or aggravates."""
        reliefs = self.knowledge.group("Relief", "reliefEffect")
        return tuple(
            Path(link, relief.slug, relief.one("reliefImpairment"), self.parameters[relief.one("strength")],
                 relief.one("direction") == link.direction)
            for link in self.links for relief in reliefs.get((link.effect,), ())
        )  # fmt: skip

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]:
        """For each path its technique, log(1 - strength), and whether it relieves."""
        technique = np.array([self._position[path.link.technique] for path in self.paths], dtype=np.intp)
        logs = np.log1p(-np.array([path.strength for path in self.paths], dtype=np.float64))
        return technique, logs, np.array([path.relieves for path in self.paths], dtype=np.bool_)

    def needs(self, condition: str, phase: str | None) -> tuple[Need, ...]:
        """The impairments of a condition in a phase, weighted by salience; over all phases where none is given.

        A condition without profiles of its own has those of the nearest more general one.
        """
        key = (condition, phase)
        if key not in self._needs:
            self._needs[key] = self._find_needs(condition, phase)
        return self._needs[key]

    @cached_property
    def _needs(self) -> dict[tuple[str, str | None], tuple[Need, ...]]:
        return {}

    @cached_property
    def _profiles(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self.knowledge.group("ImpairmentProfile", "profileOf")

    def _find_needs(self, condition: str, phase: str | None) -> tuple[Need, ...]:
        lineage = sorted(self.condition_lineage[condition].items(), key=lambda item: (item[1], item[0]))
        holder = next((slug for slug, _ in lineage if (slug,) in self._profiles), condition)
        chosen: list[tuple[Node, float]] = []
        phases = {p for node in self._profiles.get((holder,), ()) for p in node.all("inPhase")} - {ANY_PHASE, "postoperative"}
        for node in self._profiles.get((holder,), ()):
            stated = set(node.all("inPhase"))
            salience = self.parameters[node.one("salience")]
            if phase is None:
                share = 1.0 if ANY_PHASE in stated else len(stated & phases) / max(len(phases), 1)
                if share:
                    chosen.append((node, salience * share))
            elif {phase, ANY_PHASE} & stated:
                chosen.append((node, salience))
        total = sum(weight for _, weight in chosen)
        spots: dict[tuple[str, str], list[tuple[Node, float]]] = {}
        for node, weight in chosen:
            spots.setdefault((node.one("profileImpairment"), node.one("impairedTissue")), []).append((node, weight))
        affected = frozenset(kind for part in self.knowledge[holder].all("affects") for kind in self.knowledge[part].all("hasTissueType"))
        return tuple(
            Need(impairment, tissue,
                 frozenset((*self.knowledge[tissue].all("hasTissueType"), _ANY_TISSUE)) if tissue else affected | _ANYWHERE,
                 bool(self.knowledge[impairment].properties.get("wholePerson")),
                 sum(weight for _, weight in group) / total, tuple(node.slug for node, _ in group))
            for (impairment, tissue), group in spots.items()
        )  # fmt: skip

    def bound_elsewhere(self, technique: str, condition: str) -> bool:
        """Whether a technique belongs to certain regions of the body and the condition does not lie within them.

        Such a technique reaches only impairments of the whole person, and what is known of more general techniques says
        nothing of it here.
        """
        at = self.knowledge[technique].all("appliedAt")
        return bool(at) and not self._regions.inside(condition, at)

    def paths_to(self, need: Need) -> NDArray[np.intp]:
        """Which paths reach a need: those to its impairment by an effect in a tissue type in which it is reached.

        Where a technique has the same effect in several such tissue types, only the strongest of these paths counts.
        """
        key = (need.impairment, need.reached_in)
        if key not in self._reaching:
            strongest: dict[tuple[str, str], int] = {}
            for index in self._to_impairment.get(need.impairment, ()):
                path = self.paths[index]
                if path.link.tissue in need.reached_in:
                    rival = strongest.setdefault((path.link.technique, path.relief), index)
                    if self.paths[rival].strength < path.strength:
                        strongest[path.link.technique, path.relief] = index
            self._reaching[key] = np.array(sorted(strongest.values()), dtype=np.intp)
        return self._reaching[key]

    @cached_property
    def _reaching(self) -> dict[tuple[str, frozenset[str]], NDArray[np.intp]]:
        return {}

    @cached_property
    def _to_impairment(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, path in enumerate(self.paths):
            found.setdefault(path.impairment, []).append(index)
        return found

    def coverage(self, condition: str, phase: str | None) -> Floats:
        """Coverage of each need by each technique: shape (needs, techniques), values from 0 to 1."""
        technique, logs, relieves = self._arrays
        needs, count = self.needs(condition, phase), len(self.techniques)
        covered = np.zeros((len(needs), count))
        for row, need in enumerate(needs):
            index = self.paths_to(need)
            good, bad = index[relieves[index]], index[~relieves[index]]
            relief = -np.expm1(np.bincount(technique[good], weights=logs[good], minlength=count))
            spared = np.exp(np.bincount(technique[bad], weights=logs[bad], minlength=count))
            covered[row] = relief * spared
        elsewhere = [self.bound_elsewhere(technique, condition) for technique in self.techniques]
        local = [not need.whole_person for need in needs]
        covered[np.ix_(local, elsewhere)] = 0.0
        return covered

    def plausibility(self, condition: str, phase: str | None) -> Floats:
        """How far each technique relieves the impairments of a condition in a phase: shape (techniques,)."""
        key = (condition, phase)
        if key not in self._plausibility:
            weights = np.array([need.weight for need in self.needs(condition, phase)])
            covered = self.coverage(condition, phase)
            self._plausibility[key] = weights @ covered if len(weights) else np.zeros(len(self.techniques))
        return self._plausibility[key]

    @cached_property
    def _plausibility(self) -> dict[tuple[str, str | None], Floats]:
        return {}

    # ------------------------------------------------------------------ evidence
    @cached_property
    def _treatment_evidence(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self.knowledge.group("TreatmentEvidence", "evidenceCondition", "evidenceTechnique")

    def _design(self, node: Node) -> float:
        source = node.one("dcterms:source")
        return self.parameters[self.knowledge[source].one("design")]

    def observations(self, condition: str, technique: str, client: Client) -> list[Observation]:
        """All statements about the condition or a more general one and the technique or a more general one."""
        found = []
        lineage = {technique: 0} if self.bound_elsewhere(technique, condition) else self.technique_lineage[technique]
        tolerance = self.parameters.tolerance(self.knowledge[technique].one("intensity"), client)
        for about, condition_steps in self.condition_lineage[condition].items():
            for by, technique_steps in lineage.items():
                for node in self._treatment_evidence.get((about, by), ()):
                    found.append(self._observe(node, client.phase, condition_steps, technique_steps, tolerance))
        return pool(found, self._cluster)

    def _observe(self, node: Node, phase: str | None, condition_steps: int, technique_steps: int, tolerance: float) -> Observation:
        p, direction, comparator = self.parameters, node.one("result"), node.one("comparator")
        recommendation = node.is_a("RecommendationStatement")
        share = p.get(direction)
        if (reading := _READINGS.get(direction)) and node.one("outcome") != "outcome-adverse-event":
            share = self.knowledge[comparator or _UNSTATED].number(reading)
        factors = {
            "design": self._design(node),
            "certainty": p[node.one("certainty") or "certainty-unstated"],
            "participants": self._size(node),
            "phase": self._phase_fit(node.one("inPhase", ANY_PHASE), phase),
            "outcome": p[node.one("outcome")],
            "comparator": 1.0 if recommendation else p[comparator or "comparator-unstated"],
            "condition": p["discount-condition-step"] ** condition_steps,
            "technique": p["discount-technique-step"] ** technique_steps,
            "tolerance": tolerance,
        }
        return Observation(node.slug, direction, node.one("dcterms:source"), factors, share,
                           about_condition=node.one("evidenceCondition"), about_technique=node.one("evidenceTechnique"))  # fmt: skip

    def _size(self, node: Node) -> float:
        p = self.parameters
        if "participants" not in node.properties:
            return 1.0 if node.is_a("RecommendationStatement") else p["participants-unstated"]
        size = (node.number("participants") / p["participants-reference"]) ** 0.5
        return float(min(max(size, p["participants-least"]), p["participants-most"]))

    def _phase_fit(self, stated: str, phase: str | None) -> float:
        if ANY_PHASE in (stated, phase or ANY_PHASE):
            return self.parameters["phase-open"]
        return self.parameters["phase-same" if stated == phase else "phase-other"]

    # ------------------------------------------------------------------ the score
    def scores(self, condition: str, client: Client) -> tuple[Score, ...]:
        """The score of every technique, in the order of `techniques`; hazards and red flags have no part in it."""
        return self._scores(condition, Client(client.phase, client.irritability))

    def _compute(self, condition: str, client: Client) -> tuple[Score, ...]:
        from scipy.special import betaincinv

        p = self.parameters
        tolerance = np.array([p.tolerance(intensity, client) for intensity in self._intensity])
        plausibility = self.plausibility(condition, client.phase)
        prior = p["prior-mean-low"] + (p["prior-mean-high"] - p["prior-mean-low"]) * plausibility * tolerance
        observed = [self.observations(condition, technique, client) for technique in self.techniques]
        successes = np.array([sum(o.successes for o in group) for group in observed])
        failures = np.array([sum(o.failures for o in group) for group in observed])
        count = p["prior-observations"]
        alpha, beta = prior * count + successes, (1 - prior) * count + failures
        tail = p["interval-tail"]
        low, high = betaincinv(alpha, beta, tail), betaincinv(alpha, beta, 1 - tail)
        return tuple(
            Score(slug, float(plausibility[i]), float(tolerance[i]), float(prior[i]), count, float(alpha[i]), float(beta[i]),
                  float(low[i]), float(high[i]), tuple(observed[i]))
            for i, slug in enumerate(self.techniques)
        )  # fmt: skip


def _lineages(knowledge: Knowledge, cls: str, prop: str) -> dict[str, dict[str, int]]:
    """For each individual of a class itself and all that `prop` leads to, with the fewest direct steps to each.

    The graph holds the transitive closure; a direct step is one that no other ancestor explains.
    """
    closure = {node.slug: set(node.all(prop)) - {node.slug} for node in knowledge.of_class(cls)}
    direct = {slug: above - {further for nearer in above for further in closure[nearer]} for slug, above in closure.items()}
    lineages = {}
    for slug in closure:
        steps, frontier = {slug: 0}, [slug]
        while frontier:
            nearer = frontier.pop(0)
            for above in sorted(direct[nearer]):
                if above not in steps:
                    steps[above] = steps[nearer] + 1
                    frontier.append(above)
        lineages[slug] = steps
    return lineages


def _clusters(knowledge: Knowledge) -> dict[str, str]:
    """Sources that rest on each other, each mapped to one name for all of them."""
    import networkx as nx

    graph = nx.Graph((node.slug, other) for node in knowledge.of_class("Source") for other in node.all("restsOn"))
    return {source: min(members) for members in nx.connected_components(graph) for source in members}
