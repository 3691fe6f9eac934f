"""What is read from a note: one item for each mention, with its own words and what the note says of it."""

from dataclasses import dataclass
from typing import Any

from kg.graph.frame import Tabular
from kg.graph.knowledge import Version
from kg.reasoning.safety import Referral

NOTE = "Read by rules from words. Nothing is acted on until a person has confirmed each item against the note."


@dataclass(frozen=True, slots=True)
class Item:
    """One mention: what it is, the words `note[start:end]`, and what the note says of it.

    `because` has the words that made it negated, in doubt, past, of the family or hypothetical.
    """

    slug: str
    label: str
    text: str
    start: int
    end: int
    negated: bool = False
    certain: bool = True
    historical: bool = False
    family: bool = False
    hypothetical: bool = False
    section: str | None = None
    side: str | None = None
    phase: str | None = None
    year: str | None = None
    code: str | None = None
    spelling: str | None = None
    matched: str = ""
    because: tuple[str, ...] = ()

    @property
    def acts(self) -> bool:
        """Whether it speaks of the client as present or suspected."""
        return not (self.negated or self.family or self.hypothetical)

    def to_dict(self) -> dict[str, Any]:
        return {
            "slug": self.slug, "label": self.label, "text": self.text, "start": self.start, "end": self.end,
            "negated": self.negated, "certain": self.certain, "historical": self.historical, "family": self.family,
            "hypothetical": self.hypothetical, "section": self.section, "side": self.side, "phase": self.phase, "year": self.year,
            "code": self.code, "spelling": self.spelling, "matched": self.matched, "because": list(self.because),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Intake(Tabular):
    """What a note says; to be confirmed by a person."""

    PARTS = ("conditions", "hazards", "red_flags", "pathologies")

    version: Version
    conditions: tuple[Item, ...]
    hazards: tuple[Item, ...]
    red_flags: tuple[Item, ...]
    pathologies: tuple[Item, ...]
    unread: tuple[str, ...]
    referral: Referral | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "graph": self.version.to_dict(), "confirmed": False, "note": NOTE,
            "conditions": [item.to_dict() for item in self.conditions], "hazards": [item.to_dict() for item in self.hazards],
            "red_flags": [item.to_dict() for item in self.red_flags],
            "pathologies": [item.to_dict() for item in self.pathologies], "unread": list(self.unread),
            "referral": self.referral.to_dict() if self.referral else None,
        }  # fmt: skip
