"""`/api/rank`, what compares answers (`/api/compare`, `/api/compare-conditions`, `/api/what-if`), and `/api/search`."""

from typing import Any

import kg
from kg.errors import PalpateError
from kg.serving.api.answers import COMPARISON, HITS, MOVES, RANKING, SIDE_BY_SIDE
from kg.serving.api.client import CLIENT, CONDITION, HAZARD, IRRITABILITY, PHASE, PREFERENCES, RED_FLAG
from kg.serving.api.operations import Arguments, Operation, Parameter, Tool
from kg.serving.api.schema import TEXT, names

_WISHES = ("pressure", "position", "training", "clothed", "no_instruments", "spare")


def rank(asked: Arguments) -> dict[str, Any]:
    """The ranking of `kg.rank`."""
    answer = kg.rank(
        asked["condition"], phase=asked["phase"], irritability=asked["irritability"], hazards=asked["hazard"],
        red_flags=asked["red_flag"], on=asked["on"], age=asked["age"], top=asked["top"], without=asked["without"],
        equipment=asked["equipment"] or None, **{name: asked[name] for name in _WISHES},
    )  # fmt: skip
    return answer.to_dict()


def compare(asked: Arguments) -> dict[str, Any]:
    """The comparison of `kg.compare`."""
    if len(asked["technique"]) != 2:
        raise PalpateError("Name two techniques to compare.")
    found = kg.compare(asked["condition"], *asked["technique"], phase=asked["phase"], irritability=asked["irritability"],
                       hazards=asked["hazard"])  # fmt: skip
    return found.to_dict()


def compare_conditions(asked: Arguments) -> dict[str, Any]:
    """The conditions side by side of `kg.compare_conditions`."""
    found = kg.compare_conditions(*asked["condition"], phase=asked["phase"], irritability=asked["irritability"], hazards=asked["hazard"],
                                  red_flags=asked["red_flag"])  # fmt: skip
    return found.to_dict()


def what_if(asked: Arguments) -> dict[str, Any]:
    """The moves of `kg.what_if`."""
    moves = kg.what_if(asked["condition"], technique=asked["technique"], phase=asked["phase"], irritability=asked["irritability"],
                       hazards=asked["hazard"], top=asked["top"])  # fmt: skip
    return {"graph": kg.load().knowledge.version.to_dict(), "moves": [move.to_dict() for move in moves]}


def search(asked: Arguments) -> dict[str, Any]:
    """The hits of `kg.search`."""
    return {"graph": kg.load().knowledge.version.to_dict(), "hits": [hit.to_dict() for hit in kg.search(asked["text"], asked["limit"])]}


_TOP = Parameter("top", "Only the first N of each list; what is withheld is always whole.", {"type": "integer", "minimum": 1})
_LONG = frozenset({"certainty_domains", "tolerance", "mechanism", "record", "doubt", "prior", "posterior", "steps", "cluster", "factors",
                   "successes", "failures", "share", "weight", "statement", "claims", "rationale", "needs", "statements",
                   "parameters"})  # fmt: skip

OPERATIONS = (
    Operation(
        "GET", "/api/rank", "Rank the techniques for a condition and a client, with what is withheld and why", rank,
        (CONDITION, *CLIENT, *PREFERENCES, _TOP),
        details="A referral comes first: where it is emergency or urgent, nothing is recommended. What is withheld must not be done with "
                "this client. Techniques of one band cannot be told apart. The class unknown says that nothing is known, not that it is "
                "useless.",
        answer={"application/json": RANKING}, example="/api/rank?condition={Condition}&top=3", missing=("condition",),
        tool=Tool("rank", {"top": 5}, _LONG),
    ),
    Operation(
        "GET", "/api/compare", "Say what sets two techniques apart", compare,
        (CONDITION, Parameter("technique", "A technique; two are needed.", names("Technique"), repeated=True, many="techniques"), PHASE,
         IRRITABILITY, HAZARD),
        details="The parts add up to the difference of the scores. Either may be one that this client must not get: see withheld.",
        answer={"application/json": COMPARISON}, missing=("condition", "technique"), tool=Tool("compare"),
    ),
    Operation(
        "GET", "/api/compare-conditions", "Put conditions side by side: what they share, and what tells them apart", compare_conditions,
        (Parameter("condition", "A condition; two to four are needed.", names("Condition"), repeated=True, many="conditions"), PHASE,
         IRRITABILITY, HAZARD, RED_FLAG),
        details="It never says which one a client has. Techniques are ranked for each, behind the gate: see referral, and the notes.",
        answer={"application/json": SIDE_BY_SIDE}, missing=("condition",), tool=Tool("compare_conditions"),
    ),
    Operation(
        "GET", "/api/what-if", "Say which source, claim or relief moves the answer most if it is withdrawn", what_if,
        (CONDITION, Parameter("technique", "Only what moves this technique.", names("Technique")), PHASE, IRRITABILITY, HAZARD,
         Parameter("top", "How many.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10})),
        answer={"application/json": MOVES}, example="/api/what-if?condition={Condition}&top=3", missing=("condition", "technique"),
        tool=Tool("what_if"),
    ),
    Operation(
        "GET", "/api/search", "Find entities by name, synonym or code", search,
        (Parameter("text", "A name, synonym or code, misspelt if need be.", TEXT, required=True),
         Parameter("limit", "How many hits at most.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10})),
        answer={"application/json": HITS}, example="/api/search?text={Condition}", tool=Tool("search"),
    ),
)  # fmt: skip
