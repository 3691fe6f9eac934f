"""`python -m kg fit`, `evaluate`, `diff`: choose the weights, measure the ranking, tell versions apart."""

from datetime import date
from typing import Annotated

import typer

from kg.serving.cli import shared


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
