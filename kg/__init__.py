"""Palpate's query layer: a knowledge graph of orthopedic massage that ranks techniques, and says why and what is unsafe.

>>> import kg
>>> answer = kg.rank("plantar fasciitis", phase="chronic", hazards=["warfarin"])
>>> answer.condition
'plantar-fasciitis'
>>> "deep-tissue-massage" in {w.technique for w in answer.withheld}
True
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from kg.errors import GraphError, PalpateError, TableError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from kg.graph.frame import Rows
    from kg.graph.index import Hit
    from kg.graph.sparql import Table
    from kg.reasoning.adapt import Advice
    from kg.reasoning.assess import Assessment
    from kg.reasoning.conditions import SideBySide
    from kg.reasoning.contrast import Comparison, Move
    from kg.reasoning.engine import Engine
    from kg.reasoning.intake import Intake
    from kg.reasoning.plan import Plan, Planner
    from kg.reasoning.rank import Ranking
    from kg.reasoning.screen import Screening

__all__ = [
    "GraphError", "PalpateError", "TableError", "UnknownName", "adapt", "assess", "compare", "compare_conditions", "intake", "load",
    "plan", "planner", "rank", "screen", "search", "sparql", "what_if",
]  # fmt: skip


@cache
def load() -> "Engine":
    """The query layer over the ontology's graph; built into the cache where it is not there yet.

    Raises:
        GraphError: where the ontology cannot be built.
    """
    from kg.graph.knowledge import load as load_knowledge
    from kg.reasoning.engine import Engine

    return Engine(load_knowledge())


def rank(condition: str, *, phase: str | None = None, irritability: str | None = None, hazards: "Iterable[str]" = (),
         red_flags: "Iterable[str]" = (), on: "date | str | None" = None, age: int | None = None, top: int | None = None,
         without: "Iterable[str]" = (), **preferences: Any) -> "Ranking":  # fmt: skip
    """Rank the techniques for a condition and a client; see `Engine.rank`, for preferences `Preferences.of`.

    A hazard may bear a date, `recent-surgery=2026-10-01`; then `on`, the date of the session, is needed too.

    Raises:
        UnknownName: for any word that the graph does not hold.
        PalpateError: for a date that cannot be used.
    """
    engine = load()
    client = engine.client(phase, irritability, hazards, red_flags, on, age)
    return engine.rank(condition, client, top, without=tuple(without), preferences=engine.preferences(**preferences))


def compare(condition: str, first: str, second: str, *, phase: str | None = None, irritability: str | None = None,
            hazards: "Iterable[str]" = ()) -> "Comparison":  # fmt: skip
    """What sets two techniques apart for a condition and a client, in numbers that add up and in words.

    Raises:
        UnknownName: for any word that the graph does not hold.
    """
    from kg.reasoning import contrast

    engine = load()
    return contrast.compare(engine, condition, first, second, engine.client(phase, irritability, hazards))


def compare_conditions(*conditions: str, phase: str | None = None, irritability: str | None = None, hazards: "Iterable[str]" = (),
                       red_flags: "Iterable[str]" = ()) -> "SideBySide":  # fmt: skip
    """Two to four conditions side by side: what each has, what they share, what tells them apart; see `kg.reasoning.conditions`.

    Raises:
        UnknownName: for any word that the graph does not hold.
        PalpateError: where they are not two to four different ones.
    """
    from kg.reasoning import conditions as side_by_side

    engine = load()
    return side_by_side.compare_conditions(engine, conditions, engine.client(phase, irritability, hazards, red_flags))


def what_if(condition: str, *, technique: str | None = None, phase: str | None = None, irritability: str | None = None,
            hazards: "Iterable[str]" = (), top: int = 10) -> "Rows[Move]":  # fmt: skip
    """Which single source, claim or relief moves the answer most if it is withdrawn.

    Raises:
        UnknownName: for any word that the graph does not hold.
    """
    from kg.graph.frame import Rows
    from kg.reasoning import contrast

    engine = load()
    return Rows(contrast.what_if(engine, condition, engine.client(phase, irritability, hazards), technique, top))


def adapt(hazards: "Iterable[str]" = (), *, condition: str | None = None, phase: str | None = None, red_flags: "Iterable[str]" = (),
          on: "date | str | None" = None) -> "Advice":  # fmt: skip
    """How treatment is changed for the hazards of a client, all together; see `Engine.adapt`.

    Raises:
        UnknownName: for any word that the graph does not hold.
        PalpateError: for a date that cannot be used, or where nothing was named.
    """
    engine = load()
    return engine.adapt(engine.client(phase, None, hazards, red_flags, on), condition)


def screen(complaint: str | None = None, *, region: str | None = None, age: int | None = None, sex: str | None = None,
           present: "Iterable[str]" = (), absent: "Iterable[str]" = ()) -> "Screening":  # fmt: skip
    """Screen a complaint for serious disease that could hide behind it; see `Engine.screen`.

    Raises:
        UnknownName: for any word that the graph does not hold.
    """
    return load().screen(complaint, region, age, sex, present, absent)


def assess(findings: "Iterable[str]" = (), *, absent: "Iterable[str]" = (), tests: "Mapping[str, str] | None" = None,
           region: str | None = None, age: int | None = None, sex: str | None = None) -> "Assessment":  # fmt: skip
    """What findings and tests are consistent with, behind a screening of the same answers; see `Engine.assess`.

    Raises:
        UnknownName: for any word that the graph does not hold.
    """
    return load().assess(findings, absent, tests, region, age, sex)


@cache
def planner() -> "Planner":
    """What plans and checks, over the graph of `load`."""
    from kg.reasoning.plan import Planner

    return Planner(load())


def plan(condition: str, *, phase: str | None = None, irritability: str | None = None, hazards: "Iterable[str]" = (),
         red_flags: "Iterable[str]" = (), on: "date | str | None" = None, age: int | None = None, sessions: int | None = None,
         minutes: float | None = None, baselines: "Mapping[str, float] | None" = None) -> "Plan":  # fmt: skip
    """Plan the treatment of a condition and a client over several sessions; see `Planner.plan`.

    Args:
        on: the date of the first session, which a dated hazard demands; what it forbids then stays forbidden in the whole plan.

    Raises:
        UnknownName: for any word that the graph does not hold.
        PalpateError: where a number is out of range.
    """
    engine = load()
    client = engine.client(phase, irritability, hazards, red_flags, on, age)
    return planner().plan(condition, client, sessions=sessions, minutes=minutes, baselines=baselines)


def search(text: str, limit: int = 10) -> "Rows[Hit]":
    """The entities whose names are likest to `text`; see `Names.search`."""
    from kg.graph.frame import Rows

    return Rows(load().names.search(text, limit))


@cache
def _reader() -> Any:
    from kg.reasoning.intake import Reader

    return Reader(load())


def intake(note: str) -> "Intake":
    """What a physician's note says, item by item, for a person to confirm; see `kg.reasoning.intake`.

    Args:
        note: free text, lines of ICD-10-CM codes, or a FHIR R4 Bundle or resource as JSON. It is kept nowhere.

    Raises:
        PalpateError: where the note is empty, no text, too long, or broken FHIR.
    """
    return _reader().read(note)  # type: ignore[no-any-return]


def sparql(query: str) -> "Table | bool":
    """The answer to a SPARQL query: a table (`rows`, `to_dict`, `to_frame`), or a truth value for ASK.

    Raises:
        PalpateError: where the query is malformed or cannot be run.
    """
    from kg.graph.sparql import run

    return run(load().knowledge, query)
