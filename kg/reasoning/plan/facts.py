"""What the ontology says of plans, read once: phases, roles and their order, doses, protocols, home care, measures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from kg.graph.knowledge import Knowledge, Node
from kg.graph.regions import Regions
from kg.reasoning.client import ANY_PHASE, IRRITABILITY


@dataclass(frozen=True, slots=True)
class PlanPhase:
    """A stretch of a plan with one aim; `eases` is by how many degrees irritability has come down when it begins, and
    `core` the role for which it is there."""

    slug: str
    label: str
    aim: str
    addresses: frozenset[str]
    progress: tuple[str, ...]
    regress: tuple[str, ...]
    eases: int
    spacing: float
    roles: frozenset[str]
    core: str
    strongest: str


@dataclass(frozen=True, slots=True)
class Role:
    """What a step is for within a session, how many such steps a session may have, and on which kinds of tissue (none: on any)."""

    slug: str
    label: str
    intent: str
    most: int
    minutes: float
    considers_antagonist: bool
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class OrderRule:
    """Roles that come before others, and why; a step of a role in `needed_by` is not given without the other side."""

    slug: str
    earlier: frozenset[str]
    later: frozenset[str]
    reason: str
    needed_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Protocol:
    """A course of treatment as a published study gave it; None where it is not stated."""

    slug: str
    condition: str
    phase: str
    sessions: int | None
    weeks: float | None
    weekly: float | None
    minutes: float | None
    summary: str
    sources: tuple[str, ...]
    techniques: tuple[str, ...]

    @property
    def count(self) -> float | None:
        """How many sessions, stated or from the frequency."""
        return self.sessions or (self.weekly * self.weeks if self.weekly and self.weeks else None)

    @property
    def frequency(self) -> float | None:
        """Sessions a week, stated or from the count."""
        return self.weekly or (self.sessions / self.weeks if self.sessions and self.weeks else None)


@dataclass(frozen=True, slots=True)
class HomeItem:
    """One thing for the client to do at home."""

    slug: str
    label: str
    technique: str
    serves: frozenset[str]
    regions: frozenset[str]
    tissues: frozenset[str]
    phases: frozenset[str]
    instruction: str
    dose: str
    progression: str
    stop: str
    minutes: float
    basis: str


class Facts:
    """The facts on plans of one graph, as dictionaries."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.regions = Regions(knowledge)
        self.parameters: Mapping[str, float] = {n.slug: n.number("value") for n in knowledge.of_class("PlanParameter")}
        self.phases = tuple(sorted((_phase(n) for n in knowledge.of_class("PlanPhase")),
                                   key=lambda p: knowledge[p.slug].number("planOrder")))  # fmt: skip
        self.roles = {n.slug: _role(n) for n in knowledge.of_class("SessionRole")}
        self.rules = tuple(_rule(n) for n in knowledge.of_class("OrderRule"))
        self.home = tuple(_home(n) for n in knowledge.of_class("HomeCareItem"))
        rules = knowledge.of_class("StopRule")
        self.stops = tuple((n.one("reason"), bool(n.properties["bySession"][0]), n.one("plainWords")) for n in rules)
        self.advice = tuple(n.one("plainWords") for n in sorted(knowledge.of_class("ClientAdvice"), key=lambda n: n.number("planOrder")))

    def __getitem__(self, parameter: str) -> float:
        return self.parameters[parameter]

    # ------------------------------------------------------------------ techniques
    @cached_property
    def roles_of(self) -> dict[str, tuple[Role, ...]]:
        """The roles that each technique can have in a session: its own, else by its thermal action, else by its family."""
        found = {}
        for node in self.knowledge.of_class("Technique"):
            by_heat = tuple(role for action in node.all("thermalAction") for role in self.knowledge[action].all("sessionRole"))
            family = node.one("family")
            slugs = node.all("sessionRole") or by_heat or (self.knowledge[family].all("sessionRole") if family else ())
            found[node.slug] = () if node.properties.get("homeOnly") else tuple(self.roles[slug] for slug in dict.fromkeys(slugs))
        return found

    def minutes(self, technique: str) -> tuple[float, float]:
        """The shortest and the longest usual time of a technique in one session."""
        name = self.knowledge[technique].one("dose")
        properties = self.knowledge[name].properties if name else {}
        if "minutesLow" in properties and "minutesHigh" in properties:
            return float(properties["minutesLow"][0]), float(properties["minutesHigh"][0])
        return self["plan-minutes-unstated"], self["plan-minutes-unstated"]

    def strain(self, technique: str) -> tuple[float, float, float]:
        """What a minute of a technique counts toward the limits of the therapist's thumbs, wrists and back."""
        node = self.knowledge[technique]
        thumb, wrist, back = (self._strain.get(node.one(name), 0.0) for name in ("thumbLoad", "wristLoad", "backLoad"))
        return thumb, wrist, back

    @cached_property
    def _strain(self) -> dict[str, float]:
        return {node.slug: node.number("strainRate", 0.0) for node in self.knowledge.of_class("LoadLevel")}

    @property
    def strain_limits(self) -> tuple[float, float, float]:
        return self["plan-thumb-strain-most"], self["plan-wrist-strain-most"], self["plan-back-strain-most"]

    def rest_days(self, technique: str) -> int:
        """Least days between two sessions with a technique of this intensity."""
        return self.rest_after(self.knowledge[technique].one("intensity"))

    def rest_after(self, intensity: str) -> int:
        """Least days of rest after work of an intensity."""
        return int(self.knowledge[intensity].number("restDays", 0)) if intensity else 0

    def strength(self, technique: str) -> int:
        """Intensity as a number for sorting: gentler first."""
        return self.rest_days(technique)

    @cached_property
    def durations(self) -> dict[str, float]:
        """Minutes for which an effect was seen to last."""
        return {node.one("durationOf"): node.number("lastsMinutes") for node in self.knowledge.of_class("EffectDuration")}

    # ------------------------------------------------------------------ the client's tolerance
    @cached_property
    def irritabilities(self) -> tuple[str, ...]:
        """The degrees of irritability, the highest first, as a client bears them."""
        nodes = sorted(self.knowledge.of_class("Irritability"), key=lambda node: node.number("doseShare"))
        return tuple(node.slug.removeprefix(IRRITABILITY) for node in nodes)

    @cached_property
    def assumed(self) -> str:
        """The irritability that doses assume where none is stated."""
        return next(n.slug for n in self.knowledge.of_class("Irritability") if n.properties.get("assumedWhenUnstated")).removeprefix(
            IRRITABILITY
        )

    def eased(self, irritability: str | None, degrees: int) -> str | None:
        """An irritability that has come down; an unstated one stays unstated until it has."""
        if not degrees:
            return irritability
        place = self.irritabilities.index(irritability or self.assumed)
        return self.irritabilities[min(place + degrees, len(self.irritabilities) - 1)]

    def _settings(self, phase: str | None, irritability: str | None) -> list[Node]:
        names = [IRRITABILITY + (irritability or self.assumed), *([phase] if phase else [])]
        return [self.knowledge[name] for name in names]

    def dose_share(self, phase: str | None, irritability: str | None) -> float:
        """How far into its usual range of minutes a step may go: the stricter of phase and irritability."""
        return min(node.number("doseShare", 1.0) for node in self._settings(phase, irritability))

    def discomfort(self, phase: str | None, irritability: str | None, tissues: Iterable[str]) -> int:
        """The most discomfort, of 10, that a step may cause: the strictest of phase, irritability and tissue."""
        kinds = {kind for tissue in tissues for kind in self.knowledge[tissue].all("hasTissueType")}
        nodes = [*self._settings(phase, irritability), *(self.knowledge[kind] for kind in kinds)]
        return int(min(node.number("discomfortMost", 10) for node in nodes))

    # ------------------------------------------------------------------ shares of the phases
    def share(self, plan_phase: str, phase: str | None, irritability: str | None) -> float:
        """How large a part of the sessions a phase of the plan gets, before shares are normalized."""
        factor = self._factors.get((plan_phase, IRRITABILITY + (irritability or self.assumed)), 1.0)
        return self._shares[plan_phase, phase or ANY_PHASE] * factor

    @cached_property
    def _shares(self) -> dict[tuple[str, str], float]:
        return {(n.one("shareOf"), n.one("inPhase")): n.number("value") for n in self.knowledge.of_class("PhaseShare") if n.all("inPhase")}

    @cached_property
    def _factors(self) -> dict[tuple[str, str], float]:
        return {(n.one("shareOf"), n.one("shareIrritability")): n.number("value")
                for n in self.knowledge.of_class("PhaseShare") if n.all("shareIrritability")}  # fmt: skip

    # ------------------------------------------------------------------ protocols
    def lineage(self, condition: str) -> tuple[str, ...]:
        """A condition and the more general ones, the nearest first."""
        above = self.knowledge[condition].all("subtypeOf")
        return (condition, *sorted((a for a in above if a != condition), key=lambda a: (-len(self.knowledge[a].all("subtypeOf")), a)))

    @cached_property
    def protocols(self) -> tuple[Protocol, ...]:
        steps = self.knowledge.group("ProtocolStep", "stepOf")
        found = []
        for node in self.knowledge.of_class("Protocol"):
            own = sorted(steps.get((node.slug,), ()), key=lambda step: step.number("planOrder"))
            stated = {name: node.number(name) if name in node.properties else None
                      for name in ("sessionCount", "weekCount", "sessionsPerWeek", "sessionMinutes")}  # fmt: skip
            count = stated["sessionCount"]
            found.append(Protocol(
                node.slug, node.one("protocolFor"), node.one("inPhase"), None if count is None else int(count), stated["weekCount"],
                stated["sessionsPerWeek"], stated["sessionMinutes"], node.one("summary"), node.all("dcterms:source"),
                tuple(step.one("stepTechnique") for step in own),
            ))  # fmt: skip
        return tuple(found)

    def protocols_for(self, condition: str) -> tuple[str, tuple[Protocol, ...]]:
        """The nearest condition with protocols, its own or those of its kinds, and these; itself and none where there are none."""
        for general in self.lineage(condition):
            found = tuple(p for p in self.protocols if p.condition == general or general in self.knowledge[p.condition].all("subtypeOf"))
            if found:
                return general, found
        return condition, ()


def _phase(node: Node) -> PlanPhase:
    return PlanPhase(node.slug, node.label, node.one("aim"), frozenset(node.all("addresses")), node.all("progressWhen"),
                     node.all("regressWhen"), int(node.number("easesIrritability")), node.number("spacing"),
                     frozenset(node.all("usesRole")), node.one("coreRole"), node.one("strongestIntensity"))  # fmt: skip


def _role(node: Node) -> Role:
    return Role(node.slug, node.label, node.definition, int(node.number("roleMost")), node.number("roleMinutesMost"),
                bool(node.properties["considersAntagonist"][0]), frozenset(node.all("worksOn")))


def _rule(node: Node) -> OrderRule:
    return OrderRule(node.slug, frozenset(node.all("earlier")), frozenset(node.all("later")), node.one("reason"),
                     frozenset(node.all("neededBy")))  # fmt: skip


def _home(node: Node) -> HomeItem:
    return HomeItem(
        node.slug, node.label, node.one("homeTechnique"), frozenset(node.all("homeFor")), frozenset(node.all("homeRegion")),
        frozenset(node.all("homeTissue")), frozenset(node.all("homePhase")), node.one("instruction"), node.one("homeDose"),
        node.one("homeProgression"), node.one("homeStop"), node.number("minutesADay"), node.one("basis"),
    )  # fmt: skip
