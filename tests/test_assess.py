"""Assessment: what findings are consistent with, what to ask next, and what holds for any answers."""

import json
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.testclient import TestClient

import kg
from kg.errors import PalpateError
from kg.reasoning.assess import Assessment
from kg.reasoning.engine import Engine
from kg.reasoning.screen import Person
from kg.serving.api import routes
from tests.test_cli import one_line, run  # noqa: F401  # a fixture

K = kg.load().knowledge
CONDITIONS = sorted(node.slug for node in K.of_class("Condition"))
PRESENTATIONS = K.group("Presentation", "presentationOf")
SHARED = sorted({node.one("presentedFinding") for node in K.of_class("Presentation")})
FINDINGS = sorted({*SHARED, *(finding for slug in CONDITIONS for finding in K[slug].all("presentsWith"))})
TESTS = sorted({node.one("ofTest") for node in K.of_class("DiagnosticEvidence")})
FLAGS = sorted(node.slug for node in K.of_class("RedFlag"))
REGIONS = sorted(node.slug for node in K.of_class("BodyRegion"))
FEW = settings(max_examples=40, deadline=None)
answers = st.lists(st.sampled_from(FINDINGS), max_size=6, unique=True)
results = st.dictionaries(st.sampled_from(TESTS), st.sampled_from(["positive", "negative"]), max_size=3)
places = st.sampled_from([None, *REGIONS])


def odds(assessment: Assessment, condition: str) -> float:
    """Odds of a condition against none of these."""
    return next(c.probability for c in assessment.differential if c.condition == condition) / assessment.other


def place(assessment: Assessment, condition: str) -> int:
    return [c.condition for c in assessment.differential].index(condition) + 1


def typical(condition: str) -> list[str]:
    return [n.one("presentedFinding") for n in PRESENTATIONS[(condition,)] if n.one("findingFrequency") == "frequency-typical"]


# ---------------------------------------------------------------------------------------------------- the knowledge
def test_every_condition_states_how_often_it_shows_shared_findings() -> None:
    for condition in CONDITIONS:
        assert len(PRESENTATIONS[(condition,)]) >= 6, condition
        assert len(typical(condition)) >= 2, condition
        assert K[condition].one("caseload"), condition


def test_findings_are_shared() -> None:
    uses = [sum(n.one("presentedFinding") == finding for n in K.of_class("Presentation")) for finding in SHARED]
    assert len(SHARED) >= 140
    assert np.median(uses) >= 8


def test_findings_of_red_flags_and_shared_findings_are_kept_apart() -> None:
    assert not set(SHARED) & set(FLAGS)


# ---------------------------------------------------------------------------------------------------- the differential
def test_a_condition_is_found_by_its_own_findings(engine: Engine) -> None:
    """Five findings that are typical of it and its region: the condition is nearly always among the first."""
    found = []
    for condition in CONDITIONS:
        region = sorted(engine._assessor._regions.of_condition[condition])[0]
        found.append(place(engine.assess(typical(condition)[:5], region=region), condition))
    assert np.mean([at <= 3 for at in found]) >= 0.9
    assert np.mean([at <= 10 for at in found]) >= 0.98


@pytest.mark.parametrize(("condition", "findings", "region"), [
    ("plantar-fasciitis", ["pain-under-heel", "worst-with-first-movements-after-rest", "worse-with-standing"], "foot"),
    ("carpal-tunnel-syndrome", ["complaint-in-fingers", "tingling-or-numbness", "wakes-at-night", "eased-by-change-of-position"], "hand"),
    ("adhesive-capsulitis", ["pain-at-outer-shoulder", "passive-movement-limited", "began-gradually", "feeling-of-stiffness"], "shoulder"),
    ("lumbar-radiculopathy", ["pain-that-runs-down-the-leg", "tingling-or-numbness", "worse-with-cough-or-sneeze", "worse-with-sitting"],
     "low-back"),
    ("lumbar-spinal-stenosis", ["pain-that-runs-down-the-leg", "worse-with-walking", "eased-by-sitting", "worse-with-arching-back"],
     "low-back"),
    ("lateral-elbow-tendinopathy", ["pain-at-outer-elbow", "worse-with-gripping", "tender-tendon-or-its-attachment"], "elbow"),
    ("migraine", ["throbbing-pain", "comes-in-attacks", "headache-with-light-or-noise-aversion"], "head"),
    ("lateral-ankle-sprain", ["pain-at-outer-ankle", "began-with-twist-or-wrench", "visible-swelling"], "ankle"),
])  # fmt: skip
def test_textbook_pictures(engine: Engine, condition: str, findings: list[str], region: str) -> None:
    assessment = engine.assess(findings, region=region)
    assert place(assessment, condition) == 1
    assert {hint.slug.removeprefix("finding-") for hint in assessment.differential[0].supporting} <= set(findings)


def test_a_likelihood_ratio_by_hand(engine: Engine) -> None:
    """One finding: odds against none of these change by its share in the condition over its share elsewhere."""
    p = {node.slug: node.number("value") for node in K.of_class("AssessmentParameter")}
    before, after = (odds(engine.assess(given_, region="foot"), "plantar-fasciitis") for given_ in ([], ["pain-under-heel"]))
    share = K["frequency-typical"].number("value")
    assert after / before == pytest.approx(share / p["assess-other-rate"])
    absent = odds(engine.assess(absent=["pain-under-heel"], region="foot"), "plantar-fasciitis")
    assert absent / before == pytest.approx((1 - share) / (1 - p["assess-other-rate"]))


def test_base_rates_are_those_of_the_source(engine: Engine) -> None:
    assessment = engine.assess(region="shoulder", age=50)
    rates = {node.one("rateOf"): node.number("value") for node in K.of_class("BaseRate") if "shoulder" in node.all("inRegion")}
    shares = {c.condition: c.probability / (1 - assessment.other) for c in assessment.differential}
    scale = shares["subacromial-pain-syndrome"] / rates["subacromial-pain-syndrome"]
    for condition in ("adhesive-capsulitis", "glenohumeral-osteoarthritis"):
        assert shares[condition] / rates[condition] == pytest.approx(scale)


def test_age_and_sex_move_the_base_rate(engine: Engine) -> None:
    child, adult = (odds(engine.assess(["pain-at-front-of-knee"], region="knee", age=age), "osgood-schlatter") for age in (13, 60))
    assert child > adult
    woman, man = (odds(engine.assess(region="low-back", age=30, sex=sex), "pregnancy-pelvic-girdle-pain") for sex in ("female", "male"))
    assert woman > man


def test_tests_of_one_structure_are_not_multiplied(engine: Engine) -> None:
    def gain(*tests: str) -> float:
        before, after = (odds(engine.assess(region="shoulder", tests=given_), "subacromial-pain-syndrome")
                         for given_ in ({}, dict.fromkeys(tests, "positive")))  # fmt: skip
        return log(after / before)

    single = [gain("neer"), gain("hawkins-kennedy"), gain("painful-arc")]
    assert max(single) < gain("neer", "hawkins-kennedy", "painful-arc") < sum(single)


def test_small_studies_are_shrunk_to_one(engine: Engine) -> None:
    p = {node.slug: node.number("value") for node in K.of_class("AssessmentParameter")}
    for accuracies in engine._assessor._accuracies.values():
        for accuracy in accuracies.values():
            assert 1 / p["assess-ratio-most"] < accuracy.positive < p["assess-ratio-most"]
            assert 0 < accuracy.rate < 1
            assert 0 < accuracy.sensitivity < 1
    achilles = engine._assessor._accuracies["achilles-pain-location"]
    accuracy = next(iter(achilles.values()))
    assert 1 < accuracy.positive < 78 / 23


def test_next_steps_tell_the_most(engine: Engine) -> None:
    assessment = engine.assess(["pain-at-outer-shoulder"], region="shoulder")
    gains = [step.expected_information for step in assessment.next]
    assert len(gains) == 10
    assert gains == sorted(gains, reverse=True)
    assert all(0 < gain <= 1 for gain in gains)
    assert "finding-pain-at-outer-shoulder" not in {step.slug for step in assessment.next}
    tests = [step for step in engine.assess(region="knee").next + assessment.next if step.kind == "test"]
    for step in tests:
        assert step.procedure
        assert step.positive_sign
        assert all(accuracy.sources and accuracy.certainty for accuracy in step.accuracy)


def test_expected_information_by_hand(engine: Engine) -> None:
    """The gain of each next step, computed in the plain way from the matrix of chances."""
    assessor = engine._assessor
    prior = assessor.prior("foot", Person())
    steps, chance = assessor._steps

    def entropy(p: NDArray[np.float64]) -> float:
        p = p[p > 0]
        return float(-(p * np.log2(p)).sum())

    for step in engine.assess(region="foot").next:
        row = chance[steps.index((step.kind, step.slug))]
        yes = float(row @ prior)
        left = yes * entropy(row * prior / yes) + (1 - yes) * entropy((1 - row) * prior / (1 - yes))
        assert step.expected_information == pytest.approx(entropy(prior) - left, abs=1e-6)


def test_confidence_grows_with_what_was_asked(engine: Engine) -> None:
    assert engine.assess(region="foot").confidence == "low"
    full = engine.assess([*typical("plantar-fasciitis")[:5], *K["plantar-fasciitis"].all("presentsWith")[:4]], region="foot")
    assert full.confidence == "high"


# ---------------------------------------------------------------------------------------------------- referral
def test_a_red_flag_refers_and_the_differential_is_not_to_be_acted_upon(engine: Engine) -> None:
    assessment = engine.assess(["pain-in-calf", "dvt-calf-swelling"], region="leg", age=60)
    printed = assessment.to_dict()
    assert printed["referral"]["urgency"] == "urgent"
    assert printed["act_on_differential"] is False
    assert printed["do_now"]
    assert engine.assess(["pain-in-calf"], region="leg").to_dict()["act_on_differential"] is True


@FEW
@given(answers, st.sampled_from(FLAGS), places)
def test_a_red_flag_refers_as_in_the_screening(found: list[str], flag: str, region: str | None) -> None:
    assessment, screening = kg.assess([*found, flag], region=region), kg.screen(region=region, present=[*found, flag])
    assert assessment.to_dict()["referral"] == screening.to_dict()["referral"]


# ---------------------------------------------------------------------------------------------------- for any answers
@FEW
@given(answers, answers, results, places, st.none() | st.integers(0, 110), st.sampled_from([None, "female", "male"]))
def test_probabilities_sum_to_one(found: list[str], gone: list[str], tests: dict[str, str], region: str | None, age: int | None,
                                  sex: str | None) -> None:  # fmt: skip
    assessment = kg.assess(found, absent=[f for f in gone if f not in found], tests=tests, region=region, age=age, sex=sex)
    assert sum(c.probability for c in assessment.differential) + assessment.other == pytest.approx(1)
    assert assessment.other > 0
    assert len(assessment.differential) == len(CONDITIONS)
    chances = [c.probability for c in assessment.differential]
    assert chances == sorted(chances, reverse=True)
    assert all(hint.ratio > 1 for c in assessment.differential for hint in c.supporting)
    assert all(hint.ratio < 1 for c in assessment.differential for hint in c.against)


@FEW
@given(answers.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))), results, places)
def test_the_order_of_answers_does_not_matter(orders: tuple[list[str], list[str]], tests: dict[str, str], region: str | None) -> None:
    one = kg.assess(orders[0], tests=tests, region=region).to_dict()
    other = kg.assess(orders[1], tests=dict(reversed(tests.items())), region=region).to_dict()
    assert json.dumps(one) == json.dumps(other)


@FEW
@given(st.sampled_from(CONDITIONS), answers, places, st.data())
def test_absence_never_raises_a_condition_that_shows_the_finding(
    condition: str, found: list[str], region: str | None, data: st.DataObject
) -> None:
    shown = [*typical(condition), *(f for f in K[condition].all("presentsWith") if not K[f].properties.get("fromAge"))]
    finding = data.draw(st.sampled_from([f for f in shown if f not in found] or shown))
    found = [f for f in found if f != finding]
    before, after = kg.assess(found, region=region), kg.assess(found, absent=[finding], region=region)
    assert odds(after, condition) <= odds(before, condition) * (1 + 1e-9)
    present = kg.assess([*found, finding], region=region)
    assert odds(present, condition) >= odds(before, condition) * (1 - 1e-9)


@FEW
@given(answers, results, places)
def test_the_word_is_consistent_with(found: list[str], tests: dict[str, str], region: str | None) -> None:
    printed = kg.assess(found, tests=tests, region=region).to_dict()
    assert printed["reading"] == "consistent with"
    assert "diagnos" not in " ".join(printed["confidence"].values())


# ---------------------------------------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(("given_", "says"), [
    ({"findings": ["painfull arc"]}, "painful-arc"), ({"tests": {"neeer": "positive"}}, "neer"), ({"tests": {"neer": "maybe"}}, "positive"),
    ({"region": "sholder"}, "shoulder"), ({"age": 500}, "age must be"), ({"sex": "x"}, "female"),
    ({"findings": ["pain-in-calf"], "absent": ["pain-in-calf"]}, "both present and absent"),
    ({"tests": {"neer": "positive", "Neer impingement sign": "negative"}}, "both positive and negative"),
])  # fmt: skip
def test_mistakes_are_one_clear_sentence(engine: Engine, given_: dict[str, object], says: str) -> None:
    with pytest.raises(PalpateError, match=says):
        engine.assess(**given_)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- surfaces
def test_command_line(run) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    arguments = ("assess", "--finding", "painful-arc-shoulder", "--absent", "passive-movement-limited", "--test", "neer=positive",
                 "--region", "shoulder", "--age", "50", "--sex", "female")  # fmt: skip
    done = run(*arguments)
    assert done.status == 0
    assert "Consistent with" in done.out
    assert "none of these" in done.out
    printed = json.loads(run(*arguments, "--format", "json").out)
    assert {"graph", "referral", "differential", "next"} <= set(printed)
    assert {"condition", "label", "probability", "supporting", "against"} <= set(printed["differential"][0])
    assert all(
        ("finding" in step) != ("test" in step) and {"label", "question", "expected_information"} <= set(step) for step in printed["next"]
    )
    for wrong in (
        ("--test", "neer"),
        ("--test", "neer=perhaps"),
        ("--test", "neer=positive", "--test", "neer=negative"),
        ("--finding", "x"),
    ):
        refused = run("assess", *wrong)
        assert refused.status == 2
        one_line(refused)


def test_api() -> None:
    client = TestClient(Starlette(routes=routes()))
    body = {"finding": ["painful-arc-shoulder"], "test": {"neer": "positive"}, "region": "shoulder"}
    answer = client.post("/api/assess", json=body).json()
    assert answer == kg.assess(["painful-arc-shoulder"], tests={"neer": "positive"}, region="shoulder").to_dict()
    plural = {"findings": ["painful-arc-shoulder"], "tests": ["neer=positive"], "region": "shoulder"}
    assert client.post("/api/assess", json=plural).json() == answer
    for wrong in (
        {"phase": "acute"},
        {"test": {"neer": 1}},
        {"test": "neer"},
        {"finding": "x"},
        {"finding": [], "findings": []},
        {"test": ["neer"]},
    ):
        refused = client.post("/api/assess", json=wrong)
        assert refused.status_code == 400
        assert refused.json()["detail"]
