"""`python -m kg plan`: a treatment plan over several sessions, and the check of an edited one."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kg.errors import PalpateError
from kg.serving.cli import shared


class PlanFormat(StrEnum):
    """In which form a plan is written."""

    markdown = "markdown"
    json = "json"
    pdf = "pdf"
    client_pdf = "client-pdf"
    fhir = "fhir"
    ics = "ics"


@shared.app.command()
def plan(
    condition: Annotated[str | None, typer.Argument(help="Slug, label, synonym or ICD-10-CM code of a condition.")] = None,
    phase: Annotated[str | None, typer.Option(help="acute, subacute, chronic or postoperative.")] = None,
    irritability: Annotated[str | None, typer.Option(help="low, moderate or high.")] = None,
    hazard: Annotated[
        list[str] | None, typer.Option(help="A hazard of the client: NAME, or NAME=YYYY-MM-DD beside --on; may be repeated.")
    ] = None,
    red_flag: Annotated[list[str] | None, typer.Option(help="A red flag that was found; may be repeated.")] = None,
    on: Annotated[str | None, typer.Option(help="Date of the first session, YYYY-MM-DD; else that of --start.")] = None,
    age: Annotated[int | None, typer.Option(help="Age in years; brings the hazards of that age.")] = None,
    sessions: Annotated[int | None, typer.Option(help="How many sessions, 1 to 40; else as published protocols gave.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes of one session at most, 15 to 120; else likewise.")] = None,
    baseline: Annotated[list[str] | None, typer.Option(help="A first score, MEASURE=NUMBER; may be repeated.")] = None,
    start: Annotated[str | None, typer.Option(help="Day of the first session, YYYY-MM-DD; needed for ics, used by fhir.")] = None,
    format: Annotated[PlanFormat, typer.Option(help="pdf is for the therapist, client-pdf for the client.")] = PlanFormat.markdown,
    output: Annotated[Path | None, typer.Option(help="Write to this file; else to standard output.")] = None,
    edited: Annotated[Path | None, typer.Option("--from", help="Take the plan from this JSON file instead of making one.")] = None,
    check: Annotated[Path | None, typer.Option(help="Only check the plan in this JSON file; exit status 1 where it is unsafe.")] = None,
) -> None:
    """Plan a treatment over several sessions, or check or print one that was edited."""
    from kg.documents.plan import export, first_day
    from kg.reasoning.plan import Planner

    if sum(given is not None for given in (condition, edited, check)) != 1:
        raise PalpateError("Give one of these: CONDITION, --from FILE or --check FILE.")
    planner = Planner(shared.engine())
    if check:
        _check(planner, _read(check))
        return
    if condition:
        client = planner.engine.client(phase, irritability, hazard or (), red_flag or (), on or start, age)
        made: Any = planner.plan(condition, client, sessions=sessions, minutes=minutes, baselines=_scores(baseline or [])).to_dict()
    else:
        made = _read(edited)
    document = export(planner, made, format, first_day(start))
    if output:
        output.write_bytes(document.content)
    elif document.media_type == "application/pdf" and sys.stdout.isatty():
        raise PalpateError("A PDF is no text; name a file: --output FILE.")
    else:
        _print(document.content)


def _print(content: bytes) -> None:
    """Write to standard output, as bytes where it takes them."""
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(content + (b"" if content.endswith(b"\n") else b"\n"))
        sys.stdout.buffer.flush()
    else:
        print(content.decode("utf-8", "replace"))


def _check(planner: Any, edited: Any) -> None:
    from kg.reasoning.plan import check

    findings = check(planner, edited)
    for finding in findings:
        print(f"{finding.kind}: {finding}" + (f" [{', '.join(finding.sources)}]" if finding.sources else ""))
    if findings:
        raise typer.Exit(1)
    print("The plan is safe as far as the graph knows.")


def _read(file: Path | None) -> Any:
    assert file
    try:
        return json.loads(shared.read(file))
    except ValueError as error:
        raise PalpateError(f"{file} is no JSON: {error}.") from None


def _scores(words: list[str]) -> dict[str, float]:
    """`MEASURE=NUMBER` as numbers by measure."""
    found = {}
    for word in words:
        name, _, number = word.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise PalpateError(f"A baseline is MEASURE=NUMBER, not {word!r}.") from None
    return found
