"""`python -m kg fit`, `evaluate`, `diff`: choose the weights, measure the ranking, tell versions apart."""

import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kg.serving.cli import shared


class DiffFormat(StrEnum):
    """How a difference is printed."""

    markdown = "markdown"
    json = "json"


@shared.app.command()
def fit(
    on: Annotated[str | None, typer.Option(help="The day to record, YYYY-MM-DD; today by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the weights and write nothing.")] = False,
) -> None:
    """Fit the weights of the score to held-out evidence and write them to scoring.ttl."""
    from kg.curation.fit import Fit, write
    from kg.errors import PalpateError

    try:
        day = date.fromisoformat(on) if on else date.today()
    except ValueError:
        raise PalpateError(f"--on must be a day such as 2026-01-31, not {on!r}.") from None
    fitting = Fit(shared.engine().knowledge)
    found = fitting.run(shared.note)
    for slug, value in found.weights.items():
        print(f"{slug}\t{fitting.reasoned[slug]:g}\t{value:g}")
    print(f"Objective on sources that had no part in choosing: {found.as_reasoned:.4f} as reasoned, {found.as_fitted:.4f} as fitted.")
    if not dry_run:
        print(f"Written to {write(found, day)}")


@shared.app.command()
def evaluate(
    output: Annotated[Path | None, typer.Option(help="Write the page to this Markdown file and the figure beside it.")] = None,
) -> None:
    """Measure the ranking on evidence that is held out, against baselines."""
    from kg.curation.evaluate import Evaluator
    from kg.documents.evaluation import FIGURE, figure, markdown

    knowledge = shared.engine().knowledge
    found = Evaluator(knowledge).run(shared.note)
    page = markdown(found, knowledge)
    if output is None:
        print(page, end="")
        return
    output.write_text(page, encoding="utf-8")
    output.with_name(FIGURE).write_text(figure(found), encoding="utf-8")
    print(f"Written to {output}")


@shared.app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="A folder of Turtle files, or a built graph (.nq).")],
    new: Annotated[Path, typer.Argument(help="The same, of the later version.")],
    format: Annotated[DiffFormat, typer.Option(help="Release notes or JSON.")] = DiffFormat.markdown,
) -> None:
    """List which recommendations moved between two versions of the graph, and why."""
    from kg.curation.diff import diff as run
    from kg.curation.diff import opened

    found = run(opened(old), opened(new))
    print(json.dumps(found.to_dict(), ensure_ascii=False, indent=1) if format is DiffFormat.json else found.to_markdown().rstrip())
