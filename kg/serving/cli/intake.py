"""`python -m kg intake`: a physician's note, read for a person to confirm."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kg.serving.cli import shared

if TYPE_CHECKING:
    from rich.console import Console

    from kg.reasoning.intake import Intake, Item


class Format(StrEnum):
    """How a reading is printed."""

    table = "table"
    json = "json"


@shared.app.command()
def intake(
    file: Annotated[Path, typer.Argument(help="Free text, lines of ICD-10-CM codes, or FHIR R4 as JSON; - for standard input.")],
    format: Annotated[Format, typer.Option(help="table for people, json for programs.")] = Format.table,
) -> None:
    """Read a physician's note into conditions, hazards and red flags, each with its words; nothing is acted on unconfirmed."""
    from kg.reasoning.intake import Reader

    note = shared.read(file)
    answer = Reader(shared.engine()).read(note)
    if format is Format.json:
        print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=1))
    else:
        _print_table(answer)


def _print_table(answer: "Intake") -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    if answer.referral:
        console.print(f"[bold red]If confirmed, refer: {answer.referral.urgency}[/bold red]")
        for label in dict.fromkeys(reason.label for reason in answer.referral.reasons):
            console.print(f"  {escape(label)}")
    lists = {"Conditions": answer.conditions, "Hazards": answer.hazards, "Red flags": answer.red_flags,
             "Serious diseases": answer.pathologies}  # fmt: skip
    for title, items in lists.items():
        if items:
            console.print(f"\n[bold]{title}[/bold]")
            for item in items:
                _print_item(console, item)
    if answer.unread:
        console.print("\n[bold]Not understood[/bold]")
        for line in answer.unread:
            console.print(f"  {escape(line)}", highlight=False)
    console.print(f"\n{answer.to_dict()['note']}", style="dim")


def _print_item(console: "Console", item: "Item") -> None:
    from rich.markup import escape

    said = {"not": item.negated, "family": item.family, "past": item.historical, "spoken of": item.hypothetical,
            "in doubt": not item.certain and not item.hypothetical}  # fmt: skip
    marks = [*(word for word, holds in said.items() if holds), *filter(None, (item.side, item.phase, item.year, item.code))]
    words = " ".join(item.text.split())
    console.print(f"  {escape(item.label)}  [dim]{escape(item.slug)}[/dim]  “{escape(words)}”{_bracketed(marks)}", highlight=False)


def _bracketed(marks: list[str]) -> str:
    return f"  ({', '.join(marks)})" if marks else ""
