"""`python -m kg mcp`: the graph for assistants."""

from kg.serving.cli import shared


@shared.app.command()
def mcp() -> None:
    """Serve the Model Context Protocol on standard input and output: the operations of the API, for assistants."""
    from kg.graph.build import build, cached
    from kg.serving.mcp import run

    if not cached().exists():
        build(progress=shared.note)
    run()
