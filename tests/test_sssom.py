"""The mapping sets say what the graph says, in the form of the standard."""

import csv

import pytest

from kg.curation.sssom import MATCHES, SETS, compact, mapping_sets
from kg.reasoning.engine import Engine


def parsed(text: str) -> tuple[list[str], list[dict[str, str]]]:
    lines = text.splitlines(keepends=True)
    head = [line[1:].rstrip("\n") for line in lines if line.startswith("#")]
    return head, list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"))


def expanded(curie: str, head: list[str]) -> str:
    prefixes = dict(line.strip().split(": ", 1) for line in head if line.startswith("  "))
    prefix, _, name = curie.partition(":")
    return prefixes[prefix] + name


@pytest.mark.parametrize("name", SETS)
def test_a_mapping_set_holds_each_match_of_the_graph_and_no_other(engine: Engine, name: str) -> None:
    head, rows = parsed(mapping_sets(engine.knowledge)[f"{name}.sssom.tsv"])
    stated = {
        (node.iri, f"skos:{match}", target)
        for node in engine.knowledge.of_class(SETS[name])
        for match in MATCHES
        for target in node.all(f"skos:{match}")
    }
    found = [row for row in rows if row["object_id"] != "sssom:NoTermFound"]
    assert {(expanded(r["subject_id"], head), r["predicate_id"], expanded(r["object_id"], head)) for r in found} == stated
    assert len(found) == len(stated) > 50
    assert rows == sorted(rows, key=lambda row: tuple(row.values()))
    assert all(row["mapping_justification"] == "semapv:ManualMappingCuration" for row in rows)
    for row in found:
        node = engine.knowledge[expanded(row["subject_id"], head).rsplit("/", 1)[1]]
        assert row["subject_label"] == node.label
        target = expanded(row["object_id"], head)
        assert row["object_label"] == (engine.knowledge[target].one("skos:prefLabel") if target in engine.knowledge else "")


def test_a_search_in_vain_is_a_row_of_its_own(engine: Engine) -> None:
    _, rows = parsed(mapping_sets(engine.knowledge)["techniques.sssom.tsv"])
    vain = {(row["subject_id"], row["object_source"]) for row in rows if row["object_id"] == "sssom:NoTermFound"}
    techniques = engine.knowledge.of_class("Technique")
    assert vain == {(f"pal:{node.slug}", f"pal:{scheme}") for node in techniques for scheme in node.all("hasNoTermIn")} != set()
    matched = {(row["subject_id"], row["object_source"]) for row in rows if row["object_id"] != "sssom:NoTermFound"}
    assert not vain & matched


def test_each_set_has_the_metadata_that_the_standard_asks_for(engine: Engine) -> None:
    texts = mapping_sets(engine.knowledge)
    assert texts == mapping_sets(engine.knowledge)
    for text in texts.values():
        keys = [line.partition(":")[0] for line in parsed(text)[0] if not line.startswith(" ")]
        assert {"curie_map", "mapping_set_id", "license", "mapping_set_version"} <= set(keys)
        assert len(keys) == len(set(keys))


def test_the_longest_namespace_gives_the_prefix() -> None:
    assert compact("http://purl.obolibrary.org/obo/NCIT_C15276") == "ncit:C15276"
    assert compact("http://purl.obolibrary.org/obo/UBERON_0001103") == "obo:UBERON_0001103"
    assert compact("https://elsewhere.example/x") == "https://elsewhere.example/x"
