"""What is wrong with an ontology, each fault as one line with file and line: loose ends, shapes, clashes.

Shapes are checked by pySHACL. For an inconsistency the individuals that clash are named: those in two disjoint classes
and those with two values of a functional property.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from kg.graph.terms import OWL, PAL, RDF, RDFS, slug


class Places:
    """Where in which file an individual's block starts; read when first asked."""

    _BLOCK = re.compile(r"(?:pal:([\w-]+)|<([^>]+)>)(?=[\s;.])")

    def __init__(self, files: list[Path], root: Path) -> None:
        self._files, self._root = files, root.parent

    @cached_property
    def _places(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in self._files:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if block := self._BLOCK.match(line):
                    found.setdefault(block[1] or slug(block[2]), f"{path.relative_to(self._root)}:{number}: ")
        return found

    def of(self, iri: str) -> str:
        """`file:line: ` of the first block about `iri`, or nothing where there is none."""
        return self._places.get(slug(iri), "")


def shape_faults(triples: Iterable[ox.Triple], shapes: Path, places: Places) -> list[str]:
    """Each violation of a shape: where, which individual, which value, and what to do."""
    import pyshacl
    from rdflib import Graph
    from rdflib.namespace import SH

    data = Graph()
    data.parse(data=b"".join(f"{triple} .\n".encode() for triple in triples), format="nt")
    _, report, _ = pyshacl.validate(data, shacl_graph=Graph().parse(shapes), inference="none", advanced=False)
    faults = set()
    for result in report.subjects(SH.resultSeverity, SH.Violation):
        focus = str(report.value(result, SH.focusNode))
        value = report.value(result, SH.value)
        message = str(report.value(result, SH.resultMessage))
        given = f" (found {slug(str(value))})" if value is not None and str(value) != focus else ""
        faults.add(f"{places.of(focus)}{slug(focus)}: {message}{given}")
    return sorted(faults)


def loose_ends(store: ox.Store, places: Places) -> list[str]:
    """Each name of ours that a statement uses and nothing describes, and each text where an individual belongs.

    A misspelled parent of a hazard would otherwise lose, unseen, all that the parent forbids.
    """
    described = {quad.subject for quad in store}
    relations = {q.subject for q in store.quads_for_pattern(None, ox.NamedNode(RDF + "type"), ox.NamedNode(OWL + "ObjectProperty"), None)}
    faults = set()
    for quad in store:
        where = f"{places.of(quad.subject.value)}{slug(quad.subject.value)}" if isinstance(quad.subject, ox.NamedNode) else "An axiom"
        for term in (quad.predicate, quad.object):
            ours = isinstance(term, ox.NamedNode) and term.value.startswith(PAL) and quad.predicate.value != OWL + "versionIRI"
            if ours and term not in described:
                faults.add(f"{where}: nothing describes pal:{slug(term.value)}; is it misspelled?")
        if isinstance(quad.object, ox.Literal) and quad.predicate in relations:
            faults.add(f"{where}: {slug(quad.predicate.value)} must name an individual, not the text {quad.object.value!r}.")
    return sorted(faults)


def clashes(store: ox.Store, places: Places) -> list[str]:
    """Each individual that the axioms put into two disjoint classes or give two values where one is allowed."""
    return sorted({*_disjoint(store, places), *_functional(store, places), *_double_use(store, places)})


_TYPES = f"""{{ ?x a ?t }} UNION {{ ?p <{RDFS}domain> ?t . ?x ?p ?o }} UNION {{ ?p <{RDFS}range> ?t . ?s ?p ?x }}
            UNION {{ ?q <{RDFS}subPropertyOf>+ ?p . ?p <{RDFS}domain> ?t . ?x ?q ?o }}
            UNION {{ ?q <{RDFS}subPropertyOf>+ ?p . ?p <{RDFS}range> ?t . ?s ?q ?x }}"""


def _disjoint(store: ox.Store, places: Places) -> Iterator[str]:
    types: dict[str, set[str]] = {}
    for row in store.query(f"SELECT DISTINCT ?x ?c WHERE {{ {_TYPES} ?t <{RDFS}subClassOf>* ?c FILTER(isIRI(?x) && isIRI(?c)) }}",
                           use_default_graph_as_union=True):  # type: ignore[union-attr]  # fmt: skip
        types.setdefault(row["x"].value, set()).add(row["c"].value)
    groups = _disjoint_groups(store)
    for individual, classes in types.items():
        for group in groups:
            both = sorted(slug(c) for c in classes & group)
            if len(both) > 1:
                yield f"{places.of(individual)}{slug(individual)} is inferred to be both {' and '.join(both)}, which exclude each other."


def _disjoint_groups(store: ox.Store) -> list[set[str]]:
    query = f"SELECT ?a ?c WHERE {{ ?a a <{OWL}AllDisjointClasses> ; <{OWL}members>/<{RDF}rest>*/<{RDF}first> ?c }}"
    groups: dict[str, set[str]] = {}
    for row in store.query(query, use_default_graph_as_union=True):  # type: ignore[union-attr]
        groups.setdefault(str(row["a"]), set()).add(row["c"].value)
    return list(groups.values())


def _functional(store: ox.Store, places: Places) -> Iterator[str]:
    query = f"""SELECT DISTINCT ?x ?p ?one ?two WHERE {{
        ?p a <{OWL}FunctionalProperty> . ?x ?p ?one , ?two . FILTER(STR(?one) < STR(?two)) }}"""
    for row in store.query(query, use_default_graph_as_union=True):  # type: ignore[union-attr]
        x, p, one, two = (slug(row[name].value) for name in ("x", "p", "one", "two"))
        yield f"{places.of(x)}{x} has two values of {p}, {one} and {two}; it may have one."


def _double_use(store: ox.Store, places: Places) -> Iterator[str]:
    """One name for a property or class and for an individual: the next reader would take one for the other."""
    query = f"""SELECT DISTINCT ?x ?kind WHERE {{
        VALUES ?kind {{ <{OWL}ObjectProperty> <{OWL}DatatypeProperty> <{OWL}Class> }} ?x a ?kind , ?cls . ?cls a <{OWL}Class> }}"""
    for row in store.query(query, use_default_graph_as_union=True):  # type: ignore[union-attr]
        name = slug(row["x"].value)
        yield f"{places.of(name)}{name} names both a {row['kind'].value.partition('#')[2]} and an individual; rename one."
