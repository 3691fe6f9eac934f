"""Linked data: an IRI leads to a page or to data, as the client likes; the ontology, and what the service says of itself.

    /id/SLUG              303 to the page of the explorer, or to the data
    /data/SLUG.ttl        what the graph says of it; also .jsonld, .nt, .rdf
    /ontology             the classes and properties; /ontology/VERSION too
    /.well-known/void     the description of the service, with statistics
    /sparql               the endpoint, which gives that description to who asks no query
"""

import io
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import kg
from kg.documents.reference import markdown
from kg.errors import UnknownName
from kg.graph import entity as entities
from kg.graph.serialize import PREFIXES, write
from kg.graph.terms import ASSERTED, INFERRED, ONTOLOGY_DIR
from kg.serving.api import protocol
from kg.serving.api.html import page
from kg.serving.api.operations import Operation, Parameter
from kg.serving.api.schema import STRING, Schema, array, documents, record
from kg.serving.api.shared import FRESH
from kg.serving.sparql import QueryError, describe
from kg.serving.sparql.media import GRAPHS, SHORT, TABLES, best

if TYPE_CHECKING:
    import pyoxigraph as ox

PAGES = {"Condition": "condition", "Technique": "technique", "AnatomicalStructure": "tissue", "Hazard": "hazard"}
"""Classes whose individuals have a page in the explorer, with its name."""
_EXTENSIONS = {"ttl": "text/turtle", "jsonld": "application/ld+json", "nt": "application/n-triples", "rdf": "application/rdf+xml"}
_DATA = list(_EXTENSIONS.values())


async def identified(request: Request) -> Response:
    """`GET /id/SLUG`"""
    slug, knowledge = request.state.arguments["entity"], kg.load().knowledge
    node = await run_in_threadpool(lambda: knowledge[entities.of(knowledge, slug).slug])
    page = next((f"/{name}?id={node.slug}" for cls, name in PAGES.items() if node.is_a(cls)), f"/api/entity/{node.slug}")
    media = best(request.headers.get("accept", ""), ["text/html", *_DATA, "application/json"])
    if media is None:
        raise QueryError(f"There are text/html, application/json, {', '.join(_DATA)}.", 406)
    extension = next((name for name, known in _EXTENSIONS.items() if known == media), None)
    target = f"/data/{node.slug}.{extension}" if extension else page if media == "text/html" else f"/api/entity/{node.slug}"
    return RedirectResponse(target, 303, {"Vary": "Accept", **FRESH})


async def data(request: Request) -> Response:
    """`GET /data/SLUG.EXTENSION`"""
    slug, _, extension = request.state.arguments["file"].rpartition(".")
    if extension not in _EXTENSIONS:
        raise UnknownName("file", request.state.arguments["file"], [f"{slug or extension}.{name}" for name in _EXTENSIONS])
    found = await run_in_threadpool(entities.triples, kg.load().knowledge, slug)
    return _written(found, _EXTENSIONS[extension], {"Link": f'</id/{slug}>; rel="describes"'})


async def ontology(request: Request) -> Response:
    """`GET /ontology` and `GET /ontology/VERSION`"""
    version = kg.load().knowledge.version.version
    asked = request.state.arguments.get("version", version)
    if asked != version:
        raise UnknownName("version", asked, [version])
    media = best(request.headers.get("accept", ""), [*GRAPHS, "text/html"])
    if media is None:
        raise QueryError(f"The ontology comes as text/html, {', '.join(GRAPHS)}.", 406)
    return await run_in_threadpool(_ontology, media)


def _ontology(media: str) -> Response:
    import pyoxigraph as ox

    if media == "text/html":
        knowledge = kg.load().knowledge
        title, body = knowledge["ontology"].one("dcterms:title"), MarkdownIt().enable("table").render(markdown(knowledge))
        return Response(page(title, f"<h1>{escape(title)}</h1>{body}"), 200, {"Vary": "Accept", **FRESH}, media)

    path = ONTOLOGY_DIR / "palpate.ttl"
    if GRAPHS[media] == "ttl":
        return Response(path.read_bytes(), 200, {"Vary": "Accept", **FRESH}, media)
    return _written((quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE)), media)


async def sparql(request: Request) -> Response:
    """`/sparql`: who asks no query is told what the service is (SPARQL 1.1 Service Description, 2)."""
    asks_nothing = request.method in ("GET", "HEAD") and not request.scope["query_string"]
    return await (description if asks_nothing else protocol.sparql)(request)


async def description(request: Request) -> Response:
    """`GET /.well-known/void`: the description of the service and its statistics, in a format of graphs."""
    media = best(request.headers.get("accept", ""), GRAPHS)
    if media is None:
        raise QueryError(f"The description comes as {', '.join(GRAPHS)}.", 406)
    endpoint = protocol.endpoint()
    found = await run_in_threadpool(describe.description, kg.load().knowledge, endpoint.limits, endpoint.services)
    return _written(found, media, prefixes=describe.DESCRIBED)


def _written(triples: "Iterable[ox.Triple]", media: str, headers: Mapping[str, str] | None = None,
             prefixes: Mapping[str, str] = PREFIXES) -> Response:  # fmt: skip
    out = io.BytesIO()
    write(triples, out, GRAPHS[media], prefixes)
    return Response(out.getvalue(), 200, {"Vary": "Accept", **FRESH, **(headers or {})}, media)


_GRAPH = documents(GRAPHS)
_ENTITY = (Parameter("entity", "The slug of an individual, class or property.", required=True),)

_NAMES: Schema = {"type": "string", "format": "iri", "examples": [ASSERTED, INFERRED, describe.SERVICE_GRAPH]}
_GRAPHS_ASKED = tuple(
    Parameter(f"{kind}-graph-uri", f"One of the {kind} graphs; may be repeated. One that is not here is empty.", _NAMES, repeated=True)
    for kind in ("default", "named")
)
_TIMEOUT = Parameter("timeout", "Seconds that the query may run.", {"type": "number", "minimum": protocol.LEAST_SECONDS})
_FORMATS: Schema = {"enum": list(SHORT)}
_FORMAT = Parameter("format", "A format, in the place of the Accept header; output and results say the same.", _FORMATS)
_ANSWERS = documents((*TABLES, *GRAPHS))
_FORM = record(("timeout", "format", "default-graph-uri", "named-graph-uri"), **{
    "query": STRING, "timeout": _TIMEOUT.schema, "format": _FORMATS, "default-graph-uri": array(_NAMES), "named-graph-uri": array(_NAMES),
})  # fmt: skip

OPERATIONS = (
    Operation("GET", "/sparql", "SPARQL 1.1 Protocol; without a query, the description of the service", handler=sparql,
              parameters=(Parameter("query", "A SPARQL 1.1 query."), *_GRAPHS_ASKED, _TIMEOUT, _FORMAT), answer=_ANSWERS, example="/sparql",
              open_parameters=True),
    Operation("POST", "/sparql", "SPARQL 1.1 Protocol, by a form or directly", handler=sparql,
              parameters=(*_GRAPHS_ASKED, _TIMEOUT, _FORMAT),
              body={"application/x-www-form-urlencoded": _FORM, "application/sparql-query": STRING}, answer=_ANSWERS, open_parameters=True),
    Operation("GET", "/id/{entity}", "Leads to the page or the data of an entity", handler=identified, parameters=_ENTITY,
              missing=("entity",), example="/id/{Condition}", answer={}, status=303),
    Operation("GET", "/data/{file}", "What the graph says of an entity", handler=data,
              parameters=(Parameter("file", "SLUG.ttl, SLUG.jsonld, SLUG.nt or SLUG.rdf.", required=True),), missing=("entity", "file"),
              example="/data/{Condition}.ttl", answer=documents(_DATA)),
    Operation("GET", "/ontology", "The classes and properties of the ontology", handler=ontology, answer={**_GRAPH, "text/html": STRING},
              example="/ontology"),
    Operation("GET", "/ontology/{version}", "The same, of the version that is served", handler=ontology,
              parameters=(Parameter("version", "The version of the ontology.", required=True),), missing=("version",), answer=_GRAPH),
    Operation("GET", "/.well-known/void", "What the service and its dataset are, with statistics", handler=description, answer=_GRAPH,
              example="/.well-known/void"),
)  # fmt: skip
