"""How fast the ranking is, against what a user would write instead; all in one run, so that only ratios count.

    python benchmarks/ranking.py [--copies 10 100]

Scoring one condition by arrays, against the same sum of evidence as one SPARQL query on Oxigraph, on rdflib, and by
walking paths with networkx. Medians of wall time; each ranking of one condition in one phase, caches of answers off.
rdflib alone takes some minutes for its one query.
Then the same scoring in graphs that hold so many copies of all conditions, techniques, claims and evidence.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import networkx as nx
import pyoxigraph as ox
import rdflib

import kg
from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.client import Client
from kg.reasoning.engine import Engine
from kg.reasoning.score import Model

CONDITION, PHASE = "chronic-low-back-pain", "chronic"
PAL = "https://w3id.org/palpate/"
QUERY = f"""
PREFIX pal: <{PAL}>
PREFIX dcterms: <http://purl.org/dc/terms/>
SELECT ?technique (SUM(?weight * ?share) AS ?for) (SUM(?weight * (1 - ?share)) AS ?against) {{
  ?technique a pal:Technique .
  ?statement a pal:TreatmentEvidence ; pal:evidenceTechnique ?about ; pal:evidenceCondition ?condition ;
             pal:result ?result ; pal:outcome ?outcome ; dcterms:source ?source .
  {{ BIND(?technique AS ?about) }} UNION {{ ?technique pal:variantOf ?about }}
  {{ BIND(pal:{CONDITION} AS ?condition) }} UNION {{ pal:{CONDITION} pal:subtypeOf ?condition }}
  ?result pal:value ?share . ?outcome pal:value ?counts . ?source pal:design ?design . ?design pal:value ?base .
  BIND(?base * ?counts AS ?weight)
}} GROUP BY ?technique ORDER BY DESC(?for / (?for + ?against + 4))
"""
"""The evidence part alone, without mechanism, pooling, phase or interval: less work than the ranking does."""


def median(run: Callable[[], object], seconds: float = 2.0, least: int = 3) -> float:
    """Median wall time of one run, in seconds."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < until:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def shown(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def score(engine: Engine) -> object:
    """All techniques for one condition and phase, from arrays built at load; no cached answer."""
    model = engine.model
    scores = model.join(model.basis(CONDITION, PHASE), model.tolerance(PHASE, "high"))
    return scores.mean


def answer(engine: Engine) -> object:
    """The whole answer: safety, scores, intervals, classes, certainty, bands, and all paths and statements of each technique."""
    found = engine.rank(CONDITION, Client(PHASE, "high", ("hypertension",)))
    return [(entry.rationale, entry.score.observations) for entry in (*found.recommended, *found.adjuncts, *found.discuss)]


def everything(engine: Engine) -> object:
    """Conditions x techniques x phases x irritabilities."""
    model = engine.model
    irritabilities = [None, *(node.slug.removeprefix("irritability-") for node in engine.knowledge.of_class("Irritability"))]
    phases = [None if phase == "any" else phase for phase in model.evidence.phases]
    return [
        model.join(basis, model.tolerance(phase, irritability)).mean
        for condition in model.evidence.kin for phase in phases for basis in [model.basis(condition, phase)]
        for irritability in irritabilities
    ]  # fmt: skip


def walk(graph: "nx.DiGraph[str]", techniques: Sequence[str]) -> dict[str, float]:
    """Strengths summed over all paths technique - effect - impairment - condition."""
    found = {}
    for technique in techniques:
        total = 0.0
        for path in nx.all_simple_paths(graph, technique, CONDITION, cutoff=3):
            strength = 1.0
            for one, other in itertools.pairwise(path):
                strength *= graph.edges[one, other]["strength"]
            total += strength
        found[technique] = total
    return found


def drawn(engine: Engine) -> "nx.DiGraph[str]":
    graph: nx.DiGraph[str] = nx.DiGraph()
    for path in engine.model.mechanism.paths.paths:
        if path.relieves:
            graph.add_edge(path.link.technique, path.link.effect, strength=path.link.strength)
            graph.add_edge(path.link.effect, path.impairment, strength=path.relief_strength)
    for condition in engine.model.evidence.kin:
        for need in engine.model.needs(condition, PHASE):
            graph.add_edge(need.impairment, condition, strength=need.weight)
    return graph


REPLICATED = (
    "Condition", "Technique", "EffectClaim", "RefutedEffectClaim", "ImpairmentProfile", "TreatmentEvidence", "MechanismEvidence", "Source",
)  # fmt: skip


class Copies(Knowledge):
    """A graph in memory with so many copies of what the ranking works on; the vocabulary, effects and impairments stand once."""

    def __init__(self, original: Knowledge, copies: int) -> None:
        self.path, self.version = original.path, original.version
        self._nodes = {node.slug: node for node in original}
        moved = {node.slug for cls in REPLICATED for node in original.of_class(cls)}
        for copy in range(1, copies):
            for slug in moved:
                stated = {
                    name: [f"{value}~{copy}" if value in moved else value for value in values] if name != "rdf:type" else values
                    for name, values in original[slug].properties.items()
                }
                self._nodes[f"{slug}~{copy}"] = Node(f"{slug}~{copy}", stated)


def grown(original: Knowledge, copies: int) -> float:
    """Median time to score one condition in a graph so many times as large."""
    knowledge = Copies(original, copies)
    techniques = [node.slug for node in knowledge.of_class("Technique") if not node.properties.get("unspecified")]
    model = Model(knowledge, techniques)
    tolerance = model.tolerance(PHASE, "high")
    model.basis(CONDITION, PHASE)
    return median(lambda: model.join(model.basis(CONDITION, PHASE), tolerance).mean)


def main(copies: Sequence[int]) -> None:
    engine = kg.load()
    everything(engine)  # rows and coverage of all conditions, as a server has them after a while
    ours = median(lambda: score(engine))
    store = engine.knowledge.store
    graph = rdflib.Graph()
    for quad in store:
        graph.add((_term(quad.subject), _term(quad.predicate), _term(quad.object)))
    paths = drawn(engine)
    rivals = {
        "one SPARQL query on Oxigraph": median(lambda: list(store.query(QUERY, use_default_graph_as_union=True))),
        "one SPARQL query on rdflib": median(lambda: list(graph.query(QUERY)), least=1, seconds=1),
        "paths by networkx": median(lambda: walk(paths, engine.model.techniques)),
    }
    size = f"{len(engine.model.techniques)} techniques, {len(engine.model.evidence.kin)} conditions"
    print(f"graph {engine.knowledge.version.version}, {size}")
    print(f"scoring one condition            {shown(ours):>12}   (target 200 µs)")
    for name, taken in rivals.items():
        print(f"  {name:<31}{shown(taken):>12}   {taken / ours:,.0f} times as long")
    print(f"one full explained answer        {shown(median(lambda: answer(engine))):>12}   (target 2 ms)")
    print(f"all conditions, phases, levels   {shown(median(lambda: everything(engine))):>12}   (target 150 ms)")
    for times in copies:
        taken = grown(engine.knowledge, times)
        print(f"one condition, {times:>3} times the graph{shown(taken):>13}   {taken / ours:,.1f} times as long")


def _term(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> rdflib.term.Node:
    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    return rdflib.Literal(term.value, lang=term.language, datatype=None if term.language else term.datatype.value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, nargs="*", default=[10, 100], help="sizes of graphs, in copies of the real one")
    main(parser.parse_args().copies)
