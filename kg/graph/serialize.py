"""Graphs as text, the same bytes each time.

>>> import io, pyoxigraph as ox
>>> out = io.BytesIO()
>>> write([ox.Triple(ox.NamedNode(PAL + "foot"), ox.NamedNode(RDF + "type"), ox.NamedNode(PAL + "BodyRegion"))], out, "ttl", {"pal": PAL})
>>> print(out.getvalue().decode(), end="")
@prefix pal: <https://w3id.org/palpate/> .
pal:foot a pal:BodyRegion .
"""

import io
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any

from kg.graph.terms import DCTERMS, OWL, PAL, RDF, RDFS, SKOS

if TYPE_CHECKING:
    import pyoxigraph as ox

PREFIXES = {
    "pal": PAL, "rdf": RDF, "rdfs": RDFS, "owl": OWL, "skos": SKOS, "dcterms": DCTERMS, "bibo": "http://purl.org/ontology/bibo/",
    "prov": "http://www.w3.org/ns/prov#", "xsd": "http://www.w3.org/2001/XMLSchema#",
}  # fmt: skip
"""The prefixes of the ontology's files, with which graphs are written."""


def write(triples: "Iterable[ox.Triple]", out: IO[bytes], extension: str, prefixes: Mapping[str, str] = PREFIXES) -> None:
    """Write triples, in their order, in the format of a file extension; Turtle and TriG begin with the prefixes, in theirs."""
    import pyoxigraph as ox

    short = extension in ("ttl", "trig")
    if short:  # Oxigraph writes them in another order each time, so its own are left out
        out.write("".join(f"@prefix {name}: <{namespace}> .\n" for name, namespace in prefixes.items()).encode())
    sink: Any = _Headless(out, len(prefixes)) if short else out
    ox.serialize(triples, sink, format=ox.RdfFormat.from_extension(extension), prefixes=dict(prefixes) if short else None)


class _Headless(io.RawIOBase):
    """Passes on what is written after the first lines."""

    def __init__(self, out: IO[bytes], lines: int) -> None:
        super().__init__()
        self._out, self._lines = out, lines

    def write(self, data: Any) -> int:
        rest = bytes(data)
        while self._lines and rest:
            _, end, rest = rest.partition(b"\n")
            self._lines -= bool(end)
        if rest:
            self._out.write(rest)
        return len(data)
