"""Edits of a plan: whatever a person does, the plan stays safe or the edit is refused in words."""

import copy
import json
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kg
from kg.errors import PalpateError, UnknownName
from kg.reasoning.plan import Planner, UnsafePlan, check
from kg.reasoning.plan.edit import alternatives, drop, move, read, record, retime, swap

QUESTIONS = [
    ("plantar-fasciitis", "chronic", ("warfarin",)),
    ("mechanical-neck-pain", "subacute", ()),
    ("lateral-ankle-sprain", "acute", ()),
    ("carpal-tunnel-syndrome", None, ("pregnancy",)),
]


@cache
def made(question: tuple[str, str | None, tuple[str, ...]] = QUESTIONS[0]) -> dict[str, Any]:
    condition, phase, hazards = question
    planner = kg.planner()
    return planner.plan(condition, planner.engine.client(phase, None, hazards), sessions=6).to_dict()


@pytest.fixture(scope="module")
def planner() -> Planner:
    return kg.planner()


# ---------------------------------------------------------------------------------------------------- alternatives
@pytest.mark.parametrize("question", QUESTIONS)
def test_alternatives_serve_the_same_and_are_safe(planner: Planner, question: Any) -> None:
    plan, offered = made(question), 0
    for session in (1, 4):
        steps = plan["sessions"][session - 1]["steps"]
        for step in steps:
            for other in alternatives(planner, plan, session, step["order"]):
                offered += 1
                assert other.technique not in {s["technique"] for s in steps}
                assert step["serves"][0]["impairment"] in {s.impairment for s in other.serves} | _all_served(planner, plan, other.technique)
                new = swap(planner, plan, [session], step["order"], other.technique)
                assert check(planner, new) == []
                own = new["sessions"][session - 1]["steps"]
                names, old = [s["technique"] for s in own], [s["technique"] for s in steps]
                assert names.count(step["technique"]) == old.count(step["technique"]) - 1
                assert [s["order"] for s in own] == list(range(1, len(steps) + 1))
                assert set(_slugs(new)) <= set(new["sources"])
    assert offered


def _all_served(planner: Planner, plan: dict[str, Any], technique: str) -> set[str]:
    """All impairments that a technique serves by the ranking; a step names only the first few."""
    context = plan["context"]
    ranking = planner.engine.rank(plan["condition"]["slug"], planner.engine.client(context["phase"], None, context["hazards"]))
    entries = [e for e in (*ranking.recommended, *ranking.adjuncts) if e.technique == technique]
    return {reason.need.impairment for e in entries for reason in e.rationale if reason.path.relieves}


def _slugs(plan: dict[str, Any]) -> list[str]:
    return [slug for session in plan["sessions"] for step in session["steps"] for slug in step["sources"]]


def test_alternatives_of_the_same_role_come_first(planner: Planner) -> None:
    plan = made(("mechanical-neck-pain", "subacute", ()))
    for step in plan["sessions"][1]["steps"]:
        same = [other.role.slug == step["role"] for other in alternatives(planner, plan, 2, step["order"])]
        assert same == sorted(same, reverse=True)


def test_alike_sessions_are_changed_together(planner: Planner) -> None:
    plan = made(("mechanical-neck-pain", "subacute", ()))
    other = next(o for o in alternatives(planner, plan, 1, 1))
    new = swap(planner, plan, [1], 1, other.technique)
    assert [s["steps"] for s in new["sessions"][1:]] == [s["steps"] for s in plan["sessions"][1:]]
    shorter = retime(planner, plan, [1, 2], 1, 1.5)
    assert [s["steps"][0]["minutes"] for s in shorter["sessions"][:2]] == [1.5, 1.5]
    assert [s["steps"][0]["dose"]["minutes"] for s in shorter["sessions"][:2]] == [1.5, 1.5]


# ---------------------------------------------------------------------------------------------------- refused
@pytest.mark.parametrize(("technique", "question", "kind"), [
    ("deep tissue massage", QUESTIONS[0], "unsafe"), ("dry needling", QUESTIONS[0], "unsafe"), ("dry needling", QUESTIONS[1], "scope"),
])  # fmt: skip
def test_what_the_gate_forbids_is_refused(planner: Planner, technique: str, question: Any, kind: str) -> None:
    plan = made(question)
    before = json.dumps(plan)
    with pytest.raises(UnsafePlan) as refused:
        swap(planner, plan, [1], 1, technique)
    assert {finding.kind for finding in refused.value.findings} == {kind}
    assert json.dumps(plan) == before


def test_mistakes_are_told(planner: Planner) -> None:
    plan = made()
    with pytest.raises(UnknownName, match="deep-tissue-massage"):
        swap(planner, plan, [1], 1, "deep tisue massage")
    with pytest.raises(PalpateError, match="no session 9"):
        move(planner, plan, [9], 1, 2)
    with pytest.raises(PalpateError, match="no step 0"):
        alternatives(planner, plan, 1, 0)
    with pytest.raises(UnsafePlan, match="usual are at most"):
        retime(planner, plan, [1], 1, 100)
    with pytest.raises(UnsafePlan, match="nothing fitting comes before"):
        drop(planner, plan, [2], 1)
    with pytest.raises(PalpateError, match="has no part in the phase"):  # load is for later
        swap(planner, plan, [1], 1, "eccentric-exercise")


@given(data=st.data())
@settings(max_examples=40)
def test_any_edits_leave_a_safe_plan(data: st.DataObject) -> None:
    planner = kg.planner()
    techniques = sorted(node.slug for node in planner.knowledge.of_class("Technique"))
    plan = made(data.draw(st.sampled_from(QUESTIONS)))
    before = json.dumps(plan)
    here = plan
    for _ in range(data.draw(st.integers(1, 4))):
        sessions, step = [data.draw(st.integers(0, 7))], data.draw(st.integers(-1, 9))
        edit: Any = data.draw(st.sampled_from([swap, move, retime, drop]))
        argument: Any = {swap: st.sampled_from(techniques), move: st.integers(-1, 9), retime: st.floats(), drop: st.none()}[edit]
        with suppress(PalpateError):
            here = edit(planner, here, sessions, step, *(() if edit is drop else (data.draw(argument),)))
    assert check(planner, here) == []
    assert json.dumps(plan) == before
    assert read(planner, json.loads(json.dumps(here))) == json.loads(json.dumps(here))


# ---------------------------------------------------------------------------------------------------- scores
def test_scores_replace_each_other_and_set_the_baseline() -> None:
    plan = record(record(made(), "nprs", 1, 7), "nprs", 3, 6)
    plan = record(plan, "nprs", 3, 5)
    assert plan["scores"] == [{"measure": "nprs", "session": 1, "score": 7}, {"measure": "nprs", "session": 3, "score": 5}]
    goal = next(g for g in plan["goals"] if g["measure"] == "nprs")
    assert (goal["baseline"], goal["target"]) == (7, 7 + goal["target_change"])
    assert "from 7 by" in goal["text"]
    assert record(record(plan, "nprs", 3, None), "nprs", 1, None) == made()


@pytest.mark.parametrize(("measure", "session", "score", "word"), [
    ("npsr", 1, 5, "nprs"), ("nprs", 7, 5, "no session 7"), ("nprs", 1, -1, "from 0 up"), ("nprs", 1, float("nan"), "from 0 up"),
])  # fmt: skip
def test_scores_that_cannot_be_are_refused(measure: str, session: int, score: float, word: str) -> None:
    with pytest.raises(PalpateError, match=word):
        record(made(), measure, session, score)


# ---------------------------------------------------------------------------------------------------- files
@pytest.mark.parametrize(("edit", "where"), [
    (lambda p: p["sessions"][0]["steps"][0].pop("serves"), "plan, sessions 1, steps 1: 'serves' is missing"),
    (lambda p: p.update(goals=3), "plan, goals: it is not a list"),
    (lambda p: p.update(course=None), "plan, course: it is not an object"),
    (lambda p: p["goals"][0].update(text=5), "plan, goals 1, text: it is not text"),
    (lambda p: p["sessions"][0].update(number=2), "numbered from 1"),
    (lambda p: p["context"].update(hazards=["warfarine"]), "warfarine"),
    (lambda p: p.update(scores=[{"measure": "nprs"}]), "plan, scores 1: 'session' is missing"),
])  # fmt: skip
def test_a_file_without_a_part_is_refused(planner: Planner, edit: Any, where: str) -> None:
    plan = copy.deepcopy(made())
    edit(plan)
    with pytest.raises(UnsafePlan, match=where):
        read(planner, plan)


def test_what_may_be_taken_out_may(planner: Planner) -> None:
    plan = copy.deepcopy(made()) | {"maintenance": None, "expected": None}
    assert read(planner, plan) == plan


@given(data=st.data())
@settings(max_examples=60)
def test_reading_takes_any_damage(data: st.DataObject) -> None:
    planner, plan = kg.planner(), copy.deepcopy(made())
    here: Any = plan
    for _ in range(data.draw(st.integers(1, 5))):
        if not here or not isinstance(here, dict | list):
            break
        key: Any = data.draw(st.sampled_from(sorted(here)) if isinstance(here, dict) else st.integers(0, len(here) - 1))
        parent, here = here, here[key]
    parent[key] = data.draw(st.none() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=2) | st.just({}))
    with suppress(UnsafePlan):
        assert read(planner, plan) == plan
