"""Mechanism: what a technique does to tissue, and how far that relieves what a condition impairs.

    link         technique -> effect in a kind of tissue: the claim's prior strength, corrected by laboratory evidence
    path         link -> relief of an impairment: the product of both strengths
    coverage     of a need: (1 - prod(1 - relieving path)) * prod(1 - aggravating path)
    plausibility of a technique: sum over the needs of weight * coverage
    doubt        what the plausibility would gain if claims held that measurements have refuted

Each kind of need has one vector over all techniques, built when first asked for; the rest are products of arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kg.graph.knowledge import Knowledge, Node
from kg.graph.regions import Regions
from kg.reasoning.client import ANY_PHASE
from kg.reasoning.evidence import Booleans, Evidence, Floats, Integers, pooled, totals
from kg.reasoning.lineage import Lineages
from kg.reasoning.parameters import Parameters

_ANY_TISSUE = "any-tissue"
_ANYWHERE = frozenset((_ANY_TISSUE, "central-nervous-system"))
"""Tissue types in which an effect reaches an impairment without a tissue of its own, whatever the condition."""
_ANYWHERE_REFUTED = "refuted in any tissue"


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """A laboratory finding as it counts for a claim."""

    statement: str
    direction: str
    source: str
    factors: Mapping[str, float]
    share: float


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
    successes: float
    failures: float
    strength: float
    evidence: tuple[Measurement, ...] = ()
    at: frozenset[str] = frozenset()
    """The regions in which the technique does this; everywhere where none is stated."""


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
class Setting:
    """What of a condition decides which paths count in it.

    Attributes:
        places: the groups of regions, among those to which claims are bound, in which it lies.
        settled: the effects whose quantity stands where it should, so that a change relieves nothing.
    """

    places: frozenset[frozenset[str]]
    settled: frozenset[str]

    def admits(self, path: Path) -> bool:
        """Whether the technique of a path does there what it says, and finds what it presupposes."""
        link = path.link
        return (not link.at or link.at in self.places) and not (path.relieves and link.effect in self.settled)


class Paths:
    """A set of paths as arrays, and what they cover."""

    def __init__(self, paths: Sequence[Path], places: Mapping[str, int]) -> None:
        self.paths, self._count = tuple(paths), len(places)
        self._technique = np.array([places[path.link.technique] for path in paths], dtype=np.intp)
        self._logs = np.log1p(-np.array([path.strength for path in paths], dtype=np.float64))
        self._relieves = np.array([path.relieves for path in paths], dtype=np.bool_)
        self._reaching: dict[tuple[str, frozenset[str], Setting], Integers] = {}
        self._coverage: dict[tuple[str, frozenset[str], Setting], Floats] = {}
        self._to_impairment: dict[str, list[int]] = {}
        for index, path in enumerate(paths):
            self._to_impairment.setdefault(path.impairment, []).append(index)

    def to(self, need: Need, here: Setting) -> Integers:
        """Which paths reach a need: those to its impairment by an effect in a tissue type in which it is reached.

        Where a technique has the same effect in several such tissue types, only the strongest of these paths counts.
        """
        key = (need.impairment, need.reached_in, here)
        if key not in self._reaching:
            strongest: dict[tuple[str, str], int] = {}
            for index in self._to_impairment.get(need.impairment, ()):
                path = self.paths[index]
                if path.link.tissue in need.reached_in and here.admits(path):
                    rival = strongest.setdefault((path.link.technique, path.relief), index)
                    if self.paths[rival].strength < path.strength:
                        strongest[path.link.technique, path.relief] = index
            self._reaching[key] = np.array(sorted(strongest.values()), dtype=np.intp)
        return self._reaching[key]

    def coverage(self, need: Need, here: Setting) -> Floats:
        """How far each technique covers a need: shape (techniques,), from 0 to 1."""
        key = (need.impairment, need.reached_in, here)
        if key not in self._coverage:
            index = self.to(need, here)
            good, bad = index[self._relieves[index]], index[~self._relieves[index]]
            relief = -np.expm1(totals(self._technique[good], self._logs[good], self._count))
            spared = np.exp(totals(self._technique[bad], self._logs[bad], self._count))
            self._coverage[key] = relief * spared
        return self._coverage[key]

    def cover(self, needs: Sequence[Need], here: Setting, bound: Booleans) -> Floats:
        """The needs covered by each technique, weighted: shape (techniques,)."""
        total = np.zeros(self._count)
        for need in needs:
            covered = self.coverage(need, here)
            total += need.weight * (covered if need.whole_person else np.where(bound, 0.0, covered))
        return total


class Mechanism:
    """Links, paths and needs of the whole graph."""

    def __init__(self, knowledge: Knowledge, techniques: Sequence[str], parameters: Parameters, evidence: Evidence) -> None:
        self.knowledge, self.techniques, self.parameters = knowledge, tuple(techniques), parameters
        self._evidence = evidence
        self.technique_lineage: Lineages = evidence.technique_lineage
        self._places = {slug: i for i, slug in enumerate(self.techniques)}
        self._regions = Regions(knowledge)
        self._at = [knowledge[slug].all("appliedAt") for slug in self.techniques]
        self._bound: dict[str, Booleans] = {}
        self._here: dict[str, Setting] = {}
        self._needs: dict[tuple[str, str | None], tuple[Need, ...]] = {}

    def bound_elsewhere(self, condition: str) -> Booleans:
        """Which techniques are bound to a part of the body in which the condition does not lie: shape (techniques,).

        There such a technique reaches only impairments of the whole person, and what is known of more general techniques
        says nothing of it.
        """
        if condition not in self._bound:
            self._bound[condition] = np.array([bool(at) and not self._regions.inside(condition, at) for at in self._at])
        return self._bound[condition]

    def here(self, condition: str) -> Setting:
        """Which paths count in a condition: by where it lies, or could lie, and by what is impaired in any of its phases."""
        if condition not in self._here:
            impaired = {node.one("profileImpairment") for node in self._profiles.get((self._holder(condition),), ())}
            self._here[condition] = Setting(
                frozenset(at for at in self._claimed_at if self._regions.overlap(condition, at)),
                frozenset(effect for effect, needed in self._presupposed.items() if impaired.isdisjoint(needed)),
            )
        return self._here[condition]

    @cached_property
    def _presupposed(self) -> Mapping[str, frozenset[str]]:
        """The effects that presuppose impairments, and which."""
        effects = self.knowledge.of_class("PhysiologicalEffect")
        return {node.slug: frozenset(needed) for node in effects if (needed := node.all("presupposes"))}

    @cached_property
    def _claimed_at(self) -> frozenset[frozenset[str]]:
        return frozenset(link.at for link in self.links if link.at)

    # ------------------------------------------------------------------ links
    @cached_property
    def _found(self) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
        """Every effect that a technique is held to have, its own and what more general ones pass down; and those refuted."""
        claims = self.knowledge.group("EffectClaim", "claimTechnique")
        denials = self.knowledge.group("RefutedEffectClaim", "refutedTechnique")
        links, refuted = [], []
        for technique in self.techniques:
            taken: set[tuple[str, str]] = set()
            for holder, steps in sorted(self.technique_lineage[technique].items(), key=lambda item: item[1]):
                found = [self._link(technique, claim, steps) for claim in claims.get((holder,), ())]
                links += [link for link in found if not taken & {(link.effect, link.tissue), (link.effect, _ANYWHERE_REFUTED)}]
                taken |= {(link.effect, link.tissue) for link in found}
                for denial in denials.get((holder,), ()):
                    effect, tissue = denial.one("refutedEffect"), denial.one("tissueType", _ANY_TISSUE)
                    refuted.append(self._denied(technique, denial, effect, tissue, steps))
                    taken.add((effect, tissue))
                    if tissue == _ANY_TISSUE:
                        taken.add((effect, _ANYWHERE_REFUTED))
        return tuple(links), tuple(refuted)

    @property
    def links(self) -> tuple[Link, ...]:
        """Every effect that a technique is held to have."""
        return self._found[0]

    def _link(self, technique: str, claim: Node, steps: int) -> Link:
        p = self.parameters
        effect, direction, tissue = claim.one("claimEffect"), claim.one("direction"), claim.one("tissueType")
        prior, count = p[claim.one("strength")], p["link-prior-observations"]
        measured = tuple(self._laboratory(technique, effect, direction, tissue))
        weights = [(m.source, float(np.prod(list(m.factors.values()))), m.share) for m in measured]
        gains, losses = pooled((source, weight * share, weight * (1 - share)) for source, weight, share in weights)
        strength = (prior * count + gains) / (count + gains + losses) * p["discount-claim-step"] ** steps
        return Link(technique, effect, direction, tissue, claim.slug, steps, prior, gains, losses, strength, measured,
                    frozenset(claim.all("claimAtRegion")))  # fmt: skip

    def _denied(self, technique: str, denial: Node, effect: str, tissue: str, steps: int) -> Link:
        """What a refuted claim would have been: as strong as a claim is before anybody has measured."""
        prior = self.parameters["refuted-strength"]
        strength = prior * self.parameters["discount-claim-step"] ** steps
        return Link(technique, effect, denial.one("direction"), tissue, denial.slug, steps, prior, 0.0, 0.0, strength)

    @cached_property
    def _measured(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self.knowledge.group("MechanismEvidence", "evidenceTechnique", "evidenceEffect")

    def _laboratory(self, technique: str, effect: str, direction: str, tissue: str) -> list[Measurement]:
        """Measurements of the effect under the technique or a more general one, in this kind of tissue."""
        p, shares = self.parameters, {direction: 1.0, "no-change": 0.0, "mixed-effect": 0.5}
        found = []
        for general, steps in self.technique_lineage[technique].items():
            for node in self._measured.get((general, effect), ()):
                if _ANY_TISSUE not in (tissue, node.one("tissueType")) and node.one("tissueType") != tissue:
                    continue
                source, measured = node.one("dcterms:source"), node.one("direction")
                factors = {
                    "design": p[self.knowledge[source].one("design")],
                    "population": p.get(node.one("population")) or p["population-healthy"],
                    "technique": p["discount-claim-step"] ** steps,
                }
                found.append(Measurement(node.slug, measured, source, factors, shares.get(measured, 0.0)))
        return found

    # ------------------------------------------------------------------ paths
    @cached_property
    def _reliefs(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self.knowledge.group("Relief", "reliefEffect")

    @cached_property
    def paths(self) -> Paths:
        """All paths from a technique over an effect to an impairment that it relieves or aggravates."""
        return self._paths(self._found[0])

    @cached_property
    def refuted(self) -> Paths:
        """The paths that there would be if refuted claims held; only those that would relieve."""
        paths = self._paths(self._found[1])
        return Paths([path for path in paths.paths if path.relieves], self._places)

    def _paths(self, links: Sequence[Link]) -> Paths:
        return Paths([
            Path(link, relief.slug, relief.one("reliefImpairment"), self.parameters[relief.one("strength")],
                 relief.one("direction") == link.direction)
            for link in links for relief in self._reliefs.get((link.effect,), ())
        ], self._places)  # fmt: skip

    # ------------------------------------------------------------------ needs
    def needs(self, condition: str, phase: str | None) -> tuple[Need, ...]:
        """The impairments of a condition in a phase, weighted by salience; over all phases where none is given.

        A condition without profiles of its own has those of the nearest more general one.
        """
        key = (condition, phase)
        if key not in self._needs:
            self._needs[key] = self._find_needs(condition, phase)
        return self._needs[key]

    @cached_property
    def _profiles(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self.knowledge.group("ImpairmentProfile", "profileOf")

    def _holder(self, condition: str) -> str:
        """Whose profiles a condition has: its own, else those of the nearest more general one."""
        lineage = sorted(self._evidence.condition_lineage[condition].items(), key=lambda item: (item[1], item[0]))
        return next((slug for slug, _ in lineage if (slug,) in self._profiles), condition)

    def _find_needs(self, condition: str, phase: str | None) -> tuple[Need, ...]:
        holder = self._holder(condition)
        spots: dict[tuple[str, str], list[tuple[Node, float]]] = {}
        for node, weight in self._salient(holder, phase):
            spots.setdefault((node.one("profileImpairment"), node.one("impairedTissue")), []).append((node, weight))
        total = sum(weight for group in spots.values() for _, weight in group)
        affected = frozenset(kind for part in self.knowledge[holder].all("affects") for kind in self.knowledge[part].all("hasTissueType"))
        return tuple(
            Need(impairment, tissue,
                 frozenset((*self.knowledge[tissue].all("hasTissueType"), _ANY_TISSUE)) if tissue else affected | _ANYWHERE,
                 bool(self.knowledge[impairment].properties.get("wholePerson")),
                 sum(weight for _, weight in group) / total, tuple(node.slug for node, _ in group))
            for (impairment, tissue), group in spots.items()
        )  # fmt: skip

    def _salient(self, holder: str, phase: str | None) -> list[tuple[Node, float]]:
        """The profiles that count in a phase, each with its salience; where no phase is given, times its share of phases."""
        profiles = self._profiles.get((holder,), ())
        phases = {p for node in profiles for p in node.all("inPhase")} - {ANY_PHASE, "postoperative"}
        chosen = []
        for node in profiles:
            stated = set(node.all("inPhase"))
            salience = self.parameters[node.one("salience")]
            if phase is None:
                share = 1.0 if ANY_PHASE in stated else len(stated & phases) / max(len(phases), 1)
                if share:
                    chosen.append((node, salience * share))
            elif {phase, ANY_PHASE} & stated:
                chosen.append((node, salience))
        return chosen

    # ------------------------------------------------------------------ plausibility
    def plausibility(self, condition: str, phase: str | None) -> Floats:
        """How far each technique relieves the impairments of a condition in a phase: shape (techniques,)."""
        return self.paths.cover(self.needs(condition, phase), self.here(condition), self.bound_elsewhere(condition))

    def doubt(self, condition: str, phase: str | None) -> Floats:
        """How much of the impairments each technique would relieve by effects that measurements have refuted."""
        return self.refuted.cover(self.needs(condition, phase), self.here(condition), self.bound_elsewhere(condition))
