"""The library: SPARQL as typed tables, truth, triples; answers as data frames; mistakes in one sentence."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kg
from kg.errors import PalpateError
from kg.graph import entity, sparql
from kg.graph.frame import Tabular, rows
from kg.reasoning.engine import Engine


def test_a_table_has_typed_values(engine: Engine) -> None:
    found = kg.sparql("""SELECT ?iri ?text ?whole ?number ?truth ?nothing {
        VALUES (?iri ?text ?whole ?number ?truth ?nothing) {
            (pal:foot "a"@en 1 1.5 true UNDEF) (UNDEF "01"^^xsd:integer 2 2e0 false UNDEF) } }""")
    assert isinstance(found, sparql.Table)
    assert found.columns == ("iri", "text", "whole", "number", "truth", "nothing")
    assert list(found) == [("https://w3id.org/palpate/foot", "a", 1, 1.5, True, None), (None, 1, 2, 2.0, False, None)]
    assert found.to_dict() == {"columns": list(found.columns), "rows": [list(row) for row in found]}
    frame = found.to_frame()
    assert list(frame.columns) == list(found.columns)
    assert frame.whole.tolist() == [1, 2]


def test_truth_and_triples(engine: Engine) -> None:
    assert kg.sparql("ASK { pal:foot a pal:BodyRegion }") is True
    found = kg.sparql("CONSTRUCT { ?x a pal:Seat } WHERE { VALUES ?x { pal:foot } }")
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    assert found.to_dict() == {  # type: ignore[union-attr]
        "columns": ["subject", "predicate", "object"], "rows": [["https://w3id.org/palpate/foot", rdf, "https://w3id.org/palpate/Seat"]],
    }  # fmt: skip


@pytest.mark.parametrize("query", ["", "SELECT", "DROP ALL", "SELECT * { ?s nope:x ?o }", "SELECT (pal:f(1) AS ?x) {}"])
def test_a_malformed_query_is_one_sentence(engine: Engine, query: str) -> None:
    with pytest.raises(PalpateError, match="The query is malformed: ") as told:
        kg.sparql(query)
    assert "\n" not in told.value.message


# ---------------------------------------------------------------------------------------------------- answers as frames
ANSWERS: list[Callable[[], Tabular]] = [
    lambda: kg.rank("frozen shoulder", phase="chronic", hazards=["warfarin"], pressure="light"), lambda: kg.rank("M72.2", top=2),
    lambda: kg.screen(region="leg"), lambda: kg.assess(["painful-arc-shoulder"]), lambda: kg.plan("M72.2", sessions=3),
    lambda: kg.compare("M72.2", "cupping", "myofascial-release"),
    lambda: kg.compare_conditions("plantar-fasciitis", "tarsal-tunnel-syndrome", hazards=["warfarin"]),
    lambda: kg.adapt(["warfarin", "pregnancy"]),
    lambda: kg.intake("On Eliquis. M72.2."), lambda: entity.of(kg.load().knowledge, "cupping"),
]  # fmt: skip


def same(cell: Any, value: Any) -> bool:
    """Whether a cell of a frame says what the plain data say; nothing is NaN there."""
    return bool(pandas.isna(cell)) if value is None else cell == value


@pytest.mark.parametrize("answer", ANSWERS)
def test_frame_and_dict_say_the_same(engine: Engine, answer: Callable[[], Tabular]) -> None:
    made = answer()
    plain = made.to_dict()
    for path in (*made.PARTS, None):
        expected = [row for name in ([path] if path else made.PARTS) for row in rows(plain, name)]
        found = made.to_frame(*([path] if path else []))
        assert len(found) == len(expected)
        assert found.attrs["graph"] == plain["graph"]
        for (_, cells), row in zip(found.iterrows(), expected, strict=True):
            for name, value in row.items():
                if not isinstance(value, dict):
                    assert same(cells[name], value), (path, name)
                elif value:
                    assert all(same(cells[f"{name}.{key}"], inner) for key, inner in value.items() if not isinstance(inner, dict))
    assert list(made.to_frame().get("list", pandas.Series(dtype=str)).unique()) in (
        [], [name for name in made.PARTS if list(rows(plain, name))],
    )  # fmt: skip


def test_each_answer_of_the_library_is_a_table() -> None:
    """Whatever `kg` answers, bar an engine, a truth value and a plain table, is a `Tabular` or `Rows` of what has `to_dict`."""
    given = {type(answer()).__name__ for answer in ANSWERS}
    assert given == {cls.__name__ for cls in Tabular.__subclasses__()}
    for found in (kg.search("heel"), kg.what_if("M72.2", top=3)):
        frame = found.to_frame()
        assert len(frame) == len(found) > 0
        assert frame.to_dict("records") == [part.to_dict() for part in found]


def test_lists_within_lists_bear_what_they_belong_to(engine: Engine) -> None:
    answer = kg.rank("plantar-fasciitis", top=3)
    frame = answer.to_frame("recommended.evidence")
    expected = [(e["technique"], e["score"], o["statement"]) for e in answer.to_dict()["recommended"] for o in e["evidence"]]
    assert list(frame[["recommended.technique", "recommended.score", "statement"]].itertuples(index=False, name=None)) == expected
    assert kg.adapt(red_flags=[engine.knowledge.of_class("RedFlag")[0].slug]).to_frame().empty


@given(st.text(max_size=12) | st.sampled_from(["recomended", "graph.version", "needs.profiles", "", ".", "recommended.techniques"]))
def test_a_part_that_is_not_there_is_an_error(name: str) -> None:
    answer = kg.rank("plantar-fasciitis", top=1)
    if name in answer.to_dict():
        return
    with pytest.raises(PalpateError, match=r"There is no part of the answer|holds no parts"):
        answer.to_frame(name)


def test_the_library_is_there_before_pandas() -> None:
    done = subprocess.run([sys.executable, "-c", "import sys, kg; kg.rank('M72.2'); print('pandas' in sys.modules)"], check=True,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout.strip() == "False"
