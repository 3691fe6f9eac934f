"""What the endpoint says of itself: SPARQL 1.1 Service Description, VoID statistics, and the examples in SHACL form.

All of it stands in a named graph of its own, `SERVICE_GRAPH`, so that query editors find it where they look: the examples
have the form of the SIB's (`sh:SPARQLExecutable`), which its editor offers.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cache

import pyoxigraph as ox

from kg.graph.knowledge import Knowledge
from kg.graph.serialize import PREFIXES
from kg.graph.terms import ASSERTED, DCTERMS, INFERRED, ONTOLOGY, PAL, RDF, RDFS
from kg.serving.sparql.catalog import catalog
from kg.serving.sparql.limits import Limits

SERVICE_GRAPH = PAL + "graph/service"
SD = "http://www.w3.org/ns/sparql-service-description#"
VOID = "http://rdfs.org/ns/void#"
SH = "http://www.w3.org/ns/shacl#"
SCHEMA = "https://schema.org/"
FORMATS = "http://www.w3.org/ns/formats/"
XSD = "http://www.w3.org/2001/XMLSchema#"
DESCRIBED = {**PREFIXES, "sd": SD, "void": VOID, "sh": SH, "schema": SCHEMA, "formats": FORMATS}
"""The prefixes with which a description is written."""

_RESULTS = ("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV", "Turtle", "N-Triples", "RDF_XML",
            "JSON-LD", "TriG", "N-Quads")  # fmt: skip
_LICENSE = "https://creativecommons.org/licenses/by/4.0/"

Term = ox.NamedNode | ox.Literal


def public_url() -> str:
    """The address at which the world reaches the server: `PALPATE_URL`, else the one that it listens at by default."""
    return os.environ.get("PALPATE_URL", "http://127.0.0.1:8501").rstrip("/")


def service(limits: Limits, services: Sequence[str] = ()) -> list[ox.Triple]:
    """The service description of the endpoint, with its limits in words, and the servers that SERVICE may ask."""
    url, federated = public_url(), f"for {', '.join(services)} only" if services else "refused"
    endpoint, dataset = f"{url}/sparql", PAL + "graph"
    text = (
        f"Limits: a query runs for {limits.seconds:g} seconds at most (less with timeout=), in {limits.memory // 2**20} MiB of memory; "
        f"an answer has {limits.bytes // 2**20} MiB at most; a query has {limits.query_length} characters at most; "
        f"{limits.queue} queries may wait or run; {limits.rate:g} requests a second from one address, over a minute (0: no limit). "
        "Past a limit the answer is an error, never a part of the rows. Updates are refused. "
        f"SERVICE is {federated}."
    )
    about = ox.NamedNode(endpoint)
    return [
        *_say(about, RDF + "type", SD + "Service"),
        *_say(about, SD + "endpoint", endpoint),
        *_say(about, SD + "supportedLanguage", SD + "SPARQL11Query"),
        *_say(about, SD + "feature", SD + "UnionDefaultGraph", *([SD + "BasicFederatedQuery"] if services else [])),
        *_say(about, SD + "resultFormat", *(FORMATS + name for name in _RESULTS)),
        *_say(about, SD + "defaultDataset", dataset),
        *_say(about, DCTERMS + "description", ox.Literal(text, language="en")),
        *_say(about, RDFS + "seeAlso", f"{url}/api/openapi.json", f"{url}/.well-known/void"),
        *_say(ox.NamedNode(dataset), RDF + "type", SD + "Dataset"),
        *_say(ox.NamedNode(dataset), SD + "defaultGraph", dataset + "/default"),
        *_say(ox.NamedNode(dataset + "/default"), RDF + "type", SD + "Graph"),
        *(triple for name in (ASSERTED, INFERRED, SERVICE_GRAPH) for triple in _named_graph(dataset, name)),
    ]


def _named_graph(dataset: str, name: str) -> Iterator[ox.Triple]:
    named = ox.NamedNode(name + "#named")
    yield from _say(ox.NamedNode(dataset), SD + "namedGraph", named.value)
    yield from _say(named, RDF + "type", SD + "NamedGraph")
    yield from _say(named, SD + "name", name)
    yield from _say(named, SD + "graph", name)
    yield from _say(ox.NamedNode(name), RDF + "type", SD + "Graph")


def statistics(knowledge: Knowledge) -> list[ox.Triple]:
    """VoID: what the dataset is, and how much of what it holds, as a whole and in each graph."""
    url, dataset = public_url(), ox.NamedNode(PAL + "graph")
    ontology = knowledge["ontology"]
    found = [
        *_say(dataset, RDF + "type", VOID + "Dataset"),
        *_say(dataset, DCTERMS + "title", ox.Literal(ontology.one("dcterms:title"), language="en")),
        *_say(dataset, DCTERMS + "description", ox.Literal(ontology.one("dcterms:description"), language="en")),
        *_say(dataset, DCTERMS + "license", _LICENSE),
        *_say(dataset, DCTERMS + "hasVersion", ox.Literal(knowledge.version.version)),
        *_say(dataset, DCTERMS + "identifier", ox.Literal(f"sha256:{knowledge.version.sha256}")),
        *_say(dataset, VOID + "sparqlEndpoint", f"{url}/sparql"),
        *_say(dataset, VOID + "uriSpace", ox.Literal(PAL)),
        *_say(dataset, VOID + "exampleResource", *(node.iri for node in knowledge.of_class("Condition")[:3])),
        *_say(dataset, VOID + "vocabulary", ONTOLOGY, "http://www.w3.org/2004/02/skos/core", DCTERMS),
        *_say(dataset, VOID + "subset", ASSERTED, INFERRED),
    ]
    for name, number in _counts(knowledge, (ASSERTED, INFERRED)).items():
        found += _say(dataset, VOID + name, _number(number))
    for graph in (ASSERTED, INFERRED):
        found += _say(ox.NamedNode(graph), RDF + "type", VOID + "Dataset")
        for name, number in _counts(knowledge, (graph,)).items():
            found += _say(ox.NamedNode(graph), VOID + name, _number(number))
    for kind, key, unit, pattern in (("classPartition", "class", "entities", "?n a ?part"),
                                     ("propertyPartition", "property", "triples", "?a ?part ?b")):  # fmt: skip
        counted = "COUNT(DISTINCT ?n)" if unit == "entities" else "COUNT(*)"
        query = f"SELECT ?part ({counted} AS ?count) {{ {pattern} FILTER(isIRI(?part)) }} GROUP BY ?part ORDER BY ?part"
        for part, count in knowledge.store.query(query, use_default_graph_as_union=True):  # type: ignore[union-attr]
            partition = ox.NamedNode(f"{dataset.value}/{key}/{part.value.removeprefix(PAL)}")
            found += _say(dataset, VOID + kind, partition.value)
            found += [*_say(partition, VOID + key, part.value), *_say(partition, VOID + unit, count)]
    return found


def _counts(knowledge: Knowledge, graphs: tuple[str, ...]) -> dict[str, int]:
    """How much the union of some graphs holds, by the name of the VoID property."""
    patterns = {
        "triples": ("COUNT(*)", "?s ?p ?o"), "distinctSubjects": ("COUNT(DISTINCT ?s)", "?s ?p ?o"),
        "distinctObjects": ("COUNT(DISTINCT ?o)", "?s ?p ?o"), "properties": ("COUNT(DISTINCT ?p)", "?s ?p ?o"),
        "classes": ("COUNT(DISTINCT ?o)", "?s a ?o"),
        "entities": ("COUNT(DISTINCT ?s)", f"?s a ?o FILTER(isIRI(?s) && STRSTARTS(STR(?s), '{PAL}'))"),
    }  # fmt: skip
    default: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] = [ox.NamedNode(graph) for graph in graphs]
    found = {}
    for name, (aggregate, pattern) in patterns.items():
        results = knowledge.store.query(f"SELECT ({aggregate} AS ?n) {{ {pattern} }}", default_graph=default)
        found[name] = int(next(iter(results))[0].value)  # type: ignore[arg-type]
    return found


def examples() -> list[ox.Triple]:
    """The stored queries in the form of the SIB's examples: executables of SHACL, with their question and prefixes."""
    endpoint, prefixes = f"{public_url()}/sparql", ox.NamedNode(PAL + "queries/prefixes")
    found = _say(prefixes, RDF + "type", "http://www.w3.org/2002/07/owl#Ontology")
    for prefix, namespace in PREFIXES.items():
        declared = ox.NamedNode(f"{prefixes.value}/{prefix}")
        found += _say(prefixes, SH + "declare", declared.value)
        found += _say(declared, SH + "prefix", ox.Literal(prefix))
        found += _say(declared, SH + "namespace", ox.Literal(namespace, datatype=ox.NamedNode(XSD + "anyURI")))
    for stored in catalog().values():
        example = ox.NamedNode(f"{PAL}queries/{stored.name}")
        found += [
            *_say(example, RDF + "type", SH + "SPARQLExecutable", SH + "SPARQLSelectExecutable"),
            *_say(example, RDFS + "label", ox.Literal(stored.title, language="en")),
            *_say(example, RDFS + "comment", ox.Literal(stored.question, language="en")),
            *_say(example, SH + "prefixes", prefixes.value),
            *_say(example, SH + "select", ox.Literal(_without_header(stored.text))),
            *_say(example, SCHEMA + "keywords", *(ox.Literal(tag) for tag in stored.tags)),
            *_say(example, SCHEMA + "target", endpoint),
        ]
    return found


def _without_header(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#+")).strip() + "\n"


def _say(subject: ox.NamedNode, predicate: str, *objects: str | Term) -> list[ox.Triple]:
    """Triples of one subject and property; a string is an IRI."""
    return [ox.Triple(subject, ox.NamedNode(predicate), ox.NamedNode(o) if isinstance(o, str) else o) for o in objects]


def _number(value: int) -> ox.Literal:
    return ox.Literal(str(value), datatype=ox.NamedNode(XSD + "integer"))


def description(knowledge: Knowledge, limits: Limits, services: Sequence[str] = ()) -> list[ox.Triple]:
    """Service description and statistics; the examples are asked for by a query."""
    return [*service(limits, services), *_statistics(knowledge)]


@cache
def _statistics(knowledge: Knowledge) -> list[ox.Triple]:
    return statistics(knowledge)


def as_quads(knowledge: Knowledge, limits: Limits, services: Sequence[str] = ()) -> bytes:
    """All of it as N-Quads, in the graph of the service."""
    graph = ox.NamedNode(SERVICE_GRAPH)
    quads = (ox.Quad(t.subject, t.predicate, t.object, graph) for t in [*description(knowledge, limits, services), *examples()])
    return ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""
