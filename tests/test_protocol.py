"""SPARQL 1.1 Protocol (W3C Recommendation, 21 March 2013), query operation, clause by clause, and what HTTP asks beside it."""

import gzip
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg.graph.terms import ASSERTED, INFERRED
from kg.reasoning.engine import Engine
from kg.serving.api import Front, lifespan, protocol, routes
from kg.serving.sparql import QueryError
from kg.serving.sparql.media import TABLES, best

SELECT = "SELECT ?x { <https://w3id.org/palpate/plantar-fasciitis> a ?x } ORDER BY ?x"
ASK = "ASK { <https://w3id.org/palpate/plantar-fasciitis> a <https://w3id.org/palpate/Condition> }"
CONSTRUCT = "CONSTRUCT { ?s a <http://example.org/Seat> } WHERE { <https://w3id.org/palpate/plantar-fasciitis> a ?s }"
DESCRIBE = "DESCRIBE <https://w3id.org/palpate/plantar-fasciitis>"
CONDITION = "https://w3id.org/palpate/Condition"
COUNT = "SELECT (COUNT(*) AS ?n) {from_} WHERE {{ ?s ?p ?o }}"
DIRECT = {"content-type": "application/sparql-query"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def web(engine: Engine) -> Iterator[TestClient]:
    app = Starlette(routes=routes(), lifespan=lifespan)
    with TestClient(Front(app, protocol.rates)) as client:
        yield client


def get(web: TestClient, query: str, accept: str = "application/sparql-results+json", **more: Any) -> Any:
    return web.get("/sparql", params={"query": query, **more}, headers={"accept": accept})


def refused(response: Any, status: int) -> dict[str, Any]:
    """The problem details of a refused request."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    return dict(response.json())


def values(response: Any) -> list[str]:
    """The values of the first column of a table in JSON."""
    assert response.status_code == 200, response.text
    name = response.json()["head"]["vars"][0]
    return [row[name]["value"] for row in response.json()["results"]["bindings"]]


# ---------------------------------------------------------------------------------------------------- 2.1.1 query via GET
def test_2_1_1_a_query_by_get_in_the_query_string(web: TestClient) -> None:
    assert values(get(web, SELECT)) == [CONDITION]
    assert values(web.get(f"/sparql?query={quote(SELECT)}")) == [CONDITION]


def test_2_1_1_parameters_are_percent_encoded_utf_8(web: TestClient) -> None:
    query = "SELECT ?x { BIND('Gelenk – é %&+' AS ?x) }"
    assert values(web.get(f"/sparql?query={quote(query)}")) == ["Gelenk – é %&+"]


def test_2_1_1_a_query_string_that_is_not_utf_8_is_refused(web: TestClient) -> None:
    assert "UTF-8" in refused(web.get("/sparql?query=ASK%7B%7D%23%ff"), 400)["detail"]


# ---------------------------------------------------------------------------------------------------- 2.1.2, 2.1.3 query via POST
def test_2_1_2_a_query_by_post_of_a_form(web: TestClient) -> None:
    assert values(web.post("/sparql", data={"query": SELECT})) == [CONDITION]
    charset = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    assert values(web.post("/sparql", content=f"query={quote(SELECT)}", headers=charset)) == [CONDITION]


def test_2_1_2_the_graphs_stand_in_the_form(web: TestClient) -> None:
    form = {"query": COUNT.format(from_=""), "default-graph-uri": INFERRED}
    assert values(web.post("/sparql", data=form)) == values(get(web, COUNT.format(from_=f"FROM <{INFERRED}>")))


def test_2_1_3_a_query_by_direct_post(web: TestClient) -> None:
    assert values(web.post("/sparql", content=SELECT, headers=DIRECT)) == [CONDITION]
    charset = {"content-type": "Application/Sparql-Query;charset=utf-8"}
    assert values(web.post("/sparql", content=SELECT, headers=charset)) == [CONDITION]


def test_2_1_3_the_graphs_stand_in_the_address(web: TestClient) -> None:
    direct = web.post("/sparql", params={"default-graph-uri": INFERRED}, content=COUNT.format(from_=""), headers=DIRECT)
    assert values(direct) == values(get(web, COUNT.format(from_=f"FROM <{INFERRED}>")))


@pytest.mark.parametrize("media", ["text/plain", "application/json", "application/octet-stream", None])
def test_2_1_3_a_body_of_another_media_type_is_refused(web: TestClient, media: str | None) -> None:
    response = web.post("/sparql", content=SELECT.encode(), headers={"content-type": media} if media else {})
    refused(response, 415)
    assert "application/sparql-query" in response.headers["accept-post"]


@pytest.mark.parametrize(("body", "headers"), [
    (SELECT.encode("utf-16"), {"content-type": "application/sparql-query; charset=UTF-16"}), (b"ASK { } # \xff", DIRECT),
    (b"query=ASK%7B%7D%23%ff", FORM), (b"query=\xff", FORM),
])  # fmt: skip
def test_2_1_3_text_that_is_not_utf_8_is_refused(web: TestClient, body: bytes, headers: dict[str, str]) -> None:
    refused(web.post("/sparql", content=body, headers=headers), 400)


def test_2_1_3_a_compressed_body_is_refused(web: TestClient) -> None:
    response = web.post("/sparql", content=gzip.compress(SELECT.encode()), headers={**DIRECT, "content-encoding": "gzip"})
    refused(response, 415)
    assert response.headers["accept-encoding"] == "identity"


# ---------------------------------------------------------------------------------------------------- 2.1 exactly one query
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_2_1_exactly_one_query(web: TestClient, method: str) -> None:
    twice = {"params": {"query": [ASK, ASK]}} if method == "GET" else {"data": {"query": [ASK, ASK]}}
    assert refused(web.request(method, "/sparql", **twice), 400)["detail"] == "Give exactly one 'query'."  # type: ignore[arg-type]
    assert "exactly one" in refused(web.post("/sparql", params={"query": ASK}, data={"query": ASK}), 400)["detail"]
    assert "exactly one" in refused(web.post("/sparql", params={"query": ASK}, content=ASK, headers=DIRECT), 400)["detail"]
    assert "exactly one" in refused(web.post("/sparql", data={"timeout": "1"}), 400)["detail"]


# ---------------------------------------------------------------------------------------------------- 2.1.4 the RDF dataset
def count(web: TestClient, query: str = COUNT.format(from_=""), **graphs: str | list[str]) -> int:
    return int(values(get(web, query, **{name.replace("_", "-"): value for name, value in graphs.items()}))[0])


def test_2_1_4_without_graphs_the_default_is_the_union(web: TestClient) -> None:
    both = count(web, default_graph_uri=[ASSERTED, INFERRED])
    assert 0 < count(web, default_graph_uri=INFERRED) < count(web, default_graph_uri=ASSERTED) < both <= count(web)
    group = "ASK { ?x <https://w3id.org/palpate/inGroup> <https://w3id.org/palpate/deep-pressure> }"
    assert get(web, group).json()["boolean"] is True
    assert get(web, group, **{"default-graph-uri": ASSERTED}).json()["boolean"] is False


def test_2_1_4_from_in_the_query_names_the_graphs(web: TestClient) -> None:
    assert count(web, COUNT.format(from_=f"FROM <{ASSERTED}>")) == count(web, default_graph_uri=ASSERTED)
    named = f"SELECT DISTINCT ?g FROM NAMED <{INFERRED}> {{ GRAPH ?g {{ ?s ?p ?o }} }}"
    assert values(get(web, named)) == [INFERRED]


def test_2_1_4_graphs_of_the_request_replace_those_of_the_query(web: TestClient) -> None:
    asserted = COUNT.format(from_=f"FROM <{ASSERTED}>")
    assert count(web, asserted, default_graph_uri=INFERRED) == count(web, default_graph_uri=INFERRED)
    named = f"SELECT DISTINCT ?g FROM NAMED <{ASSERTED}> {{ GRAPH ?g {{ ?s ?p ?o }} }}"
    assert values(get(web, named, **{"named-graph-uri": INFERRED})) == [INFERRED]


def test_2_1_4_default_and_named_graphs_are_kept_apart(web: TestClient) -> None:
    graphs = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"
    assert values(get(web, graphs, **{"default-graph-uri": ASSERTED})) == []
    assert values(get(web, graphs, **{"named-graph-uri": [INFERRED, ASSERTED]})) == [ASSERTED, INFERRED]
    assert count(web, named_graph_uri=ASSERTED) == 0
    mixed = f"SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o FILTER NOT EXISTS {{ GRAPH <{INFERRED}> {{ ?s ?p ?o }} }} }}"
    assert count(web, mixed, default_graph_uri=ASSERTED, named_graph_uri=INFERRED) > 0


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
def test_2_1_4_a_graph_of_another_that_is_not_here_is_empty_as_with_from(web: TestClient, name: str) -> None:
    elsewhere = "http://example.org/elsewhere"
    assert count(web, **{name.replace("-", "_"): elsewhere}) == 0
    assert count(web, COUNT.format(from_=f"FROM <{elsewhere}>")) == 0
    assert values(get(web, "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", **{name: elsewhere})) == []
    assert count(web, default_graph_uri=[elsewhere, INFERRED]) == count(web, default_graph_uri=INFERRED)


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
def test_2_1_4_a_graph_of_ours_that_is_not_here_is_a_mistake(web: TestClient, name: str) -> None:
    assert ASSERTED in refused(get(web, ASK, **{name: ASSERTED + "x"}), 400)["detail"]
    for no_iri in ("", "graph/asserted", "http://a b", "<http://example.org/>"):
        assert f"{name} must be an absolute IRI" in refused(get(web, ASK, **{name: no_iri}), 400)["detail"]


# ---------------------------------------------------------------------------------------------------- 2.3 the base
def test_2_3_a_relative_iri_is_of_the_services_own_base(web: TestClient) -> None:
    assert values(get(web, "SELECT ?x { <plantar-fasciitis> a ?x } ORDER BY ?x")) == [CONDITION]
    assert values(get(web, "SELECT (<Condition> AS ?x) {}")) == [CONDITION]
    assert values(get(web, "BASE <http://example.org/a/> SELECT (<../b> AS ?x) {}")) == ["http://example.org/b"]
    assert count(web, COUNT.format(from_="FROM <graph/inferred>")) == count(web, default_graph_uri=INFERRED)


# ---------------------------------------------------------------------------------------------------- 2.1.5, 2.1.6 success
def first_value(text: str, media_type: str) -> str:
    """The one value of a table of one row and one column."""
    if media_type.endswith("json"):
        return str(json.loads(text)["results"]["bindings"][0]["x"]["value"])
    if media_type.endswith("xml"):
        return str(ElementTree.fromstring(text).findtext(".//{*}uri"))
    return text.splitlines()[1].strip("<>")


@pytest.mark.parametrize(("accept", "given"), [
    *((media, media) for media in TABLES), ("*/*", "application/sparql-results+json"), ("", "application/sparql-results+json"),
    ("text/html, text/csv;q=0.5, application/xml;q=0.1", "text/csv"), ("text/*", "text/csv"),
    ("text/*, text/csv;q=0", "text/tab-separated-values"),
    ("text/csv;q=0.2,application/sparql-results+xml;q=0.9", "application/sparql-results+xml"),
    ("*/*;q=0.1, text/tab-separated-values", "text/tab-separated-values"), ("text/turtle, text/csv;q=0.1", "text/csv"),
])  # fmt: skip
def test_2_1_5_a_table_comes_as_asked(web: TestClient, accept: str, given: str) -> None:
    response = get(web, SELECT, accept)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == given
    assert "Accept" in response.headers["vary"]
    assert first_value(response.text, given) == CONDITION


@pytest.mark.parametrize("media", ["application/sparql-results+json", "application/sparql-results+xml"])
def test_2_1_6_a_truth_value_comes_as_a_sparql_result(web: TestClient, media: str) -> None:
    response = get(web, ASK, media)
    assert response.headers["content-type"] == media
    assert ox.parse_query_results(response.content, format=ox.QueryResultsFormat.from_media_type(media))


RDF_TYPES = [
    "text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json", "application/trig", "application/n-quads",
]  # fmt: skip


@pytest.mark.parametrize("media", RDF_TYPES)
@pytest.mark.parametrize("query", [CONSTRUCT, DESCRIBE])
def test_2_1_6_a_graph_comes_as_asked(web: TestClient, media: str, query: str) -> None:
    response = get(web, query, media)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == media
    subjects = {quad.subject for quad in ox.parse(response.content, format=ox.RdfFormat.from_media_type(media))}
    assert subjects == {ox.NamedNode(CONDITION if query == CONSTRUCT else "https://w3id.org/palpate/plantar-fasciitis")}


def test_2_1_6_turtle_is_written_with_the_prefixes_of_the_ontology(web: TestClient) -> None:
    assert "pal:Condition a <http://example.org/Seat>" in get(web, CONSTRUCT, "text/turtle").text


@pytest.mark.parametrize(("query", "accept"), [
    (SELECT, "text/html"), (SELECT, "text/turtle"), (ASK, "application/n-quads"), (CONSTRUCT, "text/csv"), (CONSTRUCT, "*/*;q=0"),
])  # fmt: skip
def test_2_1_5_what_cannot_be_given_as_asked_is_406(web: TestClient, query: str, accept: str) -> None:
    assert "can be given" in refused(get(web, query, accept), 406)["detail"]


@pytest.mark.parametrize(("query", "name", "media"), [
    (SELECT, "json", "application/sparql-results+json"), (SELECT, "xml", "application/sparql-results+xml"), (SELECT, "csv", "text/csv"),
    (SELECT, "TSV", "text/tab-separated-values"), (SELECT, "text/csv", "text/csv"), (ASK, "json", "application/sparql-results+json"),
    (SELECT, "application/sparql-results xml", "application/sparql-results+xml"),  # its plus sign was not encoded
    (CONSTRUCT, "turtle", "text/turtle"), (CONSTRUCT, "ttl", "text/turtle"), (CONSTRUCT, "n3", "text/turtle"),
    (CONSTRUCT, "json", "application/ld+json"), (CONSTRUCT, "xml", "application/rdf+xml"), (CONSTRUCT, "rdf+xml", "application/rdf+xml"),
    (CONSTRUCT, "json-ld", "application/ld+json"), (CONSTRUCT, "n-triples", "application/n-triples"),
])  # fmt: skip
@pytest.mark.parametrize("parameter", ["format", "output", "results"])
def test_2_1_5_a_format_may_be_named_in_the_address(web: TestClient, query: str, name: str, media: str, parameter: str) -> None:
    response = get(web, query, "image/png", **{parameter: name})
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, media)


@pytest.mark.parametrize(("query", "named", "media"), [
    (SELECT, ["csv"], "text/csv"), (SELECT, ["tsv", "text/tab-separated-values"], "text/tab-separated-values"),
    (CONSTRUCT, ["json-ld", "application/ld+json,application/x-json+ld"], "application/ld+json"),
])  # fmt: skip
def test_2_1_5_a_format_is_named_as_sparqlwrapper_does(web: TestClient, query: str, named: list[str], media: str) -> None:
    assert get(web, query, format=named, output=named, results=named).headers["content-type"].partition(";")[0] == media


def test_2_1_5_a_format_that_there_is_not_is_refused(web: TestClient) -> None:
    assert "Did you mean: csv" in refused(get(web, SELECT, format="cvs"), 400)["detail"]
    assert "can be given" in refused(get(web, CONSTRUCT, format="csv"), 406)["detail"]
    assert get(web, SELECT, format="").headers["content-type"] == "application/sparql-results+json"


TERMS = """SELECT ?x ?literal { VALUES (?x ?literal) {
    (<http://example/x> "String") (<http://example/x> "with \\"quote\\"") (<http://example/x> "a,b") (UNDEF "Missing 'x'") (UNDEF UNDEF)
    (<http://example/x> UNDEF) ("tab\\tline\\nreturn\\rback\\\\slash"@en 123) (true 1.5) (false "2026-01-01"^^<http://www.w3.org/2001/XMLSchema#date>)
} }"""


def test_a_table_in_csv_is_as_its_recommendation_has_it(web: TestClient) -> None:
    """SPARQL 1.1 Query Results CSV and TSV Formats, 2 and 3."""
    response = get(web, TERMS, "text/csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.content.decode() == "\r\n".join([
        "x,literal", "http://example/x,String", 'http://example/x,"with ""quote"""', 'http://example/x,"a,b"', ",Missing 'x'", ",",
        "http://example/x,", '"tab\tline\nreturn\rback\\slash",123', "true,1.5", "false,2026-01-01", "",
    ])  # fmt: skip


def test_a_table_in_tsv_is_as_its_recommendation_has_it(web: TestClient) -> None:
    """SPARQL 1.1 Query Results CSV and TSV Formats, 2 and 4."""
    response = get(web, TERMS, "text/tab-separated-values")
    assert response.headers["content-type"] == "text/tab-separated-values; charset=utf-8"
    assert response.content.decode() == "\n".join([
        "?x\t?literal", '<http://example/x>\t"String"', '<http://example/x>\t"with \\"quote\\""', '<http://example/x>\t"a,b"',
        "\t\"Missing 'x'\"", "\t", "<http://example/x>\t", '"tab\\tline\\nreturn\\rback\\\\slash"@en\t123', "true\t1.5",
        'false\t"2026-01-01"^^<http://www.w3.org/2001/XMLSchema#date>', "",
    ])  # fmt: skip


SPACES = r"CONSTRUCT { <s> <p> ' a\n\r\t\u0085 ' } WHERE {}", r"SELECT (' a\n\r\t\u0085 ' AS ?x) {}"
CONTROL = [r"\u0000", r"\u0001", r"\u001F", r"\uFFFE", r"\uFFFF"]


@pytest.mark.parametrize(("query", "media", "path"), [
    (SPACES[0], "application/rdf+xml", ".//{*}p"), (SPACES[1], "application/sparql-results+xml", ".//{*}literal"),
])  # fmt: skip
def test_white_space_comes_through_xml_as_it_is(web: TestClient, query: str, media: str, path: str) -> None:
    assert ElementTree.fromstring(get(web, query, media).content).findtext(path) == " a\n\r\t\u0085 "


@pytest.mark.parametrize(("query", "media"), [
    *((f"SELECT ('{character}' AS ?x) {{}}", "application/sparql-results+xml") for character in CONTROL),
    *((f"CONSTRUCT {{ <s> <p> '{character}' }} WHERE {{}}", "application/rdf+xml") for character in CONTROL),
    *((f"CONSTRUCT {{ <s> <http://example.org/{end}> 1 }} WHERE {{}}", "application/rdf+xml") for end in ("", "1", "a#2", "a/-")),
])  # fmt: skip
def test_what_xml_cannot_hold_is_refused_and_comes_otherwise(web: TestClient, query: str, media: str) -> None:
    assert "cannot be written" in refused(get(web, query, media), 406)["detail"]
    assert get(web, query, f"{media};q=0, */*").status_code == 200


def test_a_blank_node_has_a_label_in_each_format(web: TestClient) -> None:
    for media in ("text/csv", "text/tab-separated-values"):
        assert get(web, "SELECT (BNODE() AS ?x) {}", media).text.splitlines()[1].startswith("_:")


RANGES = st.dictionaries(st.sampled_from([*TABLES, "*/*", "text/*", "application/*", "image/png"]), st.integers(0, 1000), min_size=1)


@given(RANGES)
def test_2_1_5_no_type_is_liked_better_than_the_one_given(wanted: dict[str, int]) -> None:
    def quality(media: str) -> int:
        return next((wanted[name] for name in (media, media.partition("/")[0] + "/*", "*/*") if name in wanted), 0)

    chosen = best(", ".join(f"{media};q={quality / 1000:.3f}" for media, quality in wanted.items()), TABLES)
    assert (quality(chosen) if chosen else 0) == max(map(quality, TABLES))
    assert chosen is None or quality(chosen) > 0


@given(st.text(max_size=60))
def test_2_1_5_any_accept_header_is_read(accept: str) -> None:
    assert best(accept, TABLES) in (None, *TABLES)


# ---------------------------------------------------------------------------------------------------- 2.1.7 failure
@pytest.mark.parametrize(("query", "line", "column"), [
    ("", 1, 1), ("SELEKT", 1, 7), ("SELECT * {\n ?s ?p }", 2, 9), ("SELECT * {\n\n ?s <http://a b> ?o}", 3, 17),
    ("SELECT * { ?s pal:x ?o }", 1, 20), ("ASK { BIND(1 AS ?x) BIND(2 AS ?x) }", 1, 36),
])  # fmt: skip
def test_2_1_7_a_malformed_query_is_400_with_line_and_column(web: TestClient, query: str, line: int, column: int) -> None:
    told = refused(get(web, query), 400)
    assert (told["line"], told["column"]) == (line, column)
    assert f"line {line}, column {column}" in told["detail"]
    assert "[" not in told["detail"]


@given(st.text(max_size=80))
def test_2_1_7_any_text_is_answered_or_refused(web: TestClient, query: str) -> None:
    assert get(web, "ASK {" + query, timeout="2").status_code in (200, 400, 503)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_2_1_another_method_is_405(web: TestClient, method: str) -> None:
    response = web.request(method, "/sparql", params={"query": ASK})
    refused(response, 405)
    assert response.headers["allow"] == "GET, POST, HEAD, OPTIONS"


def test_2_2_updates_are_refused(web: TestClient) -> None:
    for response in (
        web.post("/sparql", data={"update": "DROP ALL"}), web.get("/sparql", params={"update": "DROP ALL"}),
        web.get("/sparql", params={"query": ASK, "update": "DROP ALL"}),
        web.post("/sparql", content="DROP ALL", headers={"content-type": "application/sparql-update"}),
    ):  # fmt: skip
        assert refused(response, 403)["detail"] == "This endpoint answers queries only; the graph does not change."
    refused(get(web, "INSERT DATA { <http://a> <http://b> 1 }"), 400)
    refused(web.post("/sparql", content="CLEAR ALL", headers=DIRECT), 400)


def test_2_1_a_parameter_of_no_use_is_refused(web: TestClient) -> None:
    assert "'fromat'" in refused(get(web, ASK, fromat="json"), 400)["detail"]
    for timeout in ("soon", "0", "-1", "nan", "9" * 5000):
        assert get(web, ASK, timeout=timeout).status_code == (200 if timeout.isdigit() and int(timeout[:9]) else 400)


# ---------------------------------------------------------------------------------------------------- HTTP: HEAD, OPTIONS, CORS
def test_head_is_get_without_the_body(web: TestClient) -> None:
    head, whole = web.head("/sparql", params={"query": SELECT}), web.get("/sparql", params={"query": SELECT})
    assert (head.status_code, head.headers) == (200, whole.headers)


def test_a_browser_may_ask_from_any_site(web: TestClient) -> None:
    asked = {"origin": "https://yasgui.org", "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = web.options("/sparql", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]
    for response in (get(web, ASK), get(web, "nonsense"), web.put("/sparql"), web.get("/api/search", params={"text": "heel"})):
        assert response.headers["access-control-allow-origin"] == "*"


def test_options_tells_the_methods(web: TestClient) -> None:
    assert web.options("/sparql").headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert web.options("/api/rank").headers["allow"] == "GET, HEAD, OPTIONS"


# ---------------------------------------------------------------------------------------------------- forms
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=5), st.booleans())
def test_pairs_are_read_as_they_were_encoded(sent: list[tuple[str, str]], plus: bool) -> None:
    encoded = urlencode([(f"n{name}", value) for name, value in sent], quote_via=quote_plus if plus else quote, errors="replace")
    assert protocol.pairs(encoded.encode(), "form") == parse_qsl(encoded, keep_blank_values=True)


@given(st.text(alphabet="%&=+_ab09AfF\n\r\t é?", max_size=40))
def test_pairs_are_read_as_the_standard_library_reads_them(text: str) -> None:
    try:
        expected = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        with pytest.raises(QueryError, match="malformed"):
            protocol.pairs(text.encode(), "form")
    else:
        assert protocol.pairs(text.encode(), "form") == expected


def test_pairs_beyond_number_are_refused() -> None:
    assert len(protocol.pairs(b"a=1&" * 999 + b"a=1", "form")) == 1000
    with pytest.raises(QueryError, match="malformed"):
        protocol.pairs(b"a=1&" * 1000 + b"a=1", "form")


# ---------------------------------------------------------------------------------------------------- HTTP: caching, compression
def test_an_answer_that_the_client_holds_is_304(web: TestClient) -> None:
    first = get(web, SELECT)
    assert "max-age" in first.headers["cache-control"]
    tag = first.headers["etag"]
    for held in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = web.get("/sparql", params={"query": SELECT}, headers={"accept": "application/sparql-results+json", "if-none-match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert web.get("/sparql", params={"query": SELECT}, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_304_says_by_what_the_answer_varies(web: TestClient) -> None:
    for path in ("/sparql?query=ASK%7B%7D", "/sparql", "/data/foot.ttl", "/id/foot"):
        whole = web.get(path, follow_redirects=False)
        again = web.get(path, headers={"if-none-match": whole.headers.get("etag", "*")}, follow_redirects=False)
        assert again.status_code == (304 if whole.status_code == 200 else 303)
        assert again.headers["vary"] == whole.headers["vary"]


def test_a_post_is_answered_whatever_the_client_holds(web: TestClient) -> None:
    tag = get(web, SELECT).headers["etag"]
    response = web.post("/sparql", data={"query": SELECT}, headers={"if-none-match": tag})
    assert values(response) == [CONDITION]
    assert "etag" not in response.headers
    assert response.headers["cache-control"] == "no-store"


def test_an_entity_tag_is_of_query_graphs_and_format(web: TestClient) -> None:
    answers = [get(web, SELECT), get(web, SELECT, "text/csv"), get(web, SELECT + " "), get(web, SELECT, **{"default-graph-uri": ASSERTED})]
    tags = [answer.headers["etag"] for answer in answers]
    assert len(set(tags)) == 4
    assert get(web, SELECT).headers["etag"] == tags[0]


@pytest.mark.parametrize("call", ["RAND()", "NOW()", "UUID()", "STRUUID()", "rand ()", "RAND # of 1 (\n ()"])
def test_an_answer_that_may_differ_is_not_kept(web: TestClient, call: str) -> None:
    first, second = (get(web, f"SELECT ?x {{ BIND({call} AS ?x) }}") for _ in range(2))
    assert first.headers["cache-control"] == "no-store"
    assert values(first) != values(second)


def test_an_answer_given_again_is_the_same_to_the_byte(web: TestClient) -> None:
    again = {"query": SELECT + " # again"}
    asked = [("/sparql", again, "text/csv"), ("/api/search", {"text": "heel"}, "*/*"), ("/data/foot.ttl", {}, "*/*")]
    for path, params, accept in asked:
        first, second = (web.get(path, params=params, headers={"accept": accept}) for _ in range(2))
        assert (first.status_code, first.content, first.headers) == (200, second.content, second.headers)
    other = web.get("/sparql", params=again, headers={"accept": "application/sparql-results+xml"})
    assert other.headers["content-type"] == "application/sparql-results+xml"


def test_an_error_is_not_kept(web: TestClient) -> None:
    assert get(web, "nonsense").headers["cache-control"] == "no-store"
    response = web.get("/sparql", params={"query": "nonsense"}, headers={"if-none-match": "*"})
    assert response.status_code == 400


@pytest.mark.parametrize(("takes", "compressed"), [
    ("gzip", True), ("br, gzip;q=0.5", True), ("identity", False), ("gzip;q=0", False), ("", False),
])  # fmt: skip
def test_a_large_answer_is_compressed_for_who_takes_it(web: TestClient, takes: str, compressed: bool) -> None:
    asked = {"accept": "text/csv", "accept-encoding": takes}
    with web.stream("GET", "/sparql", params={"query": "SELECT * { ?s a ?type } LIMIT 500"}, headers=asked) as response:
        raw = b"".join(response.iter_raw())
    assert (response.headers.get("content-encoding") == "gzip") is compressed
    assert int(response.headers["content-length"]) == len(raw)
    assert "Accept-Encoding" in response.headers["vary"]
    assert len((gzip.decompress(raw) if compressed else raw).splitlines()) == 501
