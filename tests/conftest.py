"""What several test modules share: the query layer over the real graph, built once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

import kg
from kg.graph.terms import ONTOLOGY_DIR
from kg.reasoning.engine import Engine

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # how long an example takes depends on the machine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The query layer over the ontology of this repository."""
    return kg.load()


_TRACTION = """PREFIX pal: <https://w3id.org/palpate/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>

pal:traction-unspecified
    a pal:Technique ;
    skos:definition "A pull."@en ;
    skos:prefLabel "Traction"@en ;
    pal:contact pal:contact-hands ;
    pal:family pal:joint-family ;
    pal:intensity pal:intensity-gentle ;
    pal:mechanicalAction pal:joint-distraction ;
    pal:pressure pal:pressure-light ;
    pal:scope pal:scope-massage ;
    pal:unspecified true ;
.
"""


@pytest.fixture(scope="session")
def new_ontology() -> Callable[..., Path]:
    """Make a small ontology: the real vocabulary, shapes and weights, and the Turtle that a test gives, file by file."""

    def make(folder: Path, **files: str) -> Path:
        ontology = folder / "ontology"
        ontology.mkdir(parents=True)
        for name in ("palpate", "vocabulary", "scoring", "shapes"):
            shutil.copy(ONTOLOGY_DIR / f"{name}.ttl", ontology)
        for name, text in {"traction": _TRACTION, **files}.items():  # the vocabulary names this one technique
            (ontology / f"{name}.ttl").write_text(text, encoding="utf-8")
        return ontology

    return make
