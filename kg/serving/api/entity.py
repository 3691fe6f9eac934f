"""`/api/entity/SLUG`: everything that the graph says of an entity, in both directions."""

from typing import Any

import kg
from kg.graph import entity as entities
from kg.serving.api.operations import Arguments, Operation, Parameter, Tool
from kg.serving.api.schema import BOOLEAN, GRAPH, STRING, array, nullable, record


def entity(asked: Arguments) -> dict[str, Any]:
    """The description of an entity."""
    return entities.of(kg.load().knowledge, asked["entity"]).to_dict()


STATEMENT = record(("id", "label", "value", "datatype", "language"), property=STRING, id=STRING, label=STRING, value=STRING,
                   datatype=STRING, language=STRING, inferred=BOOLEAN)  # fmt: skip
ENTITY = record(graph=GRAPH, slug=STRING, iri=STRING, label=STRING, definition=nullable(STRING), types=array(STRING),
                outgoing=array(STATEMENT), incoming=array(STATEMENT))  # fmt: skip

OPERATIONS = (
    Operation(
        "GET", "/api/entity/{entity}", "Everything that the graph says of an entity, in both directions", entity,
        (Parameter("entity", "The slug of an individual, class or property.", required=True),),
        answer={"application/json": ENTITY}, example="/api/entity/{Technique}", missing=("entity",),
        tool=Tool("entity", long=frozenset({"incoming"})),
    ),
)  # fmt: skip
