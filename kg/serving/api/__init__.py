"""The HTTP routes beside the explorer: `/sparql` and `/api/...`; a module holds the routes of one part.

One error shape for all of them, problem details of RFC 9457, with the nearest valid names where a name was wrong.
"""

from starlette.routing import Route

from kg.serving.api import protocol, rank
from kg.serving.api.protocol import lifespan
from kg.serving.api.web import Served

__all__ = ["lifespan", "routes"]


def routes() -> list[Route]:
    """All routes, for the server to mount."""
    return [
        Route("/sparql", Served(protocol.sparql, protocol.METHODS, protocol.rates)),
        Route("/api/rank", Served(rank.rank, ("GET",), protocol.rates)),
        Route("/api/search", Served(rank.search, ("GET",), protocol.rates)),
    ]
