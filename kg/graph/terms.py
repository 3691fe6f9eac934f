"""The names that code and ontology share: one namespace, two named graphs.

>>> iri("plantar-fasciitis")
'https://w3id.org/palpate/plantar-fasciitis'
>>> slug("https://w3id.org/palpate/plantar-fasciitis")
'plantar-fasciitis'
"""

import os
from pathlib import Path

PAL = "https://w3id.org/palpate/"
ONTOLOGY = PAL + "ontology"
ASSERTED = PAL + "graph/asserted"
INFERRED = PAL + "graph/inferred"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCTERMS = "http://purl.org/dc/terms/"

ONTOLOGY_DIR = Path(os.environ.get("PALPATE_ONTOLOGY") or Path(__file__).resolve().parents[2] / "ontology").resolve()
"""Where the Turtle files stand: those that ship with this code, or the folder that `PALPATE_ONTOLOGY` names."""


def iri(slug: str) -> str:
    """The IRI of a slug; an IRI stays what it is."""
    return slug if "://" in slug else PAL + slug


def slug(iri: str) -> str:
    """The slug of an IRI of this namespace; any other IRI stays what it is."""
    return iri.removeprefix(PAL)
