"""Everything that the graph says of one entity, in both directions, each statement asserted or inferred.

>>> from kg.graph.knowledge import load
>>> [statement.value for statement in of(load(), "plantar-fasciitis").outgoing if statement.property == "inRegion"]
['foot', 'leg-foot']
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.errors import UnknownName
from kg.graph.knowledge import Knowledge
from kg.graph.names import nearest
from kg.graph.terms import INFERRED, iri, slug

if TYPE_CHECKING:
    import pyoxigraph as ox


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its property, and the term at its other end.

    `value` is a slug or an IRI where `is_entity`, else the text of a literal with its `datatype` or `language`.
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
class Entity:
    """An individual, class or property: what is said of it (`outgoing`), and where it is the object (`incoming`)."""

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
    """All about a slug or an IRI of the namespace, sorted by property, then by value; blank nodes are left out.

    Raises:
        UnknownName: with the nearest slugs, where the graph has none of that name.
    """
    import pyoxigraph as ox

    known = slug(name)
    if known not in knowledge or "://" in known:
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
    waiting: list[ox.NamedNode | ox.BlankNode] = [node]
    seen = set(waiting)
    while waiting:
        for quad in store.quads_for_pattern(waiting.pop(), None, None, None):
            found.add(quad.triple)
            if isinstance(quad.object, ox.BlankNode) and quad.object not in seen:
                seen.add(quad.object)
                waiting.append(quad.object)
    return sorted(found, key=lambda t: (t.subject != node, str(t)))
