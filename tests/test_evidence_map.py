"""The evidence map holds every direct statement once, and reads them as the score does."""

import csv
import io

import pytest

from kg.reasoning.engine import Engine
from kg.reasoning.evidence_map import AGAINST, FOR, OPEN, EvidenceMap


@pytest.fixture(scope="module")
def found(engine: Engine) -> EvidenceMap:
    return EvidenceMap(engine.model)


def test_every_statement_stands_in_one_cell(engine: Engine, found: EvidenceMap) -> None:
    slugs = [slug for cell in found.cells.values() for slug in cell.slugs]
    assert sorted(slugs) == [node.slug for node in engine.knowledge.of_class("TreatmentEvidence")]
    assert all(sum(cell.results.values()) == cell.statements for cell in found.cells.values())


def test_verdicts_follow_the_results(engine: Engine, found: EvidenceMap) -> None:
    for cell in found.cells.values():
        if set(cell.results) <= {"benefit", "recommended"}:
            assert cell.verdict == FOR
        if set(cell.results) == {"not-recommended"}:
            assert cell.verdict == AGAINST
        assert (cell.verdict == OPEN) == (cell.share is None)
        if set(cell.results) == {"insufficient"}:
            assert cell.verdict == OPEN


def test_the_table_has_a_line_for_each_cell(found: EvidenceMap) -> None:
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert len(rows) == len(found.cells)
    assert sum(int(row["statements"]) for row in rows) == sum(cell.statements for cell in found.cells.values())


def test_the_most_studied_come_first_and_the_others_last(found: EvidenceMap) -> None:
    techniques = found.most_studied(1, ["lymphatic-drainage", "myofascial-release", "no-such-technique"])
    assert techniques[-1] == "no-such-technique"
