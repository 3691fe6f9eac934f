"""The page of a plan, run headless: made, changed, refused, followed and saved; and a referral without a plan."""

import json
from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.sessions import Question, Work
from explorer.state import View
from kg.documents.plan import FORMATS, export
from kg.reasoning.engine import Engine
from kg.reasoning.plan import Planner, check
from kg.reasoning.plan.edit import alternatives, record, swap
from tests.test_explorer import flag, links, opened, words

FASCIITIS = {"condition": "plantar-fasciitis", "phase": "chronic", "sessions": "6"}


@pytest.fixture(scope="module")
def planner(engine: Engine) -> Planner:
    return Planner(engine)


def page(**params: str | list[str]) -> AppTest:
    return opened("plan", **params)


def work(at: AppTest) -> Work:
    """The plan that the page shows."""
    works = at.session_state["plan-works"]
    return works[list(works)[-1]]


def steps(at: AppTest, session: int) -> list[str]:
    return [step["technique"] for step in work(at).plan["sessions"][session - 1]["steps"]]


def opened_step(at: AppTest, session: int, step: int) -> str:
    """Open what can be done with a step; gives its part of the keys of widgets."""
    name = f"block-{session}-{steps(at, session)[step - 1]}"
    at.session_state[f"open-{name}"] = True
    at.run()
    assert not at.exception, at.exception[0].message
    return name


# ---------------------------------------------------------------------------------------------------- the plan
def test_six_sessions_for_plantar_fasciitis(planner: Planner) -> None:
    at = page(**FASCIITIS)
    made = planner.plan("plantar-fasciitis", planner.engine.client("chronic"), sessions=6).to_dict()
    assert work(at).plan == made
    text = words(at)
    for session in made["sessions"]:
        for step in session["steps"]:
            assert f"{step['order']}. {step['label']}" in links(at)
            assert not step["why_here"] or step["why_here"] in text.replace("&#x27;", "'")
        for item in session["home_care"]:
            assert item["instruction"] in text.replace("&#x27;", "'")
    for part in made["phases"]:
        assert part["name"] in text
    assert made["goals"][0]["text"] in text
    assert made["maintenance"]["reason"] in text
    files = {button.proto.label: button for button in at.get("download_button")}
    assert {"For the therapist", "For the client", "Text", "Calendar", "FHIR", "JSON"} <= set(files)
    assert files["Calendar"].proto.disabled
    assert not files["JSON"].proto.disabled


def test_the_address_holds_the_question() -> None:
    at = page(**FASCIITIS)
    at.number_input(key="plan-minutes").set_value(30).run()
    assert at.query_params["minutes"] == "30"
    assert work(at).plan["context"]["minutes"] == 30
    again = page(**FASCIITIS, minutes="30", start="2027-01-04")
    assert work(again).plan == work(at).plan
    calendar = next(b for b in again.get("download_button") if b.proto.label == "Calendar")
    assert not calendar.proto.disabled


def test_find_leads_to_the_plan_of_its_client() -> None:
    at = opened(condition="plantar-fasciitis", phase="chronic", hazard="warfarin")
    link = next(link for link in at.get("page_link") if link.proto.label == "Plan sessions")
    assert "hazard=warfarin" in link.proto.query_string
    assert "condition=plantar-fasciitis" in link.proto.query_string


def test_every_file_of_the_page_is_made(planner: Planner) -> None:
    at = page(**FASCIITIS)
    assert all(export(planner, work(at).plan, name, date(2027, 1, 4)).content for name in FORMATS)


# ---------------------------------------------------------------------------------------------------- changes
def test_a_step_is_swapped_for_another_that_serves_the_same(planner: Planner) -> None:
    at = page(**FASCIITIS)
    before = work(at).plan
    old = before["sessions"][0]["steps"][0]
    name = opened_step(at, 1, 1)
    button = next(b for b in at.button if (b.key or "").startswith(f"swap-{name}-"))
    technique = button.key.removeprefix(f"swap-{name}-")
    button.click().run()
    assert not at.exception
    after = work(at).plan
    new = next(s for s in after["sessions"][0]["steps"] if s["technique"] == technique)
    assert old["technique"] not in steps(at, 1)
    assert old["serves"][0]["impairment"] in {s["impairment"] for s in new["serves"]}
    assert check(planner, after) == []
    at.button(key="undo").click().run()
    assert work(at).plan == before


def test_steps_are_moved_timed_and_left_out(planner: Planner) -> None:
    at = page(**FASCIITIS)
    own = steps(at, 1)
    at.button(key=f"down-block-1-{own[-2]}").click().run()
    assert steps(at, 1) == [*own[:-2], own[-1], own[-2]]
    name = opened_step(at, 1, 1)
    first = work(at).plan["sessions"][0]["steps"][0]
    at.number_input(key=f"minutes-{name}").set_value(first["minutes"] - 0.5).run()
    assert work(at).plan["sessions"][0]["steps"][0]["minutes"] == first["minutes"] - 0.5
    last = len(own)
    name = opened_step(at, 1, last)
    at.button(key=f"drop-{name}").click().run()
    assert len(steps(at, 1)) == last - 1
    assert check(planner, work(at).plan) == []


def test_an_unsafe_change_is_refused_with_the_reason() -> None:
    at = page(**FASCIITIS, hazard="warfarin")
    before = work(at).plan
    name = opened_step(at, 1, 1)
    at.selectbox(key=f"other-{name}").set_value("deep-tissue-massage").run()
    assert work(at).plan == before
    told = " ".join(error.value for error in at.error)
    assert "Not changed" in told
    assert "Deep tissue massage is withheld" in told
    assert "Anticoagulant" in told
    at.number_input(key=f"minutes-{name}").set_value(100.0).run()
    assert work(at).plan == before
    assert "usual are at most" in " ".join(error.value for error in at.error)


# ---------------------------------------------------------------------------------------------------- follow-up
def test_scores_are_kept_in_the_session_and_set_the_target() -> None:
    at = page(**FASCIITIS)
    at.number_input(key="first-nprs").set_value(7.0).run()
    goal = next(g for g in work(at).plan["goals"] if g["measure"] == "nprs")
    assert goal["baseline"] == 7
    assert goal["target"] == 7 + goal["target_change"]
    at.selectbox(key="score-measure").set_value("nprs")
    at.selectbox(key="score-session").set_value(6)
    at.number_input(key="score-value").set_value(4.0)
    next(b for b in at.button if b.label == "Put in").click().run()
    assert not at.exception
    assert work(at).plan["scores"] == [{"measure": "nprs", "session": 1, "score": 7.0}, {"measure": "nprs", "session": 6, "score": 4.0}]
    assert "The smallest change that matters is reached." in words(at)
    assert "nprs" not in json.dumps(dict(at.query_params))
    at.button(key="unscore-nprs-6").click().run()
    assert len(work(at).plan["scores"]) == 1


# ---------------------------------------------------------------------------------------------------- files
def load(at: AppTest, plan: Any) -> AppTest:
    at.file_uploader(key="plan-file").set_value(("plan.json", json.dumps(plan).encode(), "application/json")).run()
    assert not at.exception, at.exception[0].message
    return at


def test_a_saved_plan_is_opened_with_its_changes(planner: Planner) -> None:
    plan = planner.plan("knee-osteoarthritis", planner.engine.client("chronic"), sessions=5).to_dict()
    plan = record(swap(planner, plan, [1], 1, alternatives(planner, plan, 1, 1)[0].technique), plan["goals"][0]["measure"], 1, 5)
    at = load(page(), plan)
    assert at.query_params["condition"] == "knee-osteoarthritis"
    assert work(at).plan == json.loads(json.dumps(plan))
    assert at.title[0].value.startswith("Plan: ")


def test_a_saved_plan_keeps_the_dates_of_its_client(planner: Planner) -> None:
    client = planner.engine.client("chronic", hazards=["recent-surgery=2026-03-02"], on="2026-11-26")
    plan = planner.plan("knee-osteoarthritis", client, sessions=3).to_dict()
    at = load(page(), plan)
    assert not at.error
    assert at.query_params["hazard"] == "recent-surgery=2026-03-02"
    assert at.query_params["on"] == "2026-11-26"
    assert work(at).plan == json.loads(json.dumps(plan))


def test_an_unsafe_file_is_not_opened(planner: Planner) -> None:
    plan = planner.plan("knee-osteoarthritis", planner.engine.client("chronic")).to_dict()
    plan["context"]["hazards"] = ["warfarin"]
    plan["sessions"][0]["steps"][0]["technique"] = "deep-tissue-massage"
    at = load(page(), plan)
    assert "The file was not opened" in at.error[0].value
    assert "withheld" in at.error[0].value
    assert "condition" not in at.query_params


# ---------------------------------------------------------------------------------------------------- referral, mistakes
@pytest.mark.parametrize("urgency", ["urgency-emergency", "urgency-urgent"])
def test_a_referral_yields_no_plan(engine: Engine, urgency: str) -> None:
    red_flag, condition = flag(engine, urgency)
    at = page(condition=condition, red_flag=red_flag)
    text = words(at)
    assert "do not treat" in text
    assert engine.knowledge.label(red_flag) in text
    assert not at.get("download_button")
    assert not at.number_input
    assert "Sessions" not in [header.value for header in at.header]


@pytest.mark.parametrize(("params", "message"), [
    ({"sessions": "0"}, "'sessions' is from 1 to 40"), ({"sessions": "six"}, "'sessions' is a whole number"),
    ({"minutes": "nan"}, "'minutes' is from 15 to 120"), ({"start": "soon"}, "'start' is a day"), ({"session": "6"}, "Unknown parameter"),
    ({"hazard": "warfarine"}, "There is no hazard"),
])  # fmt: skip
def test_a_word_not_understood_stops_the_plan(params: dict[str, str], message: str) -> None:
    at = page(condition="plantar-fasciitis", **params)
    assert message in " ".join(error.value for error in at.error).replace("\\", "")
    assert not at.get("download_button")


@pytest.mark.parametrize("condition", ["low-back-pain", "carpal-tunnel-syndrome", "burn-scar", "trigger-finger", "fibromyalgia"])
@pytest.mark.parametrize("hazard", ["pregnancy", "warfarin"])
def test_many_plans_are_drawn(condition: str, hazard: str) -> None:
    at = page(condition=condition, hazard=hazard, irritability="high", sessions="16")
    assert "Goals" in [header.value for header in at.header]


def test_the_key_of_a_question_forgets_the_start() -> None:
    assert Question(View("gout"), 4, 30.0).key == Question(View("gout"), 4, 30.0, date(2027, 1, 4)).key
