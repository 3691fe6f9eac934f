"""`PALPATE_SPARQL_URL`: other servers, loaded with the files of a release, answer as the embedded store does.

Oxigraph's own server is a requirement of the tests. Virtuoso is another make altogether; its tests need `virtuoso-t`, which
`apt-get install virtuoso-opensource-7-bin` brings. rdflib-endpoint is a third; it takes minutes over most of the queries, so it
is asked those that it answers in a moment.
"""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

import kg
from kg.curation.export import rdf
from kg.errors import PalpateError
from kg.graph import remote, sparql
from kg.reasoning.engine import Engine
from kg.serving.api import lifespan, protocol, routes
from kg.serving.sparql import Endpoint, Limits, Query, QueryError
from kg.serving.sparql.catalog import catalog

OXIGRAPH = Path(sys.executable).parent / "oxigraph"
QUICK_IN_RDFLIB = (
    "antagonists-of-muscle", "conditions-of-tissue", "conditions-that-look-alike", "conditions-with-like-impairments", "decision-rules",
    "doses", "emergencies-by-region", "evidence-for-technique-in-condition", "evidence-passed-down", "hazards-that-bar-a-position",
    "impairments-relieved-by-effect", "most-certain-findings", "muscles-of-nerve", "nerves-of-condition", "outcomes-of-condition",
    "presentations-of-condition", "pretest-of-pathologies", "reasoned-groups",
)  # fmt: skip
RDFLIB = """
import sys, uvicorn, rdflib
from rdflib_endpoint import SparqlEndpoint
data = rdflib.Dataset(default_union=True)
for path in sys.argv[2:]:
    data.parse(path, format="nquads")
uvicorn.run(SparqlEndpoint(graph=data, path="/sparql"), port=int(sys.argv[1]), log_level="critical", access_log=False)
"""
VIRTUOSO = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {folder}/temporary.db
TransactionFile = {folder}/temporary.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DirsAllowed = {files}
NumberOfBuffers = 20000
[HTTPServer]
ServerPort = 127.0.0.1:{http}
[SPARQL]
ResultSetMaxRows = 1000000
"""


@pytest.fixture(scope="module")
def files(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The two files of a release that hold the graph for another server."""
    folder = tmp_path_factory.mktemp("release")
    quads = {name: content for name, content in rdf.files(engine.knowledge).items() if name.endswith(".nq")}
    assert quads.keys() == {"palpate-asserted.nq", "palpate-inferred.nq"}
    for name, content in quads.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in quads]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], url: str) -> Iterator[str]:
    """A server, from when it answers until the end; gives its address."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while True:
            try:
                remote.evaluate(url, "ASK { }", seconds=5)
                break
            except PalpateError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def oxigraph(files: list[Path], folder: Path) -> Iterator[str]:
    subprocess.run([OXIGRAPH, "load", "--location", folder, *(part for file in files for part in ("--file", file))],
                   check=True, capture_output=True)  # fmt: skip
    port = free_port()
    command = [OXIGRAPH, "serve-read-only", "--location", folder, "--bind", f"127.0.0.1:{port}"]
    with running(command, f"http://127.0.0.1:{port}/query") as url:
        yield url


@contextmanager
def virtuoso(files: list[Path], folder: Path) -> Iterator[str]:
    if not shutil.which("virtuoso-t"):
        pytest.skip("Virtuoso is not installed")
    sql, http = free_port(), free_port()
    settings = folder / "virtuoso.ini"
    settings.write_text(VIRTUOSO.format(folder=folder, files=files[0].parent, sql=sql, http=http))
    with running(["virtuoso-t", "+foreground", "+configfile", settings], f"http://127.0.0.1:{http}/sparql") as url:
        # 512 says N-Quads; the graph named there is that of triples without one, of which there are none
        load = "".join(f"DB.DBA.TTLP_MT(file_to_string_output('{file}'), '', 'urn:none', 512);\n" for file in files)
        command = ["isql-vt", f"127.0.0.1:{sql}", "dba", "dba", "ERRORS=STDOUT"]
        done = subprocess.run(command, input=load, text=True, check=True, capture_output=True)
        assert "Error" not in done.stdout, done.stdout
        yield url


@contextmanager
def rdflib_endpoint(files: list[Path], folder: Path) -> Iterator[str]:
    port = free_port()
    with running([sys.executable, "-c", RDFLIB, str(port), *files], f"http://127.0.0.1:{port}/sparql") as url:
        yield url


@pytest.fixture(scope="module", params=[oxigraph, virtuoso, rdflib_endpoint], ids=lambda make: str(make.__name__))
def server(request: pytest.FixtureRequest, files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of another server that holds the graph."""
    make: Callable[[list[Path], Path], Iterator[str]] = request.param
    with make(files, tmp_path_factory.mktemp("server")) as url:  # type: ignore[attr-defined]
        yield url


@pytest.fixture
def queries(request: pytest.FixtureRequest, server: str) -> dict[str, str]:
    """The stored queries that the server is asked."""
    asked = QUICK_IN_RDFLIB if "rdflib_endpoint" in request.node.name else catalog()
    return {name: catalog()[name].text for name in asked}


def unordered(table: sparql.Table) -> list[str]:
    """The rows in no order, and the parts of a GROUP_CONCAT in none.

    Virtuoso writes truth values as 1 and 0, and joins no texts to an empty one where others leave the column unbound.
    """
    return sorted(repr([_comparable(cell) for cell in row]) for row in table)


def _comparable(cell: sparql.Value) -> sparql.Value | list[str]:
    if isinstance(cell, str):
        return sorted(re.split("[;,] ", cell)) if cell else None
    return int(cell) if isinstance(cell, bool) else cell


def test_the_same_answers_to_the_stored_queries(
    server: str, queries: dict[str, str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in queries.items():
        own = kg.sparql(text)
        with monkeypatch.context() as patch:
            patch.setenv("PALPATE_SPARQL_URL", server)
            other = kg.sparql(text)
        assert isinstance(own, sparql.Table)
        assert isinstance(other, sparql.Table)
        assert (name, other.columns, unordered(other)) == (name, own.columns, unordered(own))


def test_truth_triples_and_refusal(
    server: str, request: pytest.FixtureRequest, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALPATE_SPARQL_URL", server)
    assert kg.sparql("ASK { pal:foot a pal:BodyRegion }") is True
    assert kg.sparql("ASK { <foot> a pal:Condition }") is False
    found = kg.sparql("CONSTRUCT { ?x a pal:Seat } WHERE { VALUES ?x { pal:foot } }")
    assert isinstance(found, sparql.Table)
    type_ = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    assert found.rows == (("https://w3id.org/palpate/foot", type_, "https://w3id.org/palpate/Seat"),)
    if "rdflib_endpoint" not in request.node.name:  # it answers DESCRIBE with no graph
        described = kg.sparql("DESCRIBE pal:foot")
        assert isinstance(described, sparql.Table)
        assert ("https://w3id.org/palpate/foot", type_, "https://w3id.org/palpate/BodyRegion") in described.rows
    with pytest.raises(PalpateError, match="The SPARQL server refuses the query \\(400\\): "):
        kg.sparql("SELECT")


def test_endpoint_and_command_ask_the_other_server(
    server: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    query = "PREFIX pal: <https://w3id.org/palpate/> SELECT ?x { pal:cupping a ?x } ORDER BY ?x"
    graph = "PREFIX pal: <https://w3id.org/palpate/> CONSTRUCT { ?x a pal:Seat } WHERE { VALUES ?x { pal:foot } }"
    with TestClient(Starlette(routes=routes(), lifespan=lifespan)) as web:
        asked = [(text, media) for text, kinds in ((query, ("text/csv", "text/tab-separated-values", "application/sparql-results+xml")),
                                                   ("ASK { }", ("application/sparql-results+json", "application/sparql-results+xml")),
                                                   (graph, ("text/turtle", "application/rdf+xml", "application/n-quads")))
                 for media in kinds]  # fmt: skip
        own = [web.get("/sparql", params={"query": text}, headers={"accept": media}) for text, media in asked]
    monkeypatch.setenv("PALPATE_SPARQL_URL", server)
    monkeypatch.setattr(protocol, "_endpoint", None)
    with TestClient(Starlette(routes=routes(), lifespan=lifespan)) as web:
        for (text, media), expected in zip(asked, own, strict=True):
            response = web.get("/sparql", params={"query": text}, headers={"accept": media})
            assert (response.status_code, response.headers["content-type"]) == (200, expected.headers["content-type"])
            assert (media, response.text) == (media, expected.text)
        assert web.get("/sparql", params={"query": "SELECT"}).status_code == 400
    file = tmp_path / "query.rq"
    file.write_text(query)
    done = subprocess.run([sys.executable, "-m", "kg", "query", file], env=dict(os.environ), capture_output=True, text=True, check=True)
    assert done.stdout == own[1].text


def test_a_server_that_does_not_answer_is_one_sentence(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALPATE_SPARQL_URL", f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(PalpateError, match=r"The SPARQL server does not answer, or breaks off\."):
        kg.sparql("ASK { }")
    monkeypatch.setenv("PALPATE_SPARQL_URL", "file:///etc/passwd")
    with pytest.raises(PalpateError, match="must be an http or https address"):
        kg.sparql("ASK { }")


JSON, TURTLE = "application/sparql-results+json", "text/turtle"
ROW = '{"x": {"type": "uri", "value": "http://a/"}}'


@contextmanager
def answering(media: str, body: bytes, length: int = 0, pause: float = 0.0, status: int = 200) -> Iterator[str]:
    """A server that gives one answer to all, byte by byte where it pauses; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            with suppress(OSError):  # the client is gone
                for start in range(0, len(body), 1 if pause else len(body)):
                    self.wfile.write(body[start : start + 1] if pause else body)
                    time.sleep(pause)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{found.server_address[1]}/"
        finally:
            found.shutdown()


@pytest.mark.parametrize(("answer", "status", "says"), [
    ({"media": "text/html", "body": b"<html>"}, 502, "answers as text/html, which was not asked for"),
    ({"media": JSON, "body": b"no JSON"}, 502, "cannot be read"), ({"media": TURTLE, "body": b"<a> <b> ."}, 502, "cannot be read"),
    ({"media": JSON, "body": f'{{"head": {{"vars": ["x"]}}, "results": {{"bindings": [{ROW}'.encode()}, 502, "cannot be read"),
    ({"media": JSON, "body": b'{"head": {}, "boolean"', "length": 99}, 502, "does not answer, or breaks off"),
    ({"media": JSON, "body": b" " * 99, "pause": 0.1}, 503, "did not answer within 0.5 seconds"),
    ({"media": JSON, "body": b" " * 3000}, 413, "larger than 2000 bytes"),
    ({"media": "text/plain", "body": b"no such thing", "status": 400}, 400, "refuses the query (400): no such thing"),
    ({"media": "text/plain", "body": b"out of order", "status": 500}, 502, "refuses the query (500): out of order"),
])  # fmt: skip
def test_what_a_server_answers_amiss_is_one_sentence(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], status: int, says: str
) -> None:
    with answering(**answer) as url:
        monkeypatch.setenv("PALPATE_SPARQL_URL", url)
        served = Endpoint(engine.knowledge.path, Limits(seconds=0.5, bytes=2000))
        try:
            with pytest.raises(QueryError) as told:
                asyncio.run(served.query(Query("SELECT ?x { ?x ?y ?z }")))
        finally:
            served.close()
    assert (told.value.status, says in told.value.message) == (status, True), told.value.message


@pytest.mark.parametrize(("query", "graph"), [
    ("SELECT * { ?construct a ?describe }", False), ("PREFIX describe: <http://a/> ASK { ?s describe:construct ?o }", False),
    ("# CONSTRUCT\nSELECT ('DESCRIBE' AS ?x) { }", False), ("construct where { ?select ?ask ?o }", True),
    ("BASE <http://select/> DESCRIBE <x>", True), ("CONSTRUCT { } WHERE { { SELECT * { } } }", True), ("nonsense", False),
])  # fmt: skip
def test_the_form_of_a_query_is_read(query: str, graph: bool) -> None:
    assert remote.finds_graph(query) is graph
