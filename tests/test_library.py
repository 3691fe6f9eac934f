"""SPARQL as a library: typed tables, truth, triples, and mistakes in one sentence."""

import pytest

import kg
from kg.errors import PalpateError
from kg.graph import sparql
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
