"""`python -m kg adapt`: how treatment is changed for what a client has."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kg.serving.cli import shared

if TYPE_CHECKING:
    from rich.console import Console

    from kg.graph.knowledge import Knowledge
    from kg.reasoning.adapt import ModificationPlan


class Format(StrEnum):
    """How a plan of modifications is printed."""

    table = "table"
    json = "json"


@shared.app.command()
def adapt(
    condition: Annotated[str | None, typer.Option(help="A condition; the hazards that it brings count as well.")] = None,
    phase: Annotated[str | None, typer.Option(help="acute, subacute, chronic or postoperative.")] = None,
    hazard: Annotated[list[str] | None, typer.Option(help="A hazard of the client: NAME or NAME=YYYY-MM-DD; may be repeated.")] = None,
    red_flag: Annotated[list[str] | None, typer.Option(help="A red flag that was found; may be repeated.")] = None,
    on: Annotated[str | None, typer.Option(help="The date of the session, YYYY-MM-DD; a dated hazard needs it.")] = None,
    format: Annotated[Format, typer.Option(help="How the plan is printed.")] = Format.table,
) -> None:
    """Adapt treatment to several hazards at once: position, pressure, area, time, and what to watch."""
    engine = shared.engine()
    advice = engine.adapt(engine.client(phase, None, hazard or (), red_flag or (), on), condition)
    if format is Format.json:
        print(json.dumps(advice.to_dict(), ensure_ascii=False, indent=1))
        return
    from rich.console import Console

    console = Console(highlight=False)
    if advice.referral:
        console.print(f"[bold red]Refer: {advice.referral.urgency}[/bold red]  {advice.referral.action}")
    if advice.plan:
        print_plan(console, advice.plan, engine.knowledge, whole=True)
    elif not advice.referral:
        console.print("Nothing is known that asks for an adaptation.")
    console.print(f"Graph {advice.version.version} {advice.version.sha256[:12]}. A decision aid for trained people; it does not diagnose.",
                  style="dim")  # fmt: skip


_DECISIONS = {
    "refer": "Refer now; no treatment",
    "withhold": "No hands-on treatment until this is lifted",
    "clear": "Only after somebody's word",
    "adapt": "Adapt",
}


def print_plan(console: "Console", plan: "ModificationPlan", knowledge: "Knowledge", whole: bool) -> None:
    """The plan as lines: the limits first, then what to do, a line for each kind, or with `whole` for each instruction."""
    from rich.markup import escape

    def because(hazards: tuple[str, ...]) -> str:
        return escape(", ".join(map(knowledge.label, hazards)))

    console.print(f"[bold]Modifications[/bold]: {_DECISIONS[plan.decision]}", highlight=False)
    for standing in plan.hazards if whole else ():
        where = f", {escape(standing.where)}" if standing.where else ""
        console.print(f"  [bold]{escape(standing.label)}[/bold] ({standing.level or 'no rule'}{where})", highlight=False)
    held = {reason.rule: reason for standing in plan.hazards for reason in standing.held_by}
    for reason in held.values():
        lifts = f" Lifted by: {escape(reason.lifts.text)}." if reason.lifts else ""
        unless = f" ({escape(reason.circumstance)})" if reason.circumstance else ""
        console.print(f"  Held back: {escape(reason.label)}{unless}: {escape(reason.action)}.{lifts}", highlight=False)
    if plan.conflict:
        console.print(f"  [bold red]{escape(plan.conflict)}[/bold red]", highlight=False)
    for limit in plan.positions_avoided:
        console.print(f"  Not {escape(limit.label)} ({because(limit.hazards)})", highlight=False)
    if plan.positions_avoided and plan.positions_left:
        console.print(f"  Positions left: {escape(', '.join(limit.label for limit in plan.positions_left))}", highlight=False)
    if plan.pressure:
        console.print(f"  Pressure at most {escape(plan.pressure.label)} ({because(plan.pressure.hazards)})", highlight=False)
    if plan.minutes:
        console.print(f"  At most {plan.minutes} minutes ({because(plan.minutes_hazards)})", highlight=False)
    for limit in plan.regions_avoided:
        console.print(f"  Leave out: {escape(limit.label)} ({because(limit.hazards)})", highlight=False)
    if whole:
        for instruction in plan.instructions:
            what = f"  {escape(instruction.label.capitalize())}: {escape(instruction.text)}"
            console.print(f"{what} [dim]{because(instruction.hazards)}[/dim]", highlight=False)
    else:
        by_kind: dict[str, list[str]] = {}
        for instruction in plan.instructions:
            by_kind.setdefault(instruction.label, []).append(instruction.text)
        for label, texts in by_kind.items():
            console.print(f"  {escape(label.capitalize())}: {escape(' '.join(texts))}", highlight=False)
