"""What the graph says of one entity: complete in both directions, as rows, JSON and Turtle that read back the same."""

import json

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kg
from kg.errors import UnknownName
from kg.graph.entity import of, turtle
from kg.graph.terms import iri

KNOWLEDGE = kg.load().knowledge
ENTITIES = st.sampled_from(sorted(node.slug for node in KNOWLEDGE))


@given(ENTITIES)
@settings(max_examples=60, deadline=None)
def test_a_description_holds_every_triple_once(name: str) -> None:
    about, node = of(KNOWLEDGE, name), ox.NamedNode(iri(name))
    stored = {q.triple for q in KNOWLEDGE.store.quads_for_pattern(node, None, None, None) if not isinstance(q.object, ox.BlankNode)}
    told = {(iri(s.property), iri(s.value) if s.is_entity else s.value, s.datatype, s.language) for s in about.outgoing}
    assert len(about.outgoing) == len(told)
    assert told == {(t.predicate.value, t.object.value, getattr(t.object, "datatype", None) and t.object.datatype.value,
                     getattr(t.object, "language", None)) for t in stored}  # fmt: skip
    pointing = {q.triple for q in KNOWLEDGE.store.quads_for_pattern(None, None, node, None) if not isinstance(q.subject, ox.BlankNode)}
    assert len(about.incoming) == len(pointing)
    assert json.loads(json.dumps(about.to_dict()))["iri"] == iri(name)


@given(ENTITIES)
@settings(max_examples=40, deadline=None)
def test_turtle_reads_back_the_same_triples(name: str) -> None:
    written = turtle(KNOWLEDGE, name)
    node = ox.NamedNode(iri(name))
    read = {
        (q.predicate, q.object)
        for q in ox.parse(written, format=ox.RdfFormat.TURTLE)
        if q.subject == node and not isinstance(q.object, ox.BlankNode)
    }
    stored = {
        (q.predicate, q.object) for q in KNOWLEDGE.store.quads_for_pattern(node, None, None, None) if not isinstance(q.object, ox.BlankNode)
    }
    assert read == stored
    assert written == turtle(KNOWLEDGE, name)


def test_what_is_stated_is_told_apart_from_what_follows() -> None:
    facts = {(f.property, f.value): f.inferred for f in of(KNOWLEDGE, "plantar-fasciitis").outgoing}
    assert facts["inRegion", "foot"] is False
    assert facts["inRegion", "leg-foot"] is True


def test_an_unknown_entity_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="plantar-fasciitis"):
        of(KNOWLEDGE, "plantar-facitis")
