"""`/sparql`: the SPARQL 1.1 Protocol, query operation, over the worker processes of `kg.serving.sparql`."""

import asyncio
import gc
import re
from binascii import a2b_qp
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import pyoxigraph as ox
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

import kg
from kg.errors import UnknownName
from kg.graph.names import nearest
from kg.graph.terms import ASSERTED, INFERRED, PAL
from kg.serving.api.shared import FRESH, body_of
from kg.serving.api.web import Rates, matches
from kg.serving.sparql import Answer, Endpoint, Formats, Query, QueryError, describe
from kg.serving.sparql.limits import from_environment, services_from_environment
from kg.serving.sparql.media import GRAPHS, SHORT, TABLES, best

_KNOWN_GRAPHS = (ASSERTED, INFERRED, describe.SERVICE_GRAPH)
_GRAPH_PARAMETERS = ("default-graph-uri", "named-graph-uri")
_FORMAT_PARAMETERS = ("format", "output", "results")
"""The names by which clients ask for a format beside the Accept header; SPARQLWrapper gives all three at once."""
_PARAMETERS = ("query", "timeout", *_GRAPH_PARAMETERS, *_FORMAT_PARAMETERS)
LEAST_SECONDS = 0.1
"""The least time that a client may give a query: one that is stopped costs a worker process."""
_UNWATCHED_SECONDS = 0.1
"""How long a query runs before its client is watched."""
_STRAY = re.compile(rb"%(?![0-9A-Fa-f]{2})")
"""A percent sign that encodes nothing stands for itself."""
_MOST_PAIRS = 1000
_endpoint: Endpoint | None = None
_rates: Rates | None = None


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any] | None]:
    """Load the graph before the first request and stop the workers after the last."""
    global _endpoint, _rates
    await run_in_threadpool(endpoint)
    gc.freeze()  # the graph stays as long as the process: no collection need look through it
    yield None
    if _endpoint:
        _endpoint.close()
    _endpoint = _rates = None


def endpoint() -> Endpoint:
    """The endpoint of this process, started when first asked for."""
    global _endpoint
    if _endpoint is None:
        knowledge, limits, services = kg.load().knowledge, from_environment(), services_from_environment()
        _endpoint = Endpoint(knowledge.path, limits, services, describe.as_quads(knowledge, limits, services))
    return _endpoint


def rates() -> Rates:
    """The counts of requests by address, for all routes of this process."""
    global _rates
    if _rates is None:
        _rates = Rates(endpoint().limits.rate)
    return _rates


async def sparql(request: Request) -> Response:
    """SPARQL 1.1 Protocol, query operation: GET, POST of a form, direct POST."""
    parameters = await _parameters(request)
    query, seconds = query_of(parameters)
    formats = formats_of(_asked_format(parameters) or request.headers.get("accept", ""))
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if not query.volatile and request.method != "POST":
        headers |= FRESH | {"ETag": endpoint().etag(query, formats)}
        if request.headers.get("if-none-match", "*") != "*" and matches(request, headers["ETag"]):
            return Response(None, 304, headers)
    answer = await _unless_gone(request, endpoint().query(query, formats, seconds))
    return Response(answer.body, 200, headers, answer.media_type)


async def _unless_gone(request: Request, answering: Awaitable[Answer]) -> Answer:
    """The answer, unless the client leaves first: then the query is stopped. Short queries are not watched over."""
    task, watching = asyncio.current_task(), list[asyncio.Task[None]]()
    assert task

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        task.cancel()

    timer = asyncio.get_running_loop().call_later(_UNWATCHED_SECONDS, lambda: watching.append(asyncio.ensure_future(watch())))
    try:
        return await answering
    except asyncio.CancelledError:
        if watching and watching[0].done() and not watching[0].cancelled():
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        for watcher in watching:
            watcher.cancel()


@lru_cache(1024)
def formats_of(accept: str) -> Formats:
    """The formats that an Accept header likes best.

    Raises:
        QueryError: with status 406, where it likes none that there is.
    """
    formats = Formats(best(accept, TABLES), best(accept, GRAPHS))
    if formats.table is None and formats.graph is None:
        raise QueryError(f"None of {accept!r} can be given; there are {', '.join(dict.fromkeys([*TABLES, *GRAPHS]))}.", 406)
    return formats


async def _parameters(request: Request) -> dict[str, list[str]]:
    """The parameters of a request, by name: of its address, and with POST of its body.

    Raises:
        QueryError: where the body is too long, not UTF-8, or of no media type of the protocol.
    """
    parameters: dict[str, list[str]] = {}
    for name, value in pairs(request.scope["query_string"], "query string"):
        parameters.setdefault(name, []).append(value)
    if request.method != "POST":
        return parameters
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise QueryError("The body must come uncompressed.", 415, headers={"Accept-Encoding": "identity"})
    media, _, rest = request.headers.get("content-type", "").partition(";")
    charset = rest.replace(" ", "").lower().partition("charset=")[2].partition(";")[0].strip('"')
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise QueryError(f"The body must be in UTF-8, not {charset!r}.")
    body = await body_of(request, 4 * endpoint().limits.query_length)
    match media.strip().lower():
        case "application/sparql-query":
            parameters.setdefault("query", []).append(_text(body, "body"))
        case "application/x-www-form-urlencoded":
            for name, value in pairs(body, "form"):
                parameters.setdefault(name, []).append(value)
        case "application/sparql-update":
            raise QueryError("This endpoint answers queries only; the graph does not change.", 403)
        case _:
            raise QueryError("POST a query as application/sparql-query or as application/x-www-form-urlencoded.", 415,
                             headers={"Accept-Post": "application/sparql-query, application/x-www-form-urlencoded"})  # fmt: skip
    return parameters


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise QueryError(f"The {what} is not UTF-8 text.") from None


def pairs(data: bytes, what: str) -> list[tuple[str, str]]:
    """The pairs of a query string or a form, as `urllib.parse.parse_qsl` reads them; blank values are kept.

    Raises:
        QueryError: where they are too many, or not UTF-8.
    """
    split = (pair.partition(b"=") for pair in _STRAY.sub(b"%25", data.replace(b"+", b" ")).split(b"&") if pair)
    try:
        if data.count(b"&") >= _MOST_PAIRS:
            raise ValueError
        return [(_decoded(name), _decoded(value)) for name, _, value in split]
    except ValueError:
        raise QueryError(f"The {what} is malformed: it must hold NAME=VALUE pairs, percent-encoded UTF-8.") from None


def _decoded(text: bytes) -> str:
    """What was percent-encoded: quoted-printable with another sign, which binascii reads in a quarter of urllib's time."""
    return a2b_qp(text.replace(b"=", b"%3D").replace(b"%", b"=")).decode()


def _asked_format(parameters: Mapping[str, Sequence[str]]) -> str:
    """The formats that the parameters name, as an Accept header would: short names, media types, or such a header itself.

    Raises:
        QueryError: where one is unknown.
    """
    if parameters.keys().isdisjoint(_FORMAT_PARAMETERS):
        return ""
    named = (value for name in _FORMAT_PARAMETERS for value in parameters.get(name, ()) if value)
    return ", ".join(dict.fromkeys(_accept(value) for value in named))


def _accept(value: str) -> str:
    name = value[:200].lower().replace(" ", "+")  # a plus sign that was not encoded arrives as a space
    if name not in SHORT and "/" not in name:
        raise QueryError(UnknownName("format", name, nearest(name, SHORT) or list(SHORT)).message)
    return SHORT.get(name, name)


def query_of(parameters: Mapping[str, Sequence[str]]) -> tuple[Query, float | None]:
    """The query and the time that the client gives it.

    Raises:
        QueryError: where a parameter is missing, repeated, unknown or of no use.
    """
    if "update" in parameters:
        raise QueryError("This endpoint answers queries only; the graph does not change.", 403)
    if unknown := parameters.keys() - _PARAMETERS:
        raise QueryError(f"The parameter {min(unknown)!r} is not supported; there are {', '.join(_PARAMETERS)}.")
    queries = parameters.get("query", [])
    if len(queries) != 1:
        raise QueryError("Give exactly one 'query'.")
    default, named = (_graphs(name, parameters.get(name, ())) for name in _GRAPH_PARAMETERS)
    return Query(queries[0], default, named), _seconds(parameters.get("timeout", [""])[-1])


def _graphs(parameter: str, names: Sequence[str]) -> tuple[str, ...]:
    """The graphs that a parameter names. A graph of somebody else that is not here is empty, as with FROM; one of ours is a mistake.

    Raises:
        QueryError: where a name is no IRI, or one of our namespace by which no graph goes.
    """
    for name in names:
        if name.startswith(PAL) and name not in _KNOWN_GRAPHS:
            raise QueryError(UnknownName("graph", name[:200], nearest(name[:200], _KNOWN_GRAPHS) or _KNOWN_GRAPHS).message)
        try:
            ox.NamedNode(name)
        except ValueError:
            raise QueryError(f"{parameter} must be an absolute IRI, not {name[:200]!r}.") from None
    return tuple(dict.fromkeys(names))


def _seconds(timeout: str) -> float | None:
    try:
        seconds = float(timeout) if timeout else None
    except ValueError:
        raise QueryError(f"timeout must be a number of seconds, not {timeout[:40]!r}.") from None
    if seconds is not None and not seconds >= LEAST_SECONDS:
        raise QueryError(f"timeout must be {LEAST_SECONDS:g} seconds or more.")
    return seconds
