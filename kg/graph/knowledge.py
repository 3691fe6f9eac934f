"""The built graph in memory: every individual as a `Node`, and the store behind it for SPARQL.

`load()` reads the one N-Quads file of the cache, building it first where there is none. What it returns never changes.
Reading goes through plain dictionaries, so that ranking and safety need neither SPARQL nor rdflib.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import GraphError
from kg.graph.files import forget, index_of
from kg.graph.terms import DCTERMS, ONTOLOGY_DIR, PAL, RDF, RDFS, SKOS, iri, slug

if TYPE_CHECKING:
    import pyoxigraph as ox
    from rdflib import Graph as RdflibGraph

Value = str | int | float | bool
_PREFIXES = ((PAL, ""), (RDF, "rdf:"), (RDFS, "rdfs:"), (SKOS, "skos:"), (DCTERMS, "dcterms:"))
_XSD = "http://www.w3.org/2001/XMLSchema#"
_PARSERS: Mapping[str, Callable[[str], Value]] = {
    _XSD + "integer": int, _XSD + "decimal": float, _XSD + "double": float, _XSD + "boolean": "true".__eq__,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """Which graph an answer comes from: the ontology's version and the SHA-256 of its files."""

    version: str
    sha256: str

    def to_dict(self) -> dict[str, str]:
        return {"version": self.version, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Node:
    """One individual or class: its slug and what the graph says of it, asserted or inferred.

    Values are slugs (IRIs of other namespaces in full), strings, numbers or booleans; properties are named by their
    local name, those of other vocabularies with a prefix (`skos:altLabel`, `dcterms:source`).
    """

    slug: str
    properties: Mapping[str, Sequence[Value]]

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a property that are slugs or strings, sorted; none where it is not stated."""
        return tuple(self.properties.get(name, ()))  # type: ignore[arg-type]

    def one(self, name: str, default: str = "") -> str:
        """The first value of a property, else `default`."""
        values = self.properties.get(name)
        return values[0] if values else default  # type: ignore[return-value]

    def number(self, name: str, default: float | None = None) -> float:
        """The number that a property states.

        Raises:
            KeyError: where it states none and there is no default.
        """
        values = self.properties.get(name)
        if values:
            return float(values[0])
        if default is None:
            raise KeyError(f"{self.slug} has no {name}")
        return default

    @property
    def label(self) -> str:
        return self.one("skos:prefLabel", self.slug)

    @property
    def definition(self) -> str:
        return self.one("skos:definition")

    @property
    def iri(self) -> str:
        return iri(self.slug)

    def is_a(self, cls: str) -> bool:
        return cls in self.properties.get("rdf:type", ())


class Knowledge:
    """All nodes of one built graph.

    >>> knowledge = load()
    >>> knowledge["plantar-fasciitis"].label
    'Plantar fasciitis (plantar heel pain)'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._nodes = {name: Node(name, properties) for name, properties in _properties(path).items()}
        self.version = Version(self._nodes["ontology"].one("owl:versionInfo"), path.stem.partition("-")[0])

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def label(self, name: str) -> str:
        """The label of a slug; the slug itself where the graph does not know it."""
        node = self._nodes.get(name)
        return node.label if node else name

    @cached_property
    def _classes(self) -> dict[str, tuple[Node, ...]]:
        classes: dict[str, list[Node]] = {}
        for node in self._nodes.values():
            for cls in node.all("rdf:type"):
                classes.setdefault(cls, []).append(node)
        return {cls: tuple(members) for cls, members in classes.items()}

    def of_class(self, cls: str) -> tuple[Node, ...]:
        """The individuals of a class, in the order of their slugs."""
        return self._classes.get(cls, ())

    def words(self, cls: str) -> dict[str, str]:
        """The word for each individual of a small vocabulary, with its slug, in the order that the graph states.

        The word is the slug without what the class says already: `pressure-light` is "light" among `Pressure`,
        `prone-position` is "prone" among `BodyPosition`.
        """
        kind = re.sub(r".*(?=[A-Z])", "", cls).lower()
        members = sorted(self.of_class(cls), key=lambda node: (node.number("order", 0), node.slug))
        return {node.slug.removeprefix(f"{kind}-").removesuffix(f"-{kind}"): node.slug for node in members}

    def group(self, cls: str, *properties: str) -> dict[tuple[str, ...], list[Node]]:
        """The individuals of a class by what they state for these properties, each by its first value."""
        found: dict[tuple[str, ...], list[Node]] = {}
        for node in self.of_class(cls):
            found.setdefault(tuple(node.one(name) for name in properties), []).append(node)
        return found

    @cached_property
    def store(self) -> "ox.Store":
        """The Oxigraph store with the asserted and the inferred graph; loaded when first asked for."""
        import pyoxigraph as ox

        store = ox.Store()
        try:
            store.bulk_load(path=str(self.path), format=ox.RdfFormat.N_QUADS)
        except SyntaxError:
            raise _damaged(self.path) from None
        return store

    @cached_property
    def rdflib(self) -> "RdflibGraph":
        """The same store through rdflib: all triples, asserted and inferred, as one graph."""
        import rdflib
        from oxrdflib import OxigraphStore

        return rdflib.Dataset(store=OxigraphStore(store=self.store), default_union=True)


def load(ontology: Path = ONTOLOGY_DIR, progress: Callable[[str], None] = lambda step: None) -> Knowledge:
    """The graph of an ontology, from the cache, or built into it where it is not there.

    Raises:
        GraphError: where it must be built and cannot be.
    """
    from kg.graph.build import build, cached

    path = cached(ontology)
    if not path.exists():
        path = build(ontology, progress)
    try:
        return Knowledge(path)
    except (SyntaxError, UnicodeDecodeError, KeyError, AttributeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> GraphError:
    forget(path)
    return GraphError([f"The cached graph {path.name} was damaged and has been removed; run the command again."])


Properties = Mapping[str, Mapping[str, Sequence[Value]]]


def _properties(path: Path) -> Properties:
    """The properties of every node: from the index beside the graph, else read from the graph, which writes the index.

    Reading the N-Quads takes most of a second, the index a tenth; it holds nothing that the N-Quads do not.
    """
    index = index_of(path)
    try:
        return json.loads(index.read_bytes())  # type: ignore[no-any-return]
    except (OSError, ValueError):
        properties = _read(path)
    with suppress(OSError):  # a cache that cannot be written costs time, not answers
        scratch = index.with_name(f".{index.name}.{os.getpid()}")
        scratch.write_text(json.dumps(properties, separators=(",", ":")), encoding="utf-8")
        os.replace(scratch, index)
    return properties


def _read(path: Path) -> Properties:
    import pyoxigraph as ox

    properties: dict[str, dict[str, set[Value]]] = {}
    names: dict[str, str] = {}
    for quad in ox.parse(path=str(path), format=ox.RdfFormat.N_QUADS):
        subject, target = quad.subject, quad.object
        if not isinstance(subject, ox.NamedNode) or isinstance(target, ox.BlankNode):
            continue
        predicate = quad.predicate.value
        name = names.get(predicate)
        if name is None:
            name = names[predicate] = short_name(predicate)
        if isinstance(target, ox.NamedNode):
            value: Value = slug(target.value)
        else:
            parser = _PARSERS.get(target.datatype.value)
            value = parser(target.value) if parser else target.value
        properties.setdefault(slug(subject.value), {}).setdefault(name, set()).add(value)
    return {
        name: {prop: tuple(sorted(values, key=_order)) for prop, values in sorted(stated.items())}
        for name, stated in sorted(properties.items())
    }


def _order(value: Value) -> tuple[str, Any]:
    return type(value).__name__, value


def short_name(predicate: str) -> str:
    """The name by which `Node` knows a property."""
    for namespace, prefix in _PREFIXES:
        if predicate.startswith(namespace):
            return prefix + predicate[len(namespace) :]
    return "owl:" + predicate.partition("#")[2] if predicate.startswith("http://www.w3.org/2002/07/owl#") else predicate
