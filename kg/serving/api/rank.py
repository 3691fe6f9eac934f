"""`/api/rank` and `/api/search`: the ranking and the search of the library as JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.serving.api.operations import Operation, Parameter
from kg.serving.api.schema import ANY, BOOLEAN, GRAPH, NUMBER, STRING, TEXT, WHOLE, array, mapping, nullable, record
from kg.serving.api.shared import as_json


async def rank(request: Request) -> Response:
    """`GET /api/rank?condition=...&phase=...&irritability=...&hazard=...&red_flag=...&top=...`"""
    asked = request.state.arguments
    answer = await run_in_threadpool(
        kg.rank, asked["condition"], phase=asked["phase"], irritability=asked["irritability"], hazards=asked["hazard"],
        red_flags=asked["red_flag"], top=asked["top"],
    )  # fmt: skip
    return await run_in_threadpool(lambda: as_json(answer.to_dict()))


async def search(request: Request) -> Response:
    """`GET /api/search?text=...&limit=...`"""
    asked = request.state.arguments
    hits = await run_in_threadpool(kg.search, asked["text"], asked["limit"])
    found = [{"slug": h.slug, "label": h.label, "type": h.type, "matched": h.matched, "score": h.score} for h in hits]
    return as_json({"graph": kg.load().knowledge.version.to_dict(), "hits": found})


CLIENT = (
    Parameter("phase", "acute, subacute, chronic or postoperative.", TEXT),
    Parameter("irritability", "low, moderate or high.", TEXT),
    Parameter("hazard", "A hazard of the client, by slug or name; may be repeated.", TEXT, repeated=True),
    Parameter("red_flag", "A red flag that was found; may be repeated.", TEXT, repeated=True),
)
"""What is known of a client, as parameters."""

REASON = record(hazard=STRING, label=STRING, level=STRING, reason=STRING, action=STRING, circumstance=nullable(STRING),
                where=nullable(STRING), basis=ANY, sources=array(STRING), rule=ANY)  # fmt: skip
ENTRY = record(
    rank=WHOLE, band=WHOLE, technique=STRING, label=STRING, score=NUMBER, interval=array(NUMBER), certainty=STRING, scope=STRING,
    class_={"enum": ["supported", "mechanism-only", "conflicting", "against", "unknown"]}, plausibility=NUMBER, why=STRING,
    evidence=array({"type": "object"}), cautions=array(REASON), dose={"type": "object"}, rationale=array({"type": "object"}),
)  # fmt: skip
REFERRAL = nullable(record(urgency={"enum": ["emergency", "urgent", "medical-review"]}, reasons=array(record(slug=STRING, label=STRING))))
RANKING = record(
    condition=record(slug=STRING, label=STRING, iri=STRING, in_depth=BOOLEAN), context={"type": "object"}, graph=GRAPH, referral=REFERRAL,
    recommended=array(ENTRY), adjuncts=array(ENTRY), discuss=array(ENTRY), needs=array({"type": "object"}),
    withheld=array(record(technique=STRING, label=STRING, level=STRING, because=array(REASON))), statements=mapping({"type": "object"}),
    sources=mapping({"type": "object"}),
)  # fmt: skip
HITS = record(graph=GRAPH, hits=array(record(slug=STRING, label=STRING, type=STRING, matched=STRING, score=NUMBER)))

OPERATIONS = (
    Operation(
        "GET", "/api/rank", "Rank the techniques for a condition and a client, with what is withheld and why", rank,
        (Parameter("condition", "Slug, label, synonym or ICD-10-CM code of a condition.", TEXT, required=True), *CLIENT,
         Parameter("top", "Only the first N of each list; what is withheld is always whole.", {"type": "integer", "minimum": 1})),
        answer={"application/json": RANKING}, example="/api/rank?condition={Condition}&top=3", missing=("condition",),
    ),
    Operation(
        "GET", "/api/search", "Find entities by name, synonym or code", search,
        (Parameter("text", "A name, synonym or code, misspelt if need be.", TEXT, required=True),
         Parameter("limit", "How many hits at most.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10})),
        answer={"application/json": HITS}, example="/api/search?text={Condition}",
    ),
)  # fmt: skip
