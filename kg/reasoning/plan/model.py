"""A plan as plain, frozen data."""

from dataclasses import dataclass
from typing import Any

from kg.graph.frame import Tabular
from kg.graph.knowledge import Knowledge, Version
from kg.reasoning.client import Client
from kg.reasoning.plan.course import Course
from kg.reasoning.plan.facts import HomeItem, PlanPhase, Role
from kg.reasoning.plan.goals import Goal
from kg.reasoning.rank import Withheld, source_dict
from kg.reasoning.safety import Reason, Referral


@dataclass(frozen=True, slots=True)
class Serving:
    """An impairment that a step serves: where, how strongly, and by which path, in words."""

    need: str
    impairment: str
    label: str
    tissue: str
    strength: float
    text: str

    def to_dict(self) -> dict[str, Any]:
        return {"need": self.need, "impairment": self.impairment, "label": self.label, "tissue": self.tissue or None,
                "strength": self.strength, "text": self.text}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a session: what, where, how long, what for, on what evidence, and why in this place."""

    order: int
    technique: str
    label: str
    role: Role
    tissues: tuple[str, ...]
    antagonists: tuple[str, ...]
    minutes: float
    discomfort: int
    repetitions: str
    pressure: str
    why_here: str
    serves: tuple[Serving, ...]
    lasts: float | None
    class_: str
    certainty: str
    score: float
    interval: tuple[float, float]
    statements: tuple[str, ...]
    sources: tuple[str, ...]
    cautions: tuple[Reason, ...]

    @property
    def intent(self) -> str:
        """What the step is for, in one sentence."""
        aims = list(dict.fromkeys(s.label[:1].lower() + s.label[1:] for s in self.serves))[:3]
        return f"{self.role.label}: {', '.join(aims)}." if aims else f"{self.role.label}: {self.role.intent}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "order": self.order, "technique": self.technique, "label": self.label, "role": self.role.slug, "tissues": list(self.tissues),
            "antagonists": list(self.antagonists), "intent": self.intent, "minutes": self.minutes,
            "dose": {"minutes": self.minutes, "repetitions": self.repetitions or None, "pressure": self.pressure or None,
                     "discomfort_most": self.discomfort},
            "why_here": self.why_here or None, "serves": [s.to_dict() for s in self.serves], "effect_lasts_minutes": self.lasts,
            "evidence": {"class": self.class_, "certainty": self.certainty, "score": self.score, "interval": list(self.interval),
                         "statements": list(self.statements)},
            "cautions": [caution.to_dict() for caution in self.cautions], "sources": list(self.sources),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Session:
    """One session: when, what, what to do at home until the next, and what to measure."""

    number: int
    phase: str
    day: int
    minutes: float
    steps: tuple[Step, ...]
    home: tuple[HomeItem, ...]
    new_home: tuple[str, ...]
    reassess: tuple[str, ...]

    @property
    def week(self) -> int:
        return self.day // 7 + 1

    def to_dict(self) -> dict[str, Any]:
        return {
            "number": self.number, "phase": self.phase, "week": self.week, "day": self.day, "minutes": self.minutes,
            "steps": [step.to_dict() for step in self.steps],
            "home_care": [home_dict(item, item.slug in self.new_home) for item in self.home], "reassess": list(self.reassess),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PhasePart:
    """A phase of the plan with the sessions it spans."""

    phase: PlanPhase
    first: int
    last: int

    def to_dict(self) -> dict[str, Any]:
        p = self.phase
        return {"phase": p.slug, "name": p.label, "aim": p.aim, "sessions": [self.first, self.last], "progress_when": list(p.progress),
                "regress_when": list(p.regress)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stop:
    """A reason to stop, to refer, or both: a rule of planning, or a red flag that looks like the condition."""

    text: str
    plain: str
    urgency: str
    session: int | None
    flag: str
    pathology: str
    question: str
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "text": self.text, "plain": self.plain or None, "urgency": self.urgency or None, "by_session": self.session,
            "red_flag": self.flag or None, "pathology": self.pathology or None, "question": self.question or None,
            "sources": list(self.sources),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """What is expected to be left of the complaint at a week, as a share of the start."""

    week: float
    remaining: float


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected course, and whose course it was."""

    points: tuple[Point, ...]
    summary: str
    about: str
    sources: tuple[str, ...]
    basis: str

    def to_dict(self) -> dict[str, Any]:
        return {"points": [{"week": p.week, "remaining": p.remaining} for p in self.points], "summary": self.summary, "about": self.about,
                "basis": self.basis, "sources": list(self.sources)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Sessions after the course, and why."""

    every_weeks: float
    times: int
    reason: str
    sources: tuple[str, ...]
    basis: str

    def to_dict(self) -> dict[str, Any]:
        return {"every_weeks": self.every_weeks, "times": self.times, "reason": self.reason, "basis": self.basis,
                "sources": list(self.sources)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan(Tabular):
    """A plan of treatment for one condition and client; without sessions where a referral stops treatment."""

    PARTS = ("sessions.steps",)

    condition: str
    client: Client
    version: Version
    referral: Referral | None
    minutes: float
    course: Course
    goals: tuple[Goal, ...]
    phases: tuple[PhasePart, ...]
    sessions: tuple[Session, ...]
    stops: tuple[Stop, ...]
    expected: Expected | None
    maintenance: Maintenance | None
    replan: str
    note: str
    advice: tuple[str, ...]
    withheld: tuple[Withheld, ...]
    knowledge: Knowledge

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain data, in the shape of the JSON contract; this is what a person edits and `check` reads."""
        node = self.knowledge[self.condition]
        body = {
            "condition": {"slug": node.slug, "label": node.label, "iri": node.iri},
            "context": self.client.to_dict() | {"minutes": self.minutes},
            "graph": self.version.to_dict(),
            "referral": self.referral.to_dict() | {"action": self.referral.action} if self.referral else None,
            "note": self.note or None,
            "course": self._course(),
            "goals": [goal.to_dict() for goal in self.goals],
            "phases": [part.to_dict() for part in self.phases],
            "sessions": [session.to_dict() for session in self.sessions],
            "maintenance": self.maintenance.to_dict() if self.maintenance else None,
            "replan": self.replan or None,
            "advice": list(self.advice),
            "stop_and_refer_when": [stop.to_dict() for stop in self.stops],
            "expected": self.expected.to_dict() if self.expected else None,
            "scores": [],
            "withheld": [
                {"technique": w.technique, "label": w.label, "level": w.level, "because": [r.to_dict() for r in w.because]}
                for w in self.withheld
            ],
        }  # fmt: skip
        body["sources"] = cited(self.knowledge, body)
        return body

    def _course(self) -> dict[str, Any] | None:
        if not self.sessions:
            return None
        c = self.course
        return {
            "sessions": len(self.sessions), "weeks": self.sessions[-1].week, "per_week": c.weekly, "minutes": c.minutes, "basis": c.basis,
            "about": c.about, "asked": list(c.asked),
            "protocols": [
                {"protocol": p.slug, "condition": p.condition, "sessions": p.sessions, "weeks": p.weeks, "per_week": p.weekly,
                 "minutes": p.minutes, "techniques": list(p.techniques), "summary": p.summary, "sources": list(p.sources)}
                for p in c.protocols
            ],
        }  # fmt: skip


def home_dict(item: HomeItem, new: bool) -> dict[str, Any]:
    """An item of home care as it stands in a session."""
    return {
        "item": item.slug, "label": item.label, "technique": item.technique, "instruction": item.instruction, "dose": item.dose,
        "progression": item.progression, "stop": item.stop, "minutes_a_day": item.minutes, "new": new, "basis": item.basis,
    }  # fmt: skip


def cited(knowledge: Knowledge, body: Any) -> dict[str, Any]:
    """The sources that the parts of a plan name, by slug."""
    return {slug: source_dict(knowledge[slug]) for slug in sorted(_sources(body)) if slug in knowledge}


def _sources(value: Any) -> set[str]:
    """All slugs under a key `sources`, at any depth."""
    if isinstance(value, dict):
        own = set(value["sources"]) if isinstance(value.get("sources"), list) else set()
        return own.union(*(_sources(v) for v in value.values()))
    return set().union(*(_sources(v) for v in value)) if isinstance(value, list) else set()
