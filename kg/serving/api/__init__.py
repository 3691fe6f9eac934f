"""The HTTP routes beside the explorer: `/sparql`, linked data and `/api/...`; a module declares the operations of one part.

One error shape for all of them, problem details of RFC 9457, with the nearest valid names where a name was wrong.
"""

from starlette.routing import BaseRoute

from kg.serving.api import adapt, assess, entity, intake, linked, openapi, plan, protocol, queries, rank
from kg.serving.api.front import Front
from kg.serving.api.operations import Operation, routes_of
from kg.serving.api.protocol import lifespan

__all__ = ["Front", "lifespan", "operations", "protocol", "routes"]

_PARTS = (rank, adapt, assess, intake, plan, entity, queries, linked)
_DECLARED = tuple(operation for part in _PARTS for operation in part.OPERATIONS)


def operations() -> tuple[Operation, ...]:
    """All operations, those that describe the others last."""
    return (*_DECLARED, *openapi.operations_for(_DECLARED))


def routes() -> list[BaseRoute]:
    """All routes, for the server to mount."""
    return routes_of(operations())
