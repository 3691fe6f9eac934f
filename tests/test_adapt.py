"""The modification plan: strictest wins, nothing is lost, each instruction has its grounds, contradictions are said."""

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

import kg
from kg.reasoning.adapt import DECISIONS, Adapter, ModificationPlan
from kg.reasoning.engine import Engine
from kg.reasoning.safety import FORBIDDING
from kg.serving.api import routes
from kg.serving.cli import app, shared


@cache
def hazards_known() -> list[str]:
    return [node.slug for node in kg.load().knowledge.of_class("Hazard")]


@cache
def pressures() -> list[str]:
    return [node.slug for node in sorted(kg.load().knowledge.of_class("Pressure"), key=lambda node: node.number("order"))]


HAZARD = st.deferred(lambda: st.sampled_from(hazards_known()))


def plan(*hazards: str, phase: str | None = "chronic", condition: str | None = None) -> ModificationPlan:
    found = kg.load().adapt(kg.load().client(phase, None, hazards), condition).plan
    assert found is not None
    return found


def test_every_hazard_that_leaves_something_to_do_says_how(engine: Engine) -> None:
    for hazard in hazards_known():
        answer = plan(hazard)
        levels = {rule.reason.level for rule in engine.gate.rules_of(hazard)}
        assert answer.hazards[0].level in levels
        if answer.decision == "refer":
            assert "emergency-referral" in levels
            assert not answer.instructions
        elif levels - {"absolute"}:
            assert answer.instructions, hazard
        if answer.decision in ("withhold", "clear"):
            assert answer.conflict or any(standing.held_by for standing in answer.hazards), hazard
            assert all(reason.lifts for standing in answer.hazards for reason in standing.held_by)


def test_a_plan_and_the_ranking_agree_on_whether_hands_on_work_goes_on(engine: Engine) -> None:
    for hazard in hazards_known():
        withheld = engine.gate.judge("fibromyalgia", engine.client("chronic", None, [hazard])).withheld
        if plan(hazard).decision != "adapt":
            assert engine.gate.hands_on <= withheld.keys(), hazard


@given(hazards=st.lists(HAZARD, min_size=1, max_size=4, unique=True))
@settings(max_examples=150, deadline=None)
def test_strictest_wins_and_nothing_is_lost(hazards: list[str]) -> None:
    together, apart = plan(*hazards), [plan(hazard) for hazard in hazards]
    assert DECISIONS.index(together.decision) <= min(DECISIONS.index(one.decision) for one in apart)
    if together.decision == "refer":
        return
    strengths = [pressures().index(one.pressure.slug) for one in apart if one.pressure]
    assert (pressures().index(together.pressure.slug) if together.pressure else None) == min(strengths, default=None)
    assert together.minutes == min((one.minutes for one in apart if one.minutes), default=None)
    assert {p.slug for p in together.positions_avoided} == {p.slug for one in apart for p in one.positions_avoided}
    assert {r.slug for r in together.regions_avoided} == {r.slug for one in apart for r in one.regions_avoided}
    assert {p.slug for p in together.positions_left} == set.intersection(*({p.slug for p in one.positions_left} for one in apart))
    said = {instruction.text for instruction in together.instructions}
    for one in apart:
        for instruction in one.instructions:
            assert instruction.text in said or instruction.kind in ("pressure", "duration")
    assert {standing.hazard for standing in together.hazards} == set(hazards)
    assert all(set(instruction.hazards) <= set(hazards) for instruction in together.instructions)


@given(hazards=st.lists(HAZARD, min_size=1, max_size=3, unique=True))
@settings(max_examples=80, deadline=None)
def test_each_instruction_stands_on_a_rule_that_acts_or_says_its_basis(hazards: list[str]) -> None:
    answer = plan(*hazards)
    acting = {rule.reason.rule: rule.reason for hazard in hazards for rule in kg.load().gate.rules_of(hazard)}
    for instruction in answer.instructions:
        assert set(instruction.rules) <= acting.keys()
        assert bool(instruction.sources) == (instruction.basis == "sourced")
        assert set(instruction.sources) >= {source for rule in instruction.rules for source in acting[rule].sources}


def test_positions_that_a_rule_bars_are_avoided_and_marked(engine: Engine) -> None:
    for hazard in hazards_known():
        answer = plan(hazard)
        if answer.decision != "refer":
            barred = {p for rule in engine.gate.rules_of(hazard) if rule.reason.level in FORBIDDING for p in rule.positions}
            assert {p.slug for p in answer.positions_avoided if p.barred} == barred
            assert not barred & {p.slug for p in answer.positions_left}


@pytest.mark.parametrize(("hazards", "decision"), [(["pregnancy"], "withhold"), (["copd"], "clear"), (["copd", "pregnancy"], "withhold"),
                                                   (["statins"], "adapt")])  # fmt: skip
def test_hazards_that_leave_no_position_are_said_and_held_back(engine: Engine, hazards: list[str], decision: str) -> None:
    """In a room where clients can only lie on the back or face down."""
    adapter = Adapter(engine.knowledge, engine.gate)
    adapter._positions = [engine.knowledge["supine-position"], engine.knowledge["prone-position"]]
    answer = adapter.plan(engine.client("chronic", None, hazards))
    assert answer is not None
    assert answer.decision == decision
    assert bool(answer.conflict) == (decision != "adapt") == (not answer.positions_left)
    assert all(engine.knowledge.label(hazard) in answer.conflict for hazard in hazards if decision != "adapt")
    assert answer.to_dict()["conflict"] == (answer.conflict or None)


def test_a_condition_brings_its_own_hazards_into_the_plan(engine: Engine) -> None:
    acute = engine.rank("hamstring-strain", engine.client("acute"), explain=False)
    assert acute.modifications is not None
    assert "muscle-strain-recent" in {standing.hazard for standing in acute.modifications.hazards}
    assert engine.rank("plantar-fasciitis", engine.client("chronic"), explain=False).modifications is None


def test_weaker_limits_give_way_to_the_strictest() -> None:
    answer = plan("amlodipine", "statins", "warfarin")
    assert answer.pressure is not None
    assert answer.pressure.slug == "pressure-light"
    assert answer.pressure.hazards == ("warfarin",)
    assert all("Moderate" not in instruction.text for instruction in answer.instructions if instruction.kind == "pressure")


# ---------------------------------------------------------------------------------------------------- surfaces
@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(shared, "engine", lambda: kg.load())
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def test_command_line_api_and_library_give_one_answer(cli: CliRunner) -> None:
    words = {"hazard": ["Coumadin", "recent-surgery=2026-10-01"], "on": "2026-11-26", "condition": "M72.2", "phase": "chronic"}
    library = kg.adapt(words["hazard"], condition="M72.2", phase="chronic", on="2026-11-26").to_dict()
    web = TestClient(Starlette(routes=routes())).get("/api/adapt", params=words)
    assert web.json() == library
    out = cli.invoke(app, ["adapt", "--hazard", "Coumadin", "--hazard", "recent-surgery=2026-10-01", "--on", "2026-11-26", "--condition",
                           "M72.2", "--phase", "chronic", "--format", "json"]).stdout  # fmt: skip
    assert json.loads(out) == library
    assert library["graph"]["sha256"]
    ranked = kg.load().rank("M72.2", kg.load().client("chronic", None, words["hazard"], on="2026-11-26"), explain=False).to_dict()
    assert ranked["modifications"] == library["modifications"]
    assert set(kg.load().adapt(kg.load().client(hazards=["Coumadin"])).plan.sources) <= ranked["sources"].keys()  # type: ignore[union-attr]


def test_the_table_names_limits_what_to_do_and_what_lifts(cli: CliRunner) -> None:
    out = cli.invoke(app, ["adapt", "--hazard", "cancer", "--hazard", "copd"]).stdout
    for said in ("Only after somebody's word", "Held back: Active cancer", "Lifted by: a physician's word", "Not prone", "Positions left:",
                 "Pressure at most light", "At most 30 minutes", "it does not diagnose"):  # fmt: skip
        assert said in out, said
    assert "Refer: emergency" in cli.invoke(app, ["adapt", "--hazard", "sepsis"]).stdout


@pytest.mark.parametrize(("params", "status", "says"), [
    ({}, 400, "Name a hazard"),
    ({"hazard": "warfrin"}, 400, "There is no hazard 'warfrin'. Did you mean: warfarin"),
    ({"condition": "plantar facitis"}, 404, "There is no condition"),
    ({"hazards": "warfarin"}, 400, "Unknown parameter 'hazards'; there are condition, hazard, on, phase, red_flag."),
    ({"hazard": "warfarin", "phase": ["acute", "chronic"]}, 400, "The parameter 'phase' may be given once."),
    ({"hazard": "recent-surgery=2026-10-01"}, 400, "the date of the session is needed too"),
])  # fmt: skip
def test_a_mistake_at_the_api_is_one_clear_line(params: dict[str, str], status: int, says: str) -> None:
    response = TestClient(Starlette(routes=routes())).get("/api/adapt", params=params)
    assert response.status_code == status
    assert says in response.json()["detail"]


def test_only_hands_on_work_is_held_back(engine: Engine) -> None:
    """What a plan calls withheld is what the rules say of all hands-on techniques, not of some."""
    for standing in plan("warfarin", "pregnancy").hazards:
        assert standing.decision == "adapt"
        assert standing.level == "absolute"
