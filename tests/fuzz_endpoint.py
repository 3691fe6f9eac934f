"""Strange requests against a live server: queries by a grammar and by mutation of the stored ones, odd parameters, headers and bytes.

    python -m tests.fuzz_endpoint --seconds 300

Whatever comes, the server answers with what it documents: success, a mistake of the client, or a limit; it never fails inside
(500), tells nothing of itself in an error, writes whole answers, and is there for the next. `tests/test_fuzz.py` runs a short
form of it, the same requests each time.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_from_bytes

import pyoxigraph as ox
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from kg.graph.terms import ASSERTED, INFERRED
from kg.serving.sparql.catalog import catalog
from kg.serving.sparql.media import GRAPHS, SHORT, TABLES

SECONDS = "0.5"
"""What a query may take in the server that is fuzzed."""
LIMITS = {503, 504}
TELLING = re.compile(rb'Traceback|File "|site-packages|panicked|\.rs:\d|\.py\b|/home/|/usr/|/tmp/|RuntimeError|Exception')
NOT_HTTP = b"Invalid HTTP request received."

# ---------------------------------------------------------------------------------------------------- queries
SLUGS = ("foot", "cupping", "plantar-fasciitis", "Condition", "inRegion", "affects", "subtypeOf", "partOf", "claimEffect", "label")
PREFIXES = ("PREFIX pal: <https://w3id.org/palpate/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
            "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> PREFIX dcterms: <http://purl.org/dc/terms/> ")  # fmt: skip
iris = st.sampled_from([*(f"pal:{slug}" for slug in SLUGS), "skos:prefLabel", "dcterms:source", "<foot>", "<>", "<http://a/%00>"])
variables = st.sampled_from(["?a", "?b", "?c", "?d", "$e"])
numbers = st.one_of(st.integers().map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr),
                    st.sampled_from(["1e400", "-0", "9" * 400, "0.1e-400", "9223372036854775808"]))  # fmt: skip
ESCAPES = str.maketrans({"'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r"})
texts = st.text(max_size=12).map(lambda text: f"'{text.translate(ESCAPES)}'")
literals = st.one_of(
    numbers, texts, st.sampled_from(["true", "'a'@en", "'a'@en-x", "'P1Y'^^xsd:duration", "'x'^^xsd:integer", "'-99999-01-01'^^xsd:date",
                                     "'2026-02-30T24:00:00Z'^^xsd:dateTime", "'('", "'(a+)+$'", "'$1'", "'''a\n\"b'''", "'\\u0000'"]),
)  # fmt: skip
terms = st.one_of(variables, variables, iris, literals)
things = st.one_of(variables, variables, iris)
paths = st.recursive(st.one_of(iris, st.just("a")), lambda inner: st.one_of(
    st.builds("({}{})".format, inner, st.sampled_from("*+?")), st.builds("^{}".format, inner), st.builds("{}/{}".format, inner, inner),
    st.builds("({}|{})".format, inner, inner), st.builds("!({}|^{})".format, iris, iris),
), max_leaves=4)  # fmt: skip
words = str.split
NULLARY = words("NOW RAND UUID STRUUID BNODE CONCAT")
UNARY = words("""
    STR LANG DATATYPE IRI BNODE ABS CEIL FLOOR ROUND STRLEN UCASE LCASE ENCODE_FOR_URI YEAR MONTH DAY HOURS MINUTES SECONDS TIMEZONE TZ
    MD5 SHA1 SHA256 SHA384 SHA512 isIRI isBLANK isLITERAL isNUMERIC COALESCE pal:foot ! - +
    xsd:integer xsd:decimal xsd:double xsd:dateTime xsd:boolean xsd:date
""")
BINARY = words("SUBSTR REGEX STRBEFORE STRAFTER STRSTARTS STRENDS CONTAINS STRLANG STRDT sameTerm langMatches CONCAT COALESCE")
TERNARY = words("IF REPLACE SUBSTR REGEX CONCAT COALESCE")
AGGREGATES = words("COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT")
OPERATORS = words("+ - * / = != < > <= >= && ||")


def expressions_over(patterns: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(terms, lambda inner: st.one_of(
        st.builds("{}()".format, st.sampled_from(NULLARY)), st.builds("{}({})".format, st.sampled_from(UNARY), inner),
        st.builds("{}({}, {})".format, st.sampled_from(BINARY), inner, inner), st.builds("BOUND({})".format, variables),
        st.builds("{}({}, {}, {})".format, st.sampled_from(TERNARY), inner, inner, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("({} IN ({}, {}))".format, inner, inner, inner), st.builds("(NOT EXISTS {{ {} }})".format, patterns),
    ), max_leaves=6)  # fmt: skip


triples = st.builds("{} {} {} .".format, things, st.one_of(variables, paths), terms)
expressions = expressions_over(triples)
patterns = st.recursive(triples, lambda inner: st.one_of(
    st.builds("{} {}".format, inner, inner), st.builds("{{ {} }} UNION {{ {} }}".format, inner, inner),
    st.builds("{} OPTIONAL {{ {} }}".format, inner, inner), st.builds("{} MINUS {{ {} }}".format, inner, inner),
    st.builds("{} FILTER({})".format, inner, expressions), st.builds("{} BIND({} AS ?n{})".format, inner, expressions, st.integers(0, 3)),
    st.builds("GRAPH {} {{ {} }}".format, st.one_of(variables, st.just(f"<{ASSERTED}>")), inner),
    st.builds("VALUES (?a ?b) {{ ({} UNDEF) ({} {}) }} {}".format, literals, iris, literals, inner),
    st.builds("{{ SELECT * {{ {} }} LIMIT {} }}".format, inner, st.integers(0, 50)),
    st.builds("SERVICE {} <http://127.0.0.1:9/> {{ {} }}".format, st.sampled_from(["", "SILENT"]), inner),
), max_leaves=6)  # fmt: skip
heads = st.one_of(
    st.just("SELECT *"), st.just("SELECT DISTINCT ?a ?b"), st.just("ASK"), st.builds("SELECT ({} AS ?x)".format, expressions),
    st.builds("SELECT ({}(DISTINCT {}) AS ?y)".format, st.sampled_from(AGGREGATES), expressions), st.just("DESCRIBE *"),
    st.builds("DESCRIBE {}".format, iris), st.builds("CONSTRUCT {{ {} }}".format, st.builds("{} {} {}".format, things, iris, terms)),
    st.just(f"SELECT * FROM <{INFERRED}> FROM NAMED <{ASSERTED}>"), st.sampled_from(["INSERT", "LOAD <file:///etc/passwd> ; ASK"]),
)  # fmt: skip
tails = st.one_of(
    st.just("LIMIT 20"), st.just("LIMIT 9"), st.builds("GROUP BY ?a HAVING ({}) LIMIT 9".format, expressions),
    st.builds("ORDER BY DESC({}) LIMIT 5".format, expressions),
    st.builds("LIMIT {} OFFSET {}".format, st.integers(0), st.integers(0)), st.just(""), st.builds("VALUES ?a {{ {} }}".format, literals),
)  # fmt: skip
by_grammar = st.builds("{}{} {{ {} }} {}".format, st.just(PREFIXES), heads, patterns, tails)

TOKEN = re.compile(r"\s+|[?$:\w-]+|<[^<>\s]*>|.", re.DOTALL)
STORED = [TOKEN.findall(query.text) for query in catalog().values()]
PIECES = sorted({token for tokens in STORED for token in tokens if not token.isspace()})
PIECES += ["\0", "\ud7ff", "𝄞", "\u202e", "#", '"""', "\\u0041"]
EDITS = ("drop", "double", "swap", "put")
edits = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 2**16), st.integers(0, len(PIECES) - 1)), max_size=6)


def edited(number: int, changes: list[tuple[str, int, int]]) -> str:
    """A stored query with some of its tokens dropped, doubled, swapped, or others put among them."""
    found = list(STORED[number])
    for kind, place, piece in changes:
        at = place % max(len(found) - 1, 1)
        match kind:
            case "drop":
                del found[at : at + 1]
            case "double":
                found[at:at] = found[at : at + 1] * 2
            case "swap":
                found[at : at + 2] = reversed(found[at : at + 2])
            case "put":
                found.insert(at, PIECES[piece])
    return "".join(found)


nested = st.builds(lambda piece, depth, end: f"ASK {{ {piece[0] * depth} {end} {piece[1] * depth} }}",
                   st.sampled_from([("{", "}"), ("FILTER(", ")"), ("BIND((", ") AS ?x)"), ("OPTIONAL {", "}"), ("?s (", ") ?o")]),
                   st.integers(1, 3000), st.sampled_from(["", "?s ?p ?o", "1"]))  # fmt: skip
queries = st.one_of(by_grammar, st.builds(edited, st.integers(0, len(STORED) - 1), edits), st.text(max_size=200), nested)

# ---------------------------------------------------------------------------------------------------- requests
MEDIA = [*TABLES, *GRAPHS, "*/*", "text/*", "image/png", "text/html"]
qualities = st.sampled_from(["", ";q=0", ";q=0.5", ";q=1.000", ";q=nan", ";q=-1", ";version=1.2", ";q"])
plain = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
accepts = st.one_of(st.lists(st.builds("{}{}".format, st.sampled_from(MEDIA), qualities), max_size=5).map(", ".join), plain)
bodies = ["application/sparql-query", "application/x-www-form-urlencoded", "application/sparql-update", "text/plain", "multipart/form-data",
          "application/sparql-query; charset=utf-16", 'Application/SPARQL-Query;charset="UTF-8"', ";", ""]  # fmt: skip
headers = st.lists(st.one_of(
    st.tuples(st.just("Accept"), accepts),
    st.tuples(st.just("Accept-Encoding"), st.sampled_from(["gzip", "gzip;q=0", "br, *", "gzip;q=x"])),
    st.tuples(st.just("If-None-Match"), st.sampled_from(["*", 'W/"a"', '"a", "b"', ",", '"'])),
    st.tuples(st.just("Range"), st.just("bytes=0-1")), st.tuples(st.just("Expect"), st.just("100-continue")),
    st.tuples(st.just("Content-Encoding"), st.sampled_from(["gzip", "identity"])),
    st.tuples(st.just("Origin"), plain), st.tuples(st.sampled_from(["X-Forwarded-For", "Authorization", "Cookie", "Host"]), plain),
), max_size=4)  # fmt: skip
values = st.one_of(st.text(max_size=40), st.sampled_from([ASSERTED, INFERRED, "http://example.org/", "1", "0.1", "-1", "1e999", *SHORT]))
names = st.sampled_from(["default-graph-uri", "named-graph-uri", "timeout", "format", "output", "results", "query", "update", "x", ""])
escaped = st.one_of(st.text(max_size=20).map(quote), st.binary(max_size=20).map(quote_from_bytes),
                    st.sampled_from(["%", "%zz", "%c3", "+", ";", "&&", "=="]))  # fmt: skip
parameters = st.lists(st.one_of(st.builds("{}={}".format, names, values.map(quote)), escaped), max_size=3)
METHODS = ["GET"] * 5 + ["POST"] * 5 + ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "get", "Q" * 50]
PATHS = ["/sparql"] * 12 + ["/.well-known/void", "/data/foot.ttl", "/id/foot", "/ontology", "/api/queries/doses"]


def built(method: str, path: str, query: str, more: list[str], fields: list[tuple[str, str]], media: str) -> bytes:
    """A request for a query: by POST in its body, else in its address."""
    pairs, body = list(more), b""
    if method == "POST":
        body = (f"query={quote(query)}" if "form" in media else query).encode("utf-8", "surrogatepass")
        fields = [*fields, ("Content-Type", media), ("Content-Length", str(len(body)))]
    else:
        pairs.insert(0, f"query={quote(query)}")
    lines = [f"{method} {path}?{'&'.join(pairs)} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in fields), "Connection: close"]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


requests = st.builds(built, st.sampled_from(METHODS), st.sampled_from(PATHS), queries, parameters, headers, st.sampled_from(bodies))
asked_plainly = st.builds(built, st.sampled_from(["GET", "POST"]), st.just("/sparql"), queries, st.just([]),
                          st.sampled_from([*TABLES, *GRAPHS, "*/*"]).map(lambda media: [("Accept", media)]),
                          st.sampled_from(bodies[:2]))  # fmt: skip


def damaged(request: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    """A request with other bytes at some places."""
    found = bytearray(request)
    for place, piece in changes:
        at = place % (len(found) + 1)
        found[at : at + len(piece)] = piece
    return bytes(found)


damages = st.lists(st.tuples(st.integers(0, 2**12), st.binary(max_size=4)), max_size=5)
on_the_wire = st.one_of(st.binary(max_size=300), st.builds(damaged, requests, damages))


# ---------------------------------------------------------------------------------------------------- the server and what it says
@dataclass
class Server:
    """A server to be fuzzed, and what came of it."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    statuses: Counter[int] = field(default_factory=Counter)

    def exchange(self, request: bytes, patience: float) -> bytes:
        """What the server answers; nothing where it waits for more, or hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as connection:
            received = b""
            try:
                connection.sendall(request)
                while chunk := connection.recv(2**16):
                    received += chunk
            except (TimeoutError, ConnectionError):
                pass
        return received

    def check(self, request: bytes, kind: str) -> None:
        """Send a request and hold the answer to what is promised: most of a plain query, least of bytes that may be no request to us."""
        plain, damaged = kind == "plain", kind == "damaged"
        response = self.exchange(request, 0.3 if damaged else 20.0)
        while response.startswith(b"HTTP/1.1 100"):
            response = response.partition(b"\r\n\r\n")[2]
        if not response:
            assert not plain, "no answer"
            return
        head, _, body = response.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        self.statuses[status] += 1
        service = b"service" in request.lower() or b"%5c" in request.lower() or b"\\u" in request
        assert status < 500 or status in LIMITS or (status == 502 and service), response[:2000]
        if status >= 400:
            assert not TELLING.search(body) or TELLING.search(request), response[:2000]
            assert damaged or body == NOT_HTTP or not body or json.loads(body)["status"] == status, response[:2000]
        elif status == 200 and plain:
            whole(body, dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-type"].decode())

    def lives(self) -> None:
        """Whether it still answers a query that it has not seen, and logged no failure."""
        assert self.process.poll() is None, "the server died"
        query = quote(f"SELECT ?x {{ <foot> a ?x }} # {time.monotonic_ns()}")
        request = f"GET /sparql?query={query} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\nConnection: close\r\n\r\n"
        found = self.exchange(request.encode(), 60)
        assert found.startswith(b"HTTP/1.1 200"), found[:500]
        assert b"BodyRegion" in found
        log = self.log.read_bytes()
        assert b"Traceback" not in log, log[-4000:].decode("utf-8", "replace")


def whole(body: bytes, media: str) -> None:
    """Raise where an answer is not whole in its format."""
    kind = media.partition(";")[0]
    if kind.endswith("xml"):
        ElementTree.fromstring(body)
    if kind == "text/html":
        assert b"</html>" in body
    elif kind == "application/json" or kind.endswith("ld+json"):
        json.loads(body)
    elif kind in GRAPHS and kind != "application/xml":
        for _ in ox.parse(body, format=ox.RdfFormat.from_media_type(kind), lenient=True):
            pass
    elif kind.endswith("json"):
        assert json.loads(body)["head"] is not None
    elif not kind.endswith("xml"):
        assert body.endswith(b"\n") or body in (b"true", b"false")


@contextmanager
def serving() -> Iterator[Server]:
    """The whole server in a process of its own, with a short limit of time."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        command = [sys.executable, "-m", "kg", "serve", "--port", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PALPATE_TIMEOUT": SECONDS})
        server = Server(port, process, Path(log.name))
        try:
            end = time.monotonic() + 120
            while True:
                try:
                    server.lives()
                    break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.2)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def rounds(server: Server, examples: int, random: int | None = None) -> list[Callable[[], None]]:
    """The checks, each over so many requests: the same ones each time, or those that a random number leads to."""
    usual = settings(deadline=None, database=None, derandomize=random is None, suppress_health_check=list(HealthCheck))

    def over(strategy: st.SearchStrategy[bytes], kind: str, share: int = 1) -> Callable[[], None]:
        def check(request: bytes) -> None:
            server.check(request, kind)

        test: Callable[[], None] = settings(usual, max_examples=examples * share)(given(request=strategy)(check))
        return test if random is None else seed(random)(test)

    return [over(asked_plainly, "plain", share=3), over(requests, "odd"), over(on_the_wire, "damaged")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long (300)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="where to begin; else by the clock")
    asked = parser.parse_args()
    with serving() as server:
        end, random = time.monotonic() + asked.seconds, asked.seed
        while time.monotonic() < end:
            print(f"seed {random}", flush=True)
            for check in rounds(server, 200, random):
                check()
                server.lives()
            random += 1
        counted = ", ".join(f"{number} of {status}" for status, number in sorted(server.statuses.items()))
        print(f"{sum(server.statuses.values())} answers: {counted}")


if __name__ == "__main__":
    main()
