"""`python -m kg export`: a release of the graph as files."""

from pathlib import Path
from typing import Annotated

import typer

from kg.serving.cli import shared


@shared.app.command()
def export(folder: Annotated[Path, typer.Argument(help="Where the files are written; made where it is not there.")]) -> None:
    """Write the graph as files for other tools: RDF, KGX, GraphML, Parquet, SSSOM, metadata and checksums."""
    from kg.curation.export import export as run

    for path in run(shared.engine(), folder):
        print(f"{path}\t{path.stat().st_size}")
