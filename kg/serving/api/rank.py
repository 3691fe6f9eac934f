"""`/api/rank` and `/api/search`: the ranking and the search of the library as JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError, UnknownName
from kg.serving.api.shared import WHOLE, as_json, problem

_RANK_PARAMETERS = {"condition", "phase", "irritability", "hazard", "red_flag", "on", "top"}


async def rank(request: Request) -> Response:
    """`GET /api/rank?condition=...&phase=...&irritability=...&hazard=...&red_flag=...&on=...&top=...`"""
    query = request.query_params
    try:
        if unknown := set(query) - _RANK_PARAMETERS:
            raise PalpateError(f"Unknown parameter {sorted(unknown)[0]!r}; there are {', '.join(sorted(_RANK_PARAMETERS))}.")
        if repeated := next((name for name in ("condition", "phase", "irritability", "on", "top") if len(query.getlist(name)) > 1), None):
            raise PalpateError(f"The parameter {repeated!r} may be given once.")
        if not query.get("condition"):
            raise PalpateError("The parameter 'condition' is missing.")
        top = query.get("top")
        if top is not None and not WHOLE.fullmatch(top):
            raise PalpateError(f"top must be a whole number of 1 or more, not {top!r}.")
        answer = await run_in_threadpool(
            kg.rank, query["condition"], phase=query.get("phase"), irritability=query.get("irritability"),
            hazards=query.getlist("hazard"), red_flags=query.getlist("red_flag"), on=query.get("on"), top=int(top) if top else None,
        )  # fmt: skip
        return await run_in_threadpool(lambda: as_json(answer.to_dict()))
    except UnknownName as error:
        return problem(error, 404 if error.kind == "condition" else 400)
    except PalpateError as error:
        return problem(error, 400)


async def search(request: Request) -> Response:
    """`GET /api/search?text=...&limit=...`"""
    text, limit = request.query_params.get("text", ""), request.query_params.get("limit", "10")
    if not text or not WHOLE.fullmatch(limit) or not 1 <= int(limit) <= 100:
        return problem(PalpateError("Give 'text', and 'limit' as a whole number from 1 to 100."), 400)
    hits = await run_in_threadpool(kg.search, text, int(limit))
    found = [{"slug": h.slug, "label": h.label, "type": h.type, "matched": h.matched, "score": h.score} for h in hits]
    return as_json({"graph": kg.load().knowledge.version.to_dict(), "hits": found})
