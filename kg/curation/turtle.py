"""One way to write Turtle: sorted, one statement a block, one object a line, so that a diff shows just what changed.

Comments survive only at the head of a file; what needs saying of a statement is said in the graph.
"""

import os
from pathlib import Path

from rdflib import Graph

from kg.errors import GraphError, syntax_fault
from kg.graph.terms import DCTERMS, ONTOLOGY_DIR, OWL, PAL, RDF, RDFS, SKOS

PREFIXES = {
    "pal": PAL, "owl": OWL, "rdf": RDF, "rdfs": RDFS, "skos": SKOS, "dcterms": DCTERMS,
    "xsd": "http://www.w3.org/2001/XMLSchema#", "sh": "http://www.w3.org/ns/shacl#",
    "prov": "http://www.w3.org/ns/prov#", "bibo": "http://purl.org/ontology/bibo/",
    "doi": "https://doi.org/", "pubmed": "https://pubmed.ncbi.nlm.nih.gov/", "pmc": "https://pmc.ncbi.nlm.nih.gov/articles/",
    "icd10cm": "http://purl.bioontology.org/ontology/ICD10CM/", "icd11": "http://id.who.int/icd/entity/",
    "mesh": "http://id.nlm.nih.gov/mesh/", "obo": "http://purl.obolibrary.org/obo/", "fma": "http://purl.org/sig/ont/fma/fma",
    "ncit": "http://purl.obolibrary.org/obo/NCIT_",
}  # fmt: skip


def new_graph() -> Graph:
    """An empty graph that knows the project's prefixes and no others."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    return graph


def read(path: Path) -> Graph:
    """Parse one file.

    Raises:
        GraphError: where the file is no Turtle, with file and line.
    """
    import pyoxigraph as ox

    try:  # Oxigraph's parser tells the line
        for _ in ox.parse(path=str(path)):
            pass
    except SyntaxError as error:
        raise GraphError([syntax_fault(shown(path), error)]) from None
    return new_graph().parse(path, format="turtle")


def shown(path: Path) -> str:
    """The path as a curator knows it, relative to the ontology's parent where it lies there."""
    root = ONTOLOGY_DIR.parent
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def header(text: str) -> str:
    """The comment lines at the head of a file."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def dump(graph: Graph, head: str = "") -> str:
    """The canonical text of a graph, behind the comment lines `head`."""
    text = graph.serialize(format="longturtle", canon=True)
    return head + "\n".join(line.rstrip(" ") for line in text.strip().split("\n")) + "\n"


def write_atomically(path: Path, text: str) -> None:
    """Replace a file as a whole: whoever reads sees the old text or the new."""
    scratch = path.with_name(path.name + ".new")
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, path)


def canonical(path: Path) -> str:
    """The canonical text of the file at `path`."""
    return dump(read(path), header(path.read_text(encoding="utf-8")))
