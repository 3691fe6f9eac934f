"""Conditions side by side: what each has, what they share, and what tells them apart.

>>> import kg
>>> found = kg.compare_conditions("plantar-fasciitis", "tarsal-tunnel-syndrome")
>>> [row.label for row in found.of("tissue") if row.shared]
['Abductor hallucis']
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from kg.errors import PalpateError
from kg.graph.frame import Tabular
from kg.graph.knowledge import Knowledge, Node, Version
from kg.reasoning.client import ANY_PHASE, Client, phases_of
from kg.reasoning.engine import Engine
from kg.reasoning.rank import Entry, Ranking
from kg.reasoning.safety import URGENCIES, Referral

MOST = 4
"""How many conditions stand side by side at most."""
_BEST = 5
"""How many of the best techniques of each condition are compared."""
_FIGURES = {"sensitivity": "sensitivity {:g}%", "specificity": "specificity {:g}%", "lrPositive": "LR+ {:g}", "lrNegative": "LR− {:g}"}


@dataclass(frozen=True, slots=True)
class Cell:
    """How one thing stands in one condition: in words, and the statements and sources that say so.

    `holds` says whether the condition has it at all; of a technique, whether it is among the best for it.
    """

    text: str = ""
    holds: bool = False
    statements: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"text": self.text, "holds": self.holds, "statements": list(self.statements), "sources": list(self.sources)}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of an aspect, with a cell for each condition. `slug` is empty where it is text and no entity."""

    aspect: str
    slug: str
    label: str
    cells: tuple[Cell, ...]
    note: str = ""

    @property
    def shared(self) -> bool:
        """Whether all conditions have it."""
        return all(cell.holds for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Distinction:
    """What tells two conditions apart that look alike, on what it rests, and the statement that says so."""

    conditions: tuple[str, str]
    text: str
    statement: str
    basis: str
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"conditions": list(self.conditions), "text": self.text, "statement": self.statement, "basis": self.basis or None,
                "sources": list(self.sources)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SideBySide(Tabular):
    """Two to four conditions for one client: rows by aspect, what is shared first, and what tells each pair apart.

    `undistinguished` are the pairs of which the graph does not say that they look alike. With a referral that stops treatment
    there is no row of the aspect `technique`.
    """

    PARTS = ("rows",)

    conditions: tuple[str, ...]
    client: Client
    version: Version
    referral: Referral | None
    rows: tuple[Row, ...]
    distinctions: tuple[Distinction, ...]
    undistinguished: tuple[tuple[str, str], ...]
    knowledge: Knowledge

    def of(self, aspect: str) -> tuple[Row, ...]:
        """The rows of one aspect."""
        return tuple(row for row in self.rows if row.aspect == aspect)

    def to_dict(self) -> dict[str, Any]:
        return {
            "conditions": [{"slug": slug, "label": self.knowledge.label(slug)} for slug in self.conditions],
            "context": self.client.to_dict(), "graph": self.version.to_dict(),
            "referral": self.referral.to_dict() if self.referral else None,
            "distinctions": [distinction.to_dict() for distinction in self.distinctions],
            "undistinguished": [list(pair) for pair in self.undistinguished],
            "rows": [
                {"aspect": row.aspect, "slug": row.slug or None, "label": row.label, "note": row.note, "shared": row.shared,
                 "cells": {slug: cell.to_dict() for slug, cell in zip(self.conditions, row.cells, strict=True)}}
                for row in self.rows
            ],
        }  # fmt: skip

    def to_csv(self) -> str:
        """A line for each row and each distinction, a column for each condition."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["aspect", "slug", "label", "shared", *self.conditions, "note"])
        for row in self.rows:
            writer.writerow([row.aspect, row.slug, row.label, row.shared, *(cell.text for cell in row.cells), row.note])
        for d in self.distinctions:
            writer.writerow(["distinction", d.statement, " / ".join(map(self.knowledge.label, d.conditions)), "",
                             *("" for _ in self.conditions), d.text])  # fmt: skip
        return out.getvalue()


def compare_conditions(engine: Engine, conditions: Sequence[str], client: Client | None = None) -> SideBySide:
    """Conditions side by side, their techniques for one client.

    Args:
        conditions: slugs, labels, synonyms or codes of two to four.
        client: whose hazards withhold techniques; nothing is known of the client by default.

    Raises:
        UnknownName: for a condition that the graph does not hold.
        PalpateError: where they are not two to four different ones.
    """
    slugs = engine.names.resolve_all(conditions, "Condition")
    if len(slugs) < len(conditions):
        raise PalpateError("Compare different conditions; one was given twice.")
    if not 2 <= len(slugs) <= MOST:
        raise PalpateError(f"Compare 2 to {MOST} conditions; {len(slugs)} {'was' if len(slugs) == 1 else 'were'} given.")
    answers = [engine.rank(slug, client, explain=False) for slug in slugs]
    referral = min((a.referral for a in answers if a.referral), key=lambda r: URGENCIES.index(r.urgency), default=None)
    rows = [*_described(engine.knowledge, slugs), *([] if referral and referral.stops else _techniques(answers))]
    distinctions = tuple(_distinctions(engine.knowledge, slugs))
    told = {d.conditions for d in distinctions}
    pairs = tuple(pair for pair in combinations(slugs, 2) if pair not in told)
    return SideBySide(slugs, answers[0].client, engine.knowledge.version, referral, tuple(rows), distinctions, pairs, engine.knowledge)


# ---------------------------------------------------------------------------------------------------- what the graph states
def _described(knowledge: Knowledge, conditions: Sequence[str]) -> Iterator[Row]:
    nodes, label = [knowledge[slug] for slug in conditions], knowledge.label

    def texts(aspect: str, words: str, stated: Callable[[Node], str]) -> Row:
        return Row(aspect, "", words, tuple(Cell(text, bool(text), (node.slug,)) for node in nodes for text in [stated(node)]))

    def listed(aspect: str, prop: str) -> list[Row]:
        has = {node.slug: node.all(prop) for node in nodes}
        found = dict.fromkeys(value for values in has.values() for value in values)
        return _ordered([
            Row(aspect, value if value in knowledge else "", label(value),
                tuple(Cell("yes", True, (slug,)) if value in has[slug] else Cell() for slug in conditions)) for value in found
        ])  # fmt: skip

    def linked(aspect: str, cls: str, of: str, to: str, told: Callable[[Sequence[Node]], str]) -> list[Row]:
        return _linked(knowledge, conditions, aspect, cls, of, to, told)

    def weight(row: Row) -> float:
        return max(_weight(knowledge, knowledge[slug]) for cell in row.cells for slug in cell.statements)

    yield texts("definition", "What it is", lambda node: node.definition)
    yield texts("region", "Where", lambda node: ", ".join(map(label, node.all("inRegion"))))
    yield texts("caseload", "How often in a massage practice", lambda node: ", ".join(map(label, node.all("caseload"))))
    yield from listed("finding", "presentsWith")
    yield from listed("aggravating", "aggravatedBy")
    yield from linked("test", "DiagnosticEvidence", "evidenceCondition", "ofTest", lambda nodes: "; ".join(map(_figures, nodes)))
    yield from linked("tissue", "TissueInvolvement", "involvementOf", "involvedTissue",
                      lambda nodes: ", ".join(dict.fromkeys(label(n.one("role")) for n in nodes)))  # fmt: skip
    impairments = linked("impairment", "ImpairmentProfile", "profileOf", "profileImpairment", lambda nodes: _salience(knowledge, nodes))
    yield from sorted(impairments, key=lambda row: (*_place(row), -weight(row)))
    yield from _pathologies(knowledge, conditions)
    yield from linked("hazard", "HazardOccurrence", "broughtBy", "occurrenceOf", lambda nodes: _occurrence(knowledge, nodes))
    yield texts("prognosis", "Course", lambda node: node.one("prognosis"))
    yield texts("not-covered", "Not covered here", lambda node: " ".join(node.all("notCovered")))
    yield _evidence(knowledge, conditions)


def _linked(knowledge: Knowledge, conditions: Sequence[str], aspect: str, cls: str, of: str, to: str,
            told: Callable[[Sequence[Node]], str]) -> list[Row]:  # fmt: skip
    """A row for each entity to which statements of a class link one of the conditions."""
    spots: dict[str, dict[str, list[Node]]] = {}
    for node in knowledge.of_class(cls):
        for condition in {*node.all(of)}.intersection(conditions):
            spots.setdefault(node.one(to), {}).setdefault(condition, []).append(node)
    return _ordered([
        Row(aspect, slug, knowledge.label(slug), tuple(_cell(told, found.get(condition, ())) for condition in conditions))
        for slug, found in spots.items()
    ])  # fmt: skip


def _cell(told: Callable[[Sequence[Node]], str], nodes: Sequence[Node]) -> Cell:
    if not nodes:
        return Cell()
    sources = dict.fromkeys(source for node in nodes for source in node.all("dcterms:source"))
    return Cell(told(nodes), True, tuple(node.slug for node in nodes), tuple(sources))


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """What all share first, then what stands in the first condition, the next, and so on."""
    return sorted(rows, key=lambda row: (*_place(row), row.label.casefold(), row.slug))


def _place(row: Row) -> tuple[bool, list[bool]]:
    return not row.shared, [not cell.holds for cell in row.cells]


def _figures(node: Node) -> str:
    stated = ", ".join(words.format(node.number(prop)) for prop, words in _FIGURES.items() if prop in node.properties)
    return stated or "studied, without figures"


def _salience(knowledge: Knowledge, nodes: Sequence[Node]) -> str:
    """The salience in each phase, the weightiest first, tissue by tissue."""
    by_tissue: dict[str, list[str]] = {}
    for node in sorted(nodes, key=lambda node: (-_weight(knowledge, node), node.slug)):
        words = f"{knowledge.label(node.one('salience'))} in {_phases(knowledge, node)}"
        by_tissue.setdefault(node.one("impairedTissue"), []).append(words)
    return ". ".join((f"{knowledge.label(tissue)}: " if tissue else "") + "; ".join(words) for tissue, words in by_tissue.items())


def _weight(knowledge: Knowledge, profile: Node) -> float:
    return knowledge[profile.one("salience")].number("value")


def _occurrence(knowledge: Knowledge, nodes: Sequence[Node]) -> str:
    return "; ".join(
        _phases(knowledge, node) + "".join(f": {note}" for note in node.all("skos:scopeNote")) for node in nodes
    )


def _phases(knowledge: Knowledge, node: Node) -> str:
    """The phases of a statement, in the order of healing."""
    stated, order = node.all("inPhase"), list(phases_of(knowledge))
    return ", ".join(knowledge.label(phase) + (" phase" if phase == ANY_PHASE else "")
                     for phase in sorted(stated, key=lambda phase: order.index(phase) if phase in order else -1))  # fmt: skip


def _pathologies(knowledge: Knowledge, conditions: Sequence[str]) -> list[Row]:
    """Serious diseases that can look like one of the conditions, the most urgent first; what to ask is the note of the row."""
    found: dict[str, list[Node]] = {}
    for node in knowledge.of_class("RedFlagIndication"):
        if not {*node.all("mimics")}.isdisjoint(conditions):
            found.setdefault(node.one("pathology"), []).append(node)
    gravest = {slug: min((n.one("urgency").removeprefix("urgency-") for n in nodes), key=URGENCIES.index) for slug, nodes in found.items()}

    def told(nodes: Sequence[Node]) -> str:
        return knowledge.label("urgency-" + min((n.one("urgency").removeprefix("urgency-") for n in nodes), key=URGENCIES.index))

    rows = _ordered(
        Row("pathology", slug, knowledge.label(slug),
            tuple(_cell(told, [n for n in nodes if condition in n.all("mimics")]) for condition in conditions),
            " ".join(dict.fromkeys(n.one("question") for n in nodes if n.one("question"))))
        for slug, nodes in found.items()
    )  # fmt: skip
    return sorted(rows, key=lambda row: URGENCIES.index(gravest[row.slug]))


def _evidence(knowledge: Knowledge, conditions: Sequence[str]) -> Row:
    cells = []
    for condition in conditions:
        nodes = [node for node in knowledge.of_class("TreatmentEvidence") if condition in node.all("evidenceCondition")]
        sources = dict.fromkeys(source for node in nodes for source in node.all("dcterms:source"))
        text = f"{len(nodes)} statements of {len(sources)} sources about this very condition"
        cells.append(Cell(text, bool(nodes), tuple(node.slug for node in nodes), tuple(sources)))
    return Row("evidence", "", "Evidence on techniques", tuple(cells))


def _distinctions(knowledge: Knowledge, conditions: Sequence[str]) -> Iterator[Distinction]:
    place = {slug: index for index, slug in enumerate(conditions)}
    for node in knowledge.of_class("Resemblance"):
        alike = sorted(place.keys() & {*node.all("resemblanceOf")}, key=place.__getitem__)
        for first, second in combinations(alike, 2):
            yield Distinction((first, second), node.one("distinction"), node.slug, node.one("basis"), node.all("dcterms:source"))


# ---------------------------------------------------------------------------------------------------- techniques
def _techniques(answers: Sequence[Ranking]) -> list[Row]:
    """The best techniques of each condition, and where each stands in the others, withheld ones included."""
    best = [{entry.technique for entry in answer.recommended[:_BEST]} for answer in answers]
    entries = [{entry.technique: entry for entry in answer.recommended} for answer in answers]
    withheld = [{item.technique: item.because[0].label for item in answer.withheld} for answer in answers]
    chosen: Mapping[str, None] = dict.fromkeys(e.technique for answer in answers for e in answer.recommended[:_BEST])
    rows = [
        Row("technique", slug, answers[0].knowledge.label(slug),
            tuple(_standing(entries[i].get(slug), withheld[i].get(slug, ""), slug in best[i], len(entries[i]))
                  for i in range(len(answers))))
        for slug in chosen
    ]  # fmt: skip
    return _ordered(rows)


def _standing(entry: Entry | None, hazard: str, best: bool, count: int) -> Cell:
    if entry is None:
        return Cell(f"withheld: {hazard}" if hazard else "not ranked")
    score = entry.score
    speaking = [o for o in score.observations if o.successes + o.failures > 0]
    text = (f"{entry.rank} of {count}, {entry.class_.replace('-', ' ')}, score {score.mean:.2f} ({score.low:.2f} to {score.high:.2f}), "
            f"certainty {entry.certainty.level.replace('-', ' ')}")  # fmt: skip
    return Cell(text, best, tuple(o.statement for o in speaking), tuple(dict.fromkeys(o.source for o in speaking)))
