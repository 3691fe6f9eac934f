"""The plan that somebody works on: made for what the URL asks, changed in the browser session, kept nowhere else.

Every change goes through the library, which checks it; a refused one leaves the plan as it was and says why.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import streamlit as st

import kg
from explorer import state
from explorer.parts import knowledge
from explorer.state import View
from kg.documents.plan import export
from kg.errors import PalpateError
from kg.reasoning.plan import Plan, UnsafePlan
from kg.reasoning.plan.check import about
from kg.reasoning.plan.edit import read
from kg.reasoning.plan.planner import MINUTES, SESSIONS

PARAMETERS = ("sessions", "minutes", "start")
"""What the URL of a plan states beside the client."""
_WORKS, _REFUSED = "plan-works", "plan-file-refused"
_KEPT = 5
_UNDO = 20
_T = TypeVar("_T")
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True)
class Question:
    """What a plan is made for: the client, and what was asked of number and length of the sessions; the day of the first."""

    view: View
    sessions: int | None = None
    minutes: float | None = None
    start: date | None = None

    @property
    def key(self) -> str:
        """The same for the same plan, whenever it starts."""
        return json.dumps([self.view.params(), self.sessions, self.minutes])

    def params(self) -> dict[str, str | list[str]]:
        """The question as query parameters."""
        stated = {"sessions": self.sessions and str(self.sessions), "minutes": self.minutes and f"{self.minutes:g}",
                  "start": self.start and self.start.isoformat()}  # fmt: skip
        return self.view.params() | {name: value for name, value in stated.items() if value}


@dataclass(slots=True)
class Work:
    """A plan as it stands, what it was before, and what was refused last: where, and why."""

    plan: dict[str, Any]
    past: list[dict[str, Any]] = field(default_factory=list)
    refused: tuple[str, tuple[str, ...]] = ("", ())


# ---------------------------------------------------------------------------------------------------- the question
def asked() -> Question:
    """What the URL asks for; what is not understood stands in the problems of its view."""
    view = state.read(PARAMETERS)
    problems: list[PalpateError] = []
    sessions = _read("sessions", "a whole number", lambda word: _within("sessions", int(word), SESSIONS), problems)
    minutes = _read("minutes", "a number", lambda word: _within("minutes", float(word), MINUTES), problems)
    start = _read("start", "a day as YYYY-MM-DD", date.fromisoformat, problems)
    return Question(replace(view, problems=(*view.problems, *problems)), sessions, minutes, start)


def _read(name: str, form: str, parse: Callable[[str], _T], problems: list[PalpateError]) -> _T | None:
    word = st.query_params.get(name, "")
    try:
        return parse(word) if word else None
    except PalpateError as error:
        problems.append(error)
    except ValueError:
        problems.append(PalpateError(f"{name!r} is {form}, not {word!r}."))
    return None


def _within(name: str, value: _Number, bounds: tuple[int, int]) -> _Number:
    if not bounds[0] <= value <= bounds[1]:
        raise PalpateError(f"{name!r} is from {bounds[0]} to {bounds[1]}, not {value:g}.")
    return value


def made(question: Question) -> Plan:
    """The plan for a question, as the library makes it."""
    return _made(knowledge().version.sha256, question.key, question)


@st.cache_resource(show_spinner="Planning", max_entries=64)
def _made(version: str, key: str, _question: Question) -> Plan:
    view = _question.view
    client = view.client()
    return kg.planner().plan(view.condition or "", client, sessions=_question.sessions, minutes=_question.minutes)


# ---------------------------------------------------------------------------------------------------- the work
def _works() -> dict[str, Work]:
    return st.session_state.setdefault(_WORKS, {})


def work(question: Question) -> Work:
    """The plan for a question as it stands in this session; the last few are kept."""
    works = _works()
    if question.key not in works:
        works[question.key] = Work(made(question).to_dict())
        while len(works) > _KEPT:
            del works[next(iter(works))]
    return works[question.key]


def change(key: str, where: str, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the plan of a question, or keep why the change is refused, to be shown at `where`."""
    held = _works().get(key)
    if held is None:
        return
    try:
        new = edit(held.plan)
    except PalpateError as error:
        held.refused = (where, reasons(error))
    else:
        held.past = [*held.past[-_UNDO:], held.plan]
        held.plan, held.refused = new, ("", ())


def undo(key: str) -> None:
    """Take the last change back."""
    held = _works().get(key)
    if held and held.past:
        held.plan, held.refused = held.past.pop(), ("", ())


def reasons(error: PalpateError) -> tuple[str, ...]:
    """Why something was refused, a sentence each."""
    return tuple(dict.fromkeys(str(f) for f in error.findings)) if isinstance(error, UnsafePlan) else (error.message,)


# ---------------------------------------------------------------------------------------------------- files
def load(content: bytes, start: date | None) -> None:
    """Go on with a plan from a file: its question goes into the URL, its steps and scores into this session."""
    st.session_state[_REFUSED] = ()
    try:
        plan = _parsed(content)
    except PalpateError as error:
        st.session_state[_REFUSED] = reasons(error)
        return
    context = plan["context"]
    slug, client = about(kg.planner(), plan)
    view = View(slug, client.phase, client.irritability, client.hazards, client.red_flags, dates=client.dates, on=client.on)
    question = Question(view, len(plan["sessions"]) or None, float(context["minutes"]), start)
    _works()[question.key] = Work(plan)
    st.query_params.from_dict(question.params())


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise PalpateError("The file is not JSON.") from None
    plan = read(kg.planner(), data)
    export(kg.planner(), plan, "markdown")  # a plan that cannot be put into words cannot be drawn
    return plan


def refused_file() -> tuple[str, ...]:
    """Why the last file was refused."""
    return st.session_state.get(_REFUSED, ())
