"""Written cases from the literature: serious disease in disguise, benign complaints, hazards in notes of physicians.

A serious case that falls short is expected to fail only while the case says what the graph lacks (`missing`).
"""

from typing import Any

import pytest

import kg
from kg.reasoning.engine import Engine
from kg.reasoning.safety import URGENCIES
from tests.case_files import KINDS, PAGE, URGENCY, Case, cases, link, page

SERIOUS, BENIGN, NOTES = map(cases, KINDS)
STORIES = (*SERIOUS, *BENIGN)
MAY_BE_REFERRED = 4
"""How many of forty benign cases may be referred: one in ten."""
CLASSES = {"hazards": "Hazard", "flags": "RedFlag", "absent": "RedFlag", "pathologies": "SeriousPathology"}

each_serious = pytest.mark.parametrize("case", SERIOUS, ids=lambda case: case["id"])
each_story = pytest.mark.parametrize("case", STORIES, ids=lambda case: case["id"])
each_note = pytest.mark.parametrize("case", NOTES, ids=lambda case: case["id"])
screening = pytest.mark.skipif(not hasattr(Engine, "screen"), reason="the graph is not yet screened for a complaint")
reading = pytest.mark.skipif(not hasattr(kg, "intake"), reason="notes are not yet read")


def gate(engine: Engine, case: Case) -> str | None:
    """The urgency with which the gate before a ranking refers a case; None where it does not."""
    client = engine.client(hazards=case.get("hazards", ()), red_flags=case["flags"])
    referral = engine.rank(case["complaint"], client, explain=False).referral
    return referral.urgency if referral else None


def screen(engine: Any, case: Case) -> str | None:
    """The urgency with which the screening of a complaint refers a case; None where it does not."""
    answer = engine.screen(complaint=case.get("complaint"), region=case["region"], age=case.get("age"), sex=case.get("sex"),
                           present=[*case["flags"], *case.get("hazards", ())], absent=case.get("absent", ()))  # fmt: skip
    return answer.referral.urgency if answer.referral else None


def expect(case: Case, urgency: str | None) -> None:
    """That a case is referred with at least the urgency that it should be; what the graph lacks is an expected failure."""
    enough = urgency is not None and URGENCIES.index(urgency) <= URGENCIES.index(case["urgency"])
    if not enough and case.get("missing"):
        pytest.xfail(f"referral {urgency}, not {case['urgency']}; the graph has no flag for: {'; '.join(case['missing'])}")
    assert enough, f"referral {urgency}, not {case['urgency']}: {case['reason']}"


def expect_few(referred: dict[str, str | None]) -> None:
    """That at most one in ten benign cases is referred."""
    names = ", ".join(f"{name} ({urgency})" for name, urgency in referred.items())
    assert len(referred) * 40 <= MAY_BE_REFERRED * len(BENIGN), f"{len(referred)} of {len(BENIGN)}: {names}"


# ---------------------------------------------------------------------------------------------------- the files
def test_there_are_enough_cases() -> None:
    assert len(SERIOUS) >= 60
    assert len(BENIGN) >= 40
    assert len(NOTES) >= 20


def test_each_case_has_an_id_of_its_own() -> None:
    ids = [case["id"] for kind in KINDS for case in cases(kind)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("source", [pytest.param(case["source"], id=case["id"]) for kind in KINDS for case in cases(kind)])
def test_a_source_can_be_found(source: dict[str, Any]) -> None:
    assert source["title"]
    assert source["journal"]
    assert link(source) or source.get("locator")
    assert source.get("basis", "textbook") == "textbook"


@each_story
def test_a_story_is_whole(case: Case) -> None:
    assert set(case) <= {"id", "title", "region", "complaint", "age", "sex", "hazards", "vignette", "present", "flags", "absent", "missing",
                         "missing_pathologies", "urgency", "reason", "pathologies", "source"}  # fmt: skip
    assert case["title"]
    assert case["vignette"].strip()
    assert case["present"]
    assert case["reason"]
    assert case["urgency"] in URGENCY
    assert (case["urgency"] == "none") == (case in BENIGN)
    assert not set(case["flags"]) & set(case.get("absent", ()))


@each_story
def test_every_word_of_a_story_is_of_the_graph(engine: Engine, case: Case) -> None:
    assert engine.names.resolve(case["region"], "BodyRegion") == case["region"]
    assert engine.names.resolve(case["complaint"], "Condition") == case["complaint"]
    for field, kind in CLASSES.items():
        assert [engine.names.resolve(slug, kind) for slug in case.get(field, ())] == list(case.get(field, ()))


@each_serious
def test_a_serious_case_names_its_disease(case: Case) -> None:
    assert case["pathologies"] or case["missing_pathologies"]


@each_note
def test_a_note_holds_what_it_is_asked_for(engine: Engine, case: Case) -> None:
    assert case.get("expected") or case.get("not_expected")
    for entry in (*case.get("expected", ()), *case.get("not_expected", ())):
        assert entry["words"] in case["note"]
        assert [engine.names.resolve(slug, "Hazard") for slug in entry["slugs"]] == entry["slugs"]


def test_the_page_of_cases_is_live() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "docs/cases.md is stale; mend it with: python -m tests.case_files"


# ---------------------------------------------------------------------------------------------------- the bars
@each_serious
def test_the_gate_refers_a_serious_case(engine: Engine, case: Case) -> None:
    expect(case, gate(engine, case))


def test_the_gate_refers_few_benign_cases(engine: Engine) -> None:
    expect_few({case["id"]: urgency for case in BENIGN if (urgency := gate(engine, case))})


@screening
@each_serious
def test_screening_refers_a_serious_case(engine: Engine, case: Case) -> None:
    expect(case, screen(engine, case))


@screening
def test_screening_refers_few_benign_cases(engine: Engine) -> None:
    expect_few({case["id"]: urgency for case in BENIGN if (urgency := screen(engine, case))})


@reading
@each_note
def test_hazards_of_a_note_are_recognized(case: Case) -> None:
    """Each expected hazard is read from its words; what is denied, or is of the family, is none of this person."""
    found = [item for item in kg.intake(case["note"]).to_dict()["hazards"]  # type: ignore[attr-defined]
             if not (item["negated"] or item.get("family") or item.get("hypothetical"))]  # fmt: skip
    missed = [entry for entry in case.get("expected", ()) if not _read(found, entry, case["note"])]
    wrong = [entry for entry in case.get("not_expected", ()) if _read(found, entry, case["note"])]
    assert not missed
    assert not wrong


def _read(found: list[dict[str, Any]], entry: dict[str, Any], note: str) -> bool:
    """Whether a hazard read from the words is an expected one, or a kind of it: the gate acts on the wider hazards too."""
    knowledge = kg.load().knowledge
    start = note.index(entry["words"])
    end = start + len(entry["words"])
    at_words = [item["slug"] for item in found if item["start"] < end and start < item["end"]]
    return any({slug, *knowledge[slug].all("subHazardOf")} & {*entry["slugs"]} for slug in at_words)
