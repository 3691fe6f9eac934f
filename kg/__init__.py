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
    from collections.abc import Iterable

    from kg.graph.sparql import Table
    from kg.reasoning.rank import Engine, Ranking

__all__ = ["GraphError", "PalpateError", "TableError", "UnknownName", "load", "rank", "search", "sparql"]


@cache
def load() -> "Engine":
    """The query layer over the ontology's graph; built into the cache where it is not there yet.

    Raises:
        GraphError: where the ontology cannot be built.
    """
    from kg.graph.knowledge import load as load_knowledge
    from kg.reasoning.rank import Engine

    return Engine(load_knowledge())


def rank(condition: str, *, phase: str | None = None, irritability: str | None = None, hazards: "Iterable[str]" = (),
         red_flags: "Iterable[str]" = (), top: int | None = None) -> "Ranking":  # fmt: skip
    """Rank the techniques for a condition and a client; see `Engine.rank`.

    Raises:
        UnknownName: for any word that the graph does not hold.
    """
    engine = load()
    return engine.rank(condition, engine.client(phase, irritability, hazards, red_flags), top)


def search(text: str, limit: int = 10) -> list[Any]:
    """The entities whose names are likest to `text`; see `Names.search`."""
    return load().names.search(text, limit)


def sparql(query: str) -> "Table | bool":
    """The answer to a SPARQL query: a table (`rows`, `to_dict`, `to_frame`), or a truth value for ASK.

    Raises:
        PalpateError: where the query is malformed or cannot be run.
    """
    from kg.graph.sparql import run

    return run(load().knowledge, query)
