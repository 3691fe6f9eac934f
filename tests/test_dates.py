"""Hazards with a date: what time lifts, what it does not, and that a date never loosens more than its rule says."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kg
from kg.errors import PalpateError, UnknownName
from kg.reasoning.client import Client
from kg.reasoning.engine import Engine

SESSION = date(2026, 11, 26)
CONDITION = "plantar-fasciitis"


def ago(hazard: str, days: int) -> str:
    return f"{hazard}={(SESSION - timedelta(days)).isoformat()}"


def withheld(engine: Engine, *hazards: str) -> set[str]:
    client = engine.client("chronic", None, hazards, on=SESSION)
    return set(engine.gate.judge(CONDITION, client).withheld)


@pytest.mark.parametrize(("hazard", "technique", "days"), [
    ("recent-surgery", "iastm", 84),
    ("botulinum-filler", "scar-massage", 14),
    ("tendon-joint-injection", "shockwave-therapy", 42),
    ("retinoids", "skin-rolling", 183),
])  # fmt: skip
def test_a_rule_that_ends_with_time_acts_on_its_last_day_and_not_after(engine: Engine, hazard: str, technique: str, days: int) -> None:
    def rules(day: int) -> set[str]:
        client = engine.client("chronic", None, [ago(hazard, day)], on=SESSION)
        return {rule.reason.rule for rule in engine.gate.acting(CONDITION, client) if technique in rule.techniques}

    ending = rules(days) - rules(days + 1)
    assert ending
    assert all(engine.knowledge[rule].number("liftsAfterDays") == days for rule in ending)
    assert rules(0) >= rules(days)


def test_pregnancy_by_date_and_by_trimester(engine: Engine) -> None:
    lying = "suboccipital-release"  # given on the back or face down only
    assert lying in withheld(engine, "pregnancy")
    assert lying not in withheld(engine, ago("pregnancy", 83))
    assert lying in withheld(engine, ago("pregnancy", 84))
    assert lying not in withheld(engine, "first trimester")
    for trimester in ("second trimester", "third trimester"):
        assert lying in withheld(engine, trimester)
    early = next(node.slug for node in engine.knowledge.of_class("ContraindicationRule")
                 if node.one("ruleHazard") == "pregnancy" and node.all("liftsAfterDays"))  # fmt: skip
    for hazard, holds in (("pregnancy", True), (ago("pregnancy", 91), True), ("first trimester", True),
                          (ago("pregnancy", 92), False), ("second trimester", False)):  # fmt: skip
        client = engine.client("chronic", None, [hazard], on=SESSION)
        assert (early in {rule.reason.rule for rule in engine.gate.acting(CONDITION, client)}) == holds, hazard
    assert "abdominal-massage" in withheld(engine, "first trimester") & withheld(engine, ago("pregnancy", 200))


def test_where_a_word_is_needed_too_time_alone_lifts_nothing(engine: Engine) -> None:
    worded = [node for node in engine.knowledge.of_class("ContraindicationRule") if node.all("liftsAfterDays") and node.all("liftedBy")]
    assert len(worded) >= 4
    for node in worded:
        client = engine.client("chronic", None, [ago(node.one("ruleHazard"), 4000)], on=SESSION)
        reason = next(rule.reason for rule in engine.gate.acting(CONDITION, client) if rule.reason.rule == node.slug)
        assert reason.lifts is not None
        assert reason.lifts.to_dict()["by"] == node.one("liftedBy")


def test_the_answer_says_from_which_day(engine: Engine) -> None:
    answer = engine.rank(CONDITION, engine.client("chronic", None, ["recent-surgery=2026-10-01"], on="2026-11-26"), explain=False).to_dict()
    lifts = [reason["lifts"] for w in answer["withheld"] if w["technique"] == "iastm" for reason in w["because"]]
    assert {"after_days": 84, "by": None, "from": "2026-12-25"} in lifts
    assert answer["context"]["dates"] == [{"hazard": "recent-surgery", "date": "2026-10-01"}]
    assert answer["context"]["on"] == "2026-11-26"


def test_without_a_date_all_acts_and_each_forbidding_reason_says_what_lifts_it(engine: Engine) -> None:
    for hazard in engine.knowledge.of_class("Hazard"):
        for rule in engine.gate.rules_of(hazard.slug):
            if rule.reason.level != "precaution":
                assert rule.reason.lifts is not None, rule.reason.rule
                assert rule.reason.lifts.text
            if rule.reason.level == "emergency-referral":
                assert rule.reason.lifts is not None
                assert rule.reason.lifts.after_days is None


HAZARDS = st.sampled_from([
    "recent-surgery", "heart-surgery-recent", "chemotherapy", "muscle-strain-recent", "pregnancy", "cesarean-wound", "botulinum-filler",
    "broken-rib", "retinoids", "isotretinoin", "ciprofloxacin", "arterial-catheter-recent",
])  # fmt: skip


@given(hazard=HAZARDS, days=st.integers(0, 2000), others=st.lists(HAZARDS, max_size=2))
@settings(max_examples=80, deadline=None)
def test_a_date_never_adds_and_never_frees_from_another_hazard(hazard: str, days: int, others: list[str]) -> None:
    engine = kg.load()
    dated, undated = withheld(engine, ago(hazard, days), *others), withheld(engine, hazard, *others)
    assert dated <= undated
    assert withheld(engine, *others) <= dated
    assert withheld(engine, ago(hazard, days), hazard) == withheld(engine, hazard)


@given(hazard=HAZARDS, days=st.lists(st.integers(0, 400), min_size=2, max_size=2))
@settings(max_examples=40, deadline=None)
def test_of_two_dates_each_acts(hazard: str, days: list[int]) -> None:
    engine = kg.load()
    both = withheld(engine, *(ago(hazard, day) for day in days))
    assert both >= withheld(engine, ago(hazard, days[0])) | withheld(engine, ago(hazard, days[1]))


@pytest.mark.parametrize(("hazard", "on", "says"), [
    ("recent-surgery=2026-13-01", "2026-11-26", "must be a day of the calendar as YYYY-MM-DD, not '2026-13-01'"),
    ("recent-surgery=", "2026-11-26", "must be a day of the calendar"),
    ("recent-surgery=20261001", "2026-11-26", "must be written YYYY-MM-DD"),
    ("recent-surgery=2026-W40-1", "2026-11-26", "must be written YYYY-MM-DD"),
    ("recent-surgery=2026-10-01", "tomorrow", "The date of 'on' must be a day of the calendar"),
    ("recent-surgery=2026-10-01", None, "the date of the session is needed too"),
    ("recent-surgery=2026-11-27", "2026-11-26", "lies after the session on 2026-11-26"),
    ("warfarin=2026-10-01", "2026-11-26", "'warfarin' takes no date"),
])  # fmt: skip
def test_a_date_that_cannot_be_used_is_one_clear_line(engine: Engine, hazard: str, on: str | None, says: str) -> None:
    with pytest.raises(PalpateError) as told:
        engine.client(hazards=[hazard], on=on)
    assert says in told.value.message
    assert "\n" not in told.value.message


def test_a_misspelt_hazard_with_a_date_is_named_with_the_nearest(engine: Engine) -> None:
    with pytest.raises(UnknownName) as told:
        engine.client(hazards=["recent-surgry=2026-10-01"], on="2026-11-26")
    assert told.value.nearest[0] == "recent-surgery"


@given(word=st.text(max_size=24))
@settings(max_examples=150, deadline=None)
def test_any_word_is_a_hazard_or_a_clear_error(word: str) -> None:
    engine = kg.load()
    for text in (word, f"recent-surgery={word}", f"{word}=2026-10-01"):
        try:
            client = engine.client(hazards=[text], on=SESSION)
        except PalpateError:
            continue
        assert client.hazards
        assert engine.client(hazards=client.words, on=client.on) == client


def test_a_client_made_by_hand_keeps_its_dates(engine: Engine) -> None:
    client = Client(phase="chronic", hazards=("recent-surgery",), dates=(("recent-surgery", date(2026, 10, 1)),), on=SESSION)
    assert engine.rank(CONDITION, client, explain=False).client == client


def test_no_name_of_a_hazard_reads_as_a_date(engine: Engine) -> None:
    assert not [name for name in engine.names.table("Hazard") if "=" in name]


@given(age=st.integers(0, 120))
def test_an_age_brings_no_disease(age: int) -> None:
    knowledge = kg.load().knowledge
    for hazard in kg.load().client(age=age).hazards:
        assert not knowledge[hazard].is_a("Condition")
        assert not knowledge[hazard].is_a("SeriousPathology")


def test_an_age_brings_the_hazards_of_that_age(engine: Engine) -> None:
    assert "infant" in engine.client(age=1).hazards
    assert "minor-client" in engine.client(age=17).hazards
    assert engine.client(age=40).hazards == ()
