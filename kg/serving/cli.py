"""The command line: `python -m kg COMMAND`. Exit status 0 on success, 1 on a finding, 2 on bad usage.

Heavy modules are imported by the command that needs them, so that `rank` answers in about a second.
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kg.errors import PalpateError

if TYPE_CHECKING:
    from rich.console import Console

    from kg.reasoning.rank import Entry, Ranking

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="Palpate: techniques of orthopedic massage for a condition and a client, safe and explained.")  # fmt: skip
_TABLE_ROWS = 10


class Format(StrEnum):
    """How a ranking is printed."""

    table = "table"
    json = "json"
    csv = "csv"


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error, never a traceback."""
    try:
        app()
    except PalpateError as error:
        print(f"error: {error.message}", file=sys.stderr)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        sys.exit(2)


def _note(step: str) -> None:
    print(f"{step} ...", file=sys.stderr)


@app.command()
def rank(
    condition: Annotated[str, typer.Argument(help="Slug, label, synonym or ICD-10-CM code of a condition.")],
    phase: Annotated[str | None, typer.Option(help="acute, subacute, chronic or postoperative.")] = None,
    irritability: Annotated[str | None, typer.Option(help="low, moderate or high.")] = None,
    hazard: Annotated[list[str] | None, typer.Option(help="A hazard of the client, by slug or name; may be repeated.")] = None,
    red_flag: Annotated[list[str] | None, typer.Option(help="A red flag that was found; may be repeated.")] = None,
    top: Annotated[int | None, typer.Option(help="Only the first N of each list; what is withheld is always whole.")] = None,
    format: Annotated[Format, typer.Option(help="table shows the first ten, json and csv all.")] = Format.table,
) -> None:
    """Rank the techniques for a condition and a client, with reasons and with what is withheld."""
    engine = _engine()
    client = engine.client(phase, irritability, hazard or (), red_flag or ())
    shown = top if format is not Format.table else min(top or _TABLE_ROWS, _TABLE_ROWS) if top is None or top > 0 else top
    answer = engine.rank(condition, client, shown)
    match format:
        case Format.json:
            print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=1))
        case Format.csv:
            print(answer.to_csv(), end="")
        case Format.table:
            _print_table(answer)


def _print_table(answer: "Ranking") -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    knowledge = answer.knowledge
    console.print(f"[bold]{escape(knowledge.label(answer.condition))}[/bold]  {_context(answer)}", highlight=False)
    if not answer.in_depth:
        console.print("Not curated in depth yet: tissues and impairments may be missing, so mechanism counts for little.")
    if answer.referral:
        console.print(f"[bold red]Refer: {answer.referral.urgency}[/bold red]")
        for r in answer.referral.reasons:
            console.print(f"  {escape(r.label)}" + (f" - may point to {escape(r.pathology_label.lower())}" if r.pathology_label else ""))
    for title, entries in (("Recommended", answer.recommended), ("Adjuncts", answer.adjuncts)):
        if entries:
            console.print(f"\n[bold]{title}[/bold]")
            for entry in entries:
                _print_entry(console, entry, answer)
    if answer.withheld:
        console.print(f"[bold]Withheld[/bold] ({len(answer.withheld)})")
        by_reason: dict[tuple[str, str, str], list[str]] = {}
        for w in answer.withheld:
            first = w.because[0]
            by_reason.setdefault((first.label, first.level, first.reason), []).append(w.label)
        for (label, level, reason), labels in by_reason.items():
            console.print(f"  [bold]{escape(label)}[/bold] ({level}): {escape(reason)}\n    {escape(', '.join(labels))}", highlight=False)
    console.print(
        f"Graph {answer.version.version} {answer.version.sha256[:12]}. A decision aid for trained people; it does not diagnose.",
        style="dim",
    )


def _context(answer: "Ranking") -> str:
    client = answer.client
    parts = [
        client.phase or "any phase",
        f"irritability {client.irritability or 'not stated'}",
        *map(answer.knowledge.label, client.hazards),
    ]
    return ", ".join(parts)


def _print_entry(console: "Console", entry: "Entry", answer: "Ranking") -> None:
    from rich.markup import escape

    score = entry.score
    console.print(f"{entry.rank:>3}. [bold]{escape(entry.label)}[/bold]  {score.mean:.2f} ({score.low:.2f} to {score.high:.2f})  "
                  f"{entry.class_}, certainty {entry.certainty}, band {entry.band}", highlight=False)  # fmt: skip
    console.print(f"     {escape(entry.why(answer.knowledge))}", style="dim", highlight=False)
    for label, action in dict.fromkeys((c.label, c.where or c.action) for c in entry.cautions):
        console.print(f"     Care: {escape(label)}: {escape(action)}", style="yellow", highlight=False)


@app.command()
def search(text: Annotated[str, typer.Argument(help="A name, synonym or code, misspelt if need be.")],
           limit: Annotated[int, typer.Option(min=1, max=100)] = 10) -> None:  # fmt: skip
    """Find entities of the graph by name."""
    hits = _engine().names.search(text, limit)
    if not hits:
        raise PalpateError(f"Nothing in the graph is like {text!r}.")
    for hit in hits:
        print(f"{hit.slug}\t{hit.type}\t{hit.label}" + (f"\t({hit.matched})" if hit.matched not in (hit.slug, hit.label) else ""))


@app.command()
def build() -> None:
    """Build the graph from the ontology into the cache: parse, check shapes, reason, write."""
    import time

    from rich.console import Console

    from kg.graph.build import build as run

    console, start = Console(stderr=True), time.perf_counter()
    with console.status("Building") as status:
        path = run(progress=lambda step: status.update(step))
    print(f"{path} ({time.perf_counter() - start:.1f} s)")


@app.command()
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
        text = write_report(_engine().knowledge)
        report.write_text(text, encoding="utf-8")
        report.with_suffix(".html").write_text(report_html(text), encoding="utf-8")
    errors = [finding for finding in findings if finding.level == ERROR]
    for line in (*faults, *(findings if advice else errors)):
        print(line)
    if faults or errors:
        raise typer.Exit(1)
    print(f"No fault found; {len(findings)} pieces of advice" + ("." if advice or not findings else ", shown by --advice."))


@app.command("import")
def import_(tables: Annotated[list[Path], typer.Argument(help="Fact tables, TSV or CSV, each after those that it builds on.")]) -> None:
    """Turn fact tables into Turtle: adds what is new, leaves what stands, refuses a faulty table whole."""
    from kg.curation.importer import Importer

    for done in Importer().run(tables):
        print(f"{done.table}: {done.rows} rows, {done.added} added, {done.standing} stood already -> {done.path}")


@app.command()
def query(file: Annotated[Path, typer.Argument(help="A file with a SPARQL query, or - for standard input.")]) -> None:
    """Run a SPARQL query on the graph: a table as TSV, a graph as Turtle."""
    from kg.serving.sparql import run_locally

    text = sys.stdin.read() if str(file) == "-" else _read(file)
    print(run_locally(_engine().knowledge.store, text), end="")


@app.command()
def serve(host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
          port: Annotated[int, typer.Option(min=1, max=65535)] = 8501) -> None:  # fmt: skip
    """Serve the explorer, the JSON API and the SPARQL endpoint on one port."""
    import uvicorn

    from kg.graph.knowledge import load

    load(progress=_note)  # build before the port opens, so that a broken ontology is told here
    print(f"Palpate is at http://{host}:{port}", flush=True)
    root = str(Path(__file__).parents[2])
    uvicorn.run("app:app", host=host, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False, app_dir=root)


def _engine() -> Any:
    from kg.graph.knowledge import load
    from kg.reasoning.rank import Engine

    return Engine(load(progress=_note))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PalpateError(f"{file} cannot be read as UTF-8 text ({type(error).__name__}).") from None
