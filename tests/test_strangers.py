"""A real server on loopback, and strangers who are many, slow, greedy or hostile: each is served or refused clearly."""

import asyncio
import itertools
import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from kg.errors import PalpateError
from kg.reasoning.engine import Engine
from kg.serving.api import Front, lifespan, protocol, routes, shared
from kg.serving.api.web import Rates, Served
from kg.serving.connection import Connection
from kg.serving.sparql import Limits, federation
from kg.serving.sparql.limits import from_environment, services_from_environment

SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


async def in_parts(request: Request) -> Response:
    """A response in parts that come one after the other, without a rest between."""

    async def numbered() -> AsyncIterator[bytes]:
        for n in range(int(request.path_params["parts"])):
            yield b"%08d" % n

    return StreamingResponse(numbered())


async def slowly(request: Request) -> Response:
    """A response whose second part comes when the first has been read."""

    async def wait() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.get_running_loop().run_in_executor(None, READ.wait, 20)
        yield b"second"

    return StreamingResponse(wait())


async def counting(socket: WebSocket) -> None:
    """As many messages, each longer than the one before, as are asked for."""
    await socket.accept()
    async for count in socket.iter_text():
        for n in range(int(count)):
            await socket.send_bytes(b"x" * 10 * n)


READ = threading.Event()
MORE = [Route("/parts/{parts}", in_parts), Route("/slowly", slowly), WebSocketRoute("/counting", counting)]


@contextmanager
def serving() -> Iterator[int]:
    """A server with the routes alone, as `python -m kg serve` runs it; gives its port."""
    app = Front(Starlette(routes=[*routes(), *MORE], lifespan=lifespan), protocol.rates)
    server = uvicorn.Server(uvicorn.Config(app, port=0, loop="uvloop", http=Connection, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
        assert thread.is_alive()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def port(engine: Engine) -> Iterator[int]:
    with serving() as port:
        yield port


def raw(query: str, timeout: str = "", close: bool = True) -> bytes:
    """A request by hand."""
    more = f"&timeout={timeout}" if timeout else ""
    return (f"GET /sparql?query={quote(query)}{more} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n"
            f"{'Connection: close' if close else 'X: y'}\r\n\r\n").encode()  # fmt: skip


async def answer(port: int, request: bytes, seconds: float = 60.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), seconds)
    finally:
        writer.close()


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


def ask(port: int, text: str = "ASK { }", timeout: str = "") -> int:
    return status(asyncio.run(answer(port, raw(text, timeout))))


def test_two_hundred_at_once_are_each_served_or_told_to_wait(port: int) -> None:
    async def all_at_once() -> list[bytes]:
        return await asyncio.gather(*(answer(port, raw(f"SELECT ?s {{ ?s ?p ?o }} LIMIT {n + 1}")) for n in range(200)))

    answers = asyncio.run(all_at_once())
    assert all(status(response) == 200 for response in answers)
    assert [len(response.partition(b"\r\n\r\n")[2].splitlines()) for response in answers] == [n + 2 for n in range(200)]


def test_who_is_slow_to_ask_or_to_read_holds_up_nobody(port: int) -> None:
    large = raw("SELECT * { ?s ?p ?o } LIMIT 20000", close=False)
    sockets = []
    for request in [large[:40]] * 50 + [large] * 10:
        idle = socket.create_connection(("127.0.0.1", port))
        idle.sendall(request)
        sockets.append(idle)
    assert [ask(port, f"ASK {{ }} # {n}") for n in range(5)] == [200] * 5
    for idle in sockets:
        idle.close()
    assert ask(port) == 200


def test_a_query_of_a_megabyte_is_refused(port: int) -> None:
    assert ask(port, "ASK { } #" + "x" * 2**20) == 400  # by the HTTP server, which reads no address of that length
    body = b"ASK { } #" + b"x" * 2**20
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert status(asyncio.run(first_line(port, head + body))) == 413
    assert ask(port) == 200


def test_what_is_no_http_is_refused(port: int) -> None:
    assert status(asyncio.run(answer(port, b"\x16\x03\x01 hello\r\n\r\n"))) == 400
    assert ask(port) == 200


@pytest.mark.parametrize("count", [0, 1, 2, 3, 20_000])
def test_a_response_in_parts_arrives_whole(port: int, count: int) -> None:
    request = f"GET /parts/{count} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    _, _, body = asyncio.run(answer(port, request)).partition(b"\r\n\r\n")
    chunks = [line for line in body.split(b"\r\n") if len(line) == 8]
    assert chunks == [b"%08d" % n for n in range(count)]
    assert body.endswith(b"0\r\n\r\n")


def test_a_part_does_not_wait_for_the_next(port: int) -> None:
    READ.clear()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /slowly HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while b"first" not in received:
            received += client.recv(1000)
        READ.set()
        while chunk := client.recv(1000):
            received += chunk
    assert b"second" in received


@pytest.mark.parametrize("request_line", ["HEAD /sparql?query=ASK%7B%7D", "OPTIONS /sparql", "GET /nowhere"])
def test_what_has_no_body_or_is_not_found_arrives_at_once_on_a_connection_that_stays(port: int, request_line: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for _ in range(3):
            client.sendall(f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert client.recv(10_000).startswith(b"HTTP/1.1 ")


def test_requests_sent_at_once_are_answered_in_turn(port: int) -> None:
    texts = [f"SELECT ?s {{ ?s ?p ?o }} LIMIT {n}" for n in (3, 1, 2)]
    sent = b"".join(raw(text, close=False) for text in texts) + raw("ASK { }")
    received = asyncio.run(answer(port, sent)).split(b"HTTP/1.1 200 OK")[1:]
    assert [len(response.partition(b"\r\n\r\n")[2].splitlines()) for response in received] == [4, 2, 3, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="packets are counted by Linux's TCP_INFO")
def test_head_and_body_come_in_one_packet(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for n in range(20):
            client.sendall(raw(f"ASK {{ }} # {n} in one", close=False))
            received = b""
            while not received.endswith(b"true"):
                received += client.recv(10_000)
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    data_segments = struct.unpack_from("I", info, 152)[0]  # tcpi_data_segs_in
    assert data_segments == 20


def test_messages_of_a_websocket_come_whole_and_in_turn(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/counting", open_timeout=20) as client:
        for _ in range(5):
            client.send("200")
            assert [len(client.recv(20)) for _ in range(200)] == [10 * n for n in range(200)]


def test_no_request_is_logged(port: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    with caplog.at_level("INFO", "uvicorn.access"):  # as Streamlit sets it
        assert ask(port, "ASK { } # of a client") == 200
    assert not caplog.records


def test_a_client_that_leaves_stops_its_query(port: int) -> None:
    gone = socket.create_connection(("127.0.0.1", port))
    gone.sendall(raw(SLOW))
    served = protocol.endpoint()
    wait_until(lambda: served.waiting == 1)
    gone.close()
    wait_until(lambda: served.waiting == 0)


def wait_until(holds: Any, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def workers() -> list[int]:
    """The processes that run queries now."""
    return protocol.endpoint().pool.processes


def test_a_killed_worker_is_replaced(port: int) -> None:
    assert ask(port) == 200
    wait_until(lambda: len(workers()) == protocol.endpoint().limits.processes)
    before = workers()
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: ask(port, f"ASK {{ }} # {time.monotonic()}") == 200)
    assert not set(workers()) & set(before)


def test_a_worker_killed_over_a_query_is_an_error_to_that_client_alone(port: int) -> None:
    told: list[int] = []
    served = protocol.endpoint()
    wait_until(lambda: len(workers()) == served.limits.processes)
    client = threading.Thread(target=lambda: told.append(ask(port, SLOW + " # killed")))
    client.start()
    wait_until(lambda: served.waiting == 1)
    for worker in workers():
        os.kill(worker, signal.SIGKILL)
    client.join(20)
    assert told == [503]
    assert ask(port, f"ASK {{ }} # {time.monotonic()}") == 200
    assert served.waiting == 0


def test_a_full_queue_says_when_to_come_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALPATE_QUEUE", "2")
    monkeypatch.setenv("PALPATE_WORKERS", "1")
    monkeypatch.setattr(protocol, "_endpoint", None)

    async def crowd(port: int) -> list[bytes]:
        return await asyncio.gather(*(answer(port, raw(SLOW + f" # {n}", "2")) for n in range(5)))

    with serving() as port:
        assert ask(port) == 200
        answers = asyncio.run(crowd(port))
        full = [response for response in answers if b"are waiting already" in response]
        assert {status(response) for response in answers} == {503}
        assert len(full) == 3
        assert all(b"retry-after: 2" in response.lower() for response in full)
        assert ask(port) == 200


# ---------------------------------------------------------------------------------------------------- around a handler
async def parts(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield str(next(request.app.state.numbers)).encode()

    return StreamingResponse(pieces(), headers={"Cache-Control": "public"})


async def with_cookie(request: Request) -> Response:
    response = Response(str(next(request.app.state.numbers)), headers={"Cache-Control": "public"})
    response.set_cookie("a", "b")
    return response


async def private(request: Request) -> Response:
    return Response(str(next(request.app.state.numbers)), headers={"Cache-Control": "private"})


@pytest.mark.parametrize("handler", [parts, with_cookie, private])
def test_what_is_in_parts_or_personal_is_not_given_again(handler: Any) -> None:
    app = Starlette(routes=[Route("/x", handler)])
    app.state.numbers = itertools.count()
    with TestClient(Front(app, lambda: Rates(0))) as client:
        assert [client.get("/x").text[-1] for _ in range(3)] == ["0", "1", "2"]


async def fails(request: Request) -> Response:
    raise RuntimeError("/secret/path")


def test_what_fails_unforeseen_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(Starlette(routes=[Route("/x", Served(fails, ("GET",), lambda: Rates(0)))])) as client:
        response = client.get("/x")
    assert response.status_code == 500
    assert response.json()["detail"] == "The server failed at this request; it is in its log."
    assert "secret" not in response.text
    assert "/secret/path" in caplog.text


def test_an_answer_bears_headers_of_security(engine: Engine) -> None:
    with TestClient(Starlette(routes=routes(), lifespan=lifespan)) as client:
        for path in ("/api/search?text=heel", "/api/search", "/sparql?query=x", "/sparql?query=ASK%7B%7D"):
            response = client.get(path)
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in response.headers["content-security-policy"]
            assert response.headers["referrer-policy"] == "no-referrer"


def test_an_address_may_ask_so_often_and_not_more(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALPATE_RATE", "0.05")  # three a minute
    monkeypatch.setattr(protocol, "_rates", None)
    monkeypatch.setattr(protocol, "_endpoint", None)
    app = Front(Starlette(routes=routes(), lifespan=lifespan), protocol.rates)
    with TestClient(app, client=("203.0.113.7", 1)) as one:
        answers = [one.get("/api/search", params={"text": "heel"}) for _ in range(5)]
        assert [response.status_code for response in answers] == [200, 200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert TestClient(app, client=("203.0.113.8", 1)).get("/api/search", params={"text": "heel"}).status_code == 200
        assert all(TestClient(app, client=("127.0.0.1", 1)).options("/sparql").status_code == 204 for _ in range(9))


def test_rates_forget_who_came_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rates, "_ADDRESSES", 3)
    rates = Rates(1 / 60)
    assert [rates.wait(f"203.0.113.{n}") for n in range(5)] == [0.0] * 5
    assert len(rates._buckets) == 3
    assert rates.wait("203.0.113.4") > 0


@pytest.mark.parametrize(("path", "media"), [
    ("/sparql", "application/sparql-query"), ("/api/plan", "application/json"), ("/api/plan/check", "application/json"),
    ("/api/screen", "application/json"), ("/api/assess", "application/json"), ("/api/intake", "text/plain"),
])  # fmt: skip
def test_a_body_that_does_not_come_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch, path: str, media: str) -> None:
    monkeypatch.setattr(shared, "BODY_SECONDS", 0.3)
    with serving() as port:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media}\r\nContent-Length: 100\r\n\r\nASK".encode()
        assert b" 408 " in asyncio.run(first_line(port, head))


async def first_line(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.readline(), 20)
    finally:
        writer.close()


# ---------------------------------------------------------------------------------------------------- settings
@pytest.mark.parametrize(("name", "value"), [
    ("PALPATE_TIMEOUT", "0"), ("PALPATE_TIMEOUT", "soon"), ("PALPATE_WORKERS", "-1"), ("PALPATE_QUEUE", "nan"), ("PALPATE_RATE", "-1"),
])  # fmt: skip
def test_a_setting_of_no_use_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(PalpateError, match=f"{name} must be a number"):
        from_environment()


def test_settings_are_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_environment() == Limits(workers=Limits().processes)
    for name, value in (("TIMEOUT", "5"), ("WORKERS", "3"), ("QUEUE", "9"), ("RATE", "0")):
        monkeypatch.setenv(f"PALPATE_{name}", value)
    assert from_environment() == Limits(seconds=5.0, workers=3, queue=9, rate=0.0)


# ---------------------------------------------------------------------------------------------------- SERVICE
THERE = ("https://sparql.example.org/sparql", "http://other.example.org/")


@pytest.mark.parametrize(("query", "allowed"), [
    ("SELECT * { SERVICE <https://sparql.example.org/sparql> { ?s ?p ?o } }", True),
    ("SELECT * { service silent\n<http://other.example.org/> { ?s ?p ?o } }", True),
    ("SELECT * { SERVICE <https://sparql.example.org/sparql> { } SERVICE <http://other.example.org/> { } }", True),
    ("SELECT * { SERVICE <https://sparql.example.org/sparql> { } SERVICE <http://third.example.org/> { } }", False),
    ("SELECT * { SERVICE <https://sparql.example.org/sparql> { } SERVICE ?x { } }", False),
    ("PREFIX e: <https://sparql.example.org/sparql> SELECT * { SERVICE e: { } }", False),
    ("SELECT * { SERVICE <https://sparql.example.org/sparql> { } \\u0053ERVICE <http://third.example.org/> { } }", False),
    ("SELECT * { SERVICE <https://sparql.example.org/sparql> { } ?s ?p 1SERVICE <http://other.example.org/> { } }", False),
    ("SELECT * { SERVICE#x\n<https://sparql.example.org/sparql> { } }", False),
    ("SELECT * { SERVICE <https://sparql.example.org/SPARQL> { } }", False),
    ("SELECT * { SERVICE <https://sparql.example.org/sparql/more> { } }", False),
    ("SELECT * { ?s ?p ?o }", False),
])  # fmt: skip
def test_only_what_the_operator_names_is_asked(query: str, allowed: bool) -> None:
    assert federation.allowed(query, THERE) is allowed
    assert not federation.allowed(query, ())


@pytest.mark.parametrize("address", [
    "http://127.0.0.1:8000/", "http://localhost/", "http://10.1.2.3/", "http://192.168.0.1/", "http://169.254.169.254/latest", "http://[::1]/",
    "http://[fe80::1]/", "http://no-such-name.invalid/", "http://0.0.0.0/",
])  # fmt: skip
def test_loopback_and_private_addresses_are_never_asked(address: str) -> None:
    assert not federation.public([address])
    assert federation.public(["http://93.184.215.14/"])


@pytest.mark.parametrize("value", ["ftp://example.org/", "example.org", "http://", 'http://a/"', "https://a/ file:///etc/passwd"])
def test_a_service_of_no_use_is_an_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PALPATE_SERVICES", value)
    with pytest.raises(PalpateError, match="PALPATE_SERVICES names"):
        services_from_environment()


def test_a_service_on_this_machine_is_refused_though_it_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    address = f"http://127.0.0.1:{port}/sparql"
    query = f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?o }} }} LIMIT 3"
    monkeypatch.setattr(protocol.endpoint(), "services", (address,))
    assert ask(port, query) == 403
    monkeypatch.setattr(federation, "public", lambda services: True)
    found = asyncio.run(answer(port, raw(query)))
    assert (status(found), len(found.partition(b"\r\n\r\n")[2].splitlines())) == (200, 4)
    refused = asyncio.run(answer(port, raw(query.replace("/sparql>", "/other>"))))
    assert status(refused) == 400
    assert address.encode() in refused
