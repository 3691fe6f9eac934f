"""The command line: `python -m kg COMMAND`. Exit status 0 on success, 1 on a finding, 2 on bad usage.

A module holds the commands of one part. Heavy modules are imported by the command that needs them, so that `rank`
answers in about a second.
"""

import sys

from kg.errors import PalpateError
from kg.serving.cli import adapt, assess, evaluate, export, graph, intake, mcp, plan, rank
from kg.serving.cli.shared import app

__all__ = ["adapt", "app", "assess", "evaluate", "export", "graph", "intake", "main", "mcp", "plan", "rank"]


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error, never a traceback."""
    try:
        app()
    except PalpateError as error:
        print(f"error: {error.message}", file=sys.stderr)
        sys.exit(error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        sys.exit(2)
