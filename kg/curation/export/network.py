"""Entities and the links between them, for tools of networks: KGX (nodes and edges, Biolink where it fits) and GraphML.

The graph itself says which class is which Biolink category and which property which predicate (`ontology/mappings/`);
what it does not say is a `biolink:NamedThing` that is `biolink:related_to` another.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyoxigraph as ox

from kg.graph.knowledge import Knowledge, Node
from kg.graph.terms import INFERRED, OWL, PAL, slug

BIOLINK = "https://w3id.org/biolink/vocab/"
_NODES = ("id", "category", "name", "description", "synonym", "xref", "iri", "type")
_EDGES = ("id", "subject", "predicate", "object", "relation", "knowledge_level", "agent_type", "primary_knowledge_source")
_MATCHES = ("skos:exactMatch", "skos:closeMatch")


def files(knowledge: Knowledge) -> dict[str, bytes]:
    """File name -> content."""
    nodes, edges = _nodes(knowledge), _edges(knowledge)
    return {
        "palpate_nodes.tsv": _tsv(_NODES, (_kgx_node(knowledge, node) for node in nodes)),
        "palpate_edges.tsv": _tsv(_EDGES, (_kgx_edge(knowledge, *edge) for edge in edges)),
        "palpate.graphml": _graphml(knowledge, nodes, edges),
    }


def _nodes(knowledge: Knowledge) -> list[Node]:
    """The individuals of the classes of the ontology."""
    classes = {node.slug for node in knowledge.of_class(OWL + "Class")}
    return [node for node in knowledge if "://" not in node.slug and classes & set(node.all("rdf:type"))]


def _edges(knowledge: Knowledge) -> list[tuple[str, str, str, bool]]:
    """(subject, property, object, inferred) of each link between two nodes, by slug, sorted."""
    nodes, links = {node.slug for node in _nodes(knowledge)}, {node.slug for node in knowledge.of_class(OWL + "ObjectProperty")}
    found = []
    for quad in knowledge.store:
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode):
            subject, link, target = slug(quad.subject.value), slug(quad.predicate.value), slug(quad.object.value)
            if link in links and subject in nodes and target in nodes:
                found.append((subject, link, target, quad.graph_name == ox.NamedNode(INFERRED)))
    return sorted(found)


def _biolink(knowledge: Knowledge, names: Iterable[str]) -> list[str]:
    matches = (match for name in names if name in knowledge for match in knowledge[name].all("skos:broadMatch"))
    return sorted({f"biolink:{match.removeprefix(BIOLINK)}" for match in matches if match.startswith(BIOLINK)})


def _kgx_node(knowledge: Knowledge, node: Node) -> Mapping[str, str]:
    types = [cls for cls in node.all("rdf:type") if "://" not in cls]
    return {
        "id": f"pal:{node.slug}", "category": "|".join(_biolink(knowledge, types) or ["biolink:NamedThing"]), "name": node.label,
        "description": node.definition, "synonym": "|".join(node.all("skos:altLabel")),
        "xref": "|".join(target for match in _MATCHES for target in node.all(match)), "iri": node.iri, "type": "|".join(types),
    }  # fmt: skip


def _kgx_edge(knowledge: Knowledge, subject: str, link: str, target: str, inferred: bool) -> Mapping[str, str]:
    relation = f"pal:{link}" if "://" not in link else link
    return {
        "id": f"{subject}/{link.rpartition('/')[2]}/{target}", "subject": f"pal:{subject}", "object": f"pal:{target}", "relation": relation,
        "predicate": (_biolink(knowledge, [link]) or ["biolink:related_to"])[0],
        "knowledge_level": "logical_entailment" if inferred else "knowledge_assertion",
        "agent_type": "automated_agent" if inferred else "manual_agent", "primary_knowledge_source": "infores:palpate",
    }  # fmt: skip


def _tsv(columns: Sequence[str], rows: Iterator[Mapping[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writeheader()
    writer.writerows({name: " ".join(value.split()) for name, value in row.items()} for row in rows)
    return out.getvalue().encode()


def _graphml(knowledge: Knowledge, nodes: list[Node], edges: list[tuple[str, str, str, bool]]) -> bytes:
    import networkx as nx

    graph: Any = nx.MultiDiGraph(name="Palpate", version=knowledge.version.version, sha256=knowledge.version.sha256)
    for node in nodes:
        types = [cls for cls in node.all("rdf:type") if "://" not in cls]
        graph.add_node(node.slug, label=node.label, type="|".join(types), iri=f"{PAL}{node.slug}")
    for subject, link, target, inferred in edges:
        graph.add_edge(subject, target, property=link, inferred=inferred)
    out = io.BytesIO()
    nx.write_graphml_xml(graph, out)
    return out.getvalue()
