"""The commands on the graph itself: `search`, `build`, `check`, `import`, `query`, `serve`."""

from pathlib import Path
from typing import Annotated

import typer

from kg.errors import PalpateError
from kg.serving.cli import shared


@shared.app.command()
def search(text: Annotated[str, typer.Argument(help="A name, synonym or code, misspelt if need be.")],
           limit: Annotated[int, typer.Option(min=1, max=100)] = 10) -> None:  # fmt: skip
    """Find entities of the graph by name."""
    hits = shared.engine().names.search(text, limit)
    if not hits:
        raise PalpateError(f"Nothing in the graph is like {text!r}.")
    for hit in hits:
        print(f"{hit.slug}\t{hit.type}\t{hit.label}" + (f"\t({hit.matched})" if hit.matched not in (hit.slug, hit.label) else ""))


@shared.app.command()
def build() -> None:
    """Build the graph from the ontology into the cache: parse, check shapes, reason, write."""
    import time

    from rich.console import Console

    from kg.graph.build import build as run

    console, start = Console(stderr=True), time.perf_counter()
    with console.status("Building") as status:
        path = run(progress=lambda step: status.update(step))
    print(f"{path} ({time.perf_counter() - start:.1f} s)")


@shared.app.command()
def check(
    write: Annotated[bool, typer.Option("--write", help="Rewrite files that are not in canonical form.")] = False,
    advice: Annotated[bool, typer.Option("--advice", help="Print pieces of advice too, not errors only.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the curation report to this Markdown file and, beside it, as HTML.")] = None,
) -> None:
    """Check the ontology: canonical Turtle, shapes, consistency, gaps. Exit status 1 where something is wrong."""
    from kg.curation.audit import ERROR, report_html
    from kg.curation.audit import report as write_report
    from kg.curation.check import check as run

    faults, findings = run(write=write)
    if report and not faults:
        text = write_report(shared.engine().knowledge)
        report.write_text(text, encoding="utf-8")
        report.with_suffix(".html").write_text(report_html(text), encoding="utf-8")
    errors = [finding for finding in findings if finding.level == ERROR]
    for line in (*faults, *(findings if advice else errors)):
        print(line)
    if faults or errors:
        raise typer.Exit(1)
    print(f"No fault found; {len(findings)} pieces of advice" + ("." if advice or not findings else ", shown by --advice."))


@shared.app.command("import")
def import_(tables: Annotated[list[Path], typer.Argument(help="Fact tables, TSV or CSV, each after those that it builds on.")]) -> None:
    """Turn fact tables into Turtle: adds what is new, leaves what stands, refuses a faulty table whole."""
    from kg.curation.importer import Importer

    for done in Importer().run(tables):
        print(f"{done.table}: {done.rows} rows, {done.added} added, {done.standing} stood already -> {done.path}")


@shared.app.command()
def query(file: Annotated[Path, typer.Argument(help="A file with a SPARQL query, or - for standard input.")]) -> None:
    """Run a SPARQL query on the graph: a table as TSV, a graph as Turtle."""
    from kg.graph import remote
    from kg.serving.sparql import as_text, run_locally

    text = shared.read(file)
    url = remote.address()
    print(as_text(remote.evaluate(url, text)) if url else run_locally(shared.engine().knowledge.store, text), end="")


@shared.app.command()
def serve(host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
          port: Annotated[int, typer.Option(min=1, max=65535)] = 8501) -> None:  # fmt: skip
    """Serve the explorer, the JSON API and the SPARQL endpoint on one port."""
    import os
    import sys
    from contextlib import suppress

    import uvicorn

    import kg
    from kg.graph.build import build, cached
    from kg.serving.connection import Connection

    if not cached().exists():
        build(progress=shared.note)
    kg.load()  # before the port opens, so that a broken graph is told here; the server takes this one
    os.environ.setdefault("PALPATE_URL", f"http://{host}:{port}")
    print(f"Palpate is at http://{host}:{port}", flush=True)
    root = str(Path(__file__).parents[3])
    sys.path.insert(0, root)
    config = uvicorn.Config("app:app", host=host, port=port, loop="uvloop", http=Connection, log_level="warning", server_header=False)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
