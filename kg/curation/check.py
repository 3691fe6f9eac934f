"""`python -m kg check`: what is wrong with the ontology, each finding as one line with what mends it."""

from pathlib import Path

from kg.curation.audit import Finding, audit
from kg.curation.turtle import canonical, shown, write_atomically
from kg.errors import GraphError
from kg.graph.knowledge import Knowledge
from kg.graph.terms import ONTOLOGY_DIR


def not_canonical(ontology: Path = ONTOLOGY_DIR, write: bool = False) -> list[str]:
    """Files that differ from their own canonical dump; with `write` they are rewritten and none is left.

    Raises:
        GraphError: where a file is no Turtle.
    """
    findings = []
    for path in sorted(ontology.rglob("*.ttl")):
        text = canonical(path)
        if text != path.read_text(encoding="utf-8"):
            if write:
                write_atomically(path, text)
            else:
                findings.append(f"{shown(path)}: is not in canonical form; mend it with: python -m kg check --write")
    return findings


def check(ontology: Path = ONTOLOGY_DIR, write: bool = False) -> tuple[list[str], list[Finding]]:
    """Faults of the files (broken Turtle, form, shapes, contradictions), and where there are none the audit's findings."""
    from kg.graph.build import build

    try:
        faults = not_canonical(ontology, write)
        path = build(ontology)
    except GraphError as error:
        return list(error.faults), []
    return faults, audit(Knowledge(path))
