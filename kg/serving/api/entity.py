"""`/api/entity/SLUG`: everything that the graph says of an entity, in both directions."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.graph import entity as entities
from kg.serving.api.operations import Operation, Parameter
from kg.serving.api.schema import BOOLEAN, GRAPH, STRING, array, nullable, record
from kg.serving.api.shared import as_json


async def entity(request: Request) -> Response:
    """`GET /api/entity/SLUG`"""
    name = request.state.arguments["entity"]
    return await run_in_threadpool(lambda: as_json(entities.of(kg.load().knowledge, name).to_dict()))


STATEMENT = record(("id", "label", "value", "datatype", "language"), property=STRING, id=STRING, label=STRING, value=STRING,
                   datatype=STRING, language=STRING, inferred=BOOLEAN)  # fmt: skip
ENTITY = record(graph=GRAPH, slug=STRING, iri=STRING, label=STRING, definition=nullable(STRING), types=array(STRING),
                outgoing=array(STATEMENT), incoming=array(STATEMENT))  # fmt: skip

OPERATIONS = (
    Operation(
        "GET", "/api/entity/{entity}", "Everything that the graph says of an entity, in both directions", entity,
        (Parameter("entity", "The slug of an individual, class or property.", required=True),),
        answer={"application/json": ENTITY}, example="/api/entity/{Technique}", missing=("entity",),
    ),
)  # fmt: skip
