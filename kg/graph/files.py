"""The Turtle files of the ontology, and the hash of their content that names a build."""

import hashlib
from pathlib import Path

from kg.graph.terms import ONTOLOGY_DIR


def turtle_files(ontology: Path = ONTOLOGY_DIR) -> list[Path]:
    """All Turtle files below `ontology` but the shapes, in a fixed order."""
    return sorted(path for path in ontology.rglob("*.ttl") if path != ontology / "shapes.ttl")


def index_of(graph: Path) -> Path:
    """The index beside a built graph."""
    return graph.with_suffix(".index.json")


def forget(graph: Path) -> None:
    """Remove a built graph and its index."""
    graph.unlink(missing_ok=True)
    index_of(graph).unlink(missing_ok=True)


def builder_hash() -> str:
    """SHA-256, first digits, over the code that builds: another builder makes another graph of the same ontology."""
    modules = ("build", "entail", "files", "knowledge", "reasoner", "terms", "validate")
    return hashlib.sha256(b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in modules)).hexdigest()[:8]


def content_hash(ontology: Path = ONTOLOGY_DIR) -> str:
    """SHA-256 over names and bytes of the ontology's files, shapes included."""
    digest = hashlib.sha256()
    for path in sorted(ontology.rglob("*.ttl")):
        digest.update(f"{path.relative_to(ontology).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
