"""Conditions side by side: every cell is what the graph states, what is shared is in all, and no technique is offered that is withheld."""

import csv
import io
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

import kg
from kg.errors import PalpateError, UnknownName
from kg.reasoning.conditions import SideBySide
from kg.reasoning.engine import Engine
from kg.serving.api import routes
from kg.serving.cli import main, shared

PAIR = ("plantar-fasciitis", "tarsal-tunnel-syndrome")


def test_findings_tissues_and_impairments_are_those_of_the_graph(engine: Engine) -> None:
    found = kg.compare_conditions("heel spur syndrome", "tarsal tunnel syndrome", "achilles-tendinopathy")
    for index, condition in enumerate(found.conditions):
        node = engine.knowledge[condition]

        def held(aspect: str, place: int = index) -> set[str]:
            return {row.slug or row.label for row in found.of(aspect) if row.cells[place].holds}

        assert held("finding") == set(node.all("presentsWith"))
        assert held("aggravating") == set(node.all("aggravatedBy"))
        assert held("impairment") == set(node.all("hasImpairment"))
        assert held("pathology") == set(node.all("resembledBy"))
        assert held("tissue") <= set(node.all("affects"))
        assert held("tissue")


@settings(max_examples=25)
@given(data=st.data())
def test_shared_is_in_all_and_each_cell_names_statements_about_its_condition(data: st.DataObject) -> None:
    knowledge = kg.load().knowledge
    conditions = [node.slug for node in knowledge.of_class("Condition")]
    chosen = data.draw(st.lists(st.sampled_from(conditions), min_size=2, max_size=4, unique=True))
    found = kg.compare_conditions(*chosen)
    for row in found.rows:
        assert row.shared == all(cell.holds for cell in row.cells)
        for condition, cell in zip(chosen, row.cells, strict=True):
            assert bool(cell.text) >= cell.holds
            for statement in cell.statements if row.aspect != "technique" else ():
                values = {value for stated in knowledge[statement].properties.values() for value in stated}
                assert statement == condition or condition in values
    for distinction in found.distinctions:
        assert set(distinction.conditions) == set(knowledge[distinction.statement].all("resemblanceOf"))
    told = {frozenset(d.conditions) for d in found.distinctions}
    assert told.isdisjoint(map(frozenset, found.undistinguished))
    assert len(told) + len(found.undistinguished) == len(chosen) * (len(chosen) - 1) // 2


def test_order_of_the_conditions_turns_the_columns_only() -> None:
    one, other = kg.compare_conditions(*PAIR), kg.compare_conditions(*reversed(PAIR))

    def cells(found: SideBySide) -> dict[tuple[str, str, str], set[str]]:
        return {(row.aspect, row.slug, row.label): {cell.text for cell in row.cells} for row in found.rows}

    assert cells(one) == cells(other)
    assert [d.text for d in one.distinctions] == [d.text for d in other.distinctions]


def test_what_is_withheld_is_never_among_the_best(engine: Engine) -> None:
    hazards = ["warfarin"]
    found = kg.compare_conditions("plantar-fasciitis", "low-back-pain", hazards=hazards)
    for index, condition in enumerate(found.conditions):
        answer = kg.rank(condition, hazards=hazards)
        best = {row.slug for row in found.of("technique") if row.cells[index].holds}
        assert best == {entry.technique for entry in answer.recommended[:5]}
        withheld = {item.technique for item in answer.withheld}
        assert best.isdisjoint(withheld)
        for row in found.of("technique"):
            assert row.cells[index].text.startswith("withheld: ") == (row.slug in withheld)


def test_a_technique_that_one_condition_forbids_is_said_to_be_withheld_there(engine: Engine) -> None:
    """Some condition brings a hazard that withholds a technique which is among the best for another."""
    conditions = [node.slug for node in engine.knowledge.of_class("Condition")]
    ranked = {slug: engine.rank(slug, explain=False) for slug in conditions}
    best = {slug: {e.technique for e in answer.recommended[:5]} for slug, answer in ranked.items()}
    first, second, technique = next(
        (a, b, item.technique) for a in conditions for b in conditions for item in ranked[b].withheld if item.technique in best[a]
    )
    found = kg.compare_conditions(first, second)
    row = next(row for row in found.of("technique") if row.slug == technique)
    assert row.cells[0].holds
    assert row.cells[1].text.startswith("withheld: ")
    assert not row.cells[1].holds


def test_a_referral_leaves_no_technique(engine: Engine) -> None:
    urgencies: dict[str, set[str]] = {}
    for node in engine.knowledge.of_class("RedFlagIndication"):
        urgencies.setdefault(node.one("redFlag"), set()).add(node.one("urgency"))
    sole = next(n for n in engine.knowledge.of_class("RedFlagIndication")
                if urgencies[n.one("redFlag")] == {"urgency-emergency"} and n.all("mimics") and not n.one("flagStrength"))  # fmt: skip
    other = next(slug for slug in PAIR if slug != sole.one("mimics"))
    found = kg.compare_conditions(other, sole.one("mimics"), red_flags=[sole.one("redFlag")])
    assert found.referral
    assert found.referral.urgency == "emergency"
    assert found.of("technique") == ()
    assert found.of("tissue")


def test_csv_and_plain_data_hold_all_rows() -> None:
    found = kg.compare_conditions(*PAIR)
    lines = list(csv.reader(io.StringIO(found.to_csv())))
    assert lines[0] == ["aspect", "slug", "label", "shared", *PAIR, "note"]
    assert len(lines) == 1 + len(found.rows) + len(found.distinctions)
    assert {len(line) for line in lines} == {len(lines[0])}
    data = found.to_dict()
    assert [list(row["cells"]) for row in data["rows"]] == [list(PAIR)] * len(found.rows)
    assert "diagnos" not in found.to_csv().casefold()


@pytest.mark.parametrize(("conditions", "error", "words"), [
    (("plantar-fasciitis",), PalpateError, "Compare 2 to 4 conditions; 1 was given"),
    (("plantar-fasciitis", "heel spur syndrome"), PalpateError, "given twice"),
    (("plantar-fasciitis", "tarsal tunel"), UnknownName, "tarsal-tunnel-syndrome"),
    (("plantar-fasciitis", "low-back-pain", "acute-low-back-pain", "fibromyalgia", "pes-planus"), PalpateError, "5 were given"),
])  # fmt: skip
def test_mistakes_are_told(conditions: tuple[str, ...], error: type[PalpateError], words: str) -> None:
    with pytest.raises(error) as told:
        kg.compare_conditions(*conditions)
    assert words in told.value.message


def test_library_api_and_command_line_give_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = json.loads(json.dumps(kg.compare_conditions(*PAIR, phase="chronic", hazards=["warfarin"]).to_dict()))
    monkeypatch.setattr(shared, "engine", lambda: engine)
    monkeypatch.setattr(sys, "argv", ["kg", "compare-conditions", *PAIR, "--phase", "chronic", "--hazard", "warfarin", "--format", "json"])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code in (0, None)
    assert json.loads(capsys.readouterr().out) == expected
    web = TestClient(Starlette(routes=routes()))
    words = [("condition", PAIR[0]), ("condition", PAIR[1]), ("phase", "chronic"), ("hazard", "warfarin")]
    assert web.get("/api/compare-conditions", params=words).json() == expected
    told = web.get("/api/compare-conditions", params=[("condition", PAIR[0]), ("condition", "tarsal tunel")])
    assert told.status_code == 404
    assert "tarsal-tunnel-syndrome" in told.text
    assert web.get("/api/compare-conditions", params=words[:1]).status_code == 400
