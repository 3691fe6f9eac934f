"""Plans: safe for every condition, phase and hazard, in order, within time and load, and the same each time.

What may be a step is compared with the oracle of tests/test_safety.py, which reads the rules of the ontology a second time.
"""

import copy
import io
import json
import re
import subprocess
import sys
from contextlib import suppress
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import icalendar
import pypdf
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

import kg
from kg.documents.plan import FORMATS, export
from kg.errors import PalpateError, UnknownName
from kg.graph.terms import ONTOLOGY_DIR
from kg.reasoning.engine import Engine
from kg.reasoning.plan import Plan, Planner, UnsafePlan, check
from kg.reasoning.plan.check import KINDS
from kg.reasoning.plan.choose import Candidate, choose
from kg.reasoning.plan.course import days, share_out
from kg.reasoning.plan.follow import follow
from kg.serving.api import routes
from tests import plan_evaluation
from tests.test_safety import HAZARDS, PHASES, forbidden

CONDITIONS = sorted(path.stem for path in (ONTOLOGY_DIR / "conditions").glob("*.ttl")
                    if path.stem not in ("condition-tissues", "conditions", "hierarchy"))  # fmt: skip
START = date(2027, 1, 4)


@pytest.fixture(scope="module")
def planner(engine: Engine) -> Planner:
    return Planner(engine)


def used(plan: Plan) -> set[str]:
    """All techniques of a plan, those of home care included."""
    steps = {step.technique for session in plan.sessions for step in session.steps}
    return steps | {item.technique for session in plan.sessions for item in session.home}


@cache
def _unedited(planner: Planner, condition: str) -> dict[str, Any]:
    return planner.plan(condition, planner.engine.client("chronic")).to_dict()


def edited(planner: Planner, condition: str = "mechanical-neck-pain") -> dict[str, Any]:
    """A plan as a person would get it to edit."""
    return copy.deepcopy(_unedited(planner, condition))


# ---------------------------------------------------------------------------------------------------- safe, for everybody
@pytest.mark.parametrize("phase", PHASES)
def test_every_condition_has_a_plan_that_passes_its_check(planner: Planner, phase: str | None) -> None:
    assert len(CONDITIONS) >= 140
    for condition in CONDITIONS:
        plan = planner.plan(condition, planner.engine.client(phase))
        assert plan.sessions, (condition, phase)
        assert check(planner, plan.to_dict()) == [], (condition, phase)
        _well_formed(planner, plan)


def _well_formed(planner: Planner, plan: Plan) -> None:
    """What holds for every plan: time, phases without gaps, each step with its reason, few things to do at home."""
    facts = planner.facts
    numbers = [number for part in plan.phases for number in range(part.first, part.last + 1)]
    assert numbers == [session.number for session in plan.sessions] == list(range(1, len(plan.sessions) + 1))
    assert all(later.day > earlier.day for earlier, later in pairwise(plan.sessions))
    for session in plan.sessions:
        assert session.minutes <= plan.minutes
        assert [step.order for step in session.steps] == list(range(1, len(session.steps) + 1))
        assert len(session.home) <= facts["plan-home-items-most"]
        assert sum(item.minutes for item in session.home) <= facts["plan-home-minutes-most"]
        for step in session.steps:
            assert step.serves, f"{plan.condition}: {step.technique} serves nothing"
            assert all(serving.text and serving.strength > 0 for serving in step.serves)
            assert facts.minutes(step.technique)[0] <= step.minutes or step.minutes == facts["plan-step-least-minutes"]
    assert plan.goals
    assert all(goal.session == len(plan.sessions) for goal in plan.goals)


def test_no_hazard_lets_a_forbidden_step_through(planner: Planner) -> None:
    """Every hazard, each with the next condition: nothing it forbids is a step or home care; an emergency leaves no session."""
    for place, hazard in enumerate(HAZARDS):
        client = planner.engine.client("chronic", None, [hazard])
        plan = planner.plan(CONDITIONS[place % len(CONDITIONS)], client)
        assert not used(plan) & forbidden(hazard), (hazard, plan.condition)
        assert not used(plan) & {w.technique for w in plan.withheld}
        if plan.referral and plan.referral.stops:
            assert not plan.sessions
            assert not plan.goals
        assert check(planner, plan.to_dict()) == [], (hazard, plan.condition)


def test_a_referral_leaves_nothing_but_the_referral(planner: Planner) -> None:
    stopping = {n.one("redFlag") for n in planner.knowledge.of_class("RedFlagIndication")
                if n.one("urgency") != "urgency-medical-review" and not n.one("flagStrength")}  # fmt: skip
    assert stopping
    for flag in sorted(stopping)[::5]:
        plan = planner.plan("chronic-low-back-pain", planner.engine.client("chronic", red_flags=[flag]))
        assert plan.referral is not None
        assert (plan.sessions, plan.phases, plan.goals) == ((), (), ())
        body = plan.to_dict()
        assert body["referral"]["action"]
        assert body["stop_and_refer_when"]
        assert all(export(planner, body, name, START).content for name in FORMATS)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_client_gets_a_safe_plan(data: st.DataObject) -> None:
    planner = kg.planner()
    engine = planner.engine
    condition = data.draw(st.sampled_from(CONDITIONS))
    hazards = data.draw(st.lists(st.sampled_from(HAZARDS), max_size=3, unique=True))
    client = engine.client(data.draw(st.sampled_from(PHASES)), data.draw(st.sampled_from([None, "low", "moderate", "high"])), hazards)
    sessions, minutes = data.draw(st.integers(1, 40)), data.draw(st.integers(15, 120))
    plan = planner.plan(condition, client, sessions=sessions, minutes=minutes)
    verdict = engine.gate.judge(condition, client)
    assert not used(plan) & set(verdict.withheld)
    assert not used(plan) & {n.slug for n in engine.knowledge.of_class("ReferralOnlyTechnique")}
    assert len(plan.sessions) in (0, sessions)
    assert all(session.minutes <= minutes for session in plan.sessions)
    assert check(planner, plan.to_dict()) == []


def test_higher_irritability_means_shorter_gentler_steps(planner: Planner) -> None:
    """The first session: no step takes longer or hurts more than the same technique does at low irritability."""
    clients = (planner.engine.client("subacute", degree) for degree in ("high", "low"))
    gentle, firm = (planner.plan("mechanical-neck-pain", client).sessions[0] for client in clients)
    assert max(step.discomfort for step in gentle.steps) < max(step.discomfort for step in firm.steps)
    for step in gentle.steps:
        low, high = planner.facts.minutes(step.technique)
        assert step.minutes <= max(low, planner.facts["plan-step-least-minutes"]) <= high or low == high


# ---------------------------------------------------------------------------------------------------- order, dose, choice
def test_order_follows_the_rules(planner: Planner) -> None:
    """In every plan of the chronic phase no step stands before one that a rule puts before it."""
    needy = {role for rule in planner.facts.rules for role in rule.needed_by & rule.later}
    for condition in CONDITIONS[::3]:
        for session in planner.plan(condition, planner.engine.client("chronic")).sessions:
            roles = [step.role.slug for step in session.steps]
            for rule in planner.facts.rules:
                for i, role in enumerate(roles):
                    assert not (role in rule.later and set(roles[i + 1 :]) & rule.earlier), (condition, rule.slug, roles)
            assert all(step.why_here for step in session.steps if step.role.slug in needy)


def test_strong_work_rests(planner: Planner) -> None:
    """Four sessions a week: strong techniques do not come on two days running."""
    plan = planner.plan("plantar-fasciitis", planner.engine.client("chronic", "low"), sessions=16)
    strong = [s.day for s in plan.sessions if any(planner.facts.rest_days(step.technique) > 1 for step in s.steps)]
    assert len(strong) > 3
    assert all(later - earlier >= 2 for earlier, later in pairwise(strong))


def test_the_choice_is_the_best_of_all(planner: Planner) -> None:
    """The solver against every subset of a few candidates, by the noisy-or itself."""
    facts = planner.facts
    roles = facts.roles
    covers = [("petrissage", "role-soften", {0: 0.3, 1: 0.1}), ("myofascial-release", "role-release", {0: 0.4}),
              ("longitudinal-stripping", "role-release", {0: 0.45, 1: 0.2}), ("static-stretching", "role-lengthen", {1: 0.5}),
              ("effleurage", "role-integrate", {0: 0.1})]  # fmt: skip
    candidates = [Candidate(t, roles[r], *facts.minutes(t), c, 0.3) for t, r, c in covers]
    weights = [0.6, 0.4]

    def value(chosen: tuple[Candidate, ...]) -> float:
        left = [1.0, 1.0]
        for c in chosen:
            for need, share in c.covers.items():
                left[need] *= 1 - share
        merit = len(chosen) * (facts["plan-merit-weight"] * 0.3 / facts["plan-steps-most"] - facts["plan-step-cost"])
        return sum(w * (1 - rest) for w, rest in zip(weights, left, strict=True)) + merit

    def allowed(chosen: tuple[Candidate, ...]) -> bool:
        own = {c.role.slug for c in chosen}
        needs = all(not own & rule.needed_by & rule.later or own & rule.earlier for rule in facts.rules)
        needs &= all(not own & rule.needed_by & rule.earlier or own & rule.later for rule in facts.rules)
        return needs and sum(c.low for c in chosen) <= 12

    subsets = [tuple(c for i, c in enumerate(candidates) if bits >> i & 1) for bits in range(2 ** len(candidates))]
    best = max(value(chosen) for chosen in subsets if allowed(chosen))
    found = choose(facts, candidates, weights, 12)
    assert allowed(found)
    assert value(found) >= best - 0.03  # the tangents are that near


def test_a_session_has_what_its_phase_is_for(planner: Planner) -> None:
    """Strength is built in the phase of loading, and gets more time there than any other role."""
    plan = planner.plan("plantar-fasciitis", planner.engine.client("chronic", "low"))
    load = next(phase for phase in planner.facts.phases if phase.core == "role-activate")
    for session in (s for s in plan.sessions if s.phase == load.slug):
        minutes: dict[str, float] = {}
        for step in session.steps:
            minutes[step.role.slug] = minutes.get(step.role.slug, 0.0) + step.minutes
        assert max(minutes, key=lambda role: minutes[role]) == load.core


def test_steps_name_only_tissues_that_their_role_works_on(planner: Planner) -> None:
    for condition in ("tension-type-headache", "plantar-fasciitis", "carpal-tunnel-syndrome"):
        for step in (step for session in planner.plan(condition).sessions for step in session.steps):
            kinds = [set(planner.knowledge[tissue].all("hasTissueType")) for tissue in step.tissues]
            assert all(not step.role.kinds or step.role.kinds & own for own in kinds), step


def test_nothing_fits_into_no_time(planner: Planner) -> None:
    assert choose(planner.facts, [], [], 30) == ()


@given(st.integers(1, 40), st.lists(st.floats(0.1, 5), min_size=5, max_size=5))
def test_sessions_are_shared_out_whole(sessions: int, shares: list[float]) -> None:
    shared = share_out(sessions, kg.planner().facts.phases, shares)
    assert sum(count for _, count in shared) == sessions
    assert all(count >= 1 for _, count in shared)
    assert len(shared) == min(sessions, 5)


@given(st.floats(0.2, 7), st.lists(st.sampled_from([1.0, 1.5, 2.0]), min_size=1, max_size=40))
def test_sessions_are_days_apart(weekly: float, spacings: list[float]) -> None:
    found = days(weekly, spacings)
    assert found[0] == 0
    assert len(found) == len(spacings)
    assert all(later > earlier for earlier, later in pairwise(found))


# ---------------------------------------------------------------------------------------------------- frame, goals, home
def test_number_and_spacing_come_from_protocols(planner: Planner) -> None:
    """By hand from ontology/plans/protocols.ttl: 12, 12, 4 and 12 sessions; of these weekly 2, 2, 1 and 3."""
    plan = planner.plan("carpal-tunnel-syndrome", planner.engine.client("chronic"))
    assert (plan.course.sessions, plan.course.weekly, plan.course.basis) == (12, 2.0, "protocol")
    cousin = planner.plan("posterior-tibial-tendinopathy", planner.engine.client("chronic")).course
    assert (cousin.about, cousin.basis) == ("tendinopathy", "protocol-of-family")
    alone = planner.plan("trigger-finger", planner.engine.client("chronic")).course
    assert (alone.sessions, alone.basis, alone.protocols) == (int(planner.facts["plan-sessions-default"]), "expert-reasoning", ())


def test_protocols_are_many_and_sourced(planner: Planner) -> None:
    protocols = planner.facts.protocols
    assert len(protocols) >= 40
    assert len({p.condition for p in protocols}) >= 30
    assert all(p.sources and p.techniques for p in protocols)


def test_every_field_and_kind_of_finding_is_documented() -> None:
    docs = Path(__file__).parents[1] / "docs"
    api, method = ((docs / name).read_text(encoding="utf-8") for name in ("api.md", "plan.md"))
    plan = kg.plan("plantar-fasciitis", phase="chronic", hazards=["warfarin"], baselines={"nprs": 6}).to_dict()
    assert not sorted(field for field in _fields(plan) if f"`{field}`" not in api)
    assert not [kind for kind in KINDS if f"| `{kind}` |" not in method]
    assert not [format for format in FORMATS if f"`{format}`" not in api or f"| `{format}` |" not in method]


def _fields(value: Any, name: str = "") -> set[str]:
    """The names of all fields; of sources, which are keyed by slugs, those of the values alone."""
    if isinstance(value, dict):
        return (set() if name == "sources" else set(value)).union(*(_fields(v, k) for k, v in value.items()))
    return set().union(*(_fields(v) for v in value)) if isinstance(value, list) else set()


def test_plans_were_compared_with_protocols() -> None:
    page = plan_evaluation.PAGE.read_text(encoding="utf-8")
    assert plan_evaluation.page() == page, "docs/plan-evaluation.md is stale; mend it with: python -m tests.plan_evaluation"
    assert len({c.protocol.condition for c in plan_evaluation.comparisons()}) >= 15


def test_goals_are_at_least_the_important_difference(planner: Planner) -> None:
    for condition in CONDITIONS[::2]:
        for goal in planner.plan(condition, planner.engine.client("chronic"), baselines={"nprs": 6}).goals:
            if goal.reading.important:
                assert goal.change is not None
                assert abs(goal.change) >= goal.reading.important
                assert (goal.change > 0) == goal.reading.higher_is_better
            if goal.reading.measure == "nprs":
                assert goal.target == pytest.approx(6 + (goal.change or 0))


def test_readings_of_measures_stand_in_the_printed_figure(planner: Planner) -> None:
    """Each number by which goals are set is one of those that the source printed."""
    for node in planner.knowledge.of_class("MeasureInterpretation"):
        for number, printed in (("importantChange", "minimalImportantDifference"), ("detectableChange", "minimalDetectableChange")):
            if number in node.properties:
                figures = {abs(float(figure)) for figure in re.findall(r"-?\d+(?:\.\d+)?", node.one(printed))}
                assert abs(node.number(number)) in figures, node.slug


def syllables(word: str) -> int:
    """Groups of vowels, a silent e at the end left out."""
    found = len(re.findall(r"[aeiouy]+", word.lower()))
    return max(1, found - (word.lower().endswith("e") and not word.lower().endswith(("le", "ee"))))


def test_home_care_is_in_plain_words(planner: Planner) -> None:
    """Flesch-Kincaid grade at most 6, the reading age of 12, for all that the client reads."""
    rules = [plain for _, _, plain in planner.facts.stops if plain]
    texts = [f"{i.instruction} {i.dose}. {i.progression} {i.stop}" for i in planner.facts.home] + [*planner.facts.advice, *rules]
    assert len(planner.facts.home) >= 40
    for text in texts:
        words = re.findall(r"[A-Za-z']+", text)
        sentences = len(re.findall(r"[.!?](?:\s|$)", text))
        grade = 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
        assert grade <= 6, (round(grade, 1), text)


def test_an_acute_plan_says_when_to_make_it_again(planner: Planner) -> None:
    assert "subacute" in planner.plan("lateral-ankle-sprain", planner.engine.client("acute")).replan
    assert planner.plan("lateral-ankle-sprain", planner.engine.client("chronic")).replan == ""


# ---------------------------------------------------------------------------------------------------- check of edited plans
def _withheld_step(plan: dict[str, Any]) -> None:
    plan["context"]["hazards"] = ["warfarin"]
    plan["sessions"][0]["steps"][0]["technique"] = "deep-tissue-massage"


def _out_of_scope(plan: dict[str, Any]) -> None:
    plan["sessions"][0]["steps"][0]["technique"] = "dry-needling"


def _unknown(plan: dict[str, Any]) -> None:
    plan["sessions"][0]["steps"][0]["technique"] = "deep-tisue-massage"


def _unknown_hazard(plan: dict[str, Any]) -> None:
    plan["context"]["hazards"] = ["warfarine"]


def _too_long(plan: dict[str, Any]) -> None:
    plan["sessions"][0]["minutes"] = 5


def _over_the_limit(plan: dict[str, Any]) -> None:
    plan["context"]["minutes"] = 20


def _overdose(plan: dict[str, Any]) -> None:
    plan["sessions"][0]["steps"][0]["minutes"] = 200


def _painful(plan: dict[str, Any]) -> None:
    plan["sessions"][0]["steps"][0]["dose"]["discomfort_most"] = 9


def _cold_start(plan: dict[str, Any]) -> None:
    step = dict(plan["sessions"][1]["steps"][-1], technique="deep-transverse-friction", role="role-release", minutes=5, cautions=[])
    plan["sessions"][1]["steps"] = [step]


def _no_rest(plan: dict[str, Any]) -> None:
    step = dict(plan["sessions"][0]["steps"][0], technique="deep-tissue-massage", role="role-release", minutes=5)
    for number, session in enumerate(plan["sessions"][:2]):
        session["steps"], session["day"] = [*session["steps"], step], number


def _sore_thumbs(plan: dict[str, Any]) -> None:
    step = dict(plan["sessions"][0]["steps"][0], technique="deep-transverse-friction", role="role-release", minutes=10)
    plan["sessions"][0]["steps"] = [*plan["sessions"][0]["steps"][:2], step, step]


def _much_homework(plan: dict[str, Any]) -> None:
    plan["sessions"][0]["home_care"] *= 3


def _unsafe_homework(plan: dict[str, Any]) -> None:
    plan["sessions"][0]["home_care"][0]["technique"] = "shockwave-therapy"


def _caution_dropped(plan: dict[str, Any]) -> None:
    plan["context"]["hazards"] = ["warfarin"]


def _no_sessions(plan: dict[str, Any]) -> None:
    plan["sessions"] = "none"


def _emergency(plan: dict[str, Any]) -> None:
    flags = kg.load().knowledge.of_class("RedFlagIndication")
    plan["context"]["red_flags"] = [next(n.one("redFlag") for n in flags if n.one("urgency") == "urgency-emergency")]


@pytest.mark.parametrize(("edit", "kind"), [
    (_withheld_step, "unsafe"), (_emergency, "unsafe"), (_out_of_scope, "scope"), (_unsafe_homework, "scope"), (_unknown, "unknown"),
    (_unknown_hazard, "unknown"), (_too_long, "time"), (_over_the_limit, "time"), (_overdose, "dose"), (_painful, "dose"),
    (_cold_start, "order"), (_no_rest, "rest"), (_sore_thumbs, "load"), (_much_homework, "home"), (_caution_dropped, "caution"),
    (_no_sessions, "form"),
])  # fmt: skip
def test_check_finds_each_kind_of_edit(planner: Planner, edit: Any, kind: str) -> None:
    plan = edited(planner)
    assert check(planner, plan) == []
    edit(plan)
    findings = check(planner, plan)
    assert kind in {finding.kind for finding in findings}
    assert all(finding.kind in KINDS and finding.where and finding.message.strip() for finding in findings)
    for name in FORMATS:
        with pytest.raises(UnsafePlan):
            export(planner, plan, name, START)


_WORDS = st.text(max_size=8)
_JSON = st.recursive(st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | _WORDS,
                     lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4), max_leaves=12)  # fmt: skip


@given(_JSON)
@settings(max_examples=150, deadline=None)
def test_check_takes_anything(value: Any) -> None:
    """Whatever is no plan is a finding, never an error."""
    assert check(kg.planner(), value)


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_check_takes_any_damage(data: st.DataObject) -> None:
    """A plan with any part put out of shape: findings or none, never an error; and an export either refuses in words or succeeds."""
    planner = kg.planner()
    plan = edited(planner, "carpal-tunnel-syndrome")
    here: Any = plan
    for _ in range(data.draw(st.integers(1, 6))):
        if isinstance(here, dict) and here:
            key: Any = data.draw(st.sampled_from(sorted(here)))
        elif isinstance(here, list) and here:
            key = data.draw(st.integers(0, len(here) - 1))
        else:
            break
        parent, here = here, here[key]
    parent[key] = data.draw(_JSON)
    check(planner, plan)
    with suppress(PalpateError):
        export(planner, plan, data.draw(st.sampled_from(["markdown", "fhir", "ics", "json"])), START)


# ---------------------------------------------------------------------------------------------------- determinism
def test_the_same_question_gets_the_same_bytes(planner: Planner) -> None:
    client = planner.engine.client("chronic", "moderate", ["warfarin"])
    plans = [Planner(planner.engine).plan("knee-osteoarthritis", client).to_dict() for _ in range(2)]
    assert json.dumps(plans[0]) == json.dumps(plans[1])
    for name in FORMATS:
        assert export(planner, plans[0], name, START) == export(planner, plans[1], name, START)


# ---------------------------------------------------------------------------------------------------- documents
LONGEST = {"condition": "mechanical-neck-pain", "sessions": 40, "minutes": 120}


def made(planner: Planner, size: str) -> dict[str, Any]:
    """The longest plan that may be asked for, a usual one, a light one, and one with scores."""
    engine = planner.engine
    if size == "longest":
        hazards = ["pregnancy", "osteoporosis", "warfarin", "diabetes"]
        found = [h for h in hazards if h in engine.knowledge]
        return planner.plan("mechanical-neck-pain", engine.client("chronic", "high", found), sessions=40, minutes=120).to_dict()
    if size == "light":
        return planner.plan("trigger-finger", engine.client("acute"), sessions=1, minutes=15).to_dict()
    plan = planner.plan("plantar-fasciitis", engine.client("chronic"), baselines={"nprs": 6}).to_dict()
    if size == "followed":
        plan["scores"] = [{"measure": "nprs", "session": n, "score": s} for n, s in ((1, 6.0), (7, 5.0), (10, 3.5))]
    return plan


@pytest.mark.parametrize("size", ["longest", "usual", "light", "followed"])
def test_pages_are_few(planner: Planner, size: str) -> None:
    plan = made(planner, size)
    therapist, client = (pypdf.PdfReader(io.BytesIO(export(planner, plan, name).content)) for name in ("pdf", "client-pdf"))
    assert len(therapist.pages) <= 2
    assert len(client.pages) == 1
    text = "".join(page.extract_text() for page in therapist.pages)
    assert plan["condition"]["label"].split(" (")[0] in text.replace("\n", " ")
    for session in plan["sessions"][:1]:
        assert session["home_care"][0]["label"] in client.pages[0].extract_text()
    fonts = {str(font.get_object()["/BaseFont"]) for page in therapist.pages for font in page["/Resources"]["/Font"].values()}
    assert all("Libertinus" in font or "NewCM" in font or "NewComputerModern" in font for font in fonts), fonts


@pytest.mark.parametrize("size", ["longest", "usual", "light"])
def test_fhir_is_valid_and_whole(planner: Planner, size: str) -> None:
    plan = made(planner, size)
    bundle = Bundle.model_validate(json.loads(export(planner, plan, "fhir", START).content))
    kinds = [entry.resource.get_resource_type() for entry in bundle.entry]
    assert kinds.count("CarePlan") == kinds.count("Condition") == 1
    assert kinds.count("Goal") == len(plan["goals"])
    care = bundle.entry[0].resource
    codes = {coding.code for activity in care.activity for coding in activity.detail.code.coding or ()}
    assert codes == {s["technique"] for session in plan["sessions"] for s in (*session["steps"], *session["home_care"])}
    references = {entry.fullUrl for entry in bundle.entry}
    assert {goal.reference for goal in care.goal} | {one.reference for one in care.addresses} <= references


def test_the_calendar_holds_each_session(planner: Planner) -> None:
    plan = made(planner, "usual")
    book = icalendar.Calendar.from_ical(export(planner, plan, "ics", START).content)
    events = book.walk("VEVENT")
    assert [event.decoded("dtstart") for event in events] == [START + timedelta(days=s["day"]) for s in plan["sessions"]]
    assert len({str(event["uid"]) for event in events}) == len(events)
    with pytest.raises(PalpateError, match="day of the first session"):
        export(planner, plan, "ics")


def test_markdown_says_everything(planner: Planner) -> None:
    plan = made(planner, "followed")
    text = export(planner, plan, "markdown").content.decode()
    for session in plan["sessions"]:
        assert all(step["label"] in text and step["intent"] in text for step in session["steps"])
        assert all(item["instruction"] in text for item in session["home_care"])
    assert all(stop["text"] in text for stop in plan["stop_and_refer_when"])
    assert "So far" in text


# ---------------------------------------------------------------------------------------------------- follow-up
@pytest.mark.parametrize(("latest", "verdict"), [(3.0, "met"), (5.0, "on-course"), (5.9, "behind"), (8.0, "worse")])
def test_follow_up_compares_with_the_course(planner: Planner, latest: float, verdict: str) -> None:
    plan = made(planner, "usual")
    plan["scores"] = [{"measure": "nprs", "session": 1, "score": 6}, {"measure": "nprs", "session": 8, "score": latest}]
    progress = follow(plan)
    assert [p.measure for p in progress] == ["nprs"]
    assert progress[0].verdict == verdict
    assert progress[0].expected[0] == (1, 6.0)
    assert progress[0].expected[-1][1] == pytest.approx(progress[0].target)


def test_follow_up_without_scores_is_empty(planner: Planner) -> None:
    assert follow(made(planner, "usual")) == []


# ---------------------------------------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(("asked", "word"), [
    ({"sessions": 0}, "sessions"), ({"sessions": 41}, "sessions"), ({"minutes": 10}, "minutes"), ({"minutes": 121}, "minutes"),
    ({"baselines": {"npsr": 6}}, "nprs"),
])  # fmt: skip
def test_what_is_out_of_range_is_told(asked: dict[str, Any], word: str) -> None:
    with pytest.raises(PalpateError, match=word):
        kg.plan("plantar-fasciitis", phase="chronic", **asked)


def test_a_plan_reads_the_date_of_a_hazard_and_the_age(planner: Planner) -> None:
    """What was long ago withholds less than what has no date, and the plan passes its own check either way."""
    asked: dict[str, Any] = {"phase": "chronic", "sessions": 3}
    dated = kg.plan("knee-osteoarthritis", hazards=["acute-soft-tissue-injury=2026-03-02"], on="2026-11-26", **asked)
    undated = kg.plan("knee-osteoarthritis", hazards=["acute-soft-tissue-injury"], **asked)
    assert len(dated.withheld) < len(undated.withheld)
    assert check(planner, dated.to_dict()) == check(planner, undated.to_dict()) == []
    with pytest.raises(PalpateError, match="the date of the session is needed too"):
        kg.plan("knee-osteoarthritis", hazards=["acute-soft-tissue-injury=2026-03-02"], **asked)
    assert kg.plan("knee-osteoarthritis", age=16, **asked).client.hazards == planner.engine.client(age=16).hazards != ()


def test_unknown_words_are_errors() -> None:
    with pytest.raises(UnknownName, match="plantar-fasciitis"):
        kg.plan("plantar facitis")
    with pytest.raises(UnknownName, match="hazard"):
        kg.plan("plantar-fasciitis", hazards=["warfarine"])


# ---------------------------------------------------------------------------------------------------- command line and API
def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "kg", "plan", *arguments], cwd=Path(__file__).parents[1], input=text.encode(),
                          capture_output=True, check=False)  # fmt: skip


def test_the_command_line_plans_and_checks(planner: Planner, tmp_path: Path) -> None:
    done = run("M72.2", "--phase", "chronic", "--sessions", "6", "--format", "json")
    assert done.returncode == 0, done.stderr
    expected = planner.plan("M72.2", planner.engine.client("chronic"), sessions=6).to_dict()
    assert json.loads(done.stdout) == json.loads(json.dumps(expected))
    assert run("--check", "-", text=done.stdout.decode()).returncode == 0
    _out_of_scope(expected)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(expected), encoding="utf-8")
    refused = run("--check", str(file))
    assert refused.returncode == 1
    assert b"session 1, step 1" in refused.stdout
    printed = run("--from", str(file), "--format", "pdf", "--output", str(tmp_path / "plan.pdf"))
    assert printed.returncode == 1
    assert not (tmp_path / "plan.pdf").exists()


@pytest.mark.parametrize("arguments", [
    (), ("M72.2", "--check", "-"), ("plantar facitis",), ("M72.2", "--start", "soon"), ("M72.2", "--baseline", "nprs"), ("--check", "-"),
])  # fmt: skip
def test_mistakes_on_the_command_line_are_one_line(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, text="{")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


@pytest.fixture(scope="module")
def web(engine: Engine) -> TestClient:
    return TestClient(Starlette(routes=routes()))


def test_the_api_plans_and_checks(web: TestClient, planner: Planner) -> None:
    answer = web.post("/api/plan", json={"condition": "knee-osteoarthritis", "phase": "chronic", "hazards": ["warfarin"], "sessions": 5})
    expected = planner.plan("knee-osteoarthritis", planner.engine.client("chronic", None, ["warfarin"]), sessions=5).to_dict()
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(expected))
    assert web.post("/api/plan/check", json=answer.json()).json()["findings"] == []
    assert web.post("/api/plan", json={"plan": answer.json(), "format": "pdf"}).content.startswith(b"%PDF")
    _out_of_scope(expected)
    assert web.post("/api/plan", json={"plan": expected, "format": "fhir"}).status_code == 422
    assert web.post("/api/plan/check", json=expected).json()["findings"][0]["kind"] == "unsafe"


@pytest.mark.parametrize(("body", "status"), [
    ({}, 400), ([], 400), ({"condition": "plantar facitis"}, 404), ({"condition": "M72.2", "sessions": "six"}, 400),
    ({"condition": "M72.2", "hazzard": ["warfarin"]}, 400), ({"condition": "M72.2", "hazards": [1]}, 400),
    ({"condition": "M72.2", "format": "docx"}, 400), ({"condition": "M72.2", "baselines": {"nprs": "six"}}, 400),
    ({"condition": "M72.2", "start": "soon"}, 400), ({"condition": "M72.2", "plan": {}}, 400), ({"plan": {}}, 422),
    ({"condition": "M72.2", "minutes": True}, 400),
])  # fmt: skip
def test_the_api_refuses_in_words(web: TestClient, body: Any, status: int) -> None:
    answer = web.post("/api/plan", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_body_that_is_no_json_is_refused(web: TestClient) -> None:
    assert web.post("/api/plan", content=b"{").status_code == 400
    assert web.post("/api/plan/check", content=b"\xff").status_code == 400
