"""`/api/rank` and `/api/search`: the ranking and the search of the library as JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError, UnknownName
from kg.serving.api.shared import WHOLE, as_json, known, problem, whole, yes

_ONCE = ("condition", "phase", "irritability", "on", "age", "pressure", "position", "training", "clothed", "no_instruments", "top")
_REPEATED = ("hazard", "red_flag", "equipment", "spare", "without")


async def rank(request: Request) -> Response:
    """`GET /api/rank?condition=...&phase=...&irritability=...&hazard=...&red_flag=...&top=...`, and what is preferred."""
    query = request.query_params
    try:
        known(query, (*_ONCE, *_REPEATED), _ONCE)
        if not query.get("condition"):
            raise PalpateError("The parameter 'condition' is missing.")
        answer = await run_in_threadpool(
            kg.rank, query["condition"], phase=query.get("phase"), irritability=query.get("irritability"),
            hazards=query.getlist("hazard"), red_flags=query.getlist("red_flag"), on=query.get("on"), age=whole(query, "age"),
            top=whole(query, "top", 1), without=query.getlist("without"), pressure=query.get("pressure"),
            position=query.get("position"), training=query.get("training"), clothed=yes(query, "clothed"),
            no_instruments=yes(query, "no_instruments"), equipment=query.getlist("equipment") or None, spare=query.getlist("spare"),
        )  # fmt: skip
        return await run_in_threadpool(lambda: as_json(answer.to_dict()))
    except UnknownName as error:
        return problem(error, 404 if error.kind == "condition" else 400)
    except PalpateError as error:
        return problem(error, 400)


async def compare(request: Request) -> Response:
    """`GET /api/compare?condition=...&technique=...&technique=...&phase=...&irritability=...&hazard=...`"""
    query = request.query_params
    try:
        known(query, ("condition", "technique", "phase", "irritability", "hazard"), ("condition", "phase", "irritability"))
        techniques = query.getlist("technique")
        if not query.get("condition") or len(techniques) != 2:
            raise PalpateError("Give 'condition', and 'technique' twice.")
        found = await run_in_threadpool(
            kg.compare, query["condition"], *techniques, phase=query.get("phase"), irritability=query.get("irritability"),
            hazards=query.getlist("hazard"),
        )  # fmt: skip
        return as_json(found.to_dict())
    except UnknownName as error:
        return problem(error, 404)
    except PalpateError as error:
        return problem(error, 400)


async def what_if(request: Request) -> Response:
    """`GET /api/what-if?condition=...&technique=...&phase=...&irritability=...&hazard=...&top=...`"""
    query = request.query_params
    try:
        once = ("condition", "technique", "phase", "irritability", "top")
        known(query, (*once, "hazard"), once)
        if not query.get("condition"):
            raise PalpateError("The parameter 'condition' is missing.")
        moves = await run_in_threadpool(
            kg.what_if, query["condition"], technique=query.get("technique"), phase=query.get("phase"),
            irritability=query.get("irritability"), hazards=query.getlist("hazard"), top=whole(query, "top", 1) or 10,
        )  # fmt: skip
        return as_json({"graph": kg.load().knowledge.version.to_dict(), "moves": [move.to_dict() for move in moves]})
    except UnknownName as error:
        return problem(error, 404)
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
