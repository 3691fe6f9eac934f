"""`python -m kg screen` and `python -m kg assess`: serious disease first, then what the findings are consistent with."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kg.errors import PalpateError
from kg.serving.cli import shared

if TYPE_CHECKING:
    from rich.console import Console

    from kg.reasoning.assess import Assessment
    from kg.reasoning.screen import Screening

_QUESTIONS, _CONDITIONS, _NEXT = 10, 8, 5


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


@shared.app.command()
def screen(
    complaint: Annotated[str | None, typer.Option(help="A condition, or a region of the body.")] = None,
    region: Annotated[str | None, typer.Option(help="The region that hurts.")] = None,
    age: Annotated[int | None, typer.Option(help="Age in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.")] = None,
    present: Annotated[
        list[str] | None, typer.Option(help="A red flag, finding, hazard or condition that is there; may be repeated.")
    ] = None,
    absent: Annotated[list[str] | None, typer.Option(help="The same, asked about and not there; may be repeated.")] = None,
    letter: Annotated[Path | None, typer.Option(help="Write a letter of referral to this file, .md or .pdf.")] = None,
    format: Annotated[Format, typer.Option(help="table shows the first ten questions, json all.")] = Format.table,
) -> None:
    """Screen a complaint for serious disease: what to ask, what is suspected, whether to refer."""
    answer = shared.engine().screen(complaint, region, age, sex, present or (), absent or ())
    if letter:
        _write_letter(answer, letter)
    if format is Format.json:
        print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=1))
    else:
        _print_screening(answer)


@shared.app.command()
def assess(
    finding: Annotated[list[str] | None, typer.Option(help="A finding or red flag that is there; may be repeated.")] = None,
    absent: Annotated[list[str] | None, typer.Option(help="A finding that was asked about and is not there; may be repeated.")] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="An orthopedic test and its result, SLUG=positive or SLUG=negative; may be repeated.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="The region that hurts.")] = None,
    age: Annotated[int | None, typer.Option(help="Age in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male.")] = None,
    format: Annotated[Format, typer.Option(help="table shows the first conditions, json all.")] = Format.table,
) -> None:
    """Say which conditions findings and tests are consistent with, and what to ask or test next."""
    from kg.reasoning.assess import results_of

    answer = shared.engine().assess(finding or (), absent or (), results_of(test or ()), region, age, sex)
    if format is Format.json:
        print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=1))
    else:
        _print_assessment(answer)


def _write_letter(answer: "Screening", file: Path) -> None:
    from kg.documents.letter import as_markdown, as_pdf

    match file.suffix.lower():
        case ".md":
            file.write_text(as_markdown(answer), encoding="utf-8")
        case ".pdf":
            file.write_bytes(as_pdf(answer))
        case other:
            raise PalpateError(f"A letter is written as .md or .pdf, not as {other or 'a file without an ending'!r}.")


def _print_screening(answer: "Screening") -> None:
    from rich.console import Console

    console = Console()
    _print_referral(console, answer)
    _print_questions(console, answer.questions[:_QUESTIONS], len(answer.questions))
    label = answer.knowledge.label
    console.print(f"Considered: {'; '.join(map(label, answer.considered))}", style="dim", highlight=False, markup=False)
    _print_foot(console, answer)


def _print_referral(console: "Console", answer: "Screening") -> None:
    from rich.markup import escape

    referral = answer.referral
    if referral is None:
        console.print("Nothing that was told so far calls for a referral. That does not exclude disease: ask on.")
    else:
        console.print(f"[bold red]Refer: {referral.urgency}[/bold red]")
        for reason in referral.reasons:
            excluded = f" - to be excluded: {escape(reason.pathology_label)}" if reason.pathology_label else ""
            console.print(f"  {escape(reason.label)}{excluded} ({reason.urgency})", highlight=False)
        for text in answer.do_now:
            console.print(f"  [bold]Now:[/bold] {escape(text)}", highlight=False)
        console.print(f"  [bold]Say:[/bold] {escape(answer.to_client or '')}", highlight=False)
    label = answer.knowledge.label
    for suspicion in answer.suspected:
        against = f"; against: {', '.join(map(label, suspicion.against))}" if suspicion.against else ""
        console.print(f"  Suspicion {suspicion.words}: {suspicion.label} ({suspicion.probability:.1%}), for: "
                      f"{', '.join(map(label, suspicion.supporting))}{against}", highlight=False, markup=False)  # fmt: skip
    suspected = {suspicion.pathology for suspicion in answer.suspected}
    for rule in answer.rules:
        if rule.reading or (rule.applies and rule.met and rule.pathology in suspected):
            state = rule.reading or f"open: {'; '.join(rule.missing)}"
            console.print(f"  {rule.label}: {rule.points:g} point{'' if rule.points == 1 else 's'}, {state}", highlight=False, markup=False)


def _print_questions(console: "Console", questions: tuple, total: int) -> None:  # type: ignore[type-arg]
    if questions:
        console.print(f"\n[bold]Ask first[/bold] (of {total})")
    for place, question in enumerate(questions, 1):
        console.print(f"{place:>3}. {question.question}  [{question.finding}]", highlight=False, markup=False)
        console.print(f"     {question.urgency}: {question.why}", style="dim", highlight=False, markup=False)


def _print_assessment(answer: "Assessment") -> None:
    from rich.console import Console

    console = Console()
    _print_referral(console, answer.screening)
    _print_questions(console, answer.screening_questions, len(answer.screening.questions))
    if not answer.to_be_acted_upon:
        console.print("\n[bold]Not to be acted upon before a physician has seen the client:[/bold]")
    console.print(f"\n[bold]Consistent with[/bold] (confidence {answer.confidence}: {answer.confidence_reason})", highlight=False)
    for candidate in answer.differential[:_CONDITIONS]:
        hints = [f"{hint.label}{' (not there)' if hint.answer == 'absent' else ''}" for hint in candidate.supporting[:3]]
        console.print(f"{candidate.probability:>5.0%}  {candidate.label}" + (f": {'; '.join(hints)}" if hints else ""),
                      highlight=False, markup=False)  # fmt: skip
    console.print(f"{answer.other:>5.0%}  none of these", highlight=False)
    console.print("\n[bold]Next[/bold]")
    for step in answer.next[:_NEXT]:
        console.print(f"  {step.question}  [{step.kind} {step.slug}, {step.expected_information:.2f} bits]", highlight=False, markup=False)
    _print_foot(console, answer.screening)


def _print_foot(console: "Console", answer: "Screening") -> None:
    version = answer.version
    console.print(f"Graph {version.version} {version.sha256[:12]}. A decision aid for trained people; it does not diagnose.", style="dim")
