"""What all commands share: the application, the query layer, and how files are read."""

import sys
from pathlib import Path

import typer

from kg.errors import PalpateError
from kg.reasoning.engine import Engine

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="Palpate: techniques of orthopedic massage for a condition and a client, safe and explained.")  # fmt: skip


def note(step: str) -> None:
    """Tell on standard error what is being done, so that standard output holds the answer alone."""
    print(f"{step} ...", file=sys.stderr)


def engine() -> Engine:
    """The query layer over the graph, built first where the cache does not hold it."""
    from kg.graph.knowledge import load

    return Engine(load(progress=note))


def read(file: Path) -> str:
    """The text of a file, or of standard input for `-`.

    Raises:
        PalpateError: where it cannot be read as UTF-8 text.
    """
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PalpateError(f"{file} cannot be read as UTF-8 text ({type(error).__name__}).") from None
