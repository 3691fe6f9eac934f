"""The query cases of the W3C's test suite of the SPARQL 1.1 Protocol (w3c/rdf-tests, sparql/sparql11/protocol), by their names.

Requests are as the suite has them, with graphs of our own. Its case `query_multiple_dataset` encodes an ampersand that it
means to separate two parameters; here it separates them. Updates must be refused: the graph does not change.
"""

from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg.reasoning.engine import Engine
from kg.serving.api import lifespan, protocol, routes
from kg.serving.sparql import Endpoint, Limits

ONE, TWO, THREE, NOWHERE = (f"http://example.org/data/{name}" for name in ("one", "two", "three", "nowhere"))
FORM, DIRECT = "application/x-www-form-urlencoded", "application/sparql-query"
BOTH = f"ASK {{ <{ONE}> a ?type . <{TWO}> a ?type }}"
APART = f"GRAPH ?g1 {{ <{ONE}> a ?type }} GRAPH ?g2 {{ <{TWO}> a ?type }}"


@pytest.fixture(scope="module")
def web(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An endpoint of three graphs, in each of which the document of its own name is said to be one."""
    graph = tmp_path_factory.mktemp("suite") / "graph.nq"
    document = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://xmlns.com/foaf/0.1/Document>"
    graph.write_text("".join(f"<{name}> {document} <{name}> .\n" for name in (ONE, TWO, THREE)))
    with pytest.MonkeyPatch.context() as patch, TestClient(Starlette(routes=routes(), lifespan=lifespan)) as client:
        own = Endpoint(graph, Limits(workers=1))
        patch.setattr(protocol, "_endpoint", own)
        yield client
        own.close()


def ask(web: TestClient, method: str = "POST", body: str = "", media: str | None = DIRECT, **parameters: str | list[str]) -> Any:
    named = {name.replace("_", "-"): value for name, value in parameters.items()}
    headers = {"content-type": media} if media else {}
    return web.request(method, "/sparql", params=named, content=body.encode() or None, headers=headers)


def get(web: TestClient, query: str, **parameters: str | list[str]) -> Any:
    return ask(web, "GET", "", None, query=query, **parameters)


def truth(response: Any) -> bool:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/sparql-results+json"
    return bool(response.json()["boolean"])


# ---------------------------------------------------------------------------------------------------- three ways to ask
def test_query_get(web: TestClient) -> None:
    assert truth(get(web, "ASK {}", default_graph_uri=NOWHERE))


def test_query_post_form(web: TestClient) -> None:
    """With the graph in the address, though the protocol's table has no parameters there."""
    assert truth(ask(web, body="query=ASK%20%7B%7D", media=FORM, default_graph_uri=NOWHERE))


def test_query_post_direct(web: TestClient) -> None:
    assert truth(ask(web, body="ASK {}"))


# ---------------------------------------------------------------------------------------------------- the dataset
def test_query_dataset_default_graphs_get(web: TestClient) -> None:
    assert truth(get(web, BOTH, default_graph_uri=[ONE, TWO]))
    assert not truth(get(web, BOTH, default_graph_uri=ONE))


def test_query_dataset_default_graphs_post(web: TestClient) -> None:
    assert truth(ask(web, body=BOTH, default_graph_uri=[ONE, TWO]))
    assert not truth(ask(web, body=BOTH, default_graph_uri=TWO))


def test_query_dataset_named_graphs_get(web: TestClient) -> None:
    assert truth(get(web, f"ASK {{ {APART} }}", named_graph_uri=[ONE, TWO]))
    assert not truth(get(web, f"ASK {{ {APART} }}", named_graph_uri=[ONE, THREE]))


def test_query_dataset_named_graphs_post(web: TestClient) -> None:
    assert truth(ask(web, body=f"ASK {{ {APART} }}", named_graph_uri=[ONE, TWO]))
    assert not truth(ask(web, body=f"ASK {{ {APART} }}", default_graph_uri=[ONE, TWO]))


def test_query_dataset_full(web: TestClient) -> None:
    query = f"ASK {{ <{THREE}> a ?type {APART} }}"
    assert truth(ask(web, body=query, default_graph_uri=THREE, named_graph_uri=[ONE, TWO]))
    assert not truth(ask(web, body=query, default_graph_uri=ONE, named_graph_uri=[THREE, TWO]))


def test_query_multiple_dataset(web: TestClient) -> None:
    query = f"ASK FROM <{THREE}> {{ {APART} }}"
    assert truth(ask(web, body=query, named_graph_uri=[ONE, TWO]))
    assert not truth(ask(web, body=query))


# ---------------------------------------------------------------------------------------------------- content types
def test_query_content_type_select(web: TestClient) -> None:
    response = ask(web, body="SELECT (1 AS ?value) {}", default_graph_uri=NOWHERE)
    found = ox.parse_query_results(response.content, format=ox.QueryResultsFormat.from_media_type(response.headers["content-type"]))
    assert isinstance(found, ox.QuerySolutions)
    assert [solution["value"].value for solution in found] == ["1"]


def test_query_content_type_ask(web: TestClient) -> None:
    assert truth(ask(web, body="ASK {}", default_graph_uri=NOWHERE))


@pytest.mark.parametrize(("query", "triples"), [("DESCRIBE <http://example.org/>", 0), ("CONSTRUCT { <s> <p> 1 } WHERE {}", 1)])
def test_query_content_type_describe_and_construct(web: TestClient, query: str, triples: int) -> None:
    response = ask(web, body=query, default_graph_uri=NOWHERE)
    assert response.status_code == 200
    assert len(list(ox.parse(response.content, format=ox.RdfFormat.from_media_type(response.headers["content-type"])))) == triples


# ---------------------------------------------------------------------------------------------------- what must be refused
UTF_16 = "\ufeffASK {}".encode("utf-16-be")


@pytest.mark.parametrize(("method", "parameters", "body", "media"), [
    pytest.param("PUT", {"query": "ASK {}", "default-graph-uri": NOWHERE}, b"", FORM, id="bad_query_method"),
    pytest.param("GET", {"query": ["ASK {}", "SELECT * {}"]}, b"", None, id="bad_multiple_queries"),
    pytest.param("POST", {}, b"ASK {}", "text/plain", id="bad_query_wrong_media_type"),
    pytest.param("POST", {}, b"query=ASK%20%7B%7D", None, id="bad_query_missing_form_type"),
    pytest.param("POST", {}, b"ASK {}", None, id="bad_query_missing_direct_type"),
    pytest.param("POST", {}, UTF_16, DIRECT + "; charset=UTF-16", id="bad_query_non_utf8"),
    pytest.param("POST", {}, UTF_16, DIRECT, id="bad_query_non_utf8_unsaid"),
    pytest.param("GET", {"query": "ASK {"}, b"", None, id="bad_query_syntax"),
    pytest.param("GET", {"update": "CLEAR ALL"}, b"", None, id="bad_update_get"),
    pytest.param("POST", {}, b"update=CLEAR%20NAMED&update=CLEAR%20DEFAULT", FORM, id="bad_multiple_updates"),
    pytest.param("POST", {}, b"CLEAR NAMED", "text/plain", id="bad_update_wrong_media_type"),
    pytest.param("POST", {}, b"update=CLEAR%20NAMED", None, id="bad_update_missing_form_type"),
    pytest.param("POST", {}, UTF_16, "application/sparql-update; charset=UTF-16", id="bad_update_non_utf8"),
    pytest.param("POST", {}, b"update=CLEAR%20XYZ", FORM, id="bad_update_syntax"),
    pytest.param("POST", {"using-named-graph-uri": "http://example.org/people"}, b"DELETE WHERE { ?s ?p ?o }",
                 "application/sparql-update", id="bad_update_dataset_conflict"),
])  # fmt: skip
def test_what_is_bad_is_4xx(web: TestClient, method: str, parameters: dict[str, Any], body: bytes, media: str | None) -> None:
    response = web.request(method, "/sparql", params=parameters, content=body or None, headers={"content-type": media} if media else {})
    assert response.status_code in range(400, 500)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("body", "media"), [(b"update=CLEAR+ALL", FORM), (b"CLEAR ALL", "application/sparql-update")])
def test_update_post_form_and_direct_are_refused(web: TestClient, body: bytes, media: str) -> None:
    assert web.post("/sparql", content=body, headers={"content-type": media}).status_code == 403
    assert truth(ask(web, body=BOTH))
