"""Adapt before refusing: how treatment is changed for what a client has, put together from all hazards at once.

>>> import kg
>>> plan = kg.adapt(["Coumadin", "pregnancy"]).plan
>>> plan.decision, plan.pressure.label, [position.label for position in plan.positions_left]
('adapt', 'light', ['side-lying', 'seated', 'standing'])

Strictest wins: the least pressure, the shortest session, all that is to be avoided, all that is to be watched. Where no
position is left, or a hazard holds back all hands-on work, the plan says so, and what would lift it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kg.graph.frame import Tabular
from kg.graph.knowledge import Knowledge, Node, Version
from kg.reasoning.client import Client
from kg.reasoning.safety import ABSOLUTE, CLEARANCE, ELSEWHERE, EMERGENCY, FORBIDDING, LEVELS, LOCAL, Reason, Referral, Rule, SafetyGate

REFER, WITHHOLD, CLEAR, ADAPT = "refer", "withhold", "clear", "adapt"
DECISIONS = (REFER, WITHHOLD, CLEAR, ADAPT)
"""What a plan comes to, the gravest first: refer now, no hands-on work, not before somebody's word, or adapt."""
_PRESSURE, _DURATION = "adapt-pressure", "adapt-duration"
_HOLDS = {EMERGENCY: REFER, ABSOLUTE: WITHHOLD, CLEARANCE: CLEAR}


@dataclass(frozen=True, slots=True)
class Limit:
    """A position, pressure or region with the hazards that set it; `barred` where a rule forbids it outright."""

    slug: str
    label: str
    hazards: tuple[str, ...]
    barred: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"slug": self.slug, "label": self.label, "hazards": list(self.hazards), "barred": self.barred}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to do, for which hazards, and on which rules and sources it rests."""

    kind: str
    label: str
    text: str
    hazards: tuple[str, ...]
    basis: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "label": self.label, "text": self.text, "hazards": list(self.hazards), "basis": self.basis,
                "rules": list(self.rules), "sources": list(self.sources)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """One hazard of the client: its gravest level, what it alone comes to, where work may go on, and what holds it back."""

    hazard: str
    label: str
    level: str
    decision: str
    where: str
    held_by: tuple[Reason, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"hazard": self.hazard, "label": self.label, "level": self.level, "decision": self.decision, "where": self.where or None,
                "held_by": [reason.to_dict() for reason in self.held_by]}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModificationPlan:
    """How treatment is changed for all hazards of a client together.

    `minutes` and `pressure` are upper limits, None where no hazard sets one. Under a decision other than `adapt` the
    plan is for the time after what holds treatment back has been lifted; under `refer` it has no instructions.
    """

    decision: str
    conflict: str
    hazards: tuple[Standing, ...]
    positions_avoided: tuple[Limit, ...]
    positions_left: tuple[Limit, ...]
    pressure: Limit | None
    regions_avoided: tuple[Limit, ...]
    minutes: int | None
    minutes_hazards: tuple[str, ...]
    instructions: tuple[Instruction, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that the plan names, each once."""
        held = (source for standing in self.hazards for reason in standing.held_by for source in reason.sources)
        return tuple(sorted({*held, *(source for instruction in self.instructions for source in instruction.sources)}))

    def to_dict(self) -> dict[str, Any]:
        return {
            "decision": self.decision,
            "conflict": self.conflict or None,
            "hazards": [standing.to_dict() for standing in self.hazards],
            "position": {"avoid": [p.to_dict() for p in self.positions_avoided], "left": [p.to_dict() for p in self.positions_left]},
            "pressure": self.pressure.to_dict() if self.pressure else None,
            "area": {"avoid": [region.to_dict() for region in self.regions_avoided]},
            "minutes": {"greatest": self.minutes, "hazards": list(self.minutes_hazards)} if self.minutes else None,
            "instructions": [instruction.to_dict() for instruction in self.instructions],
        }


@dataclass(frozen=True, slots=True)
class Advice(Tabular):
    """The answer to "how do I adapt?": the client as understood, a referral, and the plan."""

    PARTS = ("modifications.instructions",)

    condition: str | None
    client: Client
    version: Version
    referral: Referral | None
    plan: ModificationPlan | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "condition": self.condition, "context": self.client.to_dict(), "graph": self.version.to_dict(),
            "referral": self.referral.to_dict() if self.referral else None,
            "modifications": self.plan.to_dict() if self.plan else None,
        }  # fmt: skip


Grounds = Mapping[str, Sequence[Rule]]
"""Each hazard of a client, stated or brought by the condition, with the rules that act through it."""
Chosen = Sequence[tuple[Node, tuple[str, ...]]]
"""Adaptations, each with the hazards of the client that ask for it."""


class Adapter:
    """The adaptations of the graph, read once."""

    def __init__(self, knowledge: Knowledge, gate: SafetyGate) -> None:
        self._knowledge, self._gate = knowledge, gate
        self._positions = sorted(knowledge.of_class("BodyPosition"), key=_order)

    @cached_property
    def _adaptations(self) -> dict[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self._knowledge.of_class("Adaptation"):
            for hazard in node.all("forHazard"):
                found.setdefault(hazard, []).append(node)
        return {hazard: tuple(nodes) for hazard, nodes in found.items()}

    def adaptations_of(self, hazard: str) -> tuple[Node, ...]:
        """The adaptations for a hazard, those of wider ones included."""
        found = (node for own in self._gate.hazards_of(hazard) for node in self._adaptations.get(own, ()))
        return tuple({node.slug: node for node in found}.values())

    def advise(self, client: Client, condition: str | None = None) -> Advice:
        """The plan for a client, with the referral that comes before it."""
        referral = self._gate.refer(client, condition)
        return Advice(condition, client, self._knowledge.version, referral, self.plan(client, condition))

    def plan(self, client: Client, condition: str | None = None) -> ModificationPlan | None:
        """The plan for the hazards of a client and those of a condition in the client's phase; None where there are none."""
        grounds = self._gate.grounds(condition, client)
        if not grounds:
            return None
        referral = self._gate.refer(client, condition)
        standings = tuple(self._standing(hazard, rules) for hazard, rules in grounds.items())
        decision = min((standing.decision for standing in standings), key=DECISIONS.index)
        if referral and referral.stops:
            return ModificationPlan(REFER, "", standings, (), (), None, (), None, (), ())
        adapting: dict[str, set[str]] = {}
        nodes: dict[str, Node] = {}
        for hazard in grounds:
            for node in self.adaptations_of(hazard):
                adapting.setdefault(node.slug, set()).add(hazard)
                nodes[node.slug] = node
        chosen = [(nodes[slug], tuple(sorted(hazards))) for slug, hazards in sorted(adapting.items())]
        avoided = self._positions_avoided(grounds, chosen)
        left = tuple(p for p in self._positions if p.slug not in avoided)
        conflict = "" if left else self._conflict(avoided)
        if conflict:
            barred = all(limit.barred for limit in avoided.values())
            decision = min(decision, WITHHOLD if barred else CLEAR, key=DECISIONS.index)
        pressure, minutes = self._pressure(chosen), _minutes(chosen)
        return ModificationPlan(
            decision, conflict, standings,
            tuple(avoided[p.slug] for p in self._positions if p.slug in avoided),
            tuple(Limit(p.slug, p.label, ()) for p in left),
            pressure, self._regions_avoided(grounds, chosen), minutes[0] if minutes else None, minutes[1] if minutes else (),
            self._instructions(chosen, grounds, pressure, minutes[0] if minutes else None),
        )  # fmt: skip

    def _standing(self, hazard: str, rules: Sequence[Rule]) -> Standing:
        levels = [rule.reason.level for rule in rules]
        held = [rule.reason for rule in rules if rule.reason.level in FORBIDDING and self._gate.hands_on <= rule.techniques]
        held.sort(key=lambda reason: (LEVELS.index(reason.level), reason.rule))
        local = [rule for rule in rules if rule.reason.level == LOCAL and (self._gate.hands_on <= rule.techniques or rule.regions)]
        regions = sorted({self._knowledge.label(region) for rule in local for region in rule.at_regions | rule.regions})
        where = f"not on: {', '.join(regions)}" if regions else ELSEWHERE if local else ""
        decision = _HOLDS[held[0].level] if held else ADAPT
        level = min(levels, key=LEVELS.index) if levels else ""
        return Standing(hazard, self._knowledge.label(hazard), level, decision, where, tuple(held))

    def _positions_avoided(self, grounds: Grounds, chosen: Chosen) -> dict[str, Limit]:
        because: dict[str, set[str]] = {}
        barred = set[str]()
        for hazard, rules in grounds.items():
            for rule in rules:
                for position in rule.positions:
                    because.setdefault(position, set()).add(hazard)
                    barred.update({position} if rule.reason.level in FORBIDDING else ())
        for node, hazards in chosen:
            allowed = set(node.all("allowsPosition"))
            unnamed = {place.slug for place in self._positions} - allowed if allowed else set[str]()
            for position in unnamed.union(node.all("avoidsPosition")):
                because.setdefault(position, set()).update(hazards)
        return {slug: Limit(slug, self._knowledge.label(slug), tuple(sorted(found)), slug in barred) for slug, found in because.items()}

    def _conflict(self, avoided: Mapping[str, Limit]) -> str:
        each = "; ".join(f"{limit.label}: {', '.join(map(self._knowledge.label, limit.hazards))}" for _, limit in sorted(avoided.items()))
        return f"No position is left that all hazards allow ({each}). A physician decides first."

    def _pressure(self, chosen: Chosen) -> Limit | None:
        stated = [(self._knowledge[node.one("greatestPressure")], hazards) for node, hazards in chosen if node.one("greatestPressure")]
        if not stated:
            return None
        least = min((pressure for pressure, _ in stated), key=_order)
        return Limit(least.slug, least.label, _union(hazards for pressure, hazards in stated if pressure.slug == least.slug))

    def _regions_avoided(self, grounds: Grounds, chosen: Chosen) -> tuple[Limit, ...]:
        because: dict[str, set[str]] = {}
        barred = set[str]()
        for hazard, rules in grounds.items():
            for rule in rules:
                whole = rule.at_regions if rule.reason.level == LOCAL and self._gate.hands_on <= rule.techniques else frozenset()
                for region in whole | (rule.regions if rule.reason.level in (*FORBIDDING, LOCAL) else frozenset()):
                    because.setdefault(region, set()).add(hazard)
                    barred.add(region)
        for node, hazards in chosen:
            for region in node.all("avoidsRegion"):
                because.setdefault(region, set()).update(hazards)
        limits = {slug: Limit(slug, self._knowledge.label(slug), tuple(sorted(found)), slug in barred) for slug, found in because.items()}
        return tuple(limits[slug] for slug in sorted(limits))

    def _instructions(self, chosen: Chosen, grounds: Grounds, pressure: Limit | None,
                      minutes: int | None) -> tuple[Instruction, ...]:  # fmt: skip
        """All that is to be done, by kind; a weaker limit of pressure or time is left out where a stricter one stands."""
        acting = {rule.reason.rule: rule.reason for rules in grounds.values() for rule in rules}
        found = []
        for node, hazards in chosen:
            kind = self._knowledge[node.one("adaptationKind")]
            weaker = kind.slug == _PRESSURE and pressure and node.one("greatestPressure") not in ("", pressure.slug)
            longer = kind.slug == _DURATION and minutes and node.number("greatestMinutes", minutes) > minutes
            if weaker or longer:
                continue
            rules = tuple(rule for rule in node.all("carriesOut") if rule in acting)
            sources = tuple(sorted({source for rule in rules for source in acting[rule].sources} | set(node.all("dcterms:source"))))
            basis = "sourced" if sources else node.one("basis") or next((acting[rule].basis for rule in rules), "expert-reasoning")
            found.append((_order(kind), node.slug, Instruction(kind.slug.removeprefix("adapt-"), kind.label, node.one("instruction"),
                                                               hazards, basis, rules, sources)))  # fmt: skip
        return tuple(instruction for _, _, instruction in sorted(found, key=lambda row: row[:2]))


def _order(node: Node) -> float:
    return node.number("order")


def _union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({hazard for group in groups for hazard in group}))


def _minutes(chosen: Chosen) -> tuple[int, tuple[str, ...]] | None:
    stated = [(int(node.number("greatestMinutes")), hazards) for node, hazards in chosen if "greatestMinutes" in node.properties]
    if not stated:
        return None
    least = min(minutes for minutes, _ in stated)
    return least, _union(hazards for minutes, hazards in stated if minutes == least)
