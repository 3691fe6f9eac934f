"""`/api/rank`, what compares answers (`/api/compare`, `/api/compare-conditions`, `/api/what-if`), and `/api/search`, as JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.errors import PalpateError
from kg.serving.api.operations import Operation, Parameter
from kg.serving.api.schema import ANY, BOOLEAN, GRAPH, NUMBER, STRING, TEXT, WHOLE, array, mapping, nullable, record
from kg.serving.api.shared import as_json


async def rank(request: Request) -> Response:
    """`GET /api/rank?condition=...&phase=...&irritability=...&hazard=...&red_flag=...&top=...`, and what is preferred."""
    asked = request.state.arguments
    answer = await run_in_threadpool(
        kg.rank, asked["condition"], phase=asked["phase"], irritability=asked["irritability"], hazards=asked["hazard"],
        red_flags=asked["red_flag"], on=asked["on"], age=asked["age"], top=asked["top"], without=asked["without"],
        equipment=asked["equipment"] or None, **{name: asked[name] for name in _WISHES},
    )  # fmt: skip
    return await run_in_threadpool(lambda: as_json(answer.to_dict()))


async def compare(request: Request) -> Response:
    """`GET /api/compare?condition=...&technique=...&technique=...&phase=...&irritability=...&hazard=...`"""
    asked = request.state.arguments
    if len(asked["technique"]) != 2:
        raise PalpateError("Give the parameter 'technique' twice.")
    found = await run_in_threadpool(
        kg.compare, asked["condition"], *asked["technique"], phase=asked["phase"], irritability=asked["irritability"],
        hazards=asked["hazard"],
    )  # fmt: skip
    return as_json(found.to_dict())


async def compare_conditions(request: Request) -> Response:
    """`GET /api/compare-conditions?condition=...&condition=...&phase=...&irritability=...&hazard=...&red_flag=...`"""
    asked = request.state.arguments
    found = await run_in_threadpool(
        kg.compare_conditions, *asked["condition"], phase=asked["phase"], irritability=asked["irritability"], hazards=asked["hazard"],
        red_flags=asked["red_flag"],
    )  # fmt: skip
    return as_json(found.to_dict())


async def what_if(request: Request) -> Response:
    """`GET /api/what-if?condition=...&technique=...&phase=...&irritability=...&hazard=...&top=...`"""
    asked = request.state.arguments
    moves = await run_in_threadpool(
        kg.what_if, asked["condition"], technique=asked["technique"], phase=asked["phase"], irritability=asked["irritability"],
        hazards=asked["hazard"], top=asked["top"],
    )  # fmt: skip
    return as_json({"graph": kg.load().knowledge.version.to_dict(), "moves": [move.to_dict() for move in moves]})


async def search(request: Request) -> Response:
    """`GET /api/search?text=...&limit=...`"""
    asked = request.state.arguments
    hits = await run_in_threadpool(kg.search, asked["text"], asked["limit"])
    found = [{"slug": h.slug, "label": h.label, "type": h.type, "matched": h.matched, "score": h.score} for h in hits]
    return as_json({"graph": kg.load().knowledge.version.to_dict(), "hits": found})


_CONDITION = Parameter("condition", "Slug, label, synonym or ICD-10-CM code of a condition.", TEXT, required=True)
PHASE = Parameter("phase", "acute, subacute, chronic or postoperative.", TEXT)
HAZARD = Parameter("hazard", "A hazard of the client: NAME or NAME=YYYY-MM-DD; may be repeated.", TEXT, repeated=True)
RED_FLAG = Parameter("red_flag", "A red flag that was found; may be repeated.", TEXT, repeated=True)
ON = Parameter("on", "The date of the session, YYYY-MM-DD; a dated hazard needs it.", TEXT)
_IRRITABILITY = Parameter("irritability", "low, moderate or high.", TEXT)
CLIENT = (PHASE, _IRRITABILITY, HAZARD, RED_FLAG, ON, Parameter("age", "Age in years; brings the hazards of that age.", WHOLE))
"""What is known of a client, as parameters."""
_WISHES = ("pressure", "position", "training", "clothed", "no_instruments", "spare")
_PREFERENCES = (
    Parameter("pressure", "The most pressure that the client likes: none, light, moderate or deep.", TEXT),
    Parameter("position", "The one position to work in, such as seated or supine.", TEXT),
    Parameter("training", "The most training the therapist has: entry, additional or specialist.", TEXT),
    Parameter("clothed", "Only what can be done through clothing.", {"type": "boolean", "default": False}),
    Parameter("no_instruments", "Nothing by tool or device.", {"type": "boolean", "default": False}),
    Parameter("equipment", "What is at hand; may be repeated. All is, where none is named.", TEXT, repeated=True),
    Parameter("spare", "Spare the therapist's thumb, wrist or back; orders equals; may be repeated.", TEXT, repeated=True),
    Parameter("without", "Withdraw the evidence of a source; may be repeated.", TEXT, repeated=True),
)
_TOP = Parameter("top", "Only the first N of each list; what is withheld is always whole.", {"type": "integer", "minimum": 1})

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
        (_CONDITION, *CLIENT, *_PREFERENCES, _TOP),
        answer={"application/json": RANKING}, example="/api/rank?condition={Condition}&top=3", missing=("condition",),
    ),
    Operation(
        "GET", "/api/compare", "Say what sets two techniques apart", compare,
        (_CONDITION, Parameter("technique", "A technique; given twice.", TEXT, repeated=True), PHASE, _IRRITABILITY, HAZARD),
        missing=("condition", "technique"),
    ),
    Operation(
        "GET", "/api/compare-conditions", "Put conditions side by side: what they share, and what tells them apart", compare_conditions,
        (Parameter("condition", "A condition; given two to four times.", TEXT, repeated=True), PHASE, _IRRITABILITY, HAZARD, RED_FLAG),
        missing=("condition",),
    ),
    Operation(
        "GET", "/api/what-if", "Say which source, claim or relief moves the answer most if it is withdrawn", what_if,
        (_CONDITION, Parameter("technique", "Only what moves this technique.", TEXT), PHASE, _IRRITABILITY, HAZARD,
         Parameter("top", "How many.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10})),
        example="/api/what-if?condition={Condition}&top=3", missing=("condition", "technique"),
    ),
    Operation(
        "GET", "/api/search", "Find entities by name, synonym or code", search,
        (Parameter("text", "A name, synonym or code, misspelt if need be.", TEXT, required=True),
         Parameter("limit", "How many hits at most.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10})),
        answer={"application/json": HITS}, example="/api/search?text={Condition}",
    ),
)  # fmt: skip
