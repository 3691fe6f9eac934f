"""The client before the table: phase, irritability, hazards, red flags. Unknown words are errors, never "no hazard".

A hazard may bear the date of what happened: `recent-surgery=2026-10-01`, read against the date of the session.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.graph.index import Names
from kg.graph.knowledge import Knowledge
from kg.graph.names import nearest

IRRITABILITY = "irritability-"
ANY_PHASE = "any"
_OLDEST = 120
_OCCURRING = ("Condition", "SeriousPathology")
"""Classes of diseases: their ages say in whom they occur, and never that whoever is of that age has them."""


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of a client: slugs of the graph, or None where it is not known.

    `dates` are those of the hazards that were given only with a date; `on` is the date of the session.
    """

    phase: str | None = None
    irritability: str | None = None
    hazards: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()
    dates: tuple[tuple[str, date], ...] = ()
    on: date | None = None

    @staticmethod
    def of(
        knowledge: Knowledge,
        names: Names,
        phase: str | None = None,
        irritability: str | None = None,
        hazards: Iterable[str] = (),
        red_flags: Iterable[str] = (),
        on: date | str | None = None,
        age: int | None = None,
    ) -> "Client":
        """A client whose words are resolved against the graph; an age brings the hazards that the graph binds to it.

        Args:
            hazards: slugs or names, each alone or as `NAME=YYYY-MM-DD`.
            on: the date of the session, which a dated hazard demands.

        Raises:
            UnknownName: for a phase, irritability, hazard or red flag that the graph does not hold.
            PalpateError: for an age that nobody has; for a date that is none, lies after the session, has no session, or is of
                a hazard that takes none.
        """
        session = _date("on", on) if isinstance(on, str) else on
        given = [_dated(word) for word in hazards]
        slugs = [names.resolve(name, "Hazard") for name, _ in given]
        undated = {slug for slug, (_, day) in zip(slugs, given, strict=True) if day is None}
        dates = {(slug, day) for slug, (_, day) in zip(slugs, given, strict=True) if day and slug not in undated}
        for slug, day in sorted(dates):
            _check_date(knowledge, slug, day, session)
        return Client(
            choice("phase", phase, list(phases_of(knowledge))),
            choice("irritability", irritability, list(knowledge.words("Irritability"))),
            tuple(sorted({*slugs, *_of_age(knowledge, age)})),
            tuple(sorted(names.resolve_all(red_flags, "RedFlag"))),
            tuple(sorted(dates)),
            session,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The hazards as `of` reads them: each slug, with `=YYYY-MM-DD` where it is dated."""
        dated = {slug for slug, _ in self.dates}
        return (*(slug for slug in self.hazards if slug not in dated), *(f"{slug}={day.isoformat()}" for slug, day in self.dates))

    def days_since(self, hazard: str) -> tuple[int | None, ...]:
        """The days from each date of a stated hazard to the session; `(None,)` where it has no date."""
        if self.on is None:
            return (None,)
        return tuple((self.on - day).days for slug, day in self.dates if slug == hazard) or (None,)

    def latest(self, hazard: str) -> date | None:
        """The last date of a stated hazard; None where it has none."""
        return max((day for slug, day in self.dates if slug == hazard), default=None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "phase": self.phase, "irritability": self.irritability, "hazards": list(self.hazards), "red_flags": list(self.red_flags),
            "dates": [{"hazard": slug, "date": day.isoformat()} for slug, day in self.dates],
            "on": self.on.isoformat() if self.on else None,
        }  # fmt: skip


def phases_of(knowledge: Knowledge) -> tuple[str, ...]:
    """The phases that a client can be in, in the order of time."""
    nodes = sorted(knowledge.of_class("Phase"), key=lambda node: node.number("order"))
    return tuple(node.slug for node in nodes if node.slug != ANY_PHASE)


def date_means(knowledge: Knowledge, hazard: str) -> str:
    """What the date of a hazard is the date of, by itself or by a wider hazard; empty where it takes no date."""
    own = knowledge[hazard].one("dateMeans")
    return own or next((means for wider in knowledge[hazard].all("subHazardOf") if (means := knowledge[wider].one("dateMeans"))), "")


def _dated(word: str) -> tuple[str, date | None]:
    name, equals, day = word.rpartition("=")
    return (name, _date(name, day)) if equals else (word, None)


def _date(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise PalpateError(f"The date of {name!r} must be a day of the calendar as YYYY-MM-DD, not {text!r}.") from None
    if found.isoformat() != text.strip():
        raise PalpateError(f"The date of {name!r} must be written YYYY-MM-DD, not {text!r}.")
    return found


def _check_date(knowledge: Knowledge, hazard: str, day: date, session: date | None) -> None:
    if session is None:
        raise PalpateError(f"The hazard {hazard!r} has a date, so the date of the session is needed too: on=YYYY-MM-DD.")
    if not date_means(knowledge, hazard):
        raise PalpateError(f"The hazard {hazard!r} takes no date, since none of its rules depends on one; give it without.")
    if day > session:
        raise PalpateError(f"The date of {hazard!r}, {day.isoformat()}, lies after the session on {session.isoformat()}.")


def choice(kind: str, given: str | None, allowed: list[str]) -> str | None:
    """One of a few words, or None where none or "any" is given.

    Raises:
        UnknownName: for another word.
    """
    if not given or given == ANY_PHASE:
        return None
    if given.strip().lower() not in allowed:
        raise UnknownName(kind, given, nearest(given, allowed, at_least=50) or allowed)
    return given.strip().lower()


def _of_age(knowledge: Knowledge, age: int | None) -> list[str]:
    """The hazards that come with an age."""
    if age is None:
        return []
    if not 0 <= age <= _OLDEST:
        raise PalpateError(f"age must be a number of years from 0 to {_OLDEST}, not {age}.")
    bound = [node for node in knowledge.of_class("Hazard") if {"fromAge", "toAge"} & set(node.properties)]
    bound = [node for node in bound if not any(map(node.is_a, _OCCURRING))]
    return [node.slug for node in bound if node.number("fromAge", 0) <= age <= node.number("toAge", _OLDEST)]
