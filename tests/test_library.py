"""SPARQL as a library: typed tables, and the same answers from another server as from the embedded store."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

import kg
from kg.errors import PalpateError
from kg.graph import remote, sparql
from kg.reasoning.engine import Engine
from kg.serving.api import lifespan, protocol, routes
from kg.serving.sparql.catalog import catalog

OXIGRAPH = Path(sys.executable).parent / "oxigraph"


def test_a_table_has_typed_values(engine: Engine) -> None:
    found = kg.sparql("""SELECT ?iri ?text ?whole ?number ?truth ?nothing {
        VALUES (?iri ?text ?whole ?number ?truth ?nothing) {
            (pal:foot "a"@en 1 1.5 true UNDEF) (UNDEF "01"^^xsd:integer 2 2e0 false UNDEF) } }""")
    assert isinstance(found, sparql.Table)
    assert found.columns == ("iri", "text", "whole", "number", "truth", "nothing")
    assert list(found) == [("https://w3id.org/palpate/foot", "a", 1, 1.5, True, None), (None, 1, 2, 2.0, False, None)]
    assert found.to_dict() == {"columns": list(found.columns), "rows": [list(row) for row in found]}
    frame = found.to_frame()
    assert list(frame.columns) == list(found.columns)
    assert frame.whole.tolist() == [1, 2]


def test_truth_and_triples(engine: Engine) -> None:
    assert kg.sparql("ASK { pal:foot a pal:BodyRegion }") is True
    found = kg.sparql("CONSTRUCT { ?x a pal:Seat } WHERE { VALUES ?x { pal:foot } }")
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    assert found.to_dict() == {  # type: ignore[union-attr]
        "columns": ["subject", "predicate", "object"], "rows": [["https://w3id.org/palpate/foot", rdf, "https://w3id.org/palpate/Seat"]],
    }  # fmt: skip


@pytest.mark.parametrize("query", ["", "SELECT", "DROP ALL", "SELECT * { ?s nope:x ?o }"])
def test_a_malformed_query_is_one_sentence(engine: Engine, query: str) -> None:
    with pytest.raises(PalpateError, match="The query is malformed: ") as told:
        kg.sparql(query)
    assert "\n" not in told.value.message


# ---------------------------------------------------------------------------------------------------- another server
@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Oxigraph server that holds the graph; gives the address of its endpoint."""
    if not OXIGRAPH.exists():
        pytest.skip("the package oxigraph is not installed")
    folder = tmp_path_factory.mktemp("oxigraph")
    subprocess.run([OXIGRAPH, "load", "--location", folder, "--file", engine.knowledge.path], check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [OXIGRAPH, "serve-read-only", "--location", folder, "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/query"
    end = time.monotonic() + 30
    while True:
        try:
            remote.evaluate(url, "ASK { }")
            break
        except PalpateError:
            assert time.monotonic() < end
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(10)


def unordered(table: sparql.Table) -> list[str]:
    """The rows in no order, and the parts of a GROUP_CONCAT in none."""
    return sorted(repr([sorted(re.split("[;,] ", cell)) if isinstance(cell, str) else cell for cell in row]) for row in table)


def test_another_server_gives_the_same_answers_to_all_stored_queries(server: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, stored in catalog().items():
        own = kg.sparql(stored.text)
        with monkeypatch.context() as patch:
            patch.setenv("PALPATE_SPARQL_URL", server)
            other = kg.sparql(stored.text)
        assert isinstance(own, sparql.Table)
        assert isinstance(other, sparql.Table)
        assert (name, other.columns, unordered(other)) == (name, own.columns, unordered(own))


def test_truth_and_triples_of_another_server(server: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALPATE_SPARQL_URL", server)
    test_truth_and_triples(engine)
    with pytest.raises(PalpateError, match="The SPARQL server refuses the query \\(400\\): "):
        kg.sparql("SELECT")


def test_endpoint_and_command_ask_the_other_server(
    server: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PALPATE_SPARQL_URL", server)
    monkeypatch.setattr(protocol, "_endpoint", None)
    query = "PREFIX pal: <https://w3id.org/palpate/> SELECT ?x { pal:cupping a ?x } ORDER BY ?x"
    with TestClient(Starlette(routes=routes(), lifespan=lifespan)) as web:
        table = web.get("/sparql", params={"query": query}, headers={"accept": "text/csv"})
        assert (table.status_code, table.text.splitlines()[0]) == (200, "x")
        assert len(table.text.splitlines()) == 1 + len(kg.sparql(query))  # type: ignore[arg-type]
        assert web.get("/sparql", params={"query": "SELECT"}).status_code == 400
    file = tmp_path / "query.rq"
    file.write_text(query)
    done = subprocess.run([sys.executable, "-m", "kg", "query", file], env=dict(os.environ), capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == len(table.text.splitlines())


def test_a_server_that_does_not_answer_is_one_sentence(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("PALPATE_SPARQL_URL", f"http://127.0.0.1:{port}/")
    with pytest.raises(PalpateError, match=r"The SPARQL server does not answer\."):
        kg.sparql("ASK { }")
    monkeypatch.setenv("PALPATE_SPARQL_URL", "file:///etc/passwd")
    with pytest.raises(PalpateError, match="must be an http or https address"):
        kg.sparql("ASK { }")
