"""`python -m kg rank`: techniques for a condition and a client."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kg.reasoning.sourcing import sourcing_label
from kg.serving.cli import shared
from kg.serving.cli.adapt import print_plan

if TYPE_CHECKING:
    from rich.console import Console

    from kg.reasoning.conditions import SideBySide
    from kg.reasoning.rank import Entry, Ranking

_TABLE_ROWS = 10


class TextOrJson(StrEnum):
    """How a comparison is printed."""

    text = "text"
    json = "json"


class Format(StrEnum):
    """How a ranking, or conditions side by side, are printed."""

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
    age: Annotated[int | None, typer.Option(help="Age of the client in years; brings the hazards of that age.")] = None,
    pressure: Annotated[str | None, typer.Option(help="The most pressure that the client likes: none, light, moderate or deep.")] = None,
    position: Annotated[str | None, typer.Option(help="The one position to work in, such as seated or supine.")] = None,
    clothed: Annotated[bool, typer.Option("--clothed", help="Only what can be done through clothing.")] = False,
    no_instruments: Annotated[bool, typer.Option("--no-instruments", help="Nothing by tool or device.")] = False,
    training: Annotated[str | None, typer.Option(help="The most training the therapist has: entry, additional or specialist.")] = None,
    equipment: Annotated[list[str] | None, typer.Option(help="What is at hand; may be repeated. All is, where none is named.")] = None,
    spare: Annotated[list[str] | None, typer.Option(help="Spare the therapist's thumb, wrist or back; orders equals.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Withdraw the evidence of a source, to see what hangs on it.")] = None,
    on: Annotated[str | None, typer.Option(help="The date of the session, YYYY-MM-DD; a dated hazard needs it.")] = None,
    top: Annotated[int | None, typer.Option(help="Only the first N of each list; what is withheld is always whole.")] = None,
    format: Annotated[Format, typer.Option(help="table shows the first ten, json and csv all.")] = Format.table,
) -> None:
    """Rank the techniques for a condition and a client, with reasons and with what is withheld."""
    engine = shared.engine()
    client = engine.client(phase, irritability, hazard or (), red_flag or (), on, age)
    wishes = engine.preferences(pressure=pressure, position=position, clothed=clothed, no_instruments=no_instruments,
                                training=training, equipment=equipment, spare=spare or ())  # fmt: skip
    shown = top if format is not Format.table else min(top or _TABLE_ROWS, _TABLE_ROWS) if top is None or top > 0 else top
    answer = engine.rank(condition, client, shown, without=without or (), preferences=wishes)
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
    if answer.nothing_left:
        console.print(answer.nothing_left, highlight=False)
    for title, entries in (("Recommended", answer.recommended), ("Adjuncts", answer.adjuncts)):
        if entries:
            console.print(f"\n[bold]{title}[/bold]")
            for entry in entries:
                _print_entry(console, entry, answer)
    if answer.set_aside:
        console.print(f"[bold]Set aside[/bold] by preference or equipment ({len(answer.set_aside)})")
        for item in answer.set_aside[:_TABLE_ROWS]:
            console.print(f"  {escape(item.label)}: {escape('; '.join(item.because))}", style="dim", highlight=False)
        if len(answer.set_aside) > _TABLE_ROWS:
            console.print(f"  and {len(answer.set_aside) - _TABLE_ROWS} more; all in json", style="dim")
    if answer.withheld:
        console.print(f"[bold]Withheld[/bold] ({len(answer.withheld)})")
        by_reason: dict[tuple[str, str, str, str], list[str]] = {}
        for w in answer.withheld:
            first = w.because[0]
            words = f"{first.level}; {sourcing_label(answer.knowledge, first.sourcing)}"
            by_reason.setdefault((first.label, words, first.reason, first.disagreement), []).append(w.label)
        for (label, words, reason, other), labels in by_reason.items():
            disagreement = f" Sources disagree: {escape(other)}." if other else ""
            console.print(f"  [bold]{escape(label)}[/bold] ({escape(words)}): {escape(reason)}{disagreement}", highlight=False)
            console.print(f"    {escape(', '.join(labels))}", highlight=False)
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
                  f"{entry.class_}, certainty {entry.certainty.level}, band {entry.band}", highlight=False)  # fmt: skip
    console.print(f"     {escape(entry.why(answer.knowledge))}", style="dim", highlight=False)
    for label, action in dict.fromkeys((c.label, c.where or c.action) for c in entry.cautions):
        console.print(f"     Care: {escape(label)}: {escape(action)}", style="yellow", highlight=False)


@shared.app.command()
def compare(
    condition: Annotated[str, typer.Argument(help="Slug, label, synonym or ICD-10-CM code of a condition.")],
    first: Annotated[str, typer.Argument(help="A technique.")],
    second: Annotated[str, typer.Argument(help="The technique to compare it with.")],
    phase: Annotated[str | None, typer.Option(help="acute, subacute, chronic or postoperative.")] = None,
    irritability: Annotated[str | None, typer.Option(help="low, moderate or high.")] = None,
    hazard: Annotated[list[str] | None, typer.Option(help="A hazard of the client, by slug or name; may be repeated.")] = None,
    format: Annotated[TextOrJson, typer.Option(help="Words or JSON.")] = TextOrJson.text,
) -> None:
    """Say what sets two techniques apart: why this, why not that."""
    from kg.reasoning.contrast import compare as run

    engine = shared.engine()
    found = run(engine, condition, first, second, engine.client(phase, irritability, hazard or ()))
    if format is TextOrJson.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
        return
    print(found.text)
    for part in found.parts:
        print(f"{part.adds:+.3f}  {part.name}: {part.text}")


@shared.app.command("compare-conditions")
def compare_conditions(
    conditions: Annotated[list[str], typer.Argument(help="Two to four conditions, each a slug, label, synonym or ICD-10-CM code.")],
    phase: Annotated[str | None, typer.Option(help="acute, subacute, chronic or postoperative.")] = None,
    irritability: Annotated[str | None, typer.Option(help="low, moderate or high.")] = None,
    hazard: Annotated[list[str] | None, typer.Option(help="A hazard of the client, by slug or name; may be repeated.")] = None,
    red_flag: Annotated[list[str] | None, typer.Option(help="A red flag that was found; may be repeated.")] = None,
    format: Annotated[Format, typer.Option(help="A table, JSON or CSV.")] = Format.table,
) -> None:
    """Put conditions side by side: what they share, what tells them apart, and which techniques are best for each."""
    from kg.reasoning.conditions import compare_conditions as run

    engine = shared.engine()
    found = run(engine, conditions, engine.client(phase, irritability, hazard or (), red_flag or ()))
    if format is Format.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    elif format is Format.csv:
        print(found.to_csv(), end="")
    else:
        _print_side_by_side(found)


def _print_side_by_side(found: "SideBySide") -> None:
    if found.referral:
        print(f"Referral ({found.referral.urgency}): {found.referral.action}")
    label = found.knowledge.label
    for distinction in found.distinctions:
        print(f"{' or '.join(map(label, distinction.conditions))}: {distinction.text}")
    for row in found.rows:
        print(f"\n{row.aspect}: {row.label}" + (f"  [{row.note}]" if row.note else ""))
        for slug, cell in zip(found.conditions, row.cells, strict=True):
            if cell.text:
                print(f"  {label(slug)}: {cell.text}")


@shared.app.command("what-if")
def what_if(
    condition: Annotated[str, typer.Argument(help="Slug, label, synonym or ICD-10-CM code of a condition.")],
    technique: Annotated[str | None, typer.Option(help="Only what moves this technique.")] = None,
    phase: Annotated[str | None, typer.Option(help="acute, subacute, chronic or postoperative.")] = None,
    irritability: Annotated[str | None, typer.Option(help="low, moderate or high.")] = None,
    hazard: Annotated[list[str] | None, typer.Option(help="A hazard of the client, by slug or name; may be repeated.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    format: Annotated[TextOrJson, typer.Option(help="Words or JSON.")] = TextOrJson.text,
) -> None:
    """Say which single source, claim or relief moves the answer most if it is withdrawn."""
    from kg.reasoning.contrast import what_if as run

    engine = shared.engine()
    moves = run(engine, condition, engine.client(phase, irritability, hazard or ()), technique, top)
    if format is TextOrJson.json:
        body = {"graph": engine.knowledge.version.to_dict(), "moves": [move.to_dict() for move in moves]}
        print(json.dumps(body, ensure_ascii=False, indent=1))
        return
    for move in moves:
        print(f"{move.change:+.3f}  {engine.knowledge.label(move.technique)}: {move.before:.3f} to {move.after:.3f}, "
              f"rank {move.rank_before} to {move.rank_after}, without the {move.kind} {move.label!r} ({move.without})")  # fmt: skip
