"""The safety gate: which techniques a client must not get, which only with care, and when a physician comes first.

It runs before any score and is no weight in one. When in doubt the wider reading acts: a rule with a circumstance that
nobody has denied holds; a narrower hazard has all rules of the wider; a hazard that by its nature sits at the complaint
is taken to sit there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from kg.graph.knowledge import Knowledge, Node
from kg.graph.regions import Regions
from kg.reasoning.client import ANY_PHASE, Client, phases_of
from kg.reasoning.sourcing import sourcing

EMERGENCY, ABSOLUTE, CLEARANCE, LOCAL, PRECAUTION = "emergency-referral", "absolute", "medical-clearance", "local", "precaution"
FORBIDDING = (EMERGENCY, ABSOLUTE, CLEARANCE)
"""Levels at which a technique is withheld wherever it would be applied."""
LEVELS = (EMERGENCY, ABSOLUTE, CLEARANCE, LOCAL, PRECAUTION)
"""Levels of a contraindication, the gravest first."""
URGENCIES = ("emergency", "urgent", "medical-review")
STOPPING = ("emergency", "urgent")
"""Urgencies under which nothing is recommended."""
ELSEWHERE = "anywhere but the site of the hazard"
_URGENCY = "urgency-"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a technique is withheld or needs care: the hazard, its rule, and what to do instead."""

    hazard: str
    label: str
    level: str
    reason: str
    action: str
    sources: tuple[str, ...]
    rule: str
    circumstance: str = ""
    where: str = ""
    basis: str = "sourced"
    sourcing: str = ""
    disagreement: str = ""
    disputed_by: tuple[str, ...] = ()
    lifts: "Lifting | None" = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "hazard": self.hazard, "label": self.label, "level": self.level, "reason": self.reason, "action": self.action,
            "circumstance": self.circumstance or None, "where": self.where or None, "basis": self.basis,
            "lifts": self.lifts.to_dict() if self.lifts else None,
            "sourcing": self.sourcing, "sources": list(self.sources), "rule": self.rule,
            "disagreement": self.disagreement or None, "disputed_by": list(self.disputed_by),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lifting:
    """What lifts a rule: days after the date of its hazard, somebody's word or a change, or both together."""

    after_days: int | None
    by: str
    since: date | None = None

    @property
    def first_day(self) -> date | None:
        """The first day on which time no longer keeps the rule, where the date of the hazard is known."""
        return self.since + timedelta(self.after_days + 1) if self.since and self.after_days is not None else None

    @property
    def by_time_alone(self) -> bool:
        """Whether the rule ends with its days, without anybody's word."""
        return self.after_days is not None and not self.by

    @property
    def text(self) -> str:
        """Both in words."""
        first = self.first_day
        time = f"the time, from {first.isoformat()} on" if first else f"{self.after_days} days" if self.after_days else ""
        return " and ".join(filter(None, (time, self.by)))

    def to_dict(self) -> dict[str, Any]:
        first = self.first_day
        return {"after_days": self.after_days, "by": self.by or None, "from": first.isoformat() if first else None}


@dataclass(frozen=True, slots=True)
class ReferralReason:
    """One reason to refer: a red flag with the pathology that it suggests, or a hazard that is an emergency."""

    slug: str
    label: str
    pathology: str | None
    pathology_label: str | None
    urgency: str
    sources: tuple[str, ...]
    sourcing: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"slug": self.slug, "label": self.label, "pathology": self.pathology, "pathology_label": self.pathology_label,
                "urgency": self.urgency, "sourcing": self.sourcing, "sources": list(self.sources)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Referral:
    """That a physician comes first, how soon, why, and what to do now."""

    urgency: str
    reasons: tuple[ReferralReason, ...]
    action: str

    @property
    def stops(self) -> bool:
        """Whether nothing may be recommended until a physician has seen the client."""
        return self.urgency in STOPPING

    def to_dict(self) -> dict[str, Any]:
        return {"urgency": self.urgency, "action": self.action, "reasons": [reason.to_dict() for reason in self.reasons]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of every technique: reasons to withhold it, reasons for care; and of the client: a referral."""

    withheld: Mapping[str, tuple[Reason, ...]]
    cautions: Mapping[str, tuple[Reason, ...]]
    referral: Referral | None

    def level(self, technique: str) -> str:
        """The gravest level at which a technique is withheld."""
        return min((reason.level for reason in self.withheld[technique]), key=LEVELS.index)


@dataclass(frozen=True, slots=True)
class Rule:
    """A contraindication with its targets resolved to techniques, positions and regions."""

    reason: Reason
    techniques: frozenset[str]
    positions: frozenset[str]
    regions: frozenset[str]
    at_regions: frozenset[str]
    except_for: frozenset[str]
    holds_from: int | None

    def holds_after(self, days: int | None) -> bool:
        """Whether the rule holds so many days after the date of the hazard; without a date it always does."""
        if days is None:
            return True
        begun = self.holds_from is None or days >= self.holds_from
        lifts = self.reason.lifts
        ended = lifts is not None and lifts.after_days is not None and lifts.by_time_alone and days > lifts.after_days
        return begun and not ended


class SafetyGate:
    """The rules of the graph, resolved once to techniques, positions and regions."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self.techniques = tuple(node.slug for node in knowledge.of_class("Technique") if not _unspecified(node))
        self.hands_on = frozenset(slug for slug in self.techniques if "any-massage" in knowledge[slug].all("inGroup"))
        self.positions = {slug: frozenset(knowledge[slug].all("position")) for slug in self.techniques}
        self._applied_at = {slug: frozenset(knowledge[slug].all("appliedAt")) for slug in self.techniques}
        self._regions = Regions(knowledge)
        self._bears = {slug: _names_of(knowledge[slug]) for slug in self.techniques}
        self.phases = phases_of(knowledge)
        self._course = {node.slug for node in knowledge.of_class("CoursePhase")}
        rules = knowledge.group("ContraindicationRule", "ruleHazard")
        self._rules = {hazard: tuple(self._resolve(node) for node in nodes) for (hazard,), nodes in rules.items()}

    # ------------------------------------------------------------------ the rules
    def _resolve(self, node: Node) -> Rule:
        targets = [self._knowledge[target] for target in node.all("appliesTo")]
        named = {target.slug for target in targets}
        techniques = frozenset(slug for slug, bears in self._bears.items() if named & bears) - set(node.all("exceptTechnique"))
        hazard, sources, basis = node.one("ruleHazard"), node.all("dcterms:source"), node.one("basis", "sourced")
        reason = Reason(
            hazard, self._knowledge.label(hazard), node.one("level"), node.one("reason"), node.one("action"),
            sources, node.slug, node.one("circumstance"), basis=basis, sourcing=sourcing(self._knowledge, sources, basis),
            disagreement=node.one("disagreement"), disputed_by=node.all("disputedBy"), lifts=self._lifting(node),
        )  # fmt: skip
        return Rule(
            reason,
            techniques,
            frozenset(target.slug for target in targets if target.is_a("BodyPosition")),
            frozenset(target.slug for target in targets if target.is_a("BodyRegion")),
            frozenset(node.all("atRegion")),
            frozenset(node.all("exceptFor")),
            int(node.number("holdsFromDays")) if "holdsFromDays" in node.properties else None,
        )

    def _lifting(self, rule: Node) -> Lifting | None:
        """What lifts a rule: what it says itself, else what its level says; a stated time needs no further word."""
        days = int(rule.number("liftsAfterDays")) if "liftsAfterDays" in rule.properties else None
        by = rule.one("liftedBy") or ("" if days else self._knowledge[rule.one("level")].one("liftedBy"))
        return Lifting(days, by) if days or by else None

    def rules_on(self, technique: str) -> tuple[str, ...]:
        """The rules that reach a technique by its name, family or groups, whatever their level."""
        return tuple(rule.reason.rule for rules in self._rules.values() for rule in rules if technique in rule.techniques)

    def withheld_by(self, hazard: str) -> tuple[str, ...]:
        """The techniques that a hazard, or a wider one, withholds wherever they would be applied."""
        rules = [rule for rule in self.rules_of(hazard) if rule.reason.level in FORBIDDING]
        positions = {position for rule in rules for position in rule.positions}
        lying = {name for name, possible in self.positions.items() if possible and possible <= positions}
        return tuple(sorted(lying.union(*(rule.techniques for rule in rules))))

    def hazards_of(self, hazard: str) -> tuple[str, ...]:
        """A hazard with all wider hazards whose rules it has."""
        return (hazard, *self._knowledge[hazard].all("subHazardOf"))

    def rules_of(self, hazard: str, days: Iterable[int | None] = (None,)) -> list[Rule]:
        """The rules that act on whoever has a hazard, those of wider ones included.

        Args:
            days: since its date; a rule acts where it holds after any of them.
        """
        own = frozenset(self.hazards_of(hazard))
        return [rule for wider in sorted(own) for rule in self._rules.get(wider, ())
                if not rule.except_for & own and any(map(rule.holds_after, days))]  # fmt: skip

    def brought_by(self, condition: str, phase: str | None) -> dict[str, tuple[str, ...]]:
        """The hazards that a condition brings, each with the phases in which it does; only those of `phase` if given.

        A condition that is itself a hazard brings itself; a phase brings its own hazards to every condition.
        """
        node = self._knowledge[condition]
        found: dict[str, set[str]] = {condition: set(self.phases)} if node.is_a("Hazard") else {}
        for occurrence in self._occurrences.get((condition,), ()):
            stated = set(occurrence.all("inPhase"))
            found.setdefault(occurrence.one("occurrenceOf"), set()).update(self.phases if ANY_PHASE in stated else stated)
        if phase:
            for hazard in self._knowledge[phase].all("phaseHazard"):
                found.setdefault(hazard, set()).add(phase)
        return {hazard: tuple(filter(during.__contains__, self.phases)) for hazard, during in found.items()
                if phase is None or phase in during}  # fmt: skip

    @cached_property
    def _occurrences(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self._knowledge.group("HazardOccurrence", "broughtBy")

    # ------------------------------------------------------------------ the verdict
    def judge(self, condition: str, client: Client) -> Verdict:
        """What the client's hazards, those of the condition in this phase, and red flags say of every technique."""
        own = self.brought_by(condition, client.phase)
        lasting = self.lasting(condition, client.phase)
        at_condition = {hazard for has in lasting for hazard in self.hazards_of(has)}
        stated = {hazard for has in client.hazards for hazard in self.hazards_of(has)}
        assumed = {hazard for has in client.hazards if self._knowledge[has].one("assumedAtComplaint") for hazard in self.hazards_of(has)}
        withheld: dict[str, list[Reason]] = {}
        cautions: dict[str, list[Reason]] = {}
        barred: dict[str, list[Reason]] = {}
        for rule in self.acting(condition, client):
            hazard = rule.reason.hazard
            known_elsewhere = hazard in at_condition and hazard not in stated and self._speaks_of_elsewhere(rule, condition)
            if not known_elsewhere:
                self._apply(rule, condition, hazard in at_condition | assumed, withheld, cautions, barred)
        self._warn_of_phases({h: phases for h, phases in own.items() if h not in at_condition}, condition, cautions)
        self._bar_positions(barred, withheld, cautions)
        referral = self.refer(client, condition)
        if referral and referral.stops:
            stop = _stop(referral)
            for technique in self.techniques:
                withheld.setdefault(technique, []).insert(0, stop)
        return Verdict(
            {slug: _graver_first(reasons) for slug, reasons in sorted(withheld.items())},
            {slug: _graver_first(reasons) for slug, reasons in sorted(cautions.items()) if slug not in withheld},
            referral,
        )

    def lasting(self, condition: str, phase: str | None) -> tuple[str, ...]:
        """The hazards that a condition brings in a phase, or where none is given in the whole of its natural course."""
        own = self.brought_by(condition, phase)
        return tuple(hazard for hazard, during in own.items() if phase or self._course <= set(during))

    def grounds(self, condition: str | None, client: Client) -> dict[str, list[Rule]]:
        """Each hazard that the condition brings or the client has, with the rules that act through it, as dates tell."""
        brought = self.lasting(condition, client.phase) if condition else ()
        found = {has: [_since(rule, client.latest(has)) for rule in self.rules_of(has, client.days_since(has))] for has in client.hazards}
        return dict(sorted({**found, **{has: self.rules_of(has) for has in brought}}.items()))

    def acting(self, condition: str, client: Client) -> list[Rule]:
        """The rules that act on a client, each once."""
        found = {rule.reason.rule: rule for rules in self.grounds(condition, client).values() for rule in rules}
        return sorted(found.values(), key=lambda rule: (rule.reason.hazard, rule.reason.rule))

    def _speaks_of_elsewhere(self, rule: Rule, condition: str) -> bool:
        """Whether a rule is about regions other than the complaint's; for a hazard that is known to sit at the complaint."""
        return bool(rule.at_regions) and not self._regions.overlap(condition, rule.at_regions)

    def _warn_of_phases(self, passing: Mapping[str, tuple[str, ...]], condition: str, cautions: dict[str, list[Reason]]) -> None:
        """Where no phase is given: what a condition forbids in some phases only becomes a caution that names them."""
        for own, phases in sorted(passing.items()):
            barred: dict[str, list[Reason]] = {}
            found: dict[str, list[Reason]] = {}
            for rule in self.rules_of(own):
                if not self._speaks_of_elsewhere(rule, condition):
                    self._apply(rule, condition, True, found, {}, barred)
            self._bar_positions(barred, found, {})
            for technique, reasons in found.items():
                where = f"not at all in the {' or '.join(phases)} phase"
                cautions.setdefault(technique, []).append(_at(_graver_first(reasons)[0], where))

    def _apply(self, rule: Rule, condition: str, at_complaint: bool, withheld: dict[str, list[Reason]],
               cautions: dict[str, list[Reason]], barred: dict[str, list[Reason]]) -> None:  # fmt: skip
        level = rule.reason.level
        forbids = level in FORBIDDING
        here = at_complaint or bool(rule.at_regions and self._regions.overlap(condition, rule.at_regions))
        stops = forbids or (level == LOCAL and here)
        where = "" if stops or level == PRECAUTION else ELSEWHERE
        for technique in rule.techniques:
            (withheld if stops else cautions).setdefault(technique, []).append(_at(rule.reason, where))
        for position in rule.positions:
            barred.setdefault(position, []).append(rule.reason)
        if rule.regions:
            self._apply_to_regions(rule, condition, forbids, withheld, cautions)

    def _apply_to_regions(self, rule: Rule, condition: str, forbids: bool, withheld: dict[str, list[Reason]],
                          cautions: dict[str, list[Reason]]) -> None:  # fmt: skip
        """A rule on a region bars what is bound to it, and all hands-on work where the complaint lies in it."""
        names = " and ".join(sorted(self._knowledge.label(region) for region in rule.regions))
        at_site, near = self._regions.overlap(condition, rule.regions), self._regions.near(condition, rule.regions)
        where = "" if at_site else f"not on: {names}"
        for technique in self.techniques:
            bound = any(self._regions.within(at, region) for at in self._applied_at[technique] for region in rule.regions)
            if technique in rule.techniques or not (bound or technique in self.hands_on):
                continue
            if (forbids or rule.reason.level == LOCAL) and (bound or at_site):
                withheld.setdefault(technique, []).append(rule.reason)
            elif bound or near:  # far from the region there is nothing to take care of
                cautions.setdefault(technique, []).append(_at(rule.reason, where))

    def _bar_positions(self, barred: dict[str, list[Reason]], withheld: dict[str, list[Reason]], cautions: dict[str, list[Reason]]) -> None:
        """Withhold what needs a barred position; name the position to avoid where another is left."""
        forbidden = {position for position, reasons in barred.items() if any(r.level in FORBIDDING for r in reasons)}
        for technique, positions in self.positions.items():
            touched = sorted(positions & set(barred))
            if not touched:
                continue
            stops = positions <= forbidden
            for position in touched:
                for reason in barred[position]:
                    left = ", ".join(sorted(self._knowledge.label(p) for p in positions - forbidden))
                    where = "" if stops else f"not {self._knowledge.label(position)}; use {left}"
                    (withheld if stops else cautions).setdefault(technique, []).append(_at(reason, where))

    def refer(self, client: Client, condition: str | None) -> Referral | None:
        """The referral that red flags and emergencies among the hazards demand, with the most urgent first."""
        reasons = [
            ReferralReason(node.one("redFlag"), self._knowledge.label(node.one("redFlag")), node.one("pathology"),
                           self._knowledge.label(node.one("pathology")), node.one("urgency").removeprefix(_URGENCY),
                           node.all("dcterms:source"), sourcing(self._knowledge, node.all("dcterms:source"), node.one("basis")))
            for node in self._referring(client.red_flags)
        ]  # fmt: skip
        reasons += [
            ReferralReason(own, self._knowledge.label(own), None, None, "emergency", rule.reason.sources, rule.reason.sourcing)
            for own in client.hazards for rule in self.rules_of(own, client.days_since(own)) if rule.reason.level == EMERGENCY
        ]  # fmt: skip
        return self.referral(reasons)

    def referral(self, reasons: Iterable[ReferralReason]) -> Referral | None:
        """The referral for some reasons, the most urgent first, with what to do now; None where there are none."""
        ordered = sorted(dict.fromkeys(reasons), key=lambda r: (URGENCIES.index(r.urgency), r.slug, r.pathology or "", r.sources))
        if not ordered:
            return None
        urgency = ordered[0].urgency
        return Referral(urgency, tuple(ordered), self._knowledge[_URGENCY + urgency].one("doNow"))

    def _referring(self, flags: tuple[str, ...]) -> list[Node]:
        """What refers among flags: each that does so alone, and those that do so together with another of the same pathology."""
        nodes = [node for flag in flags for node in self._indications.get((flag,), ())]
        together: dict[str, set[str]] = {}
        for node in nodes:
            if self._strength(node, "refersTogether"):
                together.setdefault(node.one("pathology"), set()).add(node.one("redFlag"))
        return [
            node for node in nodes if self._strength(node, "refersAlone")
            or (self._strength(node, "refersTogether") and len(together[node.one("pathology")]) > 1)
        ]  # fmt: skip

    def _strength(self, node: Node, refers: str) -> bool:
        """Whether the strength of a flag lets it refer in a way, alone or together; a flag without a strength refers: the safe side."""
        strength = node.one("flagStrength")
        return not strength or self._knowledge[strength].properties[refers][0] is True

    @cached_property
    def _indications(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self._knowledge.group("RedFlagIndication", "redFlag")


def _names_of(technique: Node) -> frozenset[str]:
    """All by which a rule can mean a technique: itself, its groups, its family, the techniques of which it is a variant."""
    return frozenset((technique.slug, *technique.all("inGroup"), *technique.all("family"), *technique.all("variantOf")))


def _unspecified(node: Node) -> bool:
    return bool(node.properties.get("unspecified", (False,))[0])


def _at(reason: Reason, where: str) -> Reason:
    return replace(reason, where=where) if where else reason


def _since(rule: Rule, day: date | None) -> Rule:
    """A rule that ends with time, with the date from which its days count."""
    lifts = rule.reason.lifts
    if day is None or lifts is None or lifts.after_days is None:
        return rule
    return replace(rule, reason=replace(rule.reason, lifts=replace(lifts, since=day)))


def _graver_first(reasons: list[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(dict.fromkeys(reasons), key=lambda r: (LEVELS.index(r.level), r.hazard, r.rule, r.where)))


def _stop(referral: Referral) -> Reason:
    """The one reason that withholds everything until a physician has seen the client."""
    first = referral.reasons[0]
    emergency = referral.urgency == "emergency"
    suspected = f"may point to {first.pathology_label.lower()}" if first.pathology_label else "is an emergency"
    return Reason(
        first.slug, first.label, EMERGENCY if emergency else CLEARANCE, f"{first.label}: {suspected}.",
        referral.action,
        first.sources, first.slug, sourcing=first.sourcing,
    )  # fmt: skip
