"""Canonical Turtle: every file of the ontology is in it, it says what the file said, and it says it in one way only."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import Graph, Literal, URIRef
from rdflib.compare import isomorphic

from kg.curation.check import not_canonical
from kg.curation.turtle import canonical, dump, new_graph, read
from kg.errors import GraphError
from kg.graph.terms import ONTOLOGY_DIR, PAL

MESSY = """# Why this file is here.
# A second line.

@prefix pal: <https://w3id.org/palpate/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix unused: <http://example.org/> .
pal:b skos:prefLabel "B"@en; a pal:Muscle, pal:SoftTissue . # lost
pal:a a pal:Muscle ; pal:partOf pal:b , pal:a .
"""
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=20)
Maker = Callable[..., Path]


@pytest.mark.parametrize("path", sorted(ONTOLOGY_DIR.rglob("*.ttl")), ids=lambda path: path.relative_to(ONTOLOGY_DIR).as_posix())
def test_every_file_of_the_ontology_is_canonical(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == canonical(path), "mend it with: python -m kg check --write"


def test_the_ontology_has_files() -> None:
    assert len(list(ONTOLOGY_DIR.rglob("*.ttl"))) > 100


def messy(folder: Path, text: str = MESSY) -> Path:
    path = folder / "messy.ttl"
    path.write_text(text, encoding="utf-8")
    return path


def test_canonical_text_says_the_same(tmp_path: Path) -> None:
    path = messy(tmp_path)
    again = Graph().parse(data=canonical(path), format="turtle")
    assert isomorphic(again, read(path))


def test_canonical_text_keeps_the_head_sorts_and_puts_one_object_a_line(tmp_path: Path) -> None:
    assert (
        canonical(messy(tmp_path))
        == """# Why this file is here.
# A second line.
PREFIX pal: <https://w3id.org/palpate/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>

pal:a
    a pal:Muscle ;
    pal:partOf
        pal:a ,
        pal:b ;
.

pal:b
    a
        pal:Muscle ,
        pal:SoftTissue ;
    skos:prefLabel "B"@en ;
.
"""
    )


def test_canonical_is_idempotent_with_blank_nodes_and_lists(tmp_path: Path) -> None:
    once = canonical(ONTOLOGY_DIR / "shapes.ttl")
    assert canonical(messy(tmp_path, once)) == once


def test_the_order_of_statements_does_not_matter(tmp_path: Path) -> None:
    head, _, body = MESSY.partition("pal:b skos")
    one, other = ("pal:b skos" + body).splitlines()
    assert canonical(messy(tmp_path, f"{head}{other}\n{one}\n")) == canonical(messy(tmp_path))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), TEXT), max_size=6))
def test_any_text_survives(tmp_path: Path, facts: list[tuple[int, str]]) -> None:
    graph = new_graph()
    for number, text in facts:
        kept = "\n".join(line.rstrip(" ") for line in text.split("\n"))  # space before a line break is not kept
        graph.add((URIRef(f"{PAL}thing-{number}"), URIRef(PAL + "reason"), Literal(kept)))
    path = messy(tmp_path, dump(graph, "# head\n"))
    assert set(read(path)) == set(graph)
    assert canonical(path) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"pal:a a pal:b .\n", b'<http://a> <http://b> "\xff" .\n'])
def test_what_is_no_turtle_is_an_error_with_file_and_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ttl"
    path.write_bytes(b"\n\n" + content)
    with pytest.raises(GraphError, match=r"broken\.ttl:3: "):
        canonical(path)


def test_check_names_the_file_and_the_command_and_write_mends_it(tmp_path: Path) -> None:
    path = messy(tmp_path)
    (tmp_path / "clean.ttl").write_text(canonical(path), encoding="utf-8")
    assert not_canonical(tmp_path) == [f"{path}: is not in canonical form; mend it with: python -m kg check --write"]
    assert not_canonical(tmp_path, write=True) == []
    assert not_canonical(tmp_path) == []
    assert path.read_text(encoding="utf-8") == (tmp_path / "clean.ttl").read_text(encoding="utf-8")


def test_the_command_check_ends_with_1_on_a_finding(tmp_path: Path, new_ontology: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALPATE_ONTOLOGY", str(new_ontology(tmp_path, broken="pal:a a pal:b .\n")))
    done = subprocess.run([sys.executable, "-m", "kg", "check"], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "broken.ttl:1: The prefix pal: has not been declared" in done.stdout
    assert done.stderr == ""
