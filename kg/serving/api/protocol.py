"""`/sparql`: the SPARQL 1.1 Protocol over the worker processes of `kg.serving.sparql`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.serving.api.shared import CORS, problem
from kg.serving.sparql import Endpoint, QueryError

_endpoint: Endpoint | None = None


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any] | None]:
    """Load the graph before the first request and stop the workers after the last."""
    global _endpoint
    await run_in_threadpool(_get_endpoint)
    yield None
    if _endpoint:
        _endpoint.close()
    _endpoint = None


def _get_endpoint() -> Endpoint:
    global _endpoint
    if _endpoint is None:
        _endpoint = Endpoint(kg.load().knowledge.path)
    return _endpoint


async def sparql(request: Request) -> Response:
    """SPARQL 1.1 Protocol, query operation: GET, POST of a form, direct POST."""
    try:
        text, seconds = await _query_of(request)
        answer = await _get_endpoint().query(text, request.headers.get("accept", "*/*"), seconds)
    except QueryError as error:
        return problem(error, error.status)
    return Response(answer.body, 200, CORS, answer.media_type)


async def _body(request: Request) -> bytes:
    """The body of a request, never more of it than the longest query, written in a form, could take."""
    longest, body = 4 * _get_endpoint().limits.query_length, bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise QueryError(f"The body is longer than {longest} bytes.", 413)
    return bytes(body)


async def _query_of(request: Request) -> tuple[str, float | None]:
    parameters = {name: request.query_params.getlist(name) for name in request.query_params}
    if request.method == "POST":
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body = (await _body(request)).decode("utf-8")
        except UnicodeDecodeError:
            raise QueryError("The body is not UTF-8 text.") from None
        if media == "application/sparql-query":
            parameters.setdefault("query", []).append(body)
        elif media == "application/x-www-form-urlencoded":
            for name, values in parse_qs(body, keep_blank_values=True).items():
                parameters.setdefault(name, []).extend(values)
        else:
            raise QueryError("POST a query as application/sparql-query or as a form.", 415)
    if "update" in parameters:
        raise QueryError("This endpoint answers queries only; the graph does not change.")
    if unknown := sorted(set(parameters) - {"query", "timeout"}):
        raise QueryError(f"The parameter {unknown[0]!r} is not supported; there are query and timeout. Name graphs by FROM in the query.")
    queries = parameters.get("query", [])
    if len(queries) != 1:
        raise QueryError("Give exactly one 'query'.")
    timeout = parameters.get("timeout", [""])[0]
    try:
        seconds = float(timeout) if timeout else None
    except ValueError:
        raise QueryError(f"timeout must be a number of seconds, not {timeout!r}.") from None
    if seconds is not None and not seconds > 0:
        raise QueryError("timeout must be above 0 seconds.")
    return queries[0], seconds


def endpoint() -> Endpoint:
    """The workers that answer `/sparql`, for whoever else in this process runs queries of strangers."""
    return _get_endpoint()
