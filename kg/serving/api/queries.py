"""`/api/queries` and `/api/queries/NAME?parameter=...`: the stored queries, as grlc makes an API of them."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.serving.api.operations import Operation, Parameter
from kg.serving.api.protocol import endpoint, formats_of
from kg.serving.api.schema import GRAPH, STRING, array, documents, record
from kg.serving.api.shared import FRESH, as_json
from kg.serving.sparql import Query
from kg.serving.sparql.catalog import catalog, find
from kg.serving.sparql.media import TABLES


async def listed(request: Request) -> Response:
    """`GET /api/queries`"""
    queries = [stored.to_dict() for stored in catalog().values()]
    return as_json({"graph": kg.load().knowledge.version.to_dict(), "queries": queries})


async def answered(request: Request) -> Response:
    """`GET /api/queries/NAME?PARAMETER=VALUE`"""
    stored, engine = find(request.path_params["query"]), kg.load()
    values = {name: request.query_params.getlist(name) for name in request.query_params}
    text = await run_in_threadpool(stored.bind, engine.names, engine.knowledge, values)
    formats = formats_of(request.headers.get("accept", ""))
    answer = await endpoint().query(Query(text), formats)
    return Response(answer.body, 200, FRESH | {"Vary": "Accept"}, answer.media_type)


_PARAMETER = record(name=STRING, type={"enum": ["individual", "text"]}, default=array(STRING))
_QUERY = record(name=STRING, title=STRING, question=STRING, tags=array(STRING), parameters=array(_PARAMETER))

OPERATIONS = (
    Operation(
        "GET", "/api/queries", "The stored queries with their questions and parameters", handler=listed,
        answer={"application/json": record(graph=GRAPH, queries=array(_QUERY))}, example="/api/queries",
    ),
    Operation(
        "GET", "/api/queries/{query}", "The answer of a stored query, with other values for its parameters", handler=answered,
        parameters=(Parameter("query", "The name of a stored query. Its own parameters are told by /api/queries.", required=True),),
        answer=documents(TABLES), missing=("query",), open_parameters=True,
    ),
)  # fmt: skip
