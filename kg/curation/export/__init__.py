"""A release of the graph as files, each in a format that other tools read; the same graph gives the same bytes.

    rdf         Turtle, N-Quads, JSON-LD, RDF/XML
    network     KGX and GraphML: entities and the links between them
    tables      Parquet: the rankings and the evidence
    metadata    Frictionless, Croissant and checksums, over all of these
"""

from pathlib import Path

from kg.curation.export import metadata, network, rdf, tables
from kg.curation.sssom import mapping_sets
from kg.reasoning.engine import Engine


def export(engine: Engine, folder: Path) -> list[Path]:
    """Write all files of a release into a folder, which is made where it is not there; their paths, in the order written."""
    folder.mkdir(parents=True, exist_ok=True)
    knowledge = engine.knowledge
    files = {**rdf.files(knowledge), **network.files(knowledge), **tables.files(engine)}
    files |= {name: text.encode() for name, text in mapping_sets(knowledge).items()}
    files |= metadata.files(knowledge, files)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]
