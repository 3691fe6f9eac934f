"""The plan: phases, sessions and steps derived from the ranking and from what the ontology says of plans.

    planner = Planner(engine)
    planner.plan("plantar-fasciitis", engine.client(phase="chronic"), sessions=8)

Every step is a technique that the ranking recommends to this client, so nothing withheld and nothing out of scope can be
one. Where a referral stops treatment the plan holds the referral and no session.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from kg.errors import PalpateError, UnknownName
from kg.graph.knowledge import Node
from kg.graph.names import nearest
from kg.reasoning.certainty import AGAINST
from kg.reasoning.client import ANY_PHASE, Client
from kg.reasoning.engine import Engine
from kg.reasoning.plan.choose import Candidate, choose
from kg.reasoning.plan.course import course, days, share_out
from kg.reasoning.plan.dose import allot
from kg.reasoning.plan.facts import Facts, HomeItem, PlanPhase, Role
from kg.reasoning.plan.goals import Goal, Measures
from kg.reasoning.plan.home import home_care
from kg.reasoning.plan.model import Expected, Maintenance, PhasePart, Plan, Point, Serving, Session, Step, Stop
from kg.reasoning.plan.order import Order
from kg.reasoning.rank import Entry, Ranking
from kg.reasoning.safety import URGENCIES

SESSIONS = (1, 40)
MINUTES = (15, 120)
_TISSUES = 3
"""How many tissues a step names."""
_SERVED = 4
"""How many impairments a step names."""
_STATEMENTS = 4
_MAKINGS = 8


@dataclass(frozen=True, slots=True)
class _Content:
    """The steps of a kind of session, with their minutes."""

    steps: tuple[Step, ...]
    minutes: float


class Planner:
    """Makes plans over one graph."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.knowledge = engine.knowledge
        self.facts = Facts(engine.knowledge)
        self._measures = Measures(self.facts)
        self.order = Order(self.facts)
        self.making = lru_cache(maxsize=_MAKINGS)(self._making)

    def plan(self, condition: str, client: Client | None = None, *, sessions: int | None = None, minutes: float | None = None,
             baselines: Mapping[str, float] | None = None) -> Plan:  # fmt: skip
        """A plan for a condition and a client.

        Args:
            condition: slug, label, synonym or code of a condition.
            sessions: how many; else as protocols of the condition or its family gave.
            minutes: of one session at most; else likewise.
            baselines: first scores, by slug of the measure.

        Raises:
            UnknownName: where no condition, or no measure of a baseline, has that name.
            PalpateError: where a number is out of range.
        """
        _within("sessions", sessions, SESSIONS)
        _within("minutes", minutes, MINUTES)
        for name in baselines or ():
            if name not in self._scales:
                raise UnknownName("measure", name, nearest(name, self._scales))
        ranking = self.engine.rank(condition, client)
        frame = course(self.facts, ranking.condition, ranking.client.phase, sessions, minutes)
        needy = self._needy(ranking)
        making = Making(self, ranking, needy, frame.minutes)
        parts, held = ((), ()) if ranking.referral and ranking.referral.stops else making.sessions(frame.sessions, frame.weekly)
        last = held[-1] if held else None
        goals = self._measures.goals(ranking.condition, needy.needs, baselines or {}, last.number, last.week) if last else ()
        every = int(self.facts["plan-reassess-every"])
        return Plan(
            condition=ranking.condition, client=ranking.client, version=ranking.version, referral=ranking.referral,
            minutes=frame.minutes, course=frame, goals=goals, phases=parts, sessions=_measured(held, parts, goals, every),
            stops=self._stops(ranking.condition, len(held)), expected=self._expected(ranking, last.week) if last else None,
            maintenance=self._maintenance(ranking.client.phase) if last else None,
            replan=self._replan(ranking.client.phase, last.week) if last else "", note=_note(ranking, held),
            advice=self.facts.advice, withheld=ranking.withheld, knowledge=self.knowledge,
        )  # fmt: skip

    @cached_property
    def _scales(self) -> frozenset[str]:
        return frozenset(node.slug for node in self.knowledge.of_class("OutcomeMeasure"))

    def _making(self, condition: str, client: Client, minutes: float) -> "Making":
        """What makes the steps of a plan; the last few are kept, since who edits a plan asks again and again."""
        ranking = self.engine.rank(condition, client)
        return Making(self, ranking, self._needy(ranking), minutes)

    def _needy(self, ranking: Ranking) -> Ranking:
        """The ranking that tells the needs: without a phase where nothing of the condition is stated in the client's phase."""
        if ranking.needs:
            return ranking
        c = ranking.client
        return self.engine.rank(ranking.condition, Client(None, c.irritability, c.hazards, c.red_flags))

    # ------------------------------------------------------------------ what stands beside the sessions
    def _stops(self, condition: str, sessions: int) -> tuple[Stop, ...]:
        """Rules for stopping, then the red flags of what looks like the condition, the most urgent first."""
        by = max(int(self.facts["plan-no-change-least"]), round(sessions * self.facts["plan-no-change-share"]))
        due = min(by, sessions) if sessions else None
        rules = [Stop(text, plain, "", due if named else None, "", "", "", ()) for text, named, plain in self.facts.stops]
        flags: dict[tuple[str, str], Stop] = {}
        for node in self._indications.get(condition, ()):
            urgency = node.one("urgency").removeprefix("urgency-")
            flag, pathology = node.one("redFlag"), node.one("pathology")
            text = f"{self.knowledge.label(flag)}: may point to {self.knowledge.label(pathology).lower()}."
            stop = Stop(text, "", urgency, None, flag, pathology, node.one("question"), node.all("dcterms:source"))
            flags.setdefault((flag, pathology), stop)
        return (*rules, *sorted(flags.values(), key=lambda s: (URGENCIES.index(s.urgency), s.flag, s.pathology)))

    @cached_property
    def _indications(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.knowledge.of_class("RedFlagIndication"):
            for condition in node.all("mimics"):
                found.setdefault(condition, []).append(node)
        return found

    def _expected(self, ranking: Ranking, weeks: int) -> Expected:
        """The published course of the condition or its family in this phase; else a straight line to the end of the plan."""
        courses = self.knowledge.of_class("ExpectedCourse")
        lineage = self.facts.lineage(ranking.condition)
        fitting = [(lineage.index(node.one("courseOf")), node.slug, node) for node in courses
                   if node.one("courseOf") in lineage and (ranking.client.phase or ANY_PHASE) in node.all("inPhase")]  # fmt: skip
        node = min(fitting)[2] if fitting else next(n for n in courses if ANY_PHASE in n.all("inPhase"))
        own = self.knowledge.group("CoursePoint", "pointOf").get((node.slug,), ())
        points = sorted((point.number("week"), point.number("remaining")) for point in own)
        line = points or [(0.0, 1.0), (float(weeks), 1 - self.facts["plan-real-change-share"])]
        return Expected(tuple(Point(*point) for point in line), node.one("summary"), node.one("courseOf"), node.all("dcterms:source"),
                        node.one("basis"))  # fmt: skip

    def _maintenance(self, phase: str | None) -> Maintenance:
        node = next(n for n in self.knowledge.of_class("MaintenanceRule") if (phase or ANY_PHASE) in n.all("inPhase"))
        return Maintenance(node.number("everyWeeks"), int(node.number("times")), node.one("reason"), node.all("dcterms:source"),
                           node.one("basis"))  # fmt: skip

    def _replan(self, phase: str | None, weeks: int) -> str:
        """That the plan must be made anew when the phase has passed; empty where it does not pass within the plan."""
        node = self.knowledge[phase] if phase else None
        if not node or weeks <= node.number("lastsWeeks", weeks):
            return ""
        then = self.knowledge.label(node.one("nextPhase"))
        length = node.number("lastsWeeks")
        weeks_of = "a week" if length == 1 else f"{length:g} weeks"
        return (f"This plan holds to what is safe in the {node.label} phase. After about {weeks_of}, when the {then} phase has begun, "
                "make it again: more will be allowed.")  # fmt: skip


class Making:
    """One plan in the making: what the client may have is taken from `ranking`, needs and reasons from `needy`."""

    def __init__(self, planner: Planner, ranking: Ranking, needy: Ranking, minutes: float) -> None:
        self._planner, self._ranking, self._minutes = planner, ranking, minutes
        self._facts, self._knowledge = planner.facts, planner.knowledge
        self._needs = needy.needs
        self._index = {need.key: i for i, need in enumerate(self._needs)}
        self._explained = {entry.technique: entry for entry in (*needy.recommended, *needy.adjuncts)}
        self._covers = {name: self._coverage(entry) for name, entry in self._explained.items()}
        self._rankings = {ranking.client.irritability: ranking}
        self._contents: dict[tuple[str, bool], _Content] = {}
        self._homes: dict[str, tuple[HomeItem, ...]] = {}

    # ------------------------------------------------------------------ sessions
    def sessions(self, count: int, weekly: float) -> tuple[tuple[PhasePart, ...], tuple[Session, ...]]:
        """The phases and the sessions; none where nothing that the client may have serves any need."""
        shared = share_out(count, *self._phases())
        phases = [phase for phase, number in shared for _ in range(number)]
        at = days(weekly, [phase.spacing for phase in phases])
        held: list[Session] = []
        last_strong, strong_rest = None, 0
        for number, (phase, day) in enumerate(zip(phases, at, strict=True), 1):
            rested = last_strong is None or day - last_strong >= strong_rest
            content = self._content(phase, rested)
            rest = max((self._facts.rest_days(step.technique) for step in content.steps), default=0)
            if rest > 1:
                last_strong, strong_rest = day, rest
            home = self._home(phase)
            known = {item.slug for session in held for item in session.home}
            new = tuple(item.slug for item in home if item.slug not in known)
            held.append(Session(number, phase.slug, day, content.minutes, content.steps, home, new, ()))
        if not any(session.steps or session.home for session in held):
            return (), ()
        parts, first = [], 1
        for phase, number in shared:
            parts.append(PhasePart(phase, first, first + number - 1))
            first += number
        return tuple(parts), tuple(held)

    def _phases(self) -> tuple[list[PlanPhase], list[float]]:
        """The phases of the plan that the needs call for, and their shares of the sessions."""
        client = self._ranking.client
        kept, shares = [], []
        for phase in self._facts.phases:
            weight = sum(need.weight for need in self._needs if need.impairment in phase.addresses)
            if weight >= self._facts["plan-phase-weight-least"] or phase == self._facts.phases[-1]:
                kept.append(phase)
                shares.append(self._facts.share(phase.slug, client.phase, client.irritability))
        return kept, shares

    def _irritability(self, phase: PlanPhase) -> str | None:
        return self._facts.eased(self._ranking.client.irritability, phase.eases)

    def _entries(self, phase: PlanPhase) -> list[Entry]:
        """What the client may have when this phase begins, by merit; techniques that the evidence speaks against are left out."""
        irritability = self._irritability(phase)
        if irritability not in self._rankings:
            c = self._ranking.client
            eased = Client(c.phase, irritability, c.hazards, c.red_flags)
            self._rankings[irritability] = self._planner.engine.rank(self._ranking.condition, eased, explain=False)
        ranking = self._rankings[irritability]
        entries = [e for e in (*ranking.recommended, *ranking.adjuncts) if e.technique in self._explained and e.class_ != AGAINST]
        return sorted(entries, key=lambda e: (-e.score.mean, e.technique))

    def weights(self, phase: PlanPhase) -> list[float]:
        """The needs by their weights in a phase, in sum 1."""
        off = self._facts["plan-off-phase-weight"]
        raw = [need.weight * (1.0 if need.impairment in phase.addresses else off) for need in self._needs]
        total = sum(raw)
        return [weight / total for weight in raw] if total else raw

    def _coverage(self, entry: Entry) -> dict[int, float]:
        """How far a technique relieves each need: its paths as a noisy-or, less what aggravates."""
        left: dict[int, float] = {}
        spared: dict[int, float] = {}
        for reason in entry.rationale:
            side = left if reason.path.relieves else spared
            need = self._index[reason.need.key]
            side[need] = side.get(need, 1.0) * (1 - reason.strength)
        return {need: (1 - rest) * spared.get(need, 1.0) for need, rest in left.items()}

    def _content(self, phase: PlanPhase, rested: bool) -> _Content:
        """The steps of a session of a phase; strong work only where the tissue has rested since the last."""
        key = (phase.slug, rested)
        if key not in self._contents:
            self._contents[key] = self._compose(phase, rested)
        return self._contents[key]

    def candidates(self, phase: PlanPhase) -> list[Candidate]:
        """What can be a step in a phase, in each role that it can have there, by merit."""
        facts, found = self._facts, []
        share = facts.dose_share(self._ranking.client.phase, self._irritability(phase))
        for entry in self._entries(phase):
            name = entry.technique
            low, high = facts.minutes(name)
            low = max(low, facts["plan-step-least-minutes"])
            if facts.rest_days(name) > facts.rest_after(phase.strongest):
                continue
            for role in facts.roles_of[name]:
                if role.slug in phase.roles:
                    longest = max(low, min(low + share * (high - low), role.minutes))
                    found.append(Candidate(name, role, low, longest, self._covers[name], entry.score.low))
        return found

    def impairments(self, candidate: Candidate) -> set[str]:
        """The impairments that a candidate serves."""
        return {self._needs[need].impairment for need in candidate.covers}

    def step(self, candidate: Candidate, minutes: float, phase: PlanPhase) -> Step:
        """A candidate as a step that has no place yet."""
        entry = next(e for e in self._entries(phase) if e.technique == candidate.technique)
        return self._step(0, candidate, minutes, entry, self.weights(phase), phase, "")

    def _compose(self, phase: PlanPhase, rested: bool) -> _Content:
        facts = self._facts
        entries = {entry.technique: entry for entry in self._entries(phase)}
        weights = self.weights(phase)
        talk = min(facts["plan-talk-minutes"], self._minutes / 2)
        budget = self._minutes - talk
        candidates = [c for c in self.candidates(phase) if c.low <= budget and (rested or facts.rest_days(c.technique) <= 1)]
        chosen = self._planner.order.sort(choose(facts, candidates, weights, budget, phase.core), self._lasts)
        minutes = allot(facts, chosen, weights, budget, phase.core)
        steps = []
        for order, (candidate, time) in enumerate(zip(chosen, minutes, strict=True), 1):
            why = self._planner.order.reason(candidate.role.slug, [c.role.slug for c in chosen[: order - 1]])
            steps.append(self._step(order, candidate, time, entries[candidate.technique], weights, phase, why))
        return _Content(tuple(steps), sum(minutes) + talk)

    def _lasts(self, technique: str) -> float:
        """Minutes for which the longest-lasting known effect of a technique lasts."""
        effects = {r.path.link.effect for r in self._explained[technique].rationale if r.path.relieves}
        return max((self._facts.durations[effect] for effect in effects if effect in self._facts.durations), default=0.0)

    def _step(self, order: int, candidate: Candidate, minutes: float, entry: Entry, weights: Sequence[float], phase: PlanPhase,
              why: str) -> Step:  # fmt: skip
        name, client = candidate.technique, self._ranking.client
        needs = self._needs
        ranked = sorted(candidate.covers, key=lambda i: (-weights[i] * candidate.covers[i], i))
        own = [i for i in ranked if needs[i].impairment in phase.addresses] or ranked
        tissues = self._tissues(candidate.role, own, ranked)
        paths = {}
        for reason in self._explained[name].rationale:
            if reason.path.relieves and reason.need.key not in paths:
                paths[reason.need.key] = reason.text(self._knowledge)
        serves = tuple(Serving(needs[i].key, needs[i].impairment, self._knowledge.label(needs[i].impairment), needs[i].tissue,
                               candidate.covers[i], paths[needs[i].key]) for i in own[:_SERVED])  # fmt: skip
        speaking = [o for o in entry.score.observations if o.successes + o.failures > 0][:_STATEMENTS]
        dose_name = self._knowledge[name].one("dose")
        dose = self._knowledge[dose_name] if dose_name else None
        stated = dose.all("dcterms:source") if dose else ()
        return Step(
            order, name, entry.label, candidate.role, tissues, self._antagonists(candidate, tissues), minutes,
            self._facts.discomfort(client.phase, self._irritability(phase), tissues),
            dose.one("repetitions") if dose else "", dose.one("pressureCue") if dose else "", why, serves, self._lasts(name) or None,
            entry.class_, entry.certainty.level, entry.score.mean, (entry.score.low, entry.score.high),
            tuple(o.statement for o in speaking),
            tuple(dict.fromkeys((*(o.source for o in speaking), *stated))), entry.cautions,
        )  # fmt: skip

    def _tissues(self, role: Role, own: Sequence[int], ranked: Sequence[int]) -> tuple[str, ...]:
        """Where a step works: tissues of the needs that it serves, of kinds that its role works on; else of others; none for a region."""
        for group in (own, ranked, range(len(self._needs))):
            named = dict.fromkeys(self._needs[i].tissue for i in group if self._needs[i].tissue)
            if fitting := [t for t in named if not role.kinds or role.kinds & set(self._knowledge[t].all("hasTissueType"))]:
                return tuple(fitting[:_TISSUES])
            if not named:
                break
        return ()

    def _antagonists(self, candidate: Candidate, tissues: Sequence[str]) -> tuple[str, ...]:
        """The muscles that work against those of a step, where the role of the step minds them."""
        if not candidate.role.considers_antagonist:
            return ()
        found = dict.fromkeys(other for tissue in tissues for other in self._knowledge[tissue].all("antagonistOf"))
        return tuple(other for other in found if other not in tissues)[:_TISSUES]

    def _home(self, phase: PlanPhase) -> tuple[HomeItem, ...]:
        if phase.slug not in self._homes:
            merit = {entry.technique: entry.score.mean for entry in self._entries(phase)}
            self._homes[phase.slug] = home_care(self._facts, self._ranking.condition, phase.slug, self._needs, self.weights(phase), merit)
        return self._homes[phase.slug]


def _within(name: str, value: float | None, bounds: tuple[int, int]) -> None:
    if value is not None and not bounds[0] <= value <= bounds[1]:
        raise PalpateError(f"{name} must be from {bounds[0]} to {bounds[1]}, not {value:g}.")


def _measured(sessions: Sequence[Session], parts: Sequence[PhasePart], goals: Sequence[Goal], every: int) -> tuple[Session, ...]:
    """Sessions with what is measured at each: all at the first, at the end of a phase and at the last; the first goal in between."""
    measures = [goal.reading.measure for goal in goals]
    full = {1, len(sessions), *(part.last for part in parts)}
    return tuple(
        replace(s, reassess=tuple(measures if s.number in full else measures[:1] if s.number % every == 0 else ())) for s in sessions
    )


def _note(ranking: Ranking, sessions: Sequence[Session]) -> str:
    if ranking.referral and ranking.referral.stops:
        return "No treatment is planned: a physician comes first."
    if not sessions:
        return "Nothing is left that this client may have and that serves the condition. Ask a physician what is allowed."
    if not any(session.steps for session in sessions):
        return "No hands-on work is left that this client may have; the plan holds what the client can do at home."
    if not ranking.needs:
        return (f"The graph states nothing of this condition in the {ranking.client.phase} phase: the plan serves what it states of other "
                "phases, by what is safe in this one.")  # fmt: skip
    return ""
