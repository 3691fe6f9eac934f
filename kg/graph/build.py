"""From Turtle to the materialized graph: parse, validate, reason, entail, and write it to the cache.

    ontology/*.ttl -> asserted triples -> SHACL -> HermiT (consistency, types) -> entailment -> one N-Quads file

The file holds two named graphs, asserted and inferred, and is replaced as a whole: a stop at any moment leaves the old
cache or the new one. It is named by the content of its inputs, so a broken ontology never hides a good cache.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox

from kg.errors import GraphError
from kg.graph import entail, reasoner, validate
from kg.graph.files import content_hash, turtle_files
from kg.graph.terms import ASSERTED, INFERRED, ONTOLOGY_DIR

Progress = Callable[[str], None]
_KEPT = 4
"""How many built graphs stay in the cache, so that going back to an earlier ontology costs no build."""


def cache_dir() -> Path:
    """Where built graphs lie: `PALPATE_CACHE`, else the user's cache folder."""
    from platformdirs import user_cache_path

    return Path(os.environ["PALPATE_CACHE"]) if "PALPATE_CACHE" in os.environ else user_cache_path("palpate")


def cached(ontology: Path = ONTOLOGY_DIR) -> Path:
    """The file that holds, or will hold, the graph of this ontology."""
    return cache_dir() / f"{content_hash(ontology)}.nq"


def build(ontology: Path = ONTOLOGY_DIR, progress: Progress = lambda step: None) -> Path:
    """Build the graph of `ontology` and return its file in the cache.

    Raises:
        GraphError: with one line for each fault; the cache is left as it was.
    """
    target = cached(ontology)
    progress("Reading Turtle")
    store = assert_files(ontology)
    places = validate.Places(turtle_files(ontology), ontology)
    progress("Checking shapes")
    if faults := validate.shape_faults(store, ontology / "shapes.ttl", places):
        raise GraphError(faults)
    progress("Reasoning")
    infer(store, places)
    progress("Writing the cache")
    write(store, target)
    return target


def assert_files(ontology: Path) -> ox.Store:
    """All triples of the Turtle files in the asserted graph; blank nodes are named by content, the same each time.

    Raises:
        GraphError: naming file and line of each file that is no Turtle.
    """
    dataset, faults, graph = ox.Dataset(), [], ox.NamedNode(ASSERTED)
    for path in turtle_files(ontology):
        try:
            for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True):
                dataset.add(ox.Quad(*quad.triple, graph))
        except SyntaxError as error:
            name = path.relative_to(ontology.parent)
            faults.append(f"{name}:{error.lineno or 1}: {str(error.msg).split(' at line ')[0]}")
        except UnicodeDecodeError:
            faults.append(f"{path.relative_to(ontology.parent)}:1: is not UTF-8 text")
    if faults:
        raise GraphError(faults)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    store = ox.Store()
    store.extend(dataset)
    return store


def infer(store: ox.Store, places: validate.Places) -> None:
    """Add what follows to the inferred graph.

    Raises:
        GraphError: where the ontology contradicts itself, with the clash.
    """
    try:
        found = reasoner.realize(quad.triple for quad in store)
    except reasoner.Inconsistent:
        faults = validate.clashes(store, places)
        raise GraphError(faults or ["The ontology contradicts itself, by a clash that only the reasoner sees; undo the last change."]) from None
    graph = ox.NamedNode(INFERRED)
    asserted = {quad.triple for quad in store}
    store.extend(ox.Quad(*triple, graph) for triple in sorted(found - asserted, key=str))
    entail.saturate(store, graph)


def write(store: ox.Store, target: Path) -> None:
    """Write all quads, sorted, as N-Quads: first to a file beside the target, then under its name in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = sorted(f"{quad} .\n" for quad in store)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=".building-", suffix=".nq", delete=False, encoding="utf-8") as scratch:
        try:
            scratch.writelines(lines)
            scratch.flush()
            os.fsync(scratch.fileno())
            os.replace(scratch.name, target)
        except BaseException:
            Path(scratch.name).unlink(missing_ok=True)
            raise
    _forget_old(target)


def _forget_old(newest: Path) -> None:
    """Drop all but the last few graphs, and what builds that were killed long ago left behind."""
    others = sorted((p for p in newest.parent.glob("*.nq") if p != newest), key=lambda p: p.stat().st_mtime, reverse=True)
    for path in others[_KEPT - 1 :]:
        path.unlink(missing_ok=True)
