"""The HTTP routes beside the explorer: `/sparql` and `/api/...`; a module holds the routes of one part.

One error shape for all of them, problem details of RFC 9457, with the nearest valid names where a name was wrong.
"""

from starlette.routing import Route

from kg.serving.api import adapt, assess, intake, plan, protocol, rank
from kg.serving.api.protocol import lifespan

__all__ = ["lifespan", "routes"]


def routes() -> list[Route]:
    """All routes, for the server to mount."""
    return [
        Route("/sparql", protocol.sparql, methods=["GET", "POST"]),
        Route("/api/assess", assess.assess, methods=["POST"]),
        Route("/api/screen", assess.screen, methods=["POST"]),
        Route("/api/plan", plan.plan, methods=["POST"]),
        Route("/api/plan/check", plan.check_plan, methods=["POST"]),
        Route("/api/rank", rank.rank, methods=["GET"]),
        Route("/api/compare", rank.compare, methods=["GET"]),
        Route("/api/what-if", rank.what_if, methods=["GET"]),
        Route("/api/adapt", adapt.adapt, methods=["GET"]),
        Route("/api/intake", intake.intake, methods=["POST"]),
        Route("/api/search", rank.search, methods=["GET"]),
    ]
