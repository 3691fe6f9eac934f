"""The graph in the formats of RDF: what is asserted, and what is inferred; in the order of the graph's file, which is sorted."""

import io

import pyoxigraph as ox

from kg.graph.knowledge import Knowledge
from kg.graph.serialize import write
from kg.graph.terms import ASSERTED, INFERRED


def files(knowledge: Knowledge) -> dict[str, bytes]:
    """File name -> content. `palpate.ttl`, `.jsonld` and `.owl` (RDF/XML, for Protégé) hold what is asserted."""
    quads: dict[str, list[ox.Quad]] = {ASSERTED: [], INFERRED: []}
    for quad in ox.parse(path=str(knowledge.path), format=ox.RdfFormat.N_QUADS):  # not from the store, which renames blank nodes
        quads[quad.graph_name.value].append(quad)
    asserted = [quad.triple for quad in quads[ASSERTED]]
    found = {f"palpate.{suffix}": _written(asserted, format) for suffix, format in (("ttl", "ttl"), ("jsonld", "jsonld"), ("owl", "rdf"))}
    for name, members in quads.items():
        found[f"palpate-{name.rpartition('/')[2]}.nq"] = "".join(f"{quad} .\n" for quad in members).encode()
    return found


def _written(triples: list[ox.Triple], extension: str) -> bytes:
    out = io.BytesIO()
    write(triples, out, extension)
    return out.getvalue()
