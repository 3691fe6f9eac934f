"""The client before the table: phase, irritability, hazards, red flags. Unknown words are errors, never "no hazard"."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kg.errors import UnknownName
from kg.graph.index import Names
from kg.graph.knowledge import Knowledge
from kg.graph.names import nearest

IRRITABILITY = "irritability-"
ANY_PHASE = "any"


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
    ) -> "Client":
        """A client whose words are resolved against the graph.

        Raises:
            UnknownName: for a phase, irritability, hazard or red flag that the graph does not hold.
        """
        phases = [node.slug for node in knowledge.of_class("Phase") if node.slug != ANY_PHASE]
        degrees = [node.slug.removeprefix(IRRITABILITY) for node in knowledge.of_class("Irritability")]
        return Client(
            _choice("phase", phase, phases),
            _choice("irritability", irritability, degrees),
            tuple(sorted(names.resolve_all(hazards, "Hazard"))),
            tuple(sorted(names.resolve_all(red_flags, "RedFlag"))),
        )

    def to_dict(self) -> dict[str, Any]:
        return {"phase": self.phase, "irritability": self.irritability, "hazards": list(self.hazards), "red_flags": list(self.red_flags)}


def _choice(kind: str, given: str | None, allowed: list[str]) -> str | None:
    if not given or given == ANY_PHASE:
        return None
    if given.strip().lower() not in allowed:
        raise UnknownName(kind, given, nearest(given, allowed, at_least=50) or allowed)
    return given.strip().lower()
