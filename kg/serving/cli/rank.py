"""`python -m kg rank`: techniques for a condition and a client."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kg.serving.cli import shared
from kg.serving.cli.adapt import print_plan

if TYPE_CHECKING:
    from rich.console import Console

    from kg.reasoning.rank import Entry, Ranking

_TABLE_ROWS = 10


class Format(StrEnum):
    """How a ranking is printed."""

    table = "table"
    json = "json"
    csv = "csv"


@shared.app.command()
def rank(
    condition: Annotated[str, typer.Argument(help="Slug, label, synonym or ICD-10-CM code of a condition.")],
    phase: Annotated[str | None, typer.Option(help="acute, subacute, chronic or postoperative.")] = None,
    irritability: Annotated[str | None, typer.Option(help="low, moderate or high.")] = None,
    hazard: Annotated[list[str] | None, typer.Option(help="A hazard of the client: NAME or NAME=YYYY-MM-DD; may be repeated.")] = None,
    red_flag: Annotated[list[str] | None, typer.Option(help="A red flag that was found; may be repeated.")] = None,
    on: Annotated[str | None, typer.Option(help="The date of the session, YYYY-MM-DD; a dated hazard needs it.")] = None,
    top: Annotated[int | None, typer.Option(help="Only the first N of each list; what is withheld is always whole.")] = None,
    format: Annotated[Format, typer.Option(help="table shows the first ten, json and csv all.")] = Format.table,
) -> None:
    """Rank the techniques for a condition and a client, with reasons and with what is withheld."""
    engine = shared.engine()
    client = engine.client(phase, irritability, hazard or (), red_flag or (), on)
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
    if answer.modifications:
        print_plan(console, answer.modifications, knowledge, whole=False)
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
