"""The page Before the table: a walk refers or goes on to the ranking, and its address reproduces it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, expect
from streamlit.testing.v1 import AppTest

from explorer.walk import NO, SKIPPED, STEPS, YES, Walk
from kg.reasoning.assess import NEGATIVE, POSITIVE
from kg.reasoning.engine import Engine
from tests.test_end_to_end import CHROMIUM, browser, server  # noqa: F401  # fixtures
from tests.test_end_to_end import opened as drawn
from tests.test_explorer import links, opened, words

HEART = "breathless-weary-jaw-back-pain"
ELBOW = "lateral-elbow-tendinopathy"
SURGERY = {"hazard": ["warfarin", "recent-surgery=2026-10-01"], "on": "2026-11-20"}
in_a_browser = pytest.mark.skipif(not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="Chromium is not installed")


def text(at: AppTest) -> str:
    """All text of the page, without its style sheets."""
    return words(at).partition("<style>")[0] + " ".join(e.proto.body for e in at.get("html") if "<style>" not in e.proto.body)


def address(at: AppTest, label: str) -> dict[str, list[str]]:
    """The query of the first link with that label."""
    return parse_qs(next(link.proto.query_string for link in at.get("page_link") if link.proto.label.replace("\\", "") == label))


def step(at: AppTest, name: str) -> AppTest:
    """Go on by the button of a step."""
    at.button(key=f"onward-{name}").click().run()
    assert not at.exception
    return at


# ---------------------------------------------------------------------------------------------------- the walk
def test_a_suspected_heart_attack_behind_shoulder_pain_is_referred(engine: Engine) -> None:
    at = opened("before")
    at.selectbox(key="before-region").set_value("shoulder").run()
    at.number_input(key="before-age").set_value(58).run()
    step(at, "complaint")
    first = engine.screen(region="shoulder", age=58).questions[0]
    assert at.header[0].value == first.question
    at.button(key=f"answer-yes-{HEART}").click().run()
    assert at.query_params["present"] == HEART
    screening = engine.screen(region="shoulder", age=58, present=[HEART])
    shown = text(at)
    assert "do not treat" in shown
    for said in (*screening.do_now, screening.to_client, "Acute coronary syndrome"):
        assert said in shown, said
    assert [button.proto.label for button in at.get("download_button")] == ["PDF", "Markdown"]
    assert not [label for label in links(at) if "Rank techniques" in label]
    assert "onward-questions" not in [button.key for button in at.button]


@pytest.mark.parametrize("name", STEPS)
def test_no_step_leads_past_a_referral(name: str) -> None:
    at = opened("before", step=name, region="shoulder", present=HEART)
    assert "The walk ends here" in text(at)
    assert not [label for label in links(at) if "Rank techniques" in label]
    assert {button.key for button in at.button} == {f"change-{HEART}", "new"}


def test_an_answer_is_changed_only_by_another_answer() -> None:
    at = opened("before", step="questions", region="shoulder", present=HEART)
    at.button(key=f"change-{HEART}").click().run()
    assert at.query_params["present"] == HEART
    assert "do not treat" in text(at)
    assert "Answer so far: **yes**" in text(at)
    at.button(key=f"answer-no-{HEART}").click().run()
    assert at.query_params["absent"] == HEART
    assert "present" not in at.query_params
    assert "do not treat" not in text(at)


def test_a_tennis_elbow_goes_on_to_the_ranking_with_all_that_was_said(engine: Engine) -> None:
    at = opened("before", complaint="tennis elbow")
    step(at, "complaint")
    asked = engine.screen("tennis elbow").questions
    at.button(key=f"answer-no-{asked[0].finding}").click().run()
    assert at.query_params["absent"] == asked[0].finding
    next(button for button in at.button if button.label == "Not asked").click().run()
    put_off = at.query_params["skip"]
    assert f"Not asked: {len(asked) - 1} questions" in next(box.label for box in at.expander if box.label.startswith("Not asked"))
    step(at, "questions")
    at.multiselect(key="before-hazards").set_value(["warfarin|Coumadin", "recent-surgery"]).run()
    assert at.query_params["hazard"] == ["warfarin", "recent-surgery"]
    at.get("button_group")[0].set_value("chronic").run()
    plan = engine.adapt(engine.client("chronic", hazards=["warfarin", "recent-surgery"]), ELBOW).plan
    assert plan
    for instruction in plan.instructions:
        assert instruction.text in text(at)
    step(at, "history")
    first = engine.assess(absent=[asked[0].finding], region="elbow").next[0]
    assert at.header[0].value == first.question
    at.button(key=f"answer-yes-{first.slug}").click().run()
    step(at, "findings")
    shown = text(at)
    best = engine.assess([first.slug], absent=[asked[0].finding], region="elbow")
    assert f"Confidence: {best.confidence}" in shown
    assert best.differential[0].label in shown
    assert "None of these" in shown
    assert put_off not in at.query_params.get("absent", "")
    ranking = address(at, "Rank techniques for the complaint as it was named: Lateral elbow tendinopathy")
    assert ranking == {"condition": [ELBOW], "phase": ["chronic"], "hazard": ["recent-surgery", "warfarin"]}
    find = opened(**ranking)
    assert find.title[0].value == engine.knowledge.label(ELBOW)
    assert set(find.multiselect(key="hazards").value) == {"recent-surgery", "warfarin"}


def test_red_flags_and_dates_go_along_to_the_ranking(engine: Engine) -> None:
    weak = next(
        slug for slug in sorted(node.slug for node in engine.knowledge.of_class("RedFlag"))
        if not engine.screen("tennis elbow", present=[slug]).referral
    )  # fmt: skip
    at = opened("before", step="result", complaint=ELBOW, present=weak, **SURGERY)
    ranking = address(at, "Rank techniques for Lateral elbow tendinopathy")
    assert ranking["red_flag"] == [weak]
    assert set(ranking["hazard"]) == set(SURGERY["hazard"])
    assert ranking["on"] == ["2026-11-20"]
    assert "weighs the red flags" in text(at)


def test_a_hazard_of_an_emergency_ends_the_walk(engine: Engine) -> None:
    hazard = next(node.slug for node in engine.knowledge.of_class("Hazard")
                  if (found := engine.screen(present=[node.slug]).referral) and found.stops)  # fmt: skip
    assert "The walk ends here" in text(opened("before", complaint=ELBOW, step="history", hazard=hazard))


def test_a_test_shows_procedure_and_positive_sign(engine: Engine) -> None:
    at = opened("before", step="findings", region="shoulder", ask="internal-rotation-lag")
    assert at.header[0].value == engine.knowledge["internal-rotation-lag"].one("procedure")
    assert "Positive if: The hand drops back" in text(at).replace("*", "")
    at.button(key="answer-positive-internal-rotation-lag").click().run()
    assert at.query_params["test"] == "internal-rotation-lag=positive"
    assert "ask" not in at.query_params


def test_what_was_not_asked_is_said_where_the_walk_is_cut_short(engine: Engine) -> None:
    at = opened("before", step="result", region="low-back")
    open_ = engine.screen(region="low-back").questions
    assert f"{len(open_)} questions" in text(at)
    for question in open_:
        assert question.question in text(at)


# ---------------------------------------------------------------------------------------------------- the address
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"complaint": "tenis elbow"}, "Did you mean: lateral-elbow-tendinopathy"),
        ({"region": "sholder"}, "Did you mean: shoulder"),
        ({"region": "shoulder", "present": "nonsense"}, "There is no finding, red flag or hazard 'nonsense'"),
        ({"region": "shoulder", "present": HEART, "absent": HEART}, "cannot be both present and absent"),
        ({"region": "shoulder", "hazard": "warfarine"}, "There is no hazard 'warfarine'"),
        ({"region": "shoulder", "hazard": "recent-surgery=2026-10-01"}, "the date of the session is needed"),
        ({"region": "shoulder", "hazard": "recent-surgery=2026-13-01", "on": "2026-11-20"}, "must be a day of the calendar"),
        ({"region": "shoulder", "age": "old"}, "age must be a whole number of years"),
        ({"region": "shoulder", "age": "999"}, "from 0 to 120"),
        ({"region": "shoulder", "sex": "femal"}, "Did you mean: female"),
        ({"region": "shoulder", "step": "questons"}, "Did you mean: questions"),
        ({"region": "shoulder", "test": "neer"}, "A test is given as"),
        ({"region": "shoulder", "test": ["neer=positive", "neer=negative"]}, "cannot be both positive and negative"),
        ({"region": "shoulder", "colour": "red"}, "Unknown parameter 'colour'"),
        ({"region": ["shoulder", "knee"]}, "may be given once"),
    ],
)
def test_a_word_not_understood_is_said_and_nothing_else(params: dict[str, Any], message: str) -> None:
    at = opened("before", **params)
    assert message in " ".join(error.value for error in at.error).replace("\\", "")
    assert not at.header
    assert all(button.key.startswith("meant-") or button.key == "without" for button in at.button)
    at.button(key="without").click().run()
    assert not at.error


def test_the_nearest_name_leads_on() -> None:
    at = opened("before", step="complaint", complaint="tenis elbow", age="44")
    at.button(key=f"meant-tenis elbow-{ELBOW}").click().run()
    assert not at.error
    assert (at.query_params["complaint"], at.query_params["age"]) == (ELBOW, "44")


def test_words_of_every_kind_are_understood() -> None:
    at = opened("before", step="result", complaint="M77.10", present="worse with gripping", hazard="Coumadin", sex="Female", age="44")
    assert "44 years" in text(at)
    assert "Warfarin" in text(at)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([YES, NO, SKIPPED])), max_size=8))
def test_the_last_answer_to_a_question_holds_alone(answers: list[tuple[str, str]]) -> None:
    walk = Walk()
    for slug, answer in answers:
        walk = walk.answered(slug, answer)
    for slug, answer in dict(answers).items():
        assert walk.answer_to(slug) == answer
        assert [*walk.present, *walk.absent, *walk.skip].count(slug) == 1


def test_a_test_has_one_result() -> None:
    walk = Walk().answered("neer", POSITIVE).answered("neer", NEGATIVE)
    assert walk.tests == (("neer", NEGATIVE),)
    assert walk.answered("neer", SKIPPED).tests == ()


@pytest.mark.parametrize("name", STEPS)
def test_the_page_never_calls_its_answer_a_diagnosis(name: str) -> None:
    at = opened("before", step=name, complaint="tennis elbow", present="worse with gripping", **SURGERY)
    assert "diagnosis" not in text(at).lower()


# ---------------------------------------------------------------------------------------------------- Find
def test_find_shows_the_modifications_of_dated_hazards(engine: Engine) -> None:
    at = opened(condition=ELBOW, **SURGERY)
    plan = engine.rank(ELBOW, engine.client(hazards=SURGERY["hazard"], on=SURGERY["on"])).modifications
    assert plan
    for instruction in plan.instructions:
        assert instruction.text in text(at)
    assert at.date_input(key="find-date-recent-surgery").value.isoformat() == "2026-10-01"
    assert at.date_input(key="find-session").value.isoformat() == "2026-11-20"


def test_find_keeps_dates_until_somebody_takes_them_away() -> None:
    at = opened(condition=ELBOW, **SURGERY)
    at.get("button_group")[0].set_value("chronic").run()
    assert set(at.query_params["hazard"]) == set(SURGERY["hazard"])
    assert at.query_params["on"] == "2026-11-20"
    at.date_input(key="find-date-recent-surgery").set_value(None).run()
    assert set(at.query_params["hazard"]) == {"warfarin", "recent-surgery"}
    assert "on" not in at.query_params


@pytest.mark.parametrize("on", ["2026-09-01", "soon", ""])
def test_find_says_what_is_wrong_with_a_date(on: str) -> None:
    at = opened(condition=ELBOW, hazard="recent-surgery=2026-10-01", on=on)
    assert at.error
    assert "Techniques, best first" not in text(at)


def test_a_hazard_that_is_also_given_without_a_date_has_none() -> None:
    at = opened(condition=ELBOW, hazard=["recent-surgery", "recent-surgery=2020-01-01"], on="2026-11-20")
    assert at.date_input(key="find-date-recent-surgery").value is None


# ---------------------------------------------------------------------------------------------------- in a browser
@in_a_browser
def test_a_walk_by_keyboard_and_back(server: str, browser: Browser) -> None:  # noqa: F811
    page = drawn(browser, f"{server}/before", 390)
    box = page.get_by_role("combobox", name="Region")
    box.focus()
    box.press_sequentially("shoulder")
    page.get_by_role("option").first.wait_for()
    box.press("Enter")
    onward = page.get_by_role("button", name="red-flag question")
    onward.focus()
    onward.press("Enter")
    expect(page).to_have_url(f"{server}/before?step=questions&region=shoulder")
    answers = page.locator(f".st-key-answer-yes-{HEART} button")
    expect(answers).to_be_visible()
    page.keyboard.press("Alt+n")
    expect(page.get_by_text("1 answered")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("1 answered")).to_be_hidden()
    expect(answers).to_be_visible()
    expect(page.locator("[class*='st-key-answer-yes-']")).to_have_count(1)  # the question that is left no longer hears the keys
    page.keyboard.press("Alt+y")
    expect(page.get_by_role("heading", name="do not treat")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="PDF").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF")
    page.go_back()
    expect(answers).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="do not treat")).to_be_visible()
    page.go_back()
    expect(answers).to_be_visible()
    page.get_by_role("button", name="3. History").click()
    expect(page).to_have_url(f"{server}/before?step=history&region=shoulder")
    page.close()


@in_a_browser
def test_a_misspelt_complaint_leads_to_the_nearest(server: str, browser: Browser) -> None:  # noqa: F811
    page = drawn(browser, f"{server}/before", 1280)
    box = page.get_by_role("combobox", name="Complaint")
    box.focus()
    box.press_sequentially("tenis elbow")
    page.get_by_role("option").first.wait_for()
    box.press("Enter")
    expect(page.get_by_text("There is no condition or region")).to_be_visible()
    page.get_by_role("button", name="Lateral elbow tendinopathy").click()
    expect(page).to_have_url(f"{server}/before?step=complaint&complaint={ELBOW}")
    expect(page.get_by_role("button", name="red-flag question")).to_be_visible()
    page.close()


@in_a_browser
@pytest.mark.parametrize("name", STEPS)
def test_the_walk_needs_no_sideways_scroll_on_a_phone(name: str, server: str, browser: Browser) -> None:  # noqa: F811
    query = f"step={name}&complaint={ELBOW}&hazard=warfarin&hazard=recent-surgery%3D2026-10-01&on=2026-11-20"
    page = drawn(browser, f"{server}/before?{query}", 390)
    width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)")
    assert width <= 390
    small = page.locator("[class*=st-key-walk-] button, .st-key-walk-steps button").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().height < 40).map(e => e.innerText)"
    )
    assert not small
    page.close()
