"""Linked data, the description of the service, stored queries, entities, and the OpenAPI document of it all."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg.errors import PalpateError, UnknownName
from kg.graph import entity as entities
from kg.graph.terms import ASSERTED, INFERRED, ONTOLOGY, PAL, RDF
from kg.reasoning.engine import Engine
from kg.serving.api import lifespan, operations, protocol, routes
from kg.serving.sparql import Limits, describe
from kg.serving.sparql.catalog import catalog, find
from kg.serving.sparql.media import GRAPHS

EDITOR = """PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX spex: <https://purl.expasy.org/sparql-examples/ontology#>
SELECT DISTINCT ?sq ?comment ?query WHERE {
  ?sq a sh:SPARQLExecutable ; rdfs:comment ?comment ; sh:select|sh:ask|sh:construct|spex:describe ?query . } ORDER BY ?sq"""


@pytest.fixture(scope="module")
def web(engine: Engine) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(), lifespan=lifespan), follow_redirects=False) as client:
        yield client


def refused(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return dict(response.json())


# ---------------------------------------------------------------------------------------------------- description of the service
@pytest.mark.parametrize("media", list(dict.fromkeys(m for m in GRAPHS if m not in ("application/xml", "application/json"))))
@pytest.mark.parametrize("path", ["/sparql", "/.well-known/void"])
def test_the_service_describes_itself_in_each_format(web: TestClient, path: str, media: str) -> None:
    response = web.get(path, headers={"accept": media})
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, media)
    quads = ox.parse(response.content, format=ox.RdfFormat.from_media_type(media))
    found = {(quad.predicate.value, getattr(quad.object, "value", "")) for quad in quads}
    assert (describe.SD + "supportedLanguage", describe.SD + "SPARQL11Query") in found
    assert (describe.SD + "feature", describe.SD + "UnionDefaultGraph") in found
    assert {name for predicate, name in found if predicate == describe.SD + "name"} == {ASSERTED, INFERRED, describe.SERVICE_GRAPH}


def test_servers_that_service_may_ask_stand_in_the_description() -> None:
    federated, text = describe.SD + "BasicFederatedQuery", "https://a.org/sparql, https://b.org/sparql"
    closed, opened = (str(describe.service(Limits(), services)) for services in ((), tuple(text.split(", "))))
    assert federated not in closed
    assert "SERVICE is refused." in closed
    assert federated in opened
    assert f"SERVICE is for {text} only." in opened


def test_the_limits_stand_in_the_description(web: TestClient) -> None:
    text = web.get("/sparql").text
    limits = Limits()
    for words in (f"{limits.seconds:g} seconds", f"{limits.bytes // 2**20} MiB", f"{limits.query_length} characters",
                  f"{limits.queue} queries"):  # fmt: skip
        assert words in text


def test_a_description_in_no_format_of_graphs_is_406(web: TestClient) -> None:
    refused(web.get("/sparql", headers={"accept": "text/html"}), 406)
    refused(web.get("/.well-known/void", headers={"accept": "image/png"}), 406)


def test_the_statistics_are_right(engine: Engine) -> None:
    """Against a count by hand over the file of the graph, which shares nothing with the store's aggregates."""
    quads = list(ox.parse(path=str(engine.knowledge.path), format=ox.RdfFormat.N_QUADS))
    told = Graph().parse(data=ox.serialize(describe.statistics(engine.knowledge), format=ox.RdfFormat.N_TRIPLES), format="nt")
    void = "PREFIX void: <http://rdfs.org/ns/void#> "
    for dataset, graphs in ((PAL + "graph", {ASSERTED, INFERRED}), (ASSERTED, {ASSERTED}), (INFERRED, {INFERRED})):
        triples = {q.triple for q in quads if q.graph_name.value in graphs}  # type: ignore[union-attr]
        typed = {t for t in triples if t.predicate.value == RDF + "type"}
        counts = {
            "triples": len(triples), "distinctSubjects": len({t.subject for t in triples}),
            "distinctObjects": len({t.object for t in triples}),
            "properties": len({t.predicate for t in triples}), "classes": len({t.object for t in typed}),
            "entities": len({t.subject for t in typed if isinstance(t.subject, ox.NamedNode) and t.subject.value.startswith(PAL)}),
        }  # fmt: skip
        for name, number in counts.items():
            assert [int(row[0]) for row in told.query(void + f"SELECT ?n {{ <{dataset}> void:{name} ?n }}")] == [number], (dataset, name)  # type: ignore[index]
    triples = {q.triple for q in quads}
    partitions = dict(told.query(void + "SELECT ?p ?n { ?x void:property ?p ; void:triples ?n }"))  # type: ignore[arg-type]
    assert {str(p): int(n) for p, n in partitions.items()} == _counted(t.predicate.value for t in triples)
    classes = dict(told.query(void + "SELECT ?c ?n { ?x void:class ?c ; void:entities ?n }"))  # type: ignore[arg-type]
    typed_as = ((t.subject, t.object.value) for t in triples if t.predicate.value == RDF + "type" and isinstance(t.object, ox.NamedNode))
    assert {str(c): int(n) for c, n in classes.items()} == _counted(cls for _, cls in set(typed_as))


def _counted(names: Iterator[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def test_an_editor_finds_the_examples_and_each_of_them_runs(web: TestClient) -> None:
    rows = web.get("/sparql", params={"query": EDITOR}).json()["results"]["bindings"]
    assert [row["sq"]["value"] for row in rows] == [f"{PAL}queries/{name}" for name in catalog()]
    assert [row["comment"]["value"] for row in rows] == [stored.question for stored in catalog().values()]
    for row in rows[::8]:
        assert web.get("/sparql", params={"query": row["query"]["value"]}).status_code == 200


# ---------------------------------------------------------------------------------------------------- /id, /data, /ontology
@pytest.mark.parametrize(("accept", "target"), [
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "/condition?id=plantar-fasciitis"),
    ("", "/condition?id=plantar-fasciitis"),
    ("text/turtle", "/data/plantar-fasciitis.ttl"), ("application/ld+json", "/data/plantar-fasciitis.jsonld"),
    ("application/n-triples, text/html;q=0.2", "/data/plantar-fasciitis.nt"), ("application/rdf+xml", "/data/plantar-fasciitis.rdf"),
    ("application/json", "/api/entity/plantar-fasciitis"),
])  # fmt: skip
def test_an_iri_leads_to_page_or_data_by_303(web: TestClient, accept: str, target: str) -> None:
    response = web.get("/id/plantar-fasciitis", headers={"accept": accept})
    assert (response.status_code, response.headers["location"]) == (303, target)
    assert "Accept" in response.headers["vary"]
    if not target.startswith("/condition"):
        assert web.get(target).status_code == 200


def test_each_kind_of_page_is_led_to(web: TestClient, engine: Engine) -> None:
    for cls, page in (("Technique", "technique"), ("Muscle", "tissue"), ("Hazard", "hazard")):
        slug = engine.knowledge.of_class(cls)[0].slug
        assert web.get(f"/id/{slug}", headers={"accept": "text/html"}).headers["location"] == f"/{page}?id={slug}"
    effect = engine.knowledge.of_class("PhysiologicalEffect")[0].slug
    assert web.get(f"/id/{effect}", headers={"accept": "text/html"}).headers["location"] == f"/api/entity/{effect}"


def test_an_unknown_iri_is_404_with_the_nearest(web: TestClient) -> None:
    for path in ("/id/plantar-facitis", "/data/plantar-facitis.ttl", "/api/entity/plantar-facitis"):
        assert "plantar-fasciitis" in refused(web.get(path), 404)["nearest"]
    assert "plantar-fasciitis.ttl" in refused(web.get("/data/plantar-fasciitis.xls"), 404)["nearest"]
    refused(web.get("/id/plantar-fasciitis", headers={"accept": "image/png"}), 406)


@pytest.mark.parametrize("extension", ["ttl", "jsonld", "nt", "rdf"])
def test_the_data_are_what_the_graph_says(web: TestClient, engine: Engine, extension: str) -> None:
    response = web.get(f"/data/plantar-fasciitis.{extension}")
    format = ox.RdfFormat.from_extension(extension)
    assert format
    assert response.headers["content-type"].partition(";")[0] == format.media_type
    node, store = ox.NamedNode(PAL + "plantar-fasciitis"), engine.knowledge.store
    expected = {q.triple for pattern in ((node, None, None), (None, None, node)) for q in store.quads_for_pattern(*pattern, None)}
    assert {quad.triple for quad in ox.parse(response.content, format=format)} == expected


def test_data_bear_the_blank_nodes_that_hang_on_them(web: TestClient) -> None:
    found = Graph().parse(data=web.get("/data/DeepPressureTechnique.ttl").text)
    query = "ASK { pal:DeepPressureTechnique owl:equivalentClass ?node . ?node ?any* ?list . ?list rdf:first ?x }"
    assert found.query(query.replace("?any*", "(!rdf:first)*"), initNs={"pal": PAL, "owl": "http://www.w3.org/2002/07/owl#"}).askAnswer


def test_the_ontology_bears_its_version(web: TestClient, engine: Engine) -> None:
    response = web.get("/ontology", headers={"accept": "application/rdf+xml"})
    found = Graph().parse(data=response.text, format="xml")
    version = f"{ONTOLOGY}/{engine.knowledge.version.version}"
    query = f"ASK {{ <{ONTOLOGY}> a owl:Ontology ; owl:versionIRI <{version}> }}"
    assert found.query(query).askAnswer
    assert web.get(version.removeprefix(PAL.rstrip("/")), headers={"accept": "text/turtle"}).text == web.get("/ontology").text
    assert refused(web.get("/ontology/9.9.9"), 404)["nearest"] == [engine.knowledge.version.version]


def test_the_ontology_is_a_page_too(web: TestClient) -> None:
    response = web.get("/ontology", headers={"accept": "text/html,*/*;q=0.8"})
    assert response.headers["content-type"].startswith("text/html")
    assert '<a id="Condition"></a>' in response.text
    assert 'href="#SoftTissue"' in response.text
    assert not re.search(r"<script|(?:src)=", response.text)


# ---------------------------------------------------------------------------------------------------- /api/entity
def test_an_entity_is_all_that_is_said_in_both_directions(web: TestClient, engine: Engine) -> None:
    found = web.get("/api/entity/plantar-fasciitis").json()
    assert (found["iri"], found["types"]) == (PAL + "plantar-fasciitis", ["Condition"])
    node, store = ox.NamedNode(PAL + "plantar-fasciitis"), engine.knowledge.store
    assert len(found["outgoing"]) == len(list(store.quads_for_pattern(node, None, None, None)))
    assert len(found["incoming"]) == len(list(store.quads_for_pattern(None, None, node, None)))
    assert {"property": "inRegion", "id": "foot", "label": engine.knowledge.label("foot"), "inferred": False} in found["outgoing"]
    assert any(s["property"] == "evidenceCondition" for s in found["incoming"])
    assert {s["inferred"] for s in found["outgoing"]} == {True, False}


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_name_is_an_entity_or_an_error(engine: Engine, name: str) -> None:
    with contextlib.suppress(UnknownName):
        assert entities.of(engine.knowledge, name).slug in engine.knowledge


# ---------------------------------------------------------------------------------------------------- /api/queries
def test_the_stored_queries_are_listed(web: TestClient) -> None:
    listed = web.get("/api/queries").json()["queries"]
    assert [query["name"] for query in listed] == list(catalog())
    tests = next(query for query in listed if query["name"] == "tests-for-condition")
    assert tests["parameters"] == [{"name": "condition", "type": "individual", "default": ["carpal-tunnel-syndrome"]}]


@pytest.mark.parametrize("name", list(catalog())[::6])
def test_a_stored_query_is_answered(web: TestClient, name: str) -> None:
    direct = web.get("/sparql", params={"query": find(name).text}, headers={"accept": "text/csv"})
    assert web.get(f"/api/queries/{name}", headers={"accept": "text/csv"}).text == direct.text


def test_a_parameter_takes_any_name_of_an_individual(web: TestClient) -> None:
    by_name = web.get("/api/queries/tissues-of-condition", params={"condition": "frozen shoulder"}).json()
    assert by_name == web.get("/api/queries/tissues-of-condition", params={"condition": "adhesive-capsulitis"}).json()
    assert by_name != web.get("/api/queries/tissues-of-condition").json()
    pair = {"technique": "petrissage", "condition": "low-back-pain"}
    assert web.get("/api/queries/evidence-for-technique-in-condition", params=pair).status_code == 200


def test_a_parameter_may_be_given_several_times(web: TestClient) -> None:
    def rows(*positions: str) -> set[str]:
        found = web.get("/api/queries/techniques-in-position", params={"position": positions}).json()["results"]["bindings"]
        return {row["technique"]["value"] for row in found}

    assert rows("prone-position", "supine-position") == rows("prone-position") | rows("supine-position")


@pytest.mark.parametrize(("path", "status", "says"), [
    ("tests-for-conditon", 404, "tests-for-condition"), ("tests-for-condition?conditon=x", 400, "condition"),
    ("tests-for-condition?condition=carpal-tunel", 400, "carpal-tunnel-syndrome"),
    ("emergencies-by-region?region=head-nek", 400, "head-neck"),
    ("tests-for-condition?condition=cupping", 400, "condition"),
    ("why-technique-helps-condition?technique=cupping&technique=petrissage", 400, "may be given once"),
])  # fmt: skip
def test_a_mistake_in_a_stored_query_is_told(web: TestClient, path: str, status: int, says: str) -> None:
    assert says in refused(web.get(f"/api/queries/{path}"), status)["detail"]


HOSTILE = st.one_of(st.text(max_size=40), st.sampled_from([
    '" } #', "M72\\", '\\" } ?s ?p ?o . VALUES ?x { "', "\n", '"""', "pal:pain } ?s ?p ?o {", "<http://a>", "\x00", "\ud800", "M7",
]))  # fmt: skip


@settings(deadline=None)
@given(HOSTILE)
def test_a_text_injects_nothing(engine: Engine, code: str) -> None:
    """The answer is that of a plain comparison of texts, whatever is in them."""
    stored = find("conditions-by-icd10")
    try:
        text = stored.bind(engine.names, engine.knowledge, {"code": [code]})
    except PalpateError:
        assert any(0xD800 <= ord(c) <= 0xDFFF for c in code)
        return
    rows = engine.knowledge.store.query(text, use_default_graph_as_union=True)
    assert {row["code"].value for row in rows} == {c for c in _codes(engine) if c.startswith(code)}  # type: ignore[union-attr]


def _codes(engine: Engine) -> set[str]:
    everything = find("conditions-by-icd10").bind(engine.names, engine.knowledge, {"code": [""]})
    if not hasattr(_codes, "found"):
        rows = engine.knowledge.store.query(everything, use_default_graph_as_union=True)
        _codes.found = {row["code"].value for row in rows}  # type: ignore[attr-defined,union-attr]
    return _codes.found  # type: ignore[attr-defined,no-any-return]


@settings(deadline=None)
@given(HOSTILE, st.sampled_from([name for name, stored in catalog().items() if any(p.individual for p in stored.parameters)]))
def test_an_individual_injects_nothing(engine: Engine, value: str, name: str) -> None:
    stored = find(name)
    parameter = stored.parameters[0]
    try:
        text = stored.bind(engine.names, engine.knowledge, {parameter.name: [value]})
    except PalpateError:
        return
    assert re.fullmatch(r"(?s).*\{ \(?<https://w3id\.org/palpate/[\w-]+>[^{}]*\}  # parameter: .*", text)


# ---------------------------------------------------------------------------------------------------- OpenAPI
def test_every_answer_has_the_form_that_openapi_tells(web: TestClient) -> None:
    document = web.get("/api/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    asked = {"/api/rank": "?condition=plantar-fasciitis&hazard=warfarin&top=2", "/api/search": "?text=heel", "/api/queries": "",
             "/api/entity/{entity}": "plantar-fasciitis", "/api/queries/{query}": "doses"}  # fmt: skip
    for path, more in asked.items():
        answer = document["paths"][path]["get"]["responses"]["200"]["content"]
        response = web.get(path.partition("{")[0] + more)
        schema = next(content["schema"] for media, content in answer.items() if response.headers["content-type"] == media)
        jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(response.json())
        problem = web.get(path.partition("{")[0] + "no-such-thing-qq", params={"no": "x"}).json()
        jsonschema.Draft202012Validator({**document["components"]["schemas"]["Problem"]}).validate(problem)


def test_a_path_that_is_not_there_is_404_with_the_nearest(web: TestClient) -> None:
    assert "/api/rank" in refused(web.get("/api/rnk"), 404)["nearest"]
    refused(web.post("/api/v1/x/y"), 404)


def test_openapi_tells_of_all_operations(web: TestClient) -> None:
    document = web.get("/api/openapi.json").json()
    assert {(path, method.upper()) for path, methods in document["paths"].items() for method in methods} == {
        (operation.path, operation.method) for operation in operations()
    }
    identifiers = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(identifiers)) == len(identifiers)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert {p["name"] for p in operation["parameters"] if p["in"] == "path"} == set(re.findall(r"{(\w+)}", path))


def test_the_page_names_each_operation_and_asks_no_other_host(web: TestClient) -> None:
    page = web.get("/api")
    assert page.headers["content-type"].startswith("text/html")
    assert all(operation.path in page.text for operation in operations())
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page.text)
    for address in re.findall(r'Try <a href="([^"]+)"', page.text):
        assert web.get(address.replace("&amp;", "&")).status_code in (200, 303), address


def test_an_operation_stands_below_its_version_too(web: TestClient) -> None:
    for path in ("/search?text=heel", "/entity/cupping", "/queries", "/openapi.json"):
        assert web.get(f"/api/v1{path}").content == web.get(f"/api{path}").content


def test_the_endpoint_serves_its_description_as_a_graph(web: TestClient) -> None:
    count = f"SELECT (COUNT(*) AS ?n) FROM <{describe.SERVICE_GRAPH}> {{ ?s ?p ?o }}"
    served = int(web.get("/sparql", params={"query": count}).json()["results"]["bindings"][0]["n"]["value"])
    assert served == len(set(describe.as_quads(*_described()).splitlines()))


def _described() -> tuple[Any, Limits]:
    import kg

    return kg.load().knowledge, protocol.endpoint().limits
