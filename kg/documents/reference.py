"""The ontology as a page to read: each class and property with its definition and its place, from the graph.

>>> from kg.graph.knowledge import load
>>> markdown(load()).splitlines()[0]
'## Classes'
"""

from collections.abc import Iterable

from kg.graph.knowledge import Knowledge, Node
from kg.graph.terms import OWL, PAL

_CHARACTERISTICS = {"FunctionalProperty": "functional", "TransitiveProperty": "transitive", "SymmetricProperty": "symmetric"}


def markdown(knowledge: Knowledge) -> str:
    """Classes, then object properties, then data properties, each by name, with an anchor `#name`."""
    parts = []
    for heading, kind in (("Classes", "Class"), ("Object properties", "ObjectProperty"), ("Data properties", "DatatypeProperty")):
        nodes = [node for node in knowledge.of_class(OWL + kind) if "://" not in node.slug]
        parts.append(f"## {heading}\n")
        parts += [_entry(knowledge, node) for node in sorted(nodes, key=lambda node: node.slug.casefold())]
    return "\n".join(parts)


def _entry(knowledge: Knowledge, node: Node) -> str:
    lines = [f'### <a id="{node.slug}"></a>{node.slug}', "", node.definition or "No definition.", ""]
    kinds = [word for name, word in _CHARACTERISTICS.items() if node.is_a(OWL + name)]
    facts = {
        "Label": node.label, "Kind": ", ".join(kinds), "Subclass of": _links(knowledge, node.all("rdfs:subClassOf"), node),
        "Subclasses": _links(knowledge, _whose(knowledge, "rdfs:subClassOf", node), node),
        "Subproperty of": _links(knowledge, node.all("rdfs:subPropertyOf"), node),
        "Domain": _links(knowledge, node.all("rdfs:domain"), node),
        "Range": _links(knowledge, node.all("rdfs:range"), node), "Inverse": _links(knowledge, node.all("owl:inverseOf"), node),
    }  # fmt: skip
    lines += [f"- {name}: {value}" for name, value in facts.items() if value]
    return "\n".join([*lines, f"- IRI: <{PAL}{node.slug}>", ""])


def _whose(knowledge: Knowledge, prop: str, node: Node) -> list[str]:
    return [other.slug for other in knowledge.of_class(OWL + "Class") if node.slug in other.all(prop)]


def _links(knowledge: Knowledge, names: Iterable[str], own: Node) -> str:
    return ", ".join(_link(knowledge, name) for name in sorted(names, key=str.casefold) if name != own.slug and not name.startswith(OWL))


def _link(knowledge: Knowledge, name: str) -> str:
    if "://" not in name and name in knowledge:
        return f"[{name}](#{name})"
    return f"`{name.rpartition('#')[2].rpartition('/')[2]}`"
