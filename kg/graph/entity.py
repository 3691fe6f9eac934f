"""Everything that the graph says of one entity, in both directions, each statement asserted or inferred: as data, and as Turtle.

>>> from kg.graph.knowledge import load
>>> [statement.value for statement in of(load(), "plantar-fasciitis").outgoing if statement.property == "inRegion"]
['foot', 'leg-foot']
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.errors import UnknownName
from kg.graph.frame import Tabular
from kg.graph.knowledge import Knowledge
from kg.graph.names import nearest
from kg.graph.serialize import PREFIXES, write
from kg.graph.terms import ASSERTED, INFERRED, iri, slug

if TYPE_CHECKING:
    import pyoxigraph as ox


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its property, and the term at its other end.

    `property` is a slug, or the IRI of a property of another vocabulary. `value` is a slug or an IRI where `is_entity`, else
    the text of a literal with its `datatype` or `language`.
    """

    property: str
    value: str
    label: str
    is_entity: bool
    inferred: bool
    datatype: str | None = None
    language: str | None = None

    def to_dict(self) -> dict[str, Any]:
        term = {"id": self.value, "label": self.label} if self.is_entity else {"value": self.value, "datatype": self.datatype}
        return {"property": self.property, **term, **({"language": self.language} if self.language else {}), "inferred": self.inferred}


@dataclass(frozen=True, slots=True)
class Entity(Tabular):
    """An individual, class or property: what is said of it (`outgoing`), and where it is the object (`incoming`)."""

    PARTS = ("outgoing", "incoming")

    slug: str
    knowledge: Knowledge
    outgoing: tuple[Statement, ...]
    incoming: tuple[Statement, ...]

    def to_dict(self) -> dict[str, Any]:
        node = self.knowledge[self.slug]
        return {
            "graph": self.knowledge.version.to_dict(), "slug": self.slug, "iri": node.iri, "label": node.label,
            "definition": node.definition or None, "types": sorted(node.all("rdf:type")),
            "outgoing": [statement.to_dict() for statement in self.outgoing],
            "incoming": [statement.to_dict() for statement in self.incoming],
        }  # fmt: skip


def of(knowledge: Knowledge, name: str) -> Entity:
    """All about a slug or an IRI that the graph describes, sorted by property, then by value; blank nodes are left out.

    Raises:
        UnknownName: with the nearest slugs, where the graph has none of that name.
    """
    import pyoxigraph as ox

    known = slug(name)
    if known not in knowledge:
        raise UnknownName("entity", name, nearest(name[:100], (n.slug for n in knowledge if "skos:prefLabel" in n.properties)))
    node, store = ox.NamedNode(iri(known)), knowledge.store
    outgoing = (_statement(knowledge, quad, quad.object) for quad in store.quads_for_pattern(node, None, None, None))
    incoming = (_statement(knowledge, quad, quad.subject) for quad in store.quads_for_pattern(None, None, node, None))
    return Entity(known, knowledge, _ordered(outgoing), _ordered(incoming))


def _ordered(statements: Iterator[Statement | None]) -> tuple[Statement, ...]:
    return tuple(sorted(filter(None, statements), key=lambda s: (s.property, s.value, s.language or "")))


def _statement(knowledge: Knowledge, quad: "ox.Quad", term: Any) -> Statement | None:
    import pyoxigraph as ox

    name, inferred = slug(quad.predicate.value), getattr(quad.graph_name, "value", "") == INFERRED
    if isinstance(term, ox.NamedNode):
        return Statement(name, slug(term.value), knowledge.label(slug(term.value)), True, inferred)
    if isinstance(term, ox.Literal):
        return Statement(name, term.value, term.value, False, inferred, term.datatype.value, term.language)
    return None


def triples(knowledge: Knowledge, name: str) -> list["ox.Triple"]:
    """The triples about an entity, with those that it is the object of and the blank nodes that hang on it, sorted.

    Raises:
        UnknownName: where the graph has none of that name.
    """
    import pyoxigraph as ox

    store, node = knowledge.store, ox.NamedNode(iri(of(knowledge, name).slug))
    found = {quad.triple for quad in store.quads_for_pattern(None, None, node, None)}
    return sorted(found | _about(store, node), key=lambda t: (t.subject != node, str(t)))


def turtle(knowledge: Knowledge, name: str) -> str:
    """What the files say of an entity, then what follows from it, as Turtle.

    Raises:
        UnknownName: where the graph has none of that name.
    """
    import pyoxigraph as ox

    node = ox.NamedNode(iri(of(knowledge, name).slug))
    text = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items())
    for graph, heading in ((ASSERTED, "Stated"), (INFERRED, "Inferred")):
        found = ox.Dataset(ox.Quad(*triple) for triple in _about(knowledge.store, node, ox.NamedNode(graph)))
        found.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)  # blank nodes are named anew by each load of the store
        out = io.BytesIO()
        write(sorted((quad.triple for quad in found), key=str), out, "ttl")
        body = "".join(line for line in out.getvalue().decode().splitlines(keepends=True) if not line.startswith("@prefix"))
        text += f"\n# {heading}\n{body}" if body else ""
    return text


def _about(store: "ox.Store", node: "ox.NamedNode", graph: "ox.NamedNode | None" = None) -> set["ox.Triple"]:
    """The triples of a node, in one graph or in both, with those of the blank nodes to which they lead."""
    import pyoxigraph as ox

    found, seen = set[ox.Triple](), set[ox.NamedNode | ox.BlankNode]()
    waiting: list[ox.NamedNode | ox.BlankNode] = [node]
    while waiting:
        subject = waiting.pop()
        if subject in seen:
            continue
        seen.add(subject)
        for quad in store.quads_for_pattern(subject, None, None, graph):
            found.add(quad.triple)
            if isinstance(quad.object, ox.BlankNode):
                waiting.append(quad.object)
    return found
