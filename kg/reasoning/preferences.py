"""What client and therapist prefer or have: it sets techniques aside or orders equals. It never touches safety.

A technique that is set aside is shown with the reason; only the safety gate withholds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kg.graph.index import Names
from kg.graph.knowledge import Knowledge
from kg.reasoning.client import choice

_LOADS = {"thumb": "thumbLoad", "wrist": "wristLoad", "back": "backLoad"}
PARTS = tuple(_LOADS)
"""The parts of a therapist's body that can be spared."""
_INSTRUMENTS = "instrument"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Slugs of the graph, or None where nothing is preferred.

    `equipment` is what is at hand; None says that all is. `spare` names the parts of the therapist's body to spare.
    """

    pressure: str | None = None
    training: str | None = None
    position: str | None = None
    clothed: bool = False
    no_instruments: bool = False
    equipment: tuple[str, ...] | None = None
    spare: tuple[str, ...] = ()

    @staticmethod
    def of(
        knowledge: Knowledge,
        names: Names,
        pressure: str | None = None,
        training: str | None = None,
        position: str | None = None,
        clothed: bool = False,
        no_instruments: bool = False,
        equipment: Iterable[str] | None = None,
        spare: Iterable[str] = (),
    ) -> "Preferences":
        """Preferences whose words are resolved against the graph.

        Raises:
            UnknownName: for a word that the graph does not hold.
        """
        return Preferences(
            _word(knowledge, "Pressure", "pressure", pressure),
            _word(knowledge, "Training", "training", training),
            _word(knowledge, "BodyPosition", "position", position),
            clothed,
            no_instruments,
            None if equipment is None else tuple(sorted(names.resolve_all(equipment, "Equipment"))),
            tuple(sorted({found for part in spare if (found := choice("part of the body to spare", part, list(_LOADS)))})),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "pressure": self.pressure, "training": self.training, "position": self.position, "clothed": self.clothed,
            "no_instruments": self.no_instruments, "equipment": None if self.equipment is None else list(self.equipment),
            "spare": list(self.spare),
        }  # fmt: skip

    def against(self, knowledge: Knowledge, technique: str) -> list[str]:
        """Why a technique does not fit, in words; nothing where it does."""
        node = knowledge[technique]
        found = []
        if self.pressure and _order(knowledge, node.one("pressure")) > _order(knowledge, self.pressure):
            found.append(f"needs {knowledge.label(node.one('pressure'))} pressure")
        if self.training and _order(knowledge, node.one("training")) > _order(knowledge, self.training):
            found.append(f"needs training: {knowledge.label(node.one('training'))}")
        if self.position and node.all("position") and self.position not in node.all("position"):
            found.append(f"is not done {knowledge.label(self.position)}")
        if self.clothed and not node.properties.get("throughClothing"):
            found.append("is not done through clothing")
        if self.no_instruments and knowledge[node.one("contact")].properties.get(_INSTRUMENTS):
            found.append(f"works by {knowledge.label(node.one('contact'))}")
        if self.equipment is not None and (missing := sorted(set(node.all("needsEquipment")) - set(self.equipment))):
            found.append(f"needs {' and '.join(knowledge.label(item) for item in missing)}")
        return found

    def strain(self, knowledge: Knowledge, technique: str) -> int:
        """How much a technique strains the parts to spare: the sum of the degrees."""
        return sum(_order(knowledge, knowledge[technique].one(_LOADS[part])) for part in self.spare)


def _word(knowledge: Knowledge, cls: str, kind: str, given: str | None) -> str | None:
    """A word of a small vocabulary, by its slug with or without the kind: "moderate" or "pressure-moderate"."""
    words = knowledge.words(cls)
    found = choice(kind, _short((given or "").strip().lower().replace(" ", "-"), kind), list(words))
    return words[found] if found else None


def _short(slug: str, kind: str) -> str:
    return slug.removeprefix(f"{kind}-").removesuffix(f"-{kind}")


def _order(knowledge: Knowledge, word: str) -> int:
    return int(knowledge[word].number("order"))
