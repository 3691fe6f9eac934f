"""The HTTP routes beside the explorer: `/sparql` and `/api/...`; a module holds the routes of one part.

One error shape for all of them, problem details of RFC 9457, with the nearest valid names where a name was wrong.
"""

from starlette.routing import Route

from kg.serving.api import intake, protocol, rank
from kg.serving.api.protocol import lifespan

__all__ = ["lifespan", "routes"]


def routes() -> list[Route]:
    """All routes, for the server to mount."""
    return [
        Route("/sparql", protocol.sparql, methods=["GET", "POST"]),
        Route("/api/rank", rank.rank, methods=["GET"]),
        Route("/api/intake", intake.intake, methods=["POST"]),
        Route("/api/search", rank.search, methods=["GET"]),
    ]
