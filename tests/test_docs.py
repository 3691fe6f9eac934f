"""The documentation, checked: samples run, what the pages print is live, links lead somewhere, nothing is left out.

`python -m tests.test_docs` writes anew what the pages print: outputs of samples, the weights, the worked example.
"""

import io
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from doctest import ELLIPSIS, OutputChecker
from functools import cache
from os import environ
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
from rdflib import Graph
from typer.main import get_command

import kg
from kg.curation.turtle import dump, new_graph
from kg.graph.terms import ONTOLOGY_DIR, PAL, RDF
from kg.graph.validate import Places, shape_faults
from kg.serving import cli
from kg.serving.http import lifespan, routes
from tests.worked_example import example, weights

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN = {"serve", "build", "check"}
"""Commands that run long: here only their options are looked at; .ci/run and other tests run them."""
GENERATED: dict[str, Callable[[], str]] = {"weights": weights, "example": example}
MEND = "mend it with: python -m tests.test_docs"

_PYTHON = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n^```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^```console\n(?P<body>.*?)^```\n", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_GENERATED = re.compile(r"(?<=<!-- (?P<name>weights|example): written by tests/test_docs.py -->\n).*?(?=<!-- end -->)", re.DOTALL)


def blocks(text: str, language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language, each with what stands behind the language on its first line."""
    return re.findall(rf"^```{language}(?: ([^\n]+))?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


# ---------------------------------------------------------------------------------------------------- running samples
def live(page: str) -> str:
    """The page with what its samples print now; an output that matches, `...` standing for anything, stays as it is."""
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch), patch.dict(environ, COLUMNS="100"):
        for name, table in blocks(page, "csv"):
            Path(name).write_text(table, encoding="utf-8")
        page = _PYTHON.sub(_run_python, page)
        page = _CONSOLE.sub(lambda block: _replace(block, "body", _COMMAND.sub(_run_command, block["body"])), page)
    return _GENERATED.sub(lambda block: f"\n{GENERATED[block['name']]()}\n\n", page)


def _replace(found: re.Match[str], group: str, text: str) -> str:
    start = found.start()
    return found[0][: found.start(group) - start] + text + found[0][found.end(group) - start :]


def _kept(found: re.Match[str], output: str) -> str:
    return found[0] if OutputChecker().check_output(found["output"], output, ELLIPSIS) else _replace(found, "output", output)


def _run_python(found: re.Match[str]) -> str:
    with redirect_stdout(io.StringIO()) as out:
        exec(compile(found["code"], "<sample>", "exec"), {})
    return found[0] if found["output"] is None else _kept(found, out.getvalue())


def _run_command(found: re.Match[str]) -> str:
    words = shlex.split(found["command"].replace("\\\n", " "))
    if words[0] == "curl":
        return _kept(found, _curl(words[1:]))
    if words[:3] != ["python", "-m", "kg"]:
        return found[0]
    command, redirect = words[3:], None
    if ">" in command:
        command, (_, redirect) = command[:-2], command[-2:]
    if command[0] in NOT_RUN:
        _known_options(command)
        return found[0]
    output = _import(command) if command[0] == "import" else _kg(command)
    if redirect:
        Path(redirect).write_text(output, encoding="utf-8")
    return found[0] if redirect or not found["output"] else _kept(found, output)


def _known_options(command: list[str]) -> None:
    options = {name for param in get_command(cli.app).commands[command[0]].params for name in param.opts}  # type: ignore[attr-defined]
    assert {word for word in command if word.startswith("--")} <= options, command


def _kg(command: list[str]) -> str:
    kg.load()  # so that no progress of a build stands in the output
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(out), patch.object(sys, "argv", ["kg", *command]):
        try:
            cli.main()
        except SystemExit:
            pass
    return out.getvalue()


def _import(command: list[str]) -> str:
    """Import into a part of the ontology, as a copy."""
    for folder in ("evidence", "techniques"):
        shutil.copytree(ONTOLOGY_DIR / folder, f"ontology/{folder}", dirs_exist_ok=Path(f"ontology/{folder}/sources.ttl").exists() is False)
    for name in ("palpate.ttl", "vocabulary.ttl", "conditions/plantar-fasciitis.ttl"):
        Path("ontology", name).parent.mkdir(exist_ok=True)
        shutil.copy(ONTOLOGY_DIR / name, Path("ontology", name))
    done = subprocess.run([sys.executable, "-m", "kg", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**environ, "PALPATE_ONTOLOGY": "ontology", "PYTHONPATH": str(ROOT)}, check=False)  # fmt: skip
    return done.stdout
