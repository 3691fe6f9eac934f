"""How fast is the SPARQL endpoint, beside a bare Oxigraph server and rdflib-endpoint, on the same data and queries in one run.

    python -m benchmarks.endpoint [--seconds 3] [--soak]

Requests per second and 99th percentile for each kind of query, asked once each and over and over, after some that are not
counted. Joined paths are no cheap query: Oxigraph, ours and the bare one, begins with what joins worst, and takes longer than
the protocol does. With --soak, the memory held after 20,000 requests. Then the percentile of cheap queries while two hostile
ones run. Everything is on loopback, and a share of the machine goes to the client, so read the ratios, not the figures.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

import kg
from kg.graph.terms import ASSERTED, INFERRED

CONNECTIONS = 8
WARM_SECONDS = 0.5
HOSTILE = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
PREFIXES = "PREFIX pal: <https://w3id.org/palpate/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
GRAPHS = "".join(f"&{kind}-graph-uri={quote(graph, safe='')}" for kind in ("default", "named") for graph in (ASSERTED, INFERRED))


def workloads() -> dict[str, list[str]]:
    """Distinct queries of each kind, more than are asked in a few seconds; no two are the same text."""
    knowledge = kg.load().knowledge
    conditions = [node.slug for node in knowledge.of_class("Condition")]
    techniques = [node.slug for node in knowledge.of_class("Technique")]
    everything = [node.slug for node in knowledge if "://" not in node.slug]
    words = sorted({word for slug in (*conditions, *techniques) for word in slug.split("-") if len(word) > 3})
    return {
        "point look-up": [f"SELECT ?p ?o {{ pal:{slug} ?p ?o }} LIMIT {n}" for n in range(1000, 1003) for slug in everything],
        "star": [f"SELECT * {{ ?x pal:evidenceCondition pal:{c} ; pal:evidenceTechnique ?t ; pal:result ?r ; pal:summary ?s }} LIMIT {n}"
                 for n in range(20, 300) for c in conditions],
        "path": [f"SELECT DISTINCT ?e {{ pal:{c} pal:subtypeOf*/pal:hasImpairment/pal:relievedBy ?e }} LIMIT {n}"
                 for n in range(50, 400) for c in conditions],
        "joined paths": [f"SELECT DISTINCT ?i {{ pal:{c} pal:subtypeOf*/pal:hasImpairment ?i . ?i pal:relievedBy/pal:producedBy pal:{t} }}"
                         for t in techniques for c in conditions],
        "aggregate": [f"SELECT ?r (COUNT(*) AS ?n) {{ ?x pal:evidenceTechnique pal:{t} ; pal:result ?r }} GROUP BY ?r LIMIT {n}"
                      for n in range(5, 505) for t in techniques],
        "text filter": [f"SELECT ?x {{ ?x a pal:Condition ; skos:prefLabel ?l FILTER(CONTAINS(LCASE(?l), '{word}')) }} LIMIT {n}"
                        for n in range(5, 105) for word in words],
    }  # fmt: skip


class Client:
    """A keep-alive connection that asks queries and reads whole answers."""

    def __init__(self, host: str, port: int, path: str, graphs: bool) -> None:
        self._host, self._port, self._path, self._more = host, port, path, GRAPHS if graphs else ""

    async def __aenter__(self) -> "Client":
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=2**22)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, query: str) -> int:
        """The status of the answer, once all of it has been read."""
        target = f"{self._path}?query={quote(PREFIXES + query, safe='')}{self._more}"
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: application/sparql-results+json\r\n\r\n"
        self._writer.write(head.encode())
        headers = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in headers:
            while size := int((await self._reader.readuntil(b"\r\n")).strip(), 16):
                await self._reader.readexactly(size + 2)
            await self._reader.readexactly(2)
        else:
            await self._reader.readexactly(int(headers.partition(b"content-length:")[2].split()[0]))
        return int(headers.split(b" ", 2)[1])


async def load(server: "Server", queries: Iterator[str], seconds: float) -> tuple[float, float, int]:
    """Requests per second, 99th percentile in milliseconds and failures, over several connections at once.

    It ends with the time, or with the queries.
    """
    times: list[float] = []
    failed = 0
    end = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal failed
        async with Client("127.0.0.1", server.port, server.path, server.graphs) as client:
            for query in queries:
                start = time.perf_counter()
                failed += await client.ask(query) != 200
                times.append(time.perf_counter() - start)
                if time.perf_counter() > end:
                    break

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    times.sort()
    return len(times) / (time.perf_counter() - begun), 1000 * times[int(len(times) * 0.99)], failed


class Server:
    """A server process that answers at a port of loopback."""

    def __init__(self, name: str, command: list[str], port: int, path: str, graphs: bool) -> None:
        self.name, self.port, self.path, self.graphs = name, port, path, graphs
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def ready(self) -> "Server":
        """Wait until it answers."""
        for _ in range(600):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with Client("127.0.0.1", self.port, self.path, self.graphs) as client:
                    if await client.ask("ASK { }") == 200:
                        return self
            await asyncio.sleep(0.2)
        raise SystemExit(f"{self.name} does not answer.")

    def memory(self) -> int:
        """Resident bytes of the process and its children."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [pid for thread in threads for pid in (thread / "children").read_text().split()]
        pages = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in (self.process.pid, *children))
        return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)


RDFLIB = """
import sys, uvicorn, rdflib
from rdflib_endpoint import SparqlEndpoint
data = rdflib.Dataset(default_union=True)
data.parse(sys.argv[1], format="nquads")
uvicorn.run(SparqlEndpoint(graph=data, path="/sparql", cors_enabled=False), port=int(sys.argv[2]), log_level="critical", access_log=False)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def servers(folder: Path) -> Iterator[Server]:
    """Ours, the bare Oxigraph server, and rdflib-endpoint, on the same graph."""
    graph, oxigraph = kg.load().knowledge.path, Path(sys.executable).parent / "oxigraph"
    subprocess.run([oxigraph, "load", "--location", folder, "--file", graph], check=True, capture_output=True)
    port = free_port()
    yield Server("palpate", [sys.executable, "-m", "kg", "serve", "--port", str(port)], port, "/sparql", False)
    port = free_port()
    command = [str(oxigraph), "serve-read-only", "--location", str(folder), "--bind", f"127.0.0.1:{port}"]
    yield Server("oxigraph", command, port, "/query", True)
    port = free_port()
    yield Server("rdflib-endpoint", [sys.executable, "-c", RDFLIB, str(graph), str(port)], port, "/sparql", False)


async def warm(server: Server, queries: list[str]) -> None:
    """Ask what is not asked later: a server is at its best once it has been asked for a while."""
    await load(server, reversed(queries), WARM_SECONDS)


async def compare(running: list[Server], seconds: float) -> None:
    """Each kind of query on each server, asked once each and over and over."""
    print(f"{'':26}" + "".join(f"{server.name:>28}" for server in running) + f"{'of oxigraph':>13}{'of rdflib':>11}")
    for name, queries in workloads().items():
        for how in ("distinct", "repeated"):
            rates, cells = [], ""
            for server in running:
                await warm(server, queries)
                rate, p99, failed = await load(server, iter(queries) if how == "distinct" else cycle(queries[:10]), seconds)
                rates.append(rate)
                cells += f"{rate:>13.0f}/s {p99:>7.1f} ms{f' {failed}!' if failed else '':>3}"
            print(f"{name + ', ' + how:26}{cells}{rates[0] / rates[1]:>12.2f}x{rates[0] / rates[2]:>10.0f}x", flush=True)


async def besiege(server: Server, seconds: float) -> None:
    """Cheap queries while two hostile ones run."""
    async with Client("127.0.0.1", server.port, server.path, False) as one, Client("127.0.0.1", server.port, server.path, False) as two:
        hostile = [asyncio.ensure_future(client.ask(f"{HOSTILE} # {n}")) for n, client in enumerate((one, two))]
        await asyncio.sleep(0.5)
        rate, p99, failed = await load(server, reversed(workloads()["point look-up"]), seconds)
        still = sum(not task.done() for task in hostile)
        print(f"{server.name}: {still} hostile queries running: {rate:.0f}/s, p99 {p99:.1f} ms, {failed} failed")
        for task in hostile:
            task.cancel()


async def soak(server: Server, requests: int) -> None:
    """Memory held before and after many requests."""
    queries = cycle(workloads()["point look-up"])
    before = server.memory()
    done = 0
    while done < requests:
        rate, _, _ = await load(server, queries, 5)
        done += int(rate * 5)
        print(f"{server.name}: {done} requests, {server.memory() / 2**20:.0f} MiB (before: {before / 2**20:.0f})", flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each cell is measured")
    parser.add_argument("--soak", action="store_true", help="measure the memory held after 20,000 requests too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        running = list(servers(Path(folder)))
        try:
            await asyncio.gather(*(server.ready() for server in running))
            await compare(running, arguments.seconds)
            if arguments.soak:
                await soak(running[0], 20_000)
            await besiege(running[0], arguments.seconds)
        finally:
            for server in running:
                server.stop()


if __name__ == "__main__":
    asyncio.run(main())
