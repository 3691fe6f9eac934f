"""What can go wrong through a user's doing: one clear sentence each, never a traceback.

>>> UnknownName("condition", "plantar facitis", ["plantar-fasciitis"]).message
"There is no condition 'plantar facitis'. Did you mean: plantar-fasciitis?"
"""

from collections.abc import Sequence


class PalpateError(Exception):
    """A mistake in what was asked or written; `message` says what is wrong and what would be right."""

    exit_status = 2

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownName(PalpateError):
    """A name that the graph does not hold, with the nearest that it does."""

    def __init__(self, kind: str, name: str, nearest: Sequence[str]) -> None:
        hint = f" Did you mean: {', '.join(nearest)}?" if nearest else ""
        super().__init__(f"There is no {kind} {name!r}.{hint}")
        self.kind, self.name, self.nearest = kind, name, tuple(nearest)


class GraphError(PalpateError):
    """The ontology cannot be built: broken Turtle, a violated shape, an inconsistency. One line per fault."""

    exit_status = 1

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def syntax_fault(where: object, error: SyntaxError) -> str:
    """One line for a file that is no Turtle: the file and line, and what the parser of Oxigraph met."""
    return f"{where}:{error.lineno or 1}: {str(error.msg).partition(': ')[2] or error.msg}"


class TableError(PalpateError):
    """A table that cannot be imported, with each fault by file and line."""

    exit_status = 1

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
