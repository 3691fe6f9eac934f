"""The HTTP routes: the ranking as JSON, the SPARQL protocol, and what strangers' queries may not do."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg.reasoning.engine import Engine
from kg.serving.api import lifespan, routes
from kg.serving.api.protocol import formats_of
from kg.serving.sparql import Endpoint, Limits, Query, QueryError

CHEAP = "SELECT ?x { <https://w3id.org/palpate/plantar-fasciitis> a ?x } ORDER BY ?x"
GRAPH = "CONSTRUCT { ?s a <http://example.org/Seat> } WHERE { <https://w3id.org/palpate/plantar-fasciitis> a ?s }"
HOSTILE = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
CONDITION = "https://w3id.org/palpate/Condition"


@pytest.fixture(scope="module")
def web(engine: Engine) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(), lifespan=lifespan)) as client:
        yield client


def problem(response: object, status: int) -> dict[str, object]:
    """The problem details of a refused request."""
    assert response.status_code == status, response.text  # type: ignore[attr-defined]
    assert response.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    body = response.json()  # type: ignore[attr-defined]
    assert body["status"] == status
    return dict(body)


# ---------------------------------------------------------------------------------------------------- /api/rank
@pytest.mark.parametrize("asked", [
    {"condition": "plantar-fasciitis"},
    {"condition": "heel spur syndrome", "phase": "chronic", "irritability": "high", "top": 3},
    {"condition": "M72.2", "hazard": ["warfarin", "osteoporosis"], "top": 2},
    {"condition": "chronic-low-back-pain", "phase": "acute", "top": 1},
])  # fmt: skip
def test_rank_is_the_ranking_of_the_library(web: TestClient, engine: Engine, asked: dict[str, object]) -> None:
    response = web.get("/api/rank", params=asked)
    client = engine.client(asked.get("phase"), asked.get("irritability"), asked.get("hazard", ()))  # type: ignore[arg-type]
    expected = engine.rank(str(asked["condition"]), client, asked.get("top")).to_dict()  # type: ignore[arg-type]
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.json() == json.loads(json.dumps(expected))


def test_rank_refers_where_a_red_flag_says_so(web: TestClient, engine: Engine) -> None:
    flag = next(n.one("redFlag") for n in engine.knowledge.of_class("RedFlagIndication") if n.one("urgency") == "urgency-emergency")
    answer = web.get("/api/rank", params={"condition": "plantar-fasciitis", "red_flag": flag}).json()
    assert answer["referral"]["urgency"] == "emergency"
    assert answer["recommended"] == answer["adjuncts"] == []


@pytest.mark.parametrize(("asked", "status", "says"), [
    ({}, 400, "The parameter 'condition' is missing."),
    ({"condition": ""}, 400, "The parameter 'condition' is missing."),
    ({"condition": "plantar-fasciitis", "hazards": "warfarin"}, 400, "Unknown parameter 'hazards'; there are age, clothed, "),
    ({"condition": "plantar-fasciitis", "top": "0"}, 400, "top must be a whole number of 1 or more, not '0'."),
    ({"condition": "plantar-fasciitis", "top": "-1"}, 400, "top must be a whole number of 1 or more, not '-1'."),
    ({"condition": "plantar-fasciitis", "top": "two"}, 400, "top must be a whole number of 1 or more, not 'two'."),
    ({"condition": "plantar-fasciitis", "top": ""}, 400, "top must be a whole number of 1 or more, not ''."),
    ({"condition": "plantar-fasciitis", "top": "9" * 5000}, 400, "top must be a whole number of 1 or more"),
    ({"condition": "plantar-fasciitis", "phase": "late"}, 400, "There is no phase 'late'."),
    ({"condition": "plantar-fasciitis", "hazard": ""}, 400, "There is no hazard ''."),
    ({"condition": "plantar-fasciitis", "red_flag": "moonlight-qq"}, 400, "There is no red flag 'moonlight-qq'."),
    ({"condition": "M54.50"}, 400, "'M54.50' is the name of several entries"),
    ({"condition": "plantar facitis"}, 404, "There is no condition 'plantar facitis'. Did you mean: plantar-fasciitis"),
])  # fmt: skip
def test_a_mistake_in_rank_is_problem_details(web: TestClient, asked: dict[str, str], status: int, says: str) -> None:
    assert str(problem(web.get("/api/rank", params=asked), status)["detail"]).startswith(says)


def test_an_unknown_name_comes_with_the_nearest(web: TestClient) -> None:
    body = problem(web.get("/api/rank", params={"condition": "plantar-fasciitis", "hazard": ["warfarin", "warfrin"]}), 400)
    assert (body["title"], body["name"]) == ("UnknownName", "warfrin")
    assert "anticoagulants" in body["nearest"]  # type: ignore[operator]


def test_rank_is_read_only(web: TestClient) -> None:
    assert web.post("/api/rank", params={"condition": "plantar-fasciitis"}).status_code == 405


def test_search_is_the_search_of_the_library(web: TestClient, engine: Engine) -> None:
    answer = web.get("/api/search", params={"text": "plantar facitis", "limit": 4}).json()
    assert answer["graph"] == engine.knowledge.version.to_dict()
    assert [hit["slug"] for hit in answer["hits"]] == [hit.slug for hit in engine.names.search("plantar facitis", 4)]
    assert web.get("/api/search", params={"text": "qqqqzzzzxxxx"}).json()["hits"] == []


@pytest.mark.parametrize(("asked", "says"), [
    ({}, "The parameter 'text' is missing."), ({"text": ""}, "The parameter 'text' is missing."),
    *(({"text": "heel", "limit": n}, "limit must be a whole number from 1 to 100, not ") for n in ("0", "101", "x", "", "9" * 5000)),
    ({"text": "heel", "limits": "3"}, "Unknown parameter 'limits'; there are limit, text."),
])  # fmt: skip
def test_a_mistake_in_search_is_problem_details(web: TestClient, asked: dict[str, str], says: str) -> None:
    assert str(problem(web.get("/api/search", params=asked), 400)["detail"]).startswith(says)


# ---------------------------------------------------------------------------------------------------- /sparql: what is refused
@pytest.mark.parametrize(("query", "says"), [
    ("SELECT * {\n ?s ?p }", "The query is malformed at line 2, column 9, near '?s ?p }'."),
    ("", "The query is malformed at line 1, column 1."),
    ("SELEKT", "The query is malformed at line 1, column 7, "),
    ("SELECT ?x { ?x a pal:Condition }", "The query is malformed at line 1, column 31, near 'a pal:Condition }': Prefix not found."),
    ("INSERT DATA { <http://a> <http://b> 1 }", "The query is malformed at "), ("DROP ALL", "The query is malformed at "),
    ("CLEAR DEFAULT", "The query is malformed at "), ("LOAD <http://example.org/x>", "The query is malformed at "),
    ("SELECT (<http://example.org/f>(1) AS ?x) {}", "The query cannot be run: The custom function <http://example.org/f> is not supported"),
    ("SELECT ?s { ?s ?p ?o } ORDER BY <http://example.org/f>(?s)", "The query cannot be run: The custom function"),
    ("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }", "SERVICE is refused: this endpoint asks no other server."),
    ("SELECT * { ?s ?p ?o . service silent <http://example.org/> { ?s ?p ?o } }", "SERVICE is refused"),
    ("SELECT * { ?s ?p ?o .SERVICE <http://example.org/> { ?s ?p ?o } }", "SERVICE is refused"),
    ("SELECT * { { } SERVICE ?where { ?s ?p ?o } }", "SERVICE is refused"),
    ("# a comment\nSELECT * { SERVICE # another\n <http://example.org/> { ?s ?p ?o } }", "SERVICE is refused"),
    ("SELECT * { ?s ?p '#' . SERVICE <http://example.org/> { ?s ?p ?o } }", "SERVICE is refused"),
    ("SELECT * { ?s <http://a#b> ?o . SERVICE <http://example.org/> { ?s ?p ?o } }", "SERVICE is refused"),
])  # fmt: skip
def test_a_bad_query_is_refused(web: TestClient, query: str, says: str) -> None:
    assert str(problem(web.get("/sparql", params={"query": query}), 400)["detail"]).startswith(says)


@pytest.mark.parametrize("query", [
    "# SERVICE <http://example.org/> { }\nASK {}", "ASK { FILTER('SERVICE <x> {' = \"a SERVICE\" || true) }",
    "ASK { FILTER('''two lines\n SERVICE ''' != '') }", "ASK { OPTIONAL { ?SERVICE a ?service } }", "ASK { OPTIONAL { $service a ?x } }",
    "ASK { OPTIONAL { <http://example.org/a/SERVICE> a <http://example.org/#service> } }",
    "PREFIX sd: <http://www.w3.org/ns/sparql-service-description#> ASK { OPTIONAL { ?x a sd:Service } }",
    "PREFIX service: <http://example.org/> ASK { OPTIONAL { ?x a service:x } }",
])  # fmt: skip
def test_the_word_service_alone_is_allowed(web: TestClient, query: str) -> None:
    response = web.get("/sparql", params={"query": query})
    assert response.status_code == 200, response.text
    assert response.json()["boolean"] is True


def test_a_hostile_query_is_stopped_and_others_are_answered(web: TestClient) -> None:
    assert web.get("/sparql", params={"query": CHEAP}).status_code == 200  # the workers are up
    stopped: list[tuple[object, float]] = []
    start = time.perf_counter()
    thread = threading.Thread(target=lambda: stopped.append(
        (web.get("/sparql", params={"query": HOSTILE, "timeout": "1"}), time.perf_counter() - start)))  # fmt: skip
    thread.start()
    time.sleep(0.2)
    assert web.get("/sparql", params={"query": f"{CHEAP} LIMIT 7"}).status_code == 200
    thread.join(30)
    response, seconds = stopped[0]
    assert problem(response, 503)["detail"] == "The query took longer than 1 seconds and was stopped."
    assert seconds >= 1
    assert web.get("/sparql", params={"query": CHEAP}).status_code == 200


# ---------------------------------------------------------------------------------------------------- an endpoint with small limits
@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "graph.nq"
    integer = "<http://www.w3.org/2001/XMLSchema#integer>"
    path.write_text("".join(f'<http://a/{n}> <http://p> "{n}"^^{integer} <http://g> .\n' for n in range(200)))
    return path


@contextmanager
def endpoint(graph: Path, **limits: float) -> Iterator[Callable[..., bytes]]:
    """Ask an endpoint of one worker with the given limits."""
    served = Endpoint(graph, Limits(**{"workers": 1} | limits))  # type: ignore[arg-type]
    try:
        yield lambda text, accept="*/*", seconds=None: asyncio.run(served.query(Query(text), formats_of(accept), seconds)).body
    finally:
        served.close()


def status(ask: Callable[..., bytes], *arguments: object) -> tuple[int, str]:
    with pytest.raises(QueryError) as told:
        ask(*arguments)
    return told.value.status, told.value.message


PRODUCT = "{ " + " ".join(f"VALUES ?v{i} {{ {' '.join(map(str, range(99)))} }}" for i in range(6)) + " }"


def test_an_answer_past_the_size_limit_is_an_error_and_no_part_of_it(graph: Path) -> None:
    with endpoint(graph, bytes=2000) as ask:
        assert len(ask("SELECT ?s { ?s ?p ?o } LIMIT 20", "text/csv").splitlines()) == 21
        for accept in ("text/csv", "application/json", "application/xml", "text/tab-separated-values"):
            assert status(ask, "SELECT * { ?s ?p ?o }", accept)[0] == 413
        assert status(ask, "CONSTRUCT WHERE { ?s ?p ?o }", "text/turtle")[0] == 413
        assert status(ask, f"SELECT * {PRODUCT}", "text/csv")[0] == 413  # at once: it is not computed first
        assert ask("ASK { ?s ?p ?o }", "application/json")


def test_the_limit_of_time_is_the_operators_at_most(graph: Path) -> None:
    with endpoint(graph, seconds=0.5) as ask:
        assert ask("ASK { ?s ?p ?o }")
        assert status(ask, f"SELECT (COUNT(*) AS ?n) {PRODUCT}", "*/*", 60.0) == (
            503, "The query took longer than 0.5 seconds and was stopped.",
        )  # fmt: skip
        assert ask("ASK { ?s ?p ?o }")


def test_a_query_past_the_limit_of_memory_is_stopped_and_the_next_is_answered(graph: Path) -> None:
    doubling = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(40))
    with endpoint(graph, memory=2**30) as ask:
        assert status(ask, f"SELECT (STRLEN(?x40) AS ?n) {{ BIND('0123456789' AS ?x0) {doubling} }}")[0] == 503
        assert ask("ASK { ?s ?p ?o }")


@contextmanager
def listener() -> Iterator[tuple[str, list[object]]]:
    """A server of this machine, and who came to it."""
    came: list[object] = []

    def accept() -> None:
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            came.append(address)
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"<http://127.0.0.1:{server.getsockname()[1]}/>", came


def test_a_hidden_service_reaches_no_server(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever slips past the check of the text, a worker opens no socket."""
    monkeypatch.setattr(Query, "asks_servers", False)
    with listener() as (server, came), endpoint(graph) as ask:
        for query in (
            f"SELECT * {{ SERVICE {server} {{ ?a ?b ?c }} }}",
            f"SELECT * {{ ?s ?p 1SERVICE {server} {{ ?a ?b ?c }} }}",
            f"SELECT * {{ ?s ?p ?x FILTER(?x<3)SERVICE#>\n{server} {{ ?a ?b ?c }} }}",
            f"PREFIX e: {server} SELECT * {{ SERVICEe: {{ ?a ?b ?c }} }}",
        ):
            assert status(ask, query) == (400, "SERVICE is refused: this endpoint asks no other server.")
        assert ask(f"SELECT * {{ ?s ?p 1 SERVICE SILENT {server} {{ }} }}", "text/csv")
        assert came == []


def test_a_query_that_is_too_long_is_refused_unread(graph: Path) -> None:
    with endpoint(graph, query_length=100) as ask:
        assert ask("ASK { }" + "#" * 93)
        assert status(ask, "ASK { }" + "#" * 94) == (413, "The query is longer than 100 characters.")


# ---------------------------------------------------------------------------------------------------- graphs and parameters
def test_an_unknown_or_repeated_parameter_is_refused(web: TestClient) -> None:
    assert "'fromat'" in str(problem(web.get("/sparql", params={"query": CHEAP, "fromat": "x"}), 400)["detail"])
    assert "once" in str(problem(web.get("/api/rank?condition=plantar-fasciitis&condition=hamstring-strain"), 400)["detail"])


def test_a_body_without_end_is_cut_off(web: TestClient) -> None:
    chunks = (b"#" * 100_000 for _ in range(50))
    problem(web.post("/sparql", content=chunks, headers={"content-type": "application/sparql-query"}), 413)


def test_the_endpoint_outlives_its_file_in_the_cache(graph: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.nq"
    own.write_bytes(graph.read_bytes())
    endpoint = Endpoint(own, Limits(workers=1))
    try:
        own.unlink()
        with pytest.raises(QueryError):
            asyncio.run(endpoint.query(Query(HOSTILE), seconds=0.5))
        assert asyncio.run(endpoint.query(Query(CHEAP))).body
    finally:
        endpoint.close()
