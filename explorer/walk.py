"""The walk before the table: what its address says of a client, and how an answer changes it.

The address is the truth, as on Find: a link reproduces the view, back and forward work. Steps and answers are buttons that
write it, since a link to the page on which it stands leaves the address of the browser as it was.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import streamlit as st

from explorer import state
from explorer.parts import cap, engine, knowledge, referring
from explorer.state import View
from kg.errors import PalpateError, UnknownName
from kg.graph.names import nearest
from kg.reasoning.assess import NEGATIVE, POSITIVE, Assessment, Next, results_of
from kg.reasoning.client import Client
from kg.reasoning.screen import Question, Screening

STEPS = {"complaint": "Complaint", "questions": "Red flags", "history": "History", "findings": "Findings", "result": "Result"}
"""The steps in their order, each with its name."""
YES, NO, SKIPPED = "yes", "no", "not asked"
_SINGLE = ("step", "complaint", "region", "age", "sex", "phase", "irritability", "on", "ask")
_SEVERAL = ("present", "absent", "skip", "test", "hazard")


@dataclass(frozen=True, slots=True)
class Walk:
    """What the address says: slugs, each answer in one of present, absent and skip; tests with their results."""

    step: str = "complaint"
    complaint: str | None = None
    region: str | None = None
    age: int | None = None
    sex: str | None = None
    phase: str | None = None
    irritability: str | None = None
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    tests: tuple[tuple[str, str], ...] = ()
    hazards: tuple[str, ...] = ()
    dates: tuple[tuple[str, date], ...] = ()
    on: date | None = None
    ask: str | None = None

    def params(self) -> dict[str, str | list[str]]:
        """The walk as query parameters, named as the fields of the JSON API."""
        stated: dict[str, Any] = {
            "step": self.step, "complaint": self.complaint, "region": self.region, "age": self.age, "sex": self.sex, "phase": self.phase,
            "irritability": self.irritability, "present": list(self.present), "absent": list(self.absent), "skip": list(self.skip),
            "test": [f"{test}={result}" for test, result in self.tests], "hazard": list(state.hazard_words(self.hazards, self.dates)),
            "on": self.on.isoformat() if self.on and self.dates else None, "ask": self.ask,
        }  # fmt: skip
        return {name: value if isinstance(value, list) else str(value) for name, value in stated.items() if value not in (None, "", [])}

    @property
    def place(self) -> bool:
        """Whether it is known where or what the complaint is."""
        return bool(self.complaint or self.region)

    def at(self, step: str) -> "Walk":
        """The same client at another step."""
        return replace(self, step=step, ask=None)

    def following(self) -> "Walk":
        """The same client at the next step."""
        steps = list(STEPS)
        return self.at(steps[min(steps.index(self.step) + 1, len(steps) - 1)])

    def without(self, slug: str) -> "Walk":
        """The walk as if `slug` had not been answered."""
        kept = {name: tuple(s for s in getattr(self, name) if s != slug) for name in ("present", "absent", "skip")}
        return replace(self, **kept, tests=tuple(pair for pair in self.tests if pair[0] != slug), ask=None)

    def answered(self, slug: str, answer: str) -> "Walk":
        """The walk with an answer: yes, no, not asked, or the result of a test."""
        walk = self.without(slug)
        if answer in (POSITIVE, NEGATIVE):
            return replace(walk, tests=(*walk.tests, (slug, answer)))
        field = {YES: "present", NO: "absent", SKIPPED: "skip"}[answer]
        return replace(walk, **{field: (*getattr(walk, field), slug)})

    def agreed(self) -> "Walk":
        """The walk without answers that contradict each other: what is present stays, a test with two results goes."""
        names = [test for test, _ in self.tests]
        return replace(self, absent=tuple(slug for slug in self.absent if slug not in {*self.present, *self.hazards}),
                       tests=tuple(pair for pair in self.tests if names.count(pair[0]) == 1))  # fmt: skip

    def answer_to(self, slug: str) -> str:
        """The answer that was given to a question or test; empty where there is none."""
        return next((answer for name, answer in (("present", YES), ("absent", NO), ("skip", SKIPPED)) if slug in getattr(self, name)),
                    dict(self.tests).get(slug, ""))  # fmt: skip

    # ------------------------------------------------------------------ what the engine says
    def screening(self) -> Screening:
        """The screening of all answers; hazards of the history are answers too."""
        return engine().screen(self.complaint, self.region, self.age, self.sex, (*self.present, *self.hazards), self.absent)

    def assessment(self, screening: Screening) -> Assessment:
        """What the answers are consistent with, in the one region of the complaint, where there is one."""
        region = screening.regions[0] if len(screening.regions) == 1 else None
        return engine().assess((*self.present, *self.hazards), self.absent, dict(self.tests), region, self.age, self.sex)

    def client(self) -> Client:
        """The client without red flags, which the screening has weighed."""
        return engine().client(self.phase, self.irritability, state.hazard_words(self.hazards, self.dates), (), self.on, self.age)

    def view(self, condition: str) -> View:
        """The address of the ranking of a condition, with all that it can take over."""
        return View(condition, self.phase, self.irritability, tuple(self.client().hazards), self.red_flags, (), self.dates, self.on)

    @property
    def red_flags(self) -> tuple[str, ...]:
        """The red flags that are present."""
        return tuple(slug for slug in (*self.present, *self.hazards) if knowledge()[slug].is_a("RedFlag"))


def write(walk: Walk) -> None:
    """Put a walk into the address, as a new entry of the browser's history."""
    st.query_params.from_dict(walk.params())


# ---------------------------------------------------------------------------------------------------- reading the address
def read() -> tuple[Walk, list[PalpateError]]:
    """The walk that the address states, and one message for each word in it that is not understood."""
    problems: list[PalpateError] = []
    given = st.query_params
    known = (*_SINGLE, *_SEVERAL)
    for name in sorted(set(given) - {*known}):
        problems.append(PalpateError(f"Unknown parameter {name!r}; there are {', '.join(sorted(known))}."))
    for name in _SINGLE:
        if len(given.get_all(name)) > 1:
            problems.append(PalpateError(f"The parameter {name!r} may be given once."))

    def one(name: str, understand: Callable[[str], Any]) -> Any:
        found = _understood([given.get(name, "")], understand, problems)
        return found[0] if found else None

    def several(name: str, understand: Callable[[str], Any]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(_understood(given.get_all(name), understand, problems)))

    complaint, region = one("complaint", _complaint), one("region", lambda word: engine().screen(region=word).regions[0])
    present = several("present", _answer)
    hazards, dates, on = state.read_hazards(problems)
    walk = Walk(
        one("step", _step) or "complaint", complaint, region, one("age", _age),
        one("sex", lambda word: engine().screen(sex=word).person.sex), one("phase", lambda word: engine().client(phase=word).phase),
        one("irritability", lambda word: engine().client(irritability=word).irritability),
        tuple(slug for slug in present if not _is_hazard(slug)), several("absent", _answer), several("skip", _askable),
        several("test", _result), tuple(dict.fromkeys((*hazards, *filter(_is_hazard, present)))), dates, on, one("ask", _askable),
    )  # fmt: skip
    if not problems:
        try:  # words that are understood one by one can still contradict each other
            results_of(f"{test}={result}" for test, result in walk.tests)
            walk.assessment(walk.screening())
        except PalpateError as error:
            problems.append(error)
            walk = walk.agreed()
    return walk, problems


def _understood(words: Iterable[str], understand: Callable[[str], Any], problems: list[PalpateError]) -> list[Any]:
    found = []
    for word in filter(None, words):
        try:
            found.append(understand(word))
        except PalpateError as error:
            problems.append(error)
    return found


def _step(word: str) -> str:
    if word not in STEPS:
        raise UnknownName("step", word, nearest(word, STEPS) or list(STEPS))
    return word


def _age(word: str) -> int | None:
    if not word.isascii() or not word.isdigit():
        raise PalpateError(f"age must be a whole number of years, not {word!r}.")
    return engine().screen(age=int(word[:9])).person.age


def _complaint(word: str) -> str:
    found = engine().screen(word)
    return found.complaint or found.regions[0]


def _answer(word: str) -> str:
    if word in knowledge() and knowledge()[word].is_a("RedFlag"):  # as written by the walk itself
        return word
    return next(iter(engine().screen(present=[word]).answers.present))


def _result(word: str) -> tuple[str, str]:
    return engine().assess(tests=results_of([word])).tests[0]


def _askable(word: str) -> str:
    try:
        return engine().names.resolve(word, "OrthopedicTest")
    except UnknownName:
        return _answer(word)


def _is_hazard(slug: str) -> bool:
    return knowledge()[slug].is_a("Hazard")


# ---------------------------------------------------------------------------------------------------- one question
@dataclass(frozen=True, slots=True)
class Asked:
    """One question or test as it is put: what it looks for, and for a test how it is done and what a positive sign is."""

    slug: str
    text: str
    label: str
    urgency: str = ""
    why: str = ""
    test: bool = False
    signs: tuple[str, ...] = ()

    @staticmethod
    def of_question(question: Question) -> "Asked":
        return Asked(question.finding, question.question, question.label, question.urgency, question.why)

    @staticmethod
    def of_next(step: Next) -> "Asked":
        return Asked(step.slug, step.question, step.label, test=step.kind == "test", signs=step.positive_sign)

    @staticmethod
    def of_slug(slug: str) -> "Asked":
        """A question or test that a person has chosen by name."""
        node = knowledge()[slug]
        if node.is_a("OrthopedicTest"):
            signs = {sign for study in referring("DiagnosticEvidence", "ofTest", slug) for sign in study.all("positiveSign")}
            return Asked(slug, node.one("procedure", node.label), node.label, test=True, signs=tuple(sorted(signs)))
        texts = [n.one("question") for n in referring("RedFlagIndication", "redFlag", slug) if n.one("question")]
        return Asked(slug, texts[0] if texts else node.one("question") or f"Is this so: {cap(node.label)}?", node.label)


def first_open(walk: Walk, asked: Sequence[Asked]) -> Asked | None:
    """What to ask now: what a person has chosen, else the first that was not put off."""
    if walk.ask:
        return Asked.of_slug(walk.ask)
    return next((question for question in asked if question.slug not in walk.skip), None)
