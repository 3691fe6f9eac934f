"""What the axioms of the ontology entail for its individuals, computed to a fixpoint.

The axioms are read from the graph itself: sub-properties, inverses, transitive properties, property chains,
sub-classes and restrictions to a value. Each becomes one SPARQL query on the store, and all are asked again until
nothing new follows. Types that need a tableau (defined classes, domains, ranges) come from the DL reasoner before.

Semantics: OWL 2 RL rules prp-spo1, prp-spo2, prp-inv, prp-trp, prp-symp, cax-sco and cls-hv1.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from kg.graph.terms import OWL, RDF, RDFS

_RDF_TYPE = ox.NamedNode(RDF + "type")
_FIRST, _REST, _NIL = (ox.NamedNode(RDF + name) for name in ("first", "rest", "nil"))


def _pairs(store: ox.Store, predicate: str) -> Iterator[tuple[ox.NamedNode, ox.NamedNode]]:
    for quad in store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode):
            yield quad.subject, quad.object


def _object(store: ox.Store, subject: ox.NamedNode | ox.BlankNode, predicate: ox.NamedNode) -> ox.NamedNode | ox.BlankNode:
    return next(q.object for q in store.quads_for_pattern(subject, predicate, None, None))  # type: ignore[return-value]


def _chain(store: ox.Store, cell: ox.NamedNode | ox.BlankNode) -> str:
    """The SPARQL property path of an owl:propertyChainAxiom list."""
    steps = []
    while cell != _NIL:
        element = _object(store, cell, _FIRST)
        if isinstance(element, ox.BlankNode):
            steps.append(f"^{_object(store, element, ox.NamedNode(OWL + 'inverseOf'))}")
        else:
            steps.append(str(element))
        cell = _object(store, cell, _REST)
    return "/".join(steps)


def rules(store: ox.Store) -> list[tuple[ox.NamedNode, str]]:
    """Each axiom on individuals as (property that follows, body of a SELECT over ?x and ?y)."""
    found: list[tuple[ox.NamedNode, str]] = []
    for sub, sup in _pairs(store, RDFS + "subPropertyOf"):
        found.append((sup, f"?x {sub} ?y"))
    for one, other in _pairs(store, OWL + "inverseOf"):
        found += [(one, f"?y {other} ?x"), (other, f"?y {one} ?x")]
    for name, pattern in (("TransitiveProperty", "?x {p} ?m . ?m {p} ?y"), ("SymmetricProperty", "?y {p} ?x")):
        for quad in store.quads_for_pattern(None, _RDF_TYPE, ox.NamedNode(OWL + name), None):
            found.append((quad.subject, pattern.format(p=quad.subject)))  # type: ignore[arg-type]
    for quad in store.quads_for_pattern(None, ox.NamedNode(OWL + "propertyChainAxiom"), None, None):
        found.append((quad.subject, f"?x {_chain(store, quad.object)} ?y"))  # type: ignore[arg-type]
    for sub, sup in _pairs(store, RDFS + "subClassOf"):
        found.append((_RDF_TYPE, f"?x a {sub} . BIND({sup} AS ?y)"))
    for quad in store.quads_for_pattern(None, ox.NamedNode(OWL + "hasValue"), None, None):
        restriction = quad.subject
        prop = _object(store, restriction, ox.NamedNode(OWL + "onProperty"))  # type: ignore[arg-type]
        for holder in store.quads_for_pattern(None, ox.NamedNode(RDFS + "subClassOf"), restriction, None):
            found.append((prop, f"?x a {holder.subject} . BIND({quad.object} AS ?y)"))  # type: ignore[arg-type]
    return sorted(found, key=str)


def saturate(store: ox.Store, inferred: ox.NamedNode) -> int:
    """Add to the named graph `inferred` whatever follows and stands nowhere yet; return how many triples that is."""
    axioms, added, grown = rules(store), 0, True
    while grown:
        grown = False
        for prop, body in axioms:
            query = f"SELECT DISTINCT ?x ?y WHERE {{ {body} FILTER(isIRI(?x)) FILTER NOT EXISTS {{ ?x {prop} ?y }} }}"
            rows = store.query(query, use_default_graph_as_union=True)
            new = [ox.Quad(row["x"], prop, row["y"], inferred) for row in rows]  # type: ignore[union-attr]
            if new:
                store.extend(new)
                added, grown = added + len(new), True
    return added
