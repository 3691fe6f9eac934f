"""What questions are made of: for each kind the subjects, and what the graph states or rules out about them."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from kg.graph.knowledge import Node
from kg.reasoning.engine import Engine
from kg.reasoning.mechanism import Path

CHANGES = {"increases": "raises", "decreases": "lowers"}
_LISTED = 3


class Facts:
    """Lookups over one graph, each made when it is first asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._knowledge = engine, engine.knowledge

    # ------------------------------------------------------------------ techniques and impairments
    @cached_property
    def techniques(self) -> tuple[str, ...]:
        """The techniques that a massage therapist may use."""
        return tuple(node.slug for node in self._knowledge.of_class("Technique")
                     if not node.one("unspecified") and node.one("scope") != "scope-referral-only")  # fmt: skip

    @cached_property
    def impairments(self) -> tuple[str, ...]:
        return tuple(slug for slug, paths in self.relieving.items() if paths)

    @cached_property
    def relieving(self) -> Mapping[str, Sequence[Path]]:
        """Impairment -> one path of each technique that relieves it, the strongest first."""
        best: dict[str, dict[str, Path]] = {node.slug: {} for node in self._knowledge.of_class("Impairment")}
        for path in self._engine.model.mechanism.paths.paths:
            kept = best[path.impairment].get(path.link.technique)
            if path.relieves and path.link.technique in self.techniques and (not kept or kept.strength < path.strength):
                best[path.impairment][path.link.technique] = path
        return {slug: sorted(paths.values(), key=lambda p: (-p.strength, p.link.technique)) for slug, paths in best.items()}

    @cached_property
    def _claims_of(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self._knowledge.group("EffectClaim", "claimTechnique")

    @cached_property
    def _relieved_by(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self._knowledge.group("Relief", "reliefEffect", "direction")

    def _all_claims(self, technique: str) -> list[Node]:
        """The claims of a technique and of all more general ones."""
        lineage = dict.fromkeys((technique, *self._knowledge[technique].all("variantOf")))
        return [claim for slug in lineage for claim in self._claims_of.get((slug,), ())]

    def claimed_to_relieve(self, technique: str) -> set[str]:
        """The impairments that any claimed effect of a technique, or of a more general one, relieves."""
        return {relief.one("reliefImpairment") for claim in self._all_claims(technique)
                for relief in self._relieved_by.get((claim.one("claimEffect"), claim.one("direction")), ())}  # fmt: skip

    def claimed_words(self, technique: str) -> str:
        """A few effects that a technique is held to have."""
        claims = {
            f"{CHANGES.get(c.one('direction'), 'change')[:-1]} {self._low(c.one('claimEffect'))}": None for c in self._all_claims(technique)
        }
        return ", ".join(list(claims)[:_LISTED]) or "do nothing that is stated here"

    def kinship(self, technique: str) -> Collection[str]:
        """What makes two techniques alike: family, groups, effects, tissues."""
        node = self._knowledge[technique]
        return {*node.all("family"), *node.all("inGroup"), *node.all("producesEffect"), *node.all("actsOn"), *node.all("pressure")}

    def impairment_features(self, impairment: str) -> Collection[str]:
        """What makes two impairments alike: tissue types and the effects that relieve them."""
        node = self._knowledge[impairment]
        return {*node.all("tissueType"), *node.all("relievedBy")}

    # ------------------------------------------------------------------ claims and measurements
    @cached_property
    def verdicts(self) -> Mapping[str, str]:
        """Claim -> what measurements say: `contradicted`, `supported` or `untested`; those in dispute are left out."""
        found = {node.slug: "contradicted" for node in self._knowledge.of_class("RefutedEffectClaim")}
        for link in self._engine.model.mechanism.links:
            if link.steps or self._knowledge[link.claim].one("claimTechnique") != link.technique:
                continue
            if not link.evidence:
                found[link.claim] = "untested"
            elif link.failures == 0 and link.successes > 0:
                found[link.claim] = "supported"
        return found

    @cached_property
    def claims(self) -> tuple[str, ...]:
        return tuple(sorted(self.verdicts))

    @cached_property
    def _measured(self) -> Mapping[str, tuple[str, ...]]:
        return {link.claim: tuple(dict.fromkeys(m.source for m in link.evidence)) for link in self._engine.model.mechanism.links
                if not link.steps}  # fmt: skip

    def measured_in(self, claim: str) -> tuple[str, ...]:
        """The sources whose measurements speak to a claim."""
        return self._measured.get(claim, ())

    def claim_about(self, claim: str) -> tuple[str, str]:
        """The technique and the effect of a claim, refuted or not."""
        node = self._knowledge[claim]
        return node.one("claimTechnique") or node.one("refutedTechnique"), node.one("claimEffect") or node.one("refutedEffect")

    def claim_words(self, claim: str) -> str:
        """A claim as a sentence."""
        node, (technique, effect) = self._knowledge[claim], self.claim_about(claim)
        tissue = node.one("tissueType")
        where = f" in {self._low(tissue)}" if tissue and tissue != "any-tissue" else ""
        return f"{self._knowledge.label(technique)} {CHANGES.get(node.one('direction'), 'changes')} {self._low(effect)}{where}."

    # ------------------------------------------------------------------ conditions, hazards, red flags
    @cached_property
    def profiled(self) -> tuple[str, ...]:
        """The conditions that are curated in depth."""
        return tuple(node.slug for node in self._knowledge.of_class("Condition") if node.one("inDepth") and node.all("hasImpairment"))

    @cached_property
    def hazards(self) -> tuple[str, ...]:
        """The hazards that withhold some technique."""
        return tuple(node.slug for node in self._knowledge.of_class("Hazard") if self._engine.gate.withheld_by(node.slug))

    @cached_property
    def indications(self) -> Mapping[str, list[Node]]:
        """Condition -> the indications of red flags whose diseases mimic it."""
        found: dict[str, list[Node]] = {}
        for node in self._knowledge.of_class("RedFlagIndication"):
            for condition in node.all("mimics"):
                found.setdefault(condition, []).append(node)
        return found

    @cached_property
    def mimicked(self) -> tuple[str, ...]:
        return tuple(sorted(self.indications))

    @cached_property
    def alarming(self) -> frozenset[str]:
        """Findings that are red flags or point to a serious pathology."""
        return frozenset(node.slug for node in self._knowledge.of_class("Finding") if node.is_a("RedFlag") or node.all("suggests"))

    def leading(self, condition: str) -> list[Node]:
        """The profiles of a condition with the highest salience."""
        return [node for node in self._profiles.get((condition,), ()) if node.one("salience") == self._highest]

    @cached_property
    def _profiles(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self._knowledge.group("ImpairmentProfile", "profileOf")

    @cached_property
    def _highest(self) -> str:
        return max(self._knowledge.of_class("Salience"), key=lambda node: node.number("value")).slug

    # ------------------------------------------------------------------ muscles
    @cached_property
    def muscles(self) -> tuple[str, ...]:
        """The muscles of which an action, a nerve or an attachment is stated."""
        return tuple(node.slug for node in self._knowledge.of_class("Muscle") if node.all("performs") or node.all("originText"))

    @cached_property
    def motor_nerves(self) -> tuple[str, ...]:
        return tuple(node.slug for node in self._knowledge.of_class("Nerve") if any(m in self._muscle_set for m in node.all("innervates")))

    @cached_property
    def _muscle_set(self) -> frozenset[str]:
        return frozenset(node.slug for node in self._knowledge.of_class("Muscle"))

    def nerves(self, muscle: str) -> tuple[str, ...]:
        return tuple(slug for slug in self._knowledge[muscle].all("innervatedBy") if self._knowledge[slug].is_a("Nerve"))

    def kin(self, structure: str) -> set[str]:
        """A structure with what it is part of and what is part of it."""
        node = self._knowledge[structure]
        return {structure, *node.all("partOf"), *node.all("hasPart")}

    def apart_from(self, structure: str, others: Collection[str]) -> bool:
        """Whether a structure is neither one of the others nor part or whole of one."""
        return not any(other in self.kin(structure) or structure in self.kin(other) for other in others)

    def supplies_part(self, nerve: str, muscle: str) -> bool:
        """Whether a nerve supplies a muscle, a part of it, or a whole that it belongs to."""
        return bool(self.kin(muscle).intersection(self._knowledge[nerve].all("innervates")))

    def regions_of(self, structure: str) -> Collection[str]:
        """The regions of a muscle; of a nerve those of the muscles that it supplies."""
        node = self._knowledge[structure]
        return {*node.all("inRegion"), *(region for slug in node.all("innervates") if slug in self._muscle_set
                                         for region in self._knowledge[slug].all("inRegion"))}  # fmt: skip

    def supplied_words(self, nerve: str) -> str:
        return self._few([slug for slug in self._knowledge[nerve].all("innervates") if slug in self._muscle_set])

    @cached_property
    def _doers(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for node in self._knowledge.of_class("Muscle"):
            for action in node.all("performs"):
                found.setdefault(action, []).append(node.slug)
        return {action: tuple(muscles) for action, muscles in sorted(found.items())}

    @cached_property
    def actions(self) -> tuple[str, ...]:
        return tuple(self._doers)

    def doers(self, action: str) -> Collection[str]:
        return self._doers[action]

    def doers_words(self, action: str) -> str:
        return self._few(self._doers[action])

    def around(self, muscle: str) -> Collection[str]:
        """The muscles that work against a muscle or lie in its regions."""
        regions = set(self._knowledge[muscle].all("inRegion"))
        near = {slug for slug in self.muscles if regions.intersection(self._knowledge[slug].all("inRegion"))}
        return near.union(self._knowledge[muscle].all("antagonistOf"))

    def neighborhood(self, muscle: str) -> Collection[str]:
        """What makes two muscles alike: regions, nerves, actions."""
        node = self._knowledge[muscle]
        return {*node.all("inRegion"), *node.all("innervatedBy"), *node.all("performs")}

    def attaches_elsewhere(self, other: str, muscle: str, text: str, structures: str) -> bool:
        """Whether another muscle's attachment is stated, and shares neither words nor structure with that of a muscle."""
        mine, theirs = self._knowledge[muscle], self._knowledge[other]
        if not theirs.all(text) or not theirs.all(structures) or not self.apart_from(other, (muscle,)):
            return False
        if {*map(str.casefold, mine.all(text))} & {*map(str.casefold, theirs.all(text))}:
            return False
        return all(self.apart_from(structure, mine.all(structures)) for structure in theirs.all(structures))

    # ------------------------------------------------------------------ words
    def _few(self, slugs: Sequence[str]) -> str:
        names = [self._knowledge.label(slug) for slug in slugs[:_LISTED]]
        return ", ".join(names) + (f" and {len(slugs) - _LISTED} more" if len(slugs) > _LISTED else "")

    def _low(self, slug: str) -> str:
        return lowered(self._knowledge.label(slug))


def lowered(label: str) -> str:
    """A label within a sentence; names in capitals stay."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
