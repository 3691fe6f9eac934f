"""The client before the table: phase, irritability, hazards, red flags. Unknown words are errors, never "no hazard"."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.graph.index import Names
from kg.graph.knowledge import Knowledge
from kg.graph.names import nearest

IRRITABILITY = "irritability-"
ANY_PHASE = "any"
_OLDEST = 120


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of a client: slugs of the graph, or None where it is not known."""

    phase: str | None = None
    irritability: str | None = None
    hazards: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()

    @staticmethod
    def of(
        knowledge: Knowledge,
        names: Names,
        phase: str | None = None,
        irritability: str | None = None,
        hazards: Iterable[str] = (),
        red_flags: Iterable[str] = (),
        age: int | None = None,
    ) -> "Client":
        """A client whose words are resolved against the graph; an age brings the hazards that the graph binds to it.

        Raises:
            UnknownName: for a phase, irritability, hazard or red flag that the graph does not hold.
            PalpateError: for an age that nobody has.
        """
        phases = [node.slug for node in knowledge.of_class("Phase") if node.slug != ANY_PHASE]
        degrees = [node.slug.removeprefix(IRRITABILITY) for node in knowledge.of_class("Irritability")]
        return Client(
            choice("phase", phase, phases),
            choice("irritability", irritability, degrees),
            tuple(sorted({*names.resolve_all(hazards, "Hazard"), *_of_age(knowledge, age)})),
            tuple(sorted(names.resolve_all(red_flags, "RedFlag"))),
        )

    def to_dict(self) -> dict[str, Any]:
        return {"phase": self.phase, "irritability": self.irritability, "hazards": list(self.hazards), "red_flags": list(self.red_flags)}


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
    return [node.slug for node in bound if node.number("fromAge", 0) <= age <= node.number("toAge", _OLDEST)]
