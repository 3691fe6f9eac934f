"""`/api/adapt`: how treatment is changed for what a client has, as JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError, UnknownName
from kg.serving.api.shared import as_json, problem

_SINGLE = ("condition", "phase", "on")
_PARAMETERS = {*_SINGLE, "hazard", "red_flag"}


async def adapt(request: Request) -> Response:
    """`GET /api/adapt?hazard=...&red_flag=...&condition=...&phase=...&on=...`"""
    query = request.query_params
    try:
        if unknown := set(query) - _PARAMETERS:
            raise PalpateError(f"Unknown parameter {sorted(unknown)[0]!r}; there are {', '.join(sorted(_PARAMETERS))}.")
        if repeated := next((name for name in _SINGLE if len(query.getlist(name)) > 1), None):
            raise PalpateError(f"The parameter {repeated!r} may be given once.")
        advice = await run_in_threadpool(
            kg.adapt, query.getlist("hazard"), condition=query.get("condition"), phase=query.get("phase"),
            red_flags=query.getlist("red_flag"), on=query.get("on"),
        )  # fmt: skip
        return as_json(advice.to_dict())
    except UnknownName as error:
        return problem(error, 404 if error.kind == "condition" else 400)
    except PalpateError as error:
        return problem(error, 400)
