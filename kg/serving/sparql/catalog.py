"""The stored queries of queries/: their questions, and their parameters, which take other values without any way to inject.

A line `VALUES ?technique { pal:cupping }  # parameter: technique` makes a parameter. What stands in its braces is replaced
by terms that are made of the given values: an individual that the graph holds, or a literal with all escapes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.graph.index import KINDS, Names
from kg.graph.knowledge import Knowledge
from kg.graph.names import nearest
from kg.graph.terms import PAL, iri

QUERIES_DIR = Path(__file__).resolve().parents[3] / "queries"

_HEADER = re.compile(r"^#\+ (\w+): (.+)$", re.MULTILINE)
_HEAD = re.compile(r"\A(?:#\+.*\n)+\n*")
_LINE = re.compile(r"(?P<head>VALUES\s+\(?[?\w\s]+?\)?\s*)\{(?P<rows>[^{}]*)\}(?=\s*# parameter: (?P<names>.+)$)", re.MULTILINE)
_TERM = re.compile(r'pal:([\w-]+)|"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, the values that it has by default, and whether it takes individuals or a text."""

    name: str
    default: tuple[str, ...]
    individual: bool

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "type": "individual" if self.individual else "text", "default": list(self.default)}


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """One file of queries/."""

    name: str
    text: str
    title: str
    question: str
    tags: tuple[str, ...]
    parameters: tuple[Parameter, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name, "title": self.title, "question": self.question, "tags": list(self.tags),
            "parameters": [parameter.to_dict() for parameter in self.parameters],
        }  # fmt: skip

    def bind(self, names: Names, knowledge: Knowledge, values: Mapping[str, Sequence[str]], prefixed: bool = False) -> str:
        """The text of the query with other values; what is not given keeps its default.

        Args:
            names: resolve the values.
            knowledge: holds the individuals that they name.
            values: those of each parameter.
            prefixed: whether individuals are written `pal:slug`, for people to read, not as IRIs.

        Raises:
            UnknownName: for a parameter, or an individual, that there is not.
            PalpateError: where several values are given and the parameters go together, or a text cannot be written.
        """
        known = [parameter.name for parameter in self.parameters]
        if unknown := sorted(set(values) - set(known)):
            raise UnknownName("parameter", unknown[0], nearest(unknown[0], known) or known)
        if not any(values.values()):
            return self.text
        together = len(self.parameters) > 1
        columns = []
        for parameter in self.parameters:
            given = values.get(parameter.name) or parameter.default
            if together and len(given) > 1:
                raise PalpateError(f"The parameter {parameter.name!r} may be given once.")
            columns.append([_term(names, knowledge, parameter, value, prefixed) for value in given])
        rows = [" ".join(row) for row in zip_longest(*columns)]
        inside = " ".join(f"({row})" if together else row for row in rows)
        return _LINE.sub(lambda found: f"{found['head']}{{ {inside} }}", self.text)


def _term(names: Names, knowledge: Knowledge, parameter: Parameter, value: str, prefixed: bool) -> str:
    import pyoxigraph as ox

    if parameter.individual:
        slug = _individual(names, knowledge, parameter, value)
        return f"pal:{slug}" if prefixed else str(ox.NamedNode(iri(slug)))
    try:
        return str(ox.Literal(value))
    except (UnicodeEncodeError, ValueError):
        raise PalpateError(f"The parameter {parameter.name!r} is not a text of Unicode characters.") from None


def _individual(names: Names, knowledge: Knowledge, parameter: Parameter, value: str) -> str:
    """The individual that a value names: of the same class as the default, by any of its names where that class has names."""
    default = next((knowledge[slug] for slug in parameter.default if slug in knowledge), None)
    types = set(default.all("rdf:type")) if default else set()
    if kind := next((cls for cls in KINDS if cls in types), None):
        return names.resolve(value, kind)
    wanted = value.strip().removeprefix(PAL).removeprefix("pal:")
    members = sorted({node.slug for cls in types if "://" not in cls for node in knowledge.of_class(cls)})
    if wanted not in members:
        raise UnknownName(parameter.name, value, nearest(value[:200], members))
    return wanted


def without_header(text: str) -> str:
    """The text of a query without the lines that say what it asks."""
    return _HEAD.sub("", text)


@cache
def catalog(folder: Path = QUERIES_DIR) -> Mapping[str, StoredQuery]:
    """All stored queries by name."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.rq"))}


def find(name: str) -> StoredQuery:
    """The stored query of that name.

    Raises:
        UnknownName: with the nearest.
    """
    stored = catalog().get(name)
    if stored is None:
        raise UnknownName("query", name, nearest(name[:200], catalog()))
    return stored


def _read(path: Path) -> StoredQuery:
    text = path.read_text(encoding="utf-8")
    header = dict(_HEADER.findall(text))
    found = _LINE.search(text)
    parameters: tuple[Parameter, ...] = ()
    if found:
        names = [name.strip().replace(" ", "-") for name in found["names"].split(",")]
        terms = _TERM.findall(found["rows"])
        columns: Iterable[Sequence[tuple[str, str]]] = [terms] if len(names) == 1 else [[term] for term in terms]
        parameters = tuple(
            Parameter(name, tuple(slug or literal for slug, literal in column), bool(column[0][0]))
            for name, column in zip(names, columns, strict=True)
        )
    return StoredQuery(path.stem, text, header["title"], header["summary"], tuple(re.findall(r"[\w-]+", header["tags"])), parameters)
