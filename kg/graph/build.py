"""From Turtle to the materialized graph: parse, validate, reason, entail, and write it to the cache.

    ontology/*.ttl -> asserted triples -> SHACL -> HermiT (consistency, types) -> entailment -> one N-Quads file

The file holds two named graphs, asserted and inferred, and is replaced as a whole: a stop at any moment leaves the old
cache or the new one. It is named by the content of its inputs, so a broken ontology never hides a good cache.
"""

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyoxigraph as ox

from kg.errors import GraphError, syntax_fault
from kg.graph import entail, reasoner, validate
from kg.graph.files import builder_hash, content_hash, forget, index_of, turtle_files
from kg.graph.terms import ASSERTED, INFERRED, ONTOLOGY_DIR, OWL, RDF

Progress = Callable[[str], None]
_SCRATCH = ".building-"
_KEPT = 4
"""How many built graphs stay in the cache, so that going back to an earlier ontology costs no build."""


def cache_dir() -> Path:
    """Where built graphs lie: `PALPATE_CACHE`, else the user's cache folder."""
    from platformdirs import user_cache_path

    return Path(os.environ["PALPATE_CACHE"]) if "PALPATE_CACHE" in os.environ else user_cache_path("palpate")


def cached(ontology: Path = ONTOLOGY_DIR) -> Path:
    """The file that holds, or will hold, the graph of this ontology."""
    return cache_dir() / f"{content_hash(ontology)}-{builder_hash()}.nq"


def build(ontology: Path = ONTOLOGY_DIR, progress: Progress = lambda step: None) -> Path:
    """Build the graph of `ontology` and return its file in the cache.

    Raises:
        GraphError: with one line for each fault; the cache is left as it was.
    """
    if missing := [name for name in ("palpate.ttl", "shapes.ttl") if not (ontology / name).is_file()]:
        raise GraphError([f"{ontology} holds no ontology: {' and '.join(missing)} missing."])
    target = cached(ontology)
    progress("Reading Turtle")
    store = assert_files(ontology)
    places = validate.Places(turtle_files(ontology), ontology)
    triples = [quad.triple for quad in store]
    progress("Checking shapes and reasoning")
    with ThreadPoolExecutor(2) as pool:  # the reasoner runs in Java beside the check of shapes
        axioms = pool.submit(reasoner.classify, _axioms(store))
        facts = pool.submit(reasoner.realize, triples)
        faults = validate.loose_ends(store, places) + validate.shape_faults(triples, ontology / "shapes.ttl", places)
        try:
            axioms.result()
            found = facts.result()
        except reasoner.Inconsistent:
            faults += validate.clashes(store, places) or ["The ontology contradicts itself, by a clash that only the reasoner sees."]
        except GraphError as error:
            faults += error.faults
    if faults:
        raise GraphError(faults)
    progress("Adding what follows")
    infer(store, found - set(triples))
    if faults := validate.clashes(store, places):
        raise GraphError(faults)
    progress("Writing the cache")
    if cached(ontology) != target:
        raise GraphError(["The ontology was changed while it was being built; run the command again."])
    write(store, target)
    return target


def _axioms(store: ox.Store) -> list[ox.Triple]:
    """The triples of the ontology's vocabulary: of classes, properties and blank nodes, not of individuals."""
    declared = {OWL + kind for kind in ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty", "Ontology")}
    named = {q.subject for q in store.quads_for_pattern(None, ox.NamedNode(RDF + "type"), None, None)
             if isinstance(q.object, ox.NamedNode) and q.object.value in declared}  # fmt: skip
    different = {q.subject for q in store.quads_for_pattern(None, None, ox.NamedNode(OWL + "AllDifferent"), None)}
    return [q.triple for q in store if q.subject in named or (isinstance(q.subject, ox.BlankNode) and q.subject not in different)]


def assert_files(ontology: Path) -> ox.Store:
    """All triples of the Turtle files in the asserted graph; blank nodes are named by content, the same each time.

    Raises:
        GraphError: naming file and line of each file that is no Turtle.
    """
    dataset, faults, graph = ox.Dataset(), [], ox.NamedNode(ASSERTED)
    for path in turtle_files(ontology):
        try:
            for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True):
                dataset.add(ox.Quad(quad.subject, quad.predicate, quad.object, graph))
        except SyntaxError as error:
            faults.append(syntax_fault(path.relative_to(ontology.parent), error))
    if faults:
        raise GraphError(faults)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    store = ox.Store()
    store.extend(dataset)
    return store


def infer(store: ox.Store, found: set[ox.Triple]) -> None:
    """Add to the inferred graph what the reasoner found, and what follows from that."""
    graph = ox.NamedNode(INFERRED)
    store.extend(ox.Quad(triple.subject, triple.predicate, triple.object, graph) for triple in sorted(found, key=str))
    entail.saturate(store, graph)


def write(store: ox.Store, target: Path) -> None:
    """Write all quads, sorted, as N-Quads: first to a file beside the target, then under its name in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = sorted(f"{quad} .\n" for quad in store)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=_SCRATCH, suffix=".nq", delete=False, encoding="utf-8") as scratch:
        try:
            scratch.writelines(lines)
            scratch.flush()
            os.fsync(scratch.fileno())
            os.chmod(scratch.name, 0o644)
            os.replace(scratch.name, target)
            index_of(target).unlink(missing_ok=True)  # it may stem from another graph of that name
        except BaseException:
            Path(scratch.name).unlink(missing_ok=True)
            raise
    _forget_old(target)


def _forget_old(newest: Path) -> None:
    """Drop all but the last few graphs, and what a stopped build left an hour ago or more."""
    with suppress(FileNotFoundError):  # another build may be dropping the same
        graphs = [p for p in newest.parent.glob("*.nq") if p != newest and not p.name.startswith(_SCRATCH)]
        for path in sorted(graphs, key=lambda p: p.stat().st_mtime, reverse=True)[_KEPT - 1 :]:
            forget(path)
        for path in newest.parent.glob(f"{_SCRATCH}*"):
            if time.time() - path.stat().st_mtime > 3600:
                path.unlink()
