"""How well notes are read: precision and recall over the notes of `intake_notes.yaml`, by what makes a note hard.

docs/intake.md shows the tables; `python -m tests.test_docs` writes them anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import kg
from kg.reasoning.intake import Intake, Item

NOTES = Path(__file__).parent / "intake_notes.yaml"
LISTS = ("conditions", "hazards", "red_flags")
SIGNS = {"-": "negated", "/": "uncertain", "<": "historical", "~": "family", "^": "hypothetical"}


@dataclass(slots=True)
class Score:
    """Counts of mentions: found, missed, read without being there; and of wrong readings of those found."""

    found: int = 0
    missed: int = 0
    extra: int = 0
    wrong_negation: int = 0
    wrong_status: int = 0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.extra) if self.found + self.extra else 1.0

    def add(self, other: "Score") -> None:
        for name in ("found", "missed", "extra", "wrong_negation", "wrong_status"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Reading:
    """One note with its gold, and what was read."""

    note: Mapping[str, Any]
    answer: Intake
    scores: Mapping[str, Score] = field(default_factory=dict)


def status(item: Item) -> str:
    """The sign of what the note says of an item, as the gold writes it."""
    if item.negated:
        return "-"
    return "~" if item.family else "^" if item.hypothetical else "<" if item.historical else "" if item.certain else "/"


def _gold(entries: Iterable[str]) -> dict[str, str]:
    return {entry.lstrip("-/<~^"): entry[0] if entry[0] in SIGNS else "" for entry in entries}


def score(items: Iterable[Item], gold: Mapping[str, str], also: set[str]) -> Score:
    """The score of one list; a hazard narrower than the one expected is the one expected, told more exactly."""
    knowledge, result = kg.load().knowledge, Score()
    read: dict[str, set[str]] = {}
    for item in items:
        read.setdefault(item.slug, set()).add(status(item))
    for slug in list(read):
        wider = [name for name in (slug, *knowledge[slug].all("subHazardOf")) if name in gold]
        for name in wider:
            read.setdefault(name, set()).update(read[slug])
        if not wider and not {slug, *knowledge[slug].all("subHazardOf")} & also:
            result.extra += 1
    for slug, sign in gold.items():
        if slug not in read:
            result.missed += 1
            continue
        result.found += 1
        if sign not in read[slug] and not (sign == "" and "<" in read[slug]):  # a lasting disease in the list of past ones
            result.wrong_status += 1
            result.wrong_negation += (sign == "-") != ("-" in read[slug])
    return result


@cache
def readings() -> tuple[Reading, ...]:
    """All notes, read and scored."""
    found = []
    for note in yaml.safe_load(NOTES.read_text(encoding="utf-8")):
        answer = kg.intake(note["text"])
        also = {entry.lstrip("-/<~^") for entry in note.get("also", ())}
        scores = {name: score(getattr(answer, name), _gold(note.get(name, ())), also) for name in LISTS}
        found.append(Reading(note, answer, scores))
    return tuple(found)


def total(tag: str | None = None, lists: Iterable[str] = LISTS) -> Score:
    """The score over all notes that bear a tag."""
    result = Score()
    for reading in readings():
        if tag is None or tag in reading.note["tags"]:
            for name in lists:
                result.add(reading.scores[name])
    return result


def _row(label: str, notes: int, counted: Score) -> str:
    found = counted.found + counted.missed
    return (f"| {label} | {notes} | {found} | {counted.recall:.3f} | {counted.precision:.3f} "
            f"| {counted.wrong_negation} | {counted.wrong_status} |")  # fmt: skip


def tables() -> str:
    """The tables of docs/intake.md: by list, and by what makes a note hard."""
    head = "| {} | notes | mentions | recall | precision | negation wrong | status wrong |\n|---|---:|---:|---:|---:|---:|---:|"
    notes = readings()
    by_list = [_row(name.replace("_", " "), len(notes), total(lists=(name,))) for name in LISTS]
    by_list += [_row("hazards and red flags", len(notes), total(lists=("hazards", "red_flags"))), _row("all", len(notes), total())]
    tags = sorted({tag for reading in notes for tag in reading.note["tags"]})
    by_tag = [_row(tag, sum(tag in reading.note["tags"] for reading in notes), total(tag)) for tag in tags]
    return "\n".join([head.format("list"), *by_list, "", head.format("kind of note"), *by_tag, ""])
