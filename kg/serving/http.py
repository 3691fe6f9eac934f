"""The HTTP routes beside the explorer: `/sparql` and `/api/...`.

One error shape for all of them, problem details of RFC 9457, with the nearest valid names where a name was wrong.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import kg
from kg.errors import PalpateError, UnknownName
from kg.serving.sparql import Endpoint, QueryError

_CORS = {"Access-Control-Allow-Origin": "*"}
_RANK_PARAMETERS = {"condition", "phase", "irritability", "hazard", "red_flag", "top"}
_WHOLE = re.compile(r"[0-9]{1,9}")
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


def problem(error: PalpateError, status: int) -> Response:
    """Problem details for a mistake of a user."""
    detail: dict[str, Any] = {"type": "about:blank", "title": type(error).__name__, "status": status, "detail": error.message}
    if isinstance(error, UnknownName):
        detail |= {"name": error.name, "nearest": list(error.nearest)}
    return Response(json.dumps(detail, ensure_ascii=False), status, _CORS, "application/problem+json")


async def rank(request: Request) -> Response:
    """`GET /api/rank?condition=...&phase=...&irritability=...&hazard=...&red_flag=...&top=...`"""
    query = request.query_params
    try:
        if unknown := set(query) - _RANK_PARAMETERS:
            raise PalpateError(f"Unknown parameter {sorted(unknown)[0]!r}; there are {', '.join(sorted(_RANK_PARAMETERS))}.")
        if repeated := next((name for name in ("condition", "phase", "irritability", "top") if len(query.getlist(name)) > 1), None):
            raise PalpateError(f"The parameter {repeated!r} may be given once.")
        if not query.get("condition"):
            raise PalpateError("The parameter 'condition' is missing.")
        top = query.get("top")
        if top is not None and not _WHOLE.fullmatch(top):
            raise PalpateError(f"top must be a whole number of 1 or more, not {top!r}.")
        answer = await run_in_threadpool(
            kg.rank, query["condition"], phase=query.get("phase"), irritability=query.get("irritability"),
            hazards=query.getlist("hazard"), red_flags=query.getlist("red_flag"), top=int(top) if top else None,
        )  # fmt: skip
        body = await run_in_threadpool(lambda: json.dumps(answer.to_dict(), ensure_ascii=False))
    except UnknownName as error:
        return problem(error, 404 if error.kind == "condition" else 400)
    except PalpateError as error:
        return problem(error, 400)
    return Response(body, 200, _CORS, "application/json")


async def search(request: Request) -> Response:
    """`GET /api/search?text=...&limit=...`"""
    text, limit = request.query_params.get("text", ""), request.query_params.get("limit", "10")
    if not text or not _WHOLE.fullmatch(limit) or not 1 <= int(limit) <= 100:
        return problem(PalpateError("Give 'text', and 'limit' as a whole number from 1 to 100."), 400)
    hits = await run_in_threadpool(kg.search, text, int(limit))
    found = [{"slug": h.slug, "label": h.label, "type": h.type, "matched": h.matched, "score": h.score} for h in hits]
    body = {"graph": kg.load().knowledge.version.to_dict(), "hits": found}
    return Response(json.dumps(body, ensure_ascii=False), 200, _CORS, "application/json")


async def sparql(request: Request) -> Response:
    """SPARQL 1.1 Protocol, query operation: GET, POST of a form, direct POST."""
    try:
        text, seconds = await _query_of(request)
        answer = await _get_endpoint().query(text, request.headers.get("accept", "*/*"), seconds)
    except QueryError as error:
        return problem(error, error.status)
    return Response(answer.body, 200, _CORS, answer.media_type)


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


def routes() -> list[Route]:
    """All routes, for the server to mount."""
    return [
        Route("/sparql", sparql, methods=["GET", "POST"]),
        Route("/api/rank", rank, methods=["GET"]),
        Route("/api/search", search, methods=["GET"]),
    ]
