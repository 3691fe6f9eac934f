"""Which media types answers come in, and which of them an Accept header likes best (RFC 9110, 12.5.1).

>>> best("text/turtle;q=0.5, application/*", ["text/turtle", "application/n-triples"])
'application/n-triples'
"""

import re
from collections.abc import Iterable

TABLES = {
    "application/sparql-results+json": "srj", "application/json": "srj", "application/sparql-results+xml": "srx",
    "application/xml": "srx", "text/csv": "csv", "text/tab-separated-values": "tsv",
}  # fmt: skip
"""Media types of a table or a truth value, the preferred first, with the name of the format."""
GRAPHS = {
    "text/turtle": "ttl", "application/n-triples": "nt", "application/rdf+xml": "rdf", "application/ld+json": "jsonld",
    "application/trig": "trig", "application/n-quads": "nq", "application/xml": "rdf", "application/json": "jsonld",
}  # fmt: skip
"""Media types of a graph, the preferred first. The general names of XML and JSON stand for RDF/XML and JSON-LD."""
SHORT = {
    "json": "application/sparql-results+json, application/ld+json", "xml": "application/sparql-results+xml, application/rdf+xml",
    "csv": "text/csv", "tsv": "text/tab-separated-values", "turtle": "text/turtle", "ttl": "text/turtle", "n3": "text/turtle",
    "n-triples": "application/n-triples", "rdf": "application/rdf+xml", "rdf+xml": "application/rdf+xml",
    "json-ld": "application/ld+json", "trig": "application/trig", "n-quads": "application/n-quads",
}  # fmt: skip
"""Short names of formats, each with the Accept header for which it stands."""

_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def ranges(accept: str) -> list[tuple[str, float]]:
    """The media ranges of an Accept header, each with its quality, in their order; a malformed quality counts as 1."""
    found = []
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        if media:
            found.append((media, float(quality) if _QUALITY.fullmatch(quality) else 1.0))
    return found


def best(accept: str, offered: Iterable[str]) -> str | None:
    """The media type offered that a client likes best, or None where it likes none.

    The most specific range that fits a type says its quality. Among equals the one that the client names first wins,
    then the one that is offered first. An empty header accepts all.
    """
    asked = ranges(accept) or [("*/*", 1.0)]
    graded = []
    for index, media in enumerate(offered):
        family = media.partition("/")[0] + "/*"
        fits = [(level, -place, quality) for place, (name, quality) in enumerate(asked)
                for level, pattern in enumerate(("*/*", family, media)) if name == pattern]  # fmt: skip
        if fits and (quality := max(fits)[2]) > 0:
            level, place, _ = max(fits)
            graded.append((quality, place, level, -index, media))
    return max(graded)[-1] if graded else None
