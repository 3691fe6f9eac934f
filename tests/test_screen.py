"""Screening: what is asked, when it refers, and that no answer of a client can hide another."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

import kg
from kg.errors import PalpateError, UnknownName
from kg.reasoning.client import Client
from kg.reasoning.engine import Engine
from kg.reasoning.safety import URGENCIES
from kg.reasoning.screen import Screening
from kg.serving.api import routes
from tests.test_cli import one_line, run  # noqa: F401  # a fixture

NONE = len(URGENCIES)
K = kg.load().knowledge
FLAGS = sorted(node.slug for node in K.of_class("RedFlag"))
REGIONS = sorted(node.slug for node in K.of_class("BodyRegion"))
RISKS = sorted({node.one("riskFactor") for node in K.of_class("PathologyRisk")} - {""})
CRITERIA = sorted({finding for node in K.of_class("RuleCriterion") for finding in node.all("answeredBy")})
LOW_BACK = {"region": "low-back", "age": 62, "sex": "female"}

flags = st.lists(st.sampled_from(FLAGS), max_size=5, unique=True)
persons = st.fixed_dictionaries({"age": st.none() | st.integers(0, 100), "sex": st.sampled_from([None, "female", "male"])})
places = st.sampled_from([None, *REGIONS])
PATIENT = settings(max_examples=60, deadline=None)


def rank_of(screening: Screening) -> int:
    """How urgent: 0 is an emergency, `NONE` no referral."""
    return URGENCIES.index(screening.referral.urgency) if screening.referral else NONE


def strength(flag: str) -> set[str]:
    return {node.one("flagStrength") for node in K.of_class("RedFlagIndication") if node.one("redFlag") == flag}


def result(screening: Screening, rule: str) -> object:
    return next(found for found in screening.rules if found.rule == rule)


# ---------------------------------------------------------------------------------------------------- questions
@pytest.mark.parametrize("region", ["shoulder", "jaw", "neck", "upper-back", "arm"])
@pytest.mark.parametrize("pathology", ["acute-coronary-syndrome", "stroke"])
def test_heart_attack_and_stroke_are_screened_by_name_where_they_hurt(engine: Engine, region: str, pathology: str) -> None:
    for person in ({}, {"age": 60, "sex": "male"}, {"age": 70, "sex": "female"}):
        screening = engine.screen(region=region, **person)
        assert pathology in screening.considered
        places = [place for place, question in enumerate(screening.questions) if pathology in question.pathologies]
        assert places
        assert places[0] < 20


@pytest.mark.parametrize("region", ["shoulder", "jaw", "neck", "upper-back", "arm"])
def test_the_heart_comes_first_where_it_can_hurt(engine: Engine, region: str) -> None:
    assert "acute-coronary-syndrome" in engine.screen(region=region, age=60).questions[0].pathologies


def test_every_emergency_that_is_considered_is_asked_about(engine: Engine) -> None:
    for region in REGIONS:
        screening = engine.screen(region=region)
        asked = {path for question in screening.questions for path in question.pathologies}
        assert set(screening.considered) <= asked, region


def test_what_is_answered_is_not_asked_again(engine: Engine) -> None:
    first = engine.screen(**LOW_BACK).questions
    given_ = {"present": [first[0].finding], "absent": [first[1].finding]}
    later = {question.finding for question in engine.screen(**LOW_BACK, **given_).questions}
    assert not later & {first[0].finding, first[1].finding}


@pytest.mark.parametrize(("finding", "person", "asked"), [
    ("sudden-testicle-pain-groin", {"sex": "female"}, False), ("sudden-testicle-pain-groin", {"sex": "male"}, True),
    ("shoulder-tip-pain-possible-pregnancy", {"sex": "male"}, False),
    ("shoulder-tip-pain-possible-pregnancy", {"sex": "female", "age": 70}, False),
    ("shoulder-tip-pain-possible-pregnancy", {"sex": "female", "age": 30}, True), ("shoulder-tip-pain-possible-pregnancy", {}, True),
    ("scfe-limp-child", {"age": 12}, True), ("scfe-limp-child", {"age": 40}, False),
])  # fmt: skip
def test_questions_fit_the_person(engine: Engine, finding: str, person: dict[str, object], asked: bool) -> None:
    screening = engine.screen(region="groin", **person)
    assert (finding in {question.finding for question in screening.questions}) is asked


def test_a_flag_counts_even_where_it_would_not_have_been_asked(engine: Engine) -> None:
    assert rank_of(engine.screen(region="groin", sex="female", present=["sudden-testicle-pain-groin"])) == 0


# ---------------------------------------------------------------------------------------------------- referral
@pytest.mark.parametrize("flag", FLAGS)
def test_a_strong_flag_refers_as_the_gate_does(engine: Engine, flag: str) -> None:
    screening = engine.screen(present=[flag])
    gate = engine.gate.refer(Client(red_flags=(flag,)), "")
    if strength(flag) == {""}:
        assert gate
        assert rank_of(screening) <= URGENCIES.index(gate.urgency)
    if strength(flag) == {"flag-reassuring"}:
        assert screening.referral is None


def test_nothing_found_refers_nobody(engine: Engine) -> None:
    for region in REGIONS:
        for age in (8, 30, 60, 90):
            assert engine.screen(region=region, age=age, sex="female").referral is None


@pytest.mark.parametrize("hazard", RISKS)
def test_history_alone_refers_only_where_the_gate_does(engine: Engine, hazard: str) -> None:
    screening, gate = engine.screen(region="low-back", age=70, present=[hazard]), engine.gate.refer(Client(hazards=(hazard,)), "")
    assert (screening.referral is None) == (gate is None)


def test_weak_flags_refer_together_and_not_alone(engine: Engine) -> None:
    young = {"region": "low-back", "age": 30}
    assert engine.screen(**young, present=["night-pain-supine"]).referral is None
    assert engine.screen(region="leg", age=30, present=["dvt-immobilization"]).referral is None
    both = engine.screen(region="leg", age=30, present=["dvt-immobilization", "dvt-active-cancer"])
    assert both.referral
    assert both.referral.urgency == "urgent"
    assert {reason.slug for reason in both.referral.reasons} == {"dvt-immobilization", "dvt-active-cancer"}


def test_age_and_history_lend_weight_to_a_weak_flag(engine: Engine) -> None:
    def night(**person: object) -> float:
        suspected = engine.screen(region="low-back", present=["night-pain-supine", *person.pop("history", ())], **person).suspected  # type: ignore[misc]
        return next(s.probability for s in suspected if s.pathology == "spinal-malignancy")

    assert night(age=30) < night() < night(age=60) < night(age=60, history=["cancer-active"])
    assert engine.screen(region="low-back", age=60, present=["night-pain-supine"]).referral
    assert engine.screen(region="low-back", age=30, present=["night-pain-supine"]).referral is None


def test_features_of_many_healthy_people_never_refer(engine: Engine) -> None:
    assert engine.screen(region="low-back", age=85, sex="female", present=["older-age-back-pain", "first-episode-over-50"]).referral is None


def test_an_emergency_of_the_history_refers_as_in_the_gate(engine: Engine) -> None:
    assert rank_of(engine.screen(region="thorax", present=["heart-attack-acute"])) == 0


def test_a_referral_says_what_to_do_and_what_to_say(engine: Engine) -> None:
    screening = engine.screen(region="jaw", age=58, sex="female", present=["breathless-weary-jaw-back-pain"])
    assert screening.referral
    assert screening.referral.urgency == "emergency"
    assert "ambulance" in screening.do_now[0]
    assert any("half upright" in text for text in screening.do_now)
    assert screening.to_client
    suspicion = screening.suspected[0]
    assert suspicion.pathology == "acute-coronary-syndrome"
    assert suspicion.words == "considerable"
    assert suspicion.supporting == ("breathless-weary-jaw-back-pain",)
    assert "acs-sweating" in suspicion.not_asked


def test_phrases_stand_in_the_graph(engine: Engine) -> None:
    for urgency in URGENCIES:
        assert K[f"urgency-{urgency}"].one("doNow")
        assert K[f"urgency-{urgency}"].one("toClient")


# ---------------------------------------------------------------------------------------------------- decision rules
@pytest.mark.parametrize(("rule", "given_", "points", "urgency", "reading"), [
    ("wells-dvt", {"region": "leg", "present": ["dvt-calf-swelling", "dvt-pitting-edema", "dvt-active-cancer"]}, 3, "urgent", "High"),
    ("wells-dvt", {"region": "leg", "present": ["dvt-calf-swelling"]}, 1, "urgent", "Intermediate"),
    ("wells-dvt", {"region": "leg", "present": ["dvt-calf-swelling", "other-explanation-for-leg-as-likely"]}, -1, None, None),
    ("ottawa-ankle", {"region": "ankle", "present": ["ankle-rolled-inward", "tender-back-edge-of-fibula-at-ankle"]}, 1, "urgent",
     "not excluded"),
    ("ottawa-ankle", {"region": "ankle", "present": ["ankle-rolled-inward"], "absent": [
        "unable-to-take-four-steps", "tender-back-edge-of-fibula-at-ankle", "tender-back-edge-of-tibia-at-ankle"]}, 0, None, "unlikely"),
    ("ottawa-ankle", {"region": "ankle", "present": ["ankle-rolled-inward"]}, 0, None, None),
    ("ottawa-knee", {"region": "knee", "age": 60}, 1, None, None),
    ("ottawa-knee", {"region": "knee", "age": 60, "present": ["began-with-fall-blow-or-accident"]}, 1, "urgent", "not excluded"),
    ("canadian-c-spine", {"region": "neck", "age": 70, "present": ["neck-hurt-in-accident"]}, 1, "emergency", "Not low risk"),
    ("canadian-c-spine", {"region": "neck", "age": 30, "present": ["neck-hurt-in-accident", "fall-over-one-meter"]}, 1, "emergency",
     "Not low risk"),
    ("canadian-c-spine", {"region": "neck", "age": 30,
                          "present": ["neck-hurt-in-accident", "simple-rear-end-crash", "turns-neck-45-degrees"],
                          "absent": ["tingling-of-limbs-since-neck-injury", "fall-over-one-meter", "motorized-recreational-vehicle",
                                     "fast-road-crash-or-ejection", "bicycle-collision", "axial-load-to-head"]}, 0, None, "Low risk"),
    ("canadian-c-spine", {"region": "neck", "age": 30, "present": ["neck-hurt-in-accident"],
                          "absent": ["sits-when-examined", "simple-rear-end-crash", "neck-pain-began-later", "no-midline-neck-tenderness",
                                     "walked-since-accident"]}, 1, "emergency", "Not low risk"),
    ("perc", {"region": "thorax", "age": 40, "present": ["pe-breathlessness", "takes-estrogen-or-other-hormones"]}, 1, "emergency",
     "not excluded"),
    ("perc", {"region": "thorax", "age": 55}, 1, None, None),
    ("cook-myelopathy", {"region": "neck", "age": 50, "present": ["gait-stiff-legs", "babinski-sign"]}, 3, "urgent", "likely"),
    ("cook-myelopathy", {"region": "neck", "age": 50, "present": ["gait-stiff-legs"]}, 2, None, None),
    ("ottawa-sah", {"region": "head", "age": 45, "present": ["neck-stiffness-with-new-headache"]}, 2, None, None),
    ("ottawa-sah", {"region": "head", "age": 45, "present": ["new-severe-headache-within-an-hour"]}, 1, "emergency", "not excluded"),
    ("asas-inflammatory-back-pain", {"region": "low-back", "age": 28, "present": ["ibp-exercise", "ibp-night-pain", "began-gradually"]}, 4,
     "medical-review", "Inflammatory"),
    ("henschke-fracture", {"region": "low-back", "age": 75, "sex": "female", "present": ["corticosteroids-prolonged"]}, 3, "urgent",
     "likely"),
    ("janssens-gout", {"region": "foot", "sex": "male", "present": ["attack-at-base-of-big-toe"]}, 4.5, "urgent", "possible"),
])  # fmt: skip
def test_decision_rules(
    engine: Engine, rule: str, given_: dict[str, object], points: float, urgency: str | None, reading: str | None
) -> None:
    found = result(engine.screen(**given_), rule)  # type: ignore[arg-type]
    assert found.points == points  # type: ignore[attr-defined]
    assert found.urgency == urgency  # type: ignore[attr-defined]
    assert (reading in found.reading) if reading else found.reading is None  # type: ignore[attr-defined]


def test_a_rule_refers_and_names_what_was_not_asked(engine: Engine) -> None:
    screening = engine.screen(region="knee", age=60, present=["began-with-twist-or-wrench"])
    assert screening.referral
    assert [reason.slug for reason in screening.referral.reasons] == ["ottawa-knee"]
    assert "Tenderness at the head of the fibula" in result(screening, "ottawa-knee").missing  # type: ignore[attr-defined]


def test_each_open_criterion_is_a_question_once_the_rule_may_apply(engine: Engine) -> None:
    asked = {question.finding for question in engine.screen(region="ankle", present=["ankle-rolled-inward"]).questions}
    assert {"finding-unable-to-take-four-steps", "finding-tender-back-edge-of-fibula-at-ankle"} <= asked


# ---------------------------------------------------------------------------------------------------- for any answers
@PATIENT
@given(flags, places, persons, st.sampled_from(FLAGS))
def test_a_further_flag_never_lowers_the_urgency(present: list[str], region: str | None, person: dict[str, object], more: str) -> None:
    before = kg.screen(region=region, present=present, **person)  # type: ignore[arg-type]
    after = kg.screen(region=region, present=[*present, more], **person)  # type: ignore[arg-type]
    assert rank_of(after) <= rank_of(before)


@PATIENT
@given(flags, places, persons, st.lists(st.sampled_from(FLAGS), max_size=4, unique=True))
def test_absent_flags_never_add_a_referral(present: list[str], region: str | None, person: dict[str, object], absent: list[str]) -> None:
    gone = [flag for flag in absent if flag not in present]
    before = kg.screen(region=region, present=present, **person)  # type: ignore[arg-type]
    after = kg.screen(region=region, present=present, absent=gone, **person)  # type: ignore[arg-type]
    assert rank_of(after) >= rank_of(before)
    assert {s.pathology for s in after.suspected} == {s.pathology for s in before.suspected}


def test_a_narrower_hazard_counts_as_the_wider(engine: Engine) -> None:
    """Who takes the pill takes hormones that make clots likelier; the last months of pregnancy are pregnancy."""
    pill = place_of(engine, "deep-vein-thrombosis", region="leg", age=30, sex="female", present=["combined-contraceptive-pill"])
    assert pill < place_of(engine, "deep-vein-thrombosis", region="leg", age=30, sex="female")
    assert place_of(engine, "pre-eclampsia", region="head", age=33, sex="female", present=["pregnancy-third-trimester"]) == 0


def test_the_complaint_brings_its_hazards(engine: Engine) -> None:
    asked = place_of(engine, "preterm-labor", complaint="pregnancy-pelvic-girdle-pain", age=33, sex="female")
    assert asked < place_of(engine, "preterm-labor", complaint="sacroiliac-joint-pain", age=33, sex="female")


def test_where_a_disease_seldom_hurts_it_is_asked_about_later(engine: Engine) -> None:
    back, belly = (place_of(engine, "appendicitis", region=region, age=28, sex="male") for region in ("low-back", "abdomen"))
    assert place_of(engine, "cauda-equina-syndrome", region="low-back", age=28, sex="male") < back
    assert belly < back


def place_of(engine: Engine, pathology: str, **client: object) -> int:
    """The place of the first question on a pathology, from 0."""
    return next(at for at, question in enumerate(engine.screen(**client).questions) if pathology in question.pathologies)


@PATIENT
@given(st.lists(st.sampled_from([*FLAGS, *RISKS, *CRITERIA]), max_size=6, unique=True)
       .flatmap(lambda words: st.tuples(st.just(words), st.permutations(words))), places, persons)  # fmt: skip
def test_the_order_of_answers_does_not_matter(orders: tuple[list[str], list[str]], region: str | None, person: dict[str, object]) -> None:
    one, other = (kg.screen(region=region, present=order, **person).to_dict() for order in orders)  # type: ignore[arg-type]
    assert one == other


@PATIENT
@given(flags, places, persons)
def test_numbers_and_words_hold(present: list[str], region: str | None, person: dict[str, object]) -> None:
    screening = kg.screen(region=region, present=present, **person)  # type: ignore[arg-type]
    gains = [question.gain for question in screening.questions]
    assert gains == sorted(gains, reverse=True)
    assert all(gain > 0 for gain in gains)
    for suspicion in screening.suspected:
        assert 0 < suspicion.probability < 1
        assert set(suspicion.supporting) <= set(present)
    assert "diagnos" not in json.dumps(screening.to_dict()).lower().replace("another diagnosis at least as likely", "").replace(
        "diagnosis rule", "").replace("other diagnosis", "")  # fmt: skip


# ---------------------------------------------------------------------------------------------------- mistakes
@settings(max_examples=40, deadline=None)
@given(st.text())
def test_an_unknown_word_is_an_error(word: str) -> None:
    with pytest.raises(UnknownName) as caught:
        kg.screen(present=[f"{word} qx"])
    assert repr(f"{word} qx") in caught.value.message


@pytest.mark.parametrize(("given_", "says"), [
    ({"present": ["night pain suppine"]}, "night-pain-supine"), ({"region": "sholder"}, "shoulder"),
    ({"complaint": "calf strian"}, "calf-strain"), ({"age": 300}, "age must be"), ({"age": -1}, "age must be"),
    ({"age": True}, "age must be"), ({"sex": "femal"}, "female"), ({"sex": ""}, "female"),
    ({"present": ["stroke-arm"], "absent": ["stroke-arm"]}, "both present and absent"), ({"present": [7]}, "named by a word"),
])  # fmt: skip
def test_mistakes_are_one_clear_sentence(engine: Engine, given_: dict[str, object], says: str) -> None:
    with pytest.raises(PalpateError, match=says):
        engine.screen(**given_)  # type: ignore[arg-type]


def test_unknown_complaint_names_conditions_and_regions(engine: Engine) -> None:
    with pytest.raises(UnknownName) as caught:
        engine.screen(complaint="nek")
    assert "neck" in caught.value.nearest


def test_a_complaint_may_be_a_condition_a_synonym_or_a_region(engine: Engine) -> None:
    assert engine.screen(complaint="heel spur syndrome").complaint == "plantar-fasciitis"
    assert engine.screen(complaint="upper back").regions == ("upper-back",)


@pytest.mark.parametrize(("word", "region"), [
    ("wrist", "hand"), ("lower back", "low-back"), ("calf", "leg"), ("Buttock", "hip"), ("heel", "foot"), ("tmj", "jaw"),
    ("ribs", "thorax"),
])  # fmt: skip
def test_a_region_goes_by_the_words_that_people_use(engine: Engine, word: str, region: str) -> None:
    assert engine.screen(region=word).regions == (region,)
    assert engine.assess(region=word).region == region


# ---------------------------------------------------------------------------------------------------- surfaces
def test_command_line(run) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    done = run("screen", "--region", "jaw", "--age", "58", "--sex", "female", "--present", "breathless-weary-jaw-back-pain")
    assert done.status == 0
    assert "Refer: emergency" in done.out
    assert "to be excluded: Acute coronary syndrome" in done.out
    assert "Say:" in done.out
    printed = json.loads(run("screen", "--region", "jaw", "--format", "json").out)
    assert printed["referral"] is None
    assert printed["questions"][0]["urgency"] == "emergency"
    wrong = run("screen", "--region", "sholder")
    assert wrong.status == 2
    one_line(wrong)


def test_api() -> None:
    client = TestClient(Starlette(routes=routes()))
    answer = client.post("/api/screen", json={"region": "leg", "age": 66, "present": ["dvt-calf-swelling"], "absent": None}).json()
    assert answer == kg.screen(region="leg", age=66, present=["dvt-calf-swelling"]).to_dict()
    assert answer["referral"]["urgency"] == "urgent"
    assert set(answer["graph"]) == {"version", "sha256"}


@pytest.mark.parametrize("body", [
    "", "[", "[]", "7", '{"regoin": "leg"}', '{"age": "66"}', '{"age": 6.5}', '{"age": true}', '{"present": "stroke-arm"}',
    '{"present": [1]}', '{"region": 3}',
    '{"present": ["strok-arm"]}', '{"findings": []}', "[" * 100_000, '{"region": "' + "x" * 20_000 + '"}',
])  # fmt: skip
def test_api_refuses_what_it_cannot_read(body: str) -> None:
    answer = TestClient(Starlette(routes=routes())).post("/api/screen", content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_api_refuses_a_body_longer_than_any_client_needs() -> None:
    answer = TestClient(Starlette(routes=routes())).post("/api/screen", content='{"region": "' + "x" * 200_000 + '"}')
    assert answer.status_code == 413
    assert "longer than" in answer.json()["detail"]
