"""All that the graph says of one individual or class, in both directions, as rows, as Turtle and as JSON.

>>> from kg.graph.knowledge import load
>>> about = describe(load(), "plantar-fasciitis")
>>> [fact.value for fact in about.facts if fact.property == "inRegion" and not fact.inferred]
['foot']
>>> "evidenceCondition" in {fact.property for fact in about.mentions}
True
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.errors import UnknownName
from kg.graph.knowledge import Knowledge, short_name
from kg.graph.names import nearest
from kg.graph.terms import ASSERTED, INFERRED, PAL, iri, slug

if TYPE_CHECKING:
    import pyoxigraph as ox

PREFIXES = {
    "pal": PAL, "skos": "http://www.w3.org/2004/02/skos/core#", "dcterms": "http://purl.org/dc/terms/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#", "owl": "http://www.w3.org/2002/07/owl#", "xsd": "http://www.w3.org/2001/XMLSchema#",
    "bibo": "http://purl.org/ontology/bibo/", "prov": "http://www.w3.org/ns/prov#",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One triple: slugs for this namespace, IRIs in full for others, text as it stands; `inferred` where no file states it."""

    subject: str
    property: str
    value: str
    linked: bool
    inferred: bool

    def to_dict(self) -> dict[str, Any]:
        return {"subject": iri(self.subject), "property": self.property, "value": iri(self.value) if self.linked else self.value,
                "inferred": self.inferred}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Description:
    """The facts of an entity, and those of others that mention it; each sorted by property, then value or subject."""

    slug: str
    label: str
    facts: tuple[Fact, ...]
    mentions: tuple[Fact, ...]
    graph: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        return {"iri": iri(self.slug), "label": self.label, "graph": self.graph, "facts": [fact.to_dict() for fact in self.facts],
                "mentioned_by": [fact.to_dict() for fact in self.mentions]}  # fmt: skip


def describe(knowledge: Knowledge, name: str) -> Description:
    """All facts about the individual or class with a slug.

    Raises:
        UnknownName: where the graph holds none.
    """
    node = _node(knowledge, name)
    quads = knowledge.store.quads_for_pattern
    facts = {_fact(quad) for quad in quads(node, None, None, None) if not _blank(quad.object)}
    mentions = {_fact(quad) for quad in quads(None, None, node, None) if not _blank(quad.subject)}
    return Description(
        name, knowledge.label(name),
        tuple(sorted(_stated(facts), key=lambda f: (f.property, f.inferred, f.value))),
        tuple(sorted(_stated(mentions), key=lambda f: (f.property, f.inferred, f.subject))),
        knowledge.version.to_dict(),
    )  # fmt: skip


def turtle(knowledge: Knowledge, name: str) -> str:
    """What the files say of an entity, then what follows from it, as Turtle.

    Raises:
        UnknownName: where the graph holds none.
    """
    import pyoxigraph as ox

    node = _node(knowledge, name)
    parts = []
    for graph, heading in ((ASSERTED, "Stated"), (INFERRED, "Inferred")):
        found = ox.Dataset(ox.Quad(*triple) for triple in _closure(knowledge.store, node, ox.NamedNode(graph)))
        found.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)  # blank nodes are named anew by each load of the store
        triples = sorted((quad.triple for quad in found), key=str)
        if triples:
            body = ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES)
            assert body is not None
            parts.append((heading, body.decode()))
    prefixes = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in sorted(PREFIXES.items()))
    return prefixes + "".join(f"\n# {heading}\n{_without_prefixes(text)}" for heading, text in parts)


def _without_prefixes(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("@prefix"))


def _node(knowledge: Knowledge, name: str) -> "ox.NamedNode":
    import pyoxigraph as ox

    if name not in knowledge:
        raise UnknownName("entity", name, nearest(name, (node.slug for node in knowledge)))
    return ox.NamedNode(iri(name))


def _closure(store: "ox.Store", node: "ox.NamedNode | ox.BlankNode", graph: "ox.NamedNode") -> "Iterable[ox.Triple]":
    """The triples of a node in one graph, with those of the blank nodes to which they lead."""
    for quad in store.quads_for_pattern(node, None, None, graph):
        yield quad.triple
        if _blank(quad.object):
            yield from _closure(store, quad.object, graph)  # type: ignore[arg-type]


def _blank(term: object) -> bool:
    import pyoxigraph as ox

    return isinstance(term, ox.BlankNode)


def _fact(quad: "ox.Quad") -> Fact:
    import pyoxigraph as ox

    linked = isinstance(quad.object, ox.NamedNode)
    value = slug(quad.object.value) if linked else quad.object.value  # type: ignore[union-attr]
    return Fact(slug(quad.subject.value), short_name(quad.predicate.value), value, linked, quad.graph_name.value == INFERRED)  # type: ignore[union-attr]


def _stated(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact once; what is stated is not told again as inferred."""
    facts = set(facts)
    said = {(f.subject, f.property, f.value) for f in facts if not f.inferred}
    return [f for f in facts if not f.inferred or (f.subject, f.property, f.value) not in said]
