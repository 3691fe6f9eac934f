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
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from doctest import ELLIPSIS, OutputChecker
from functools import cache
from itertools import pairwise
from os import environ
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyoxigraph as ox
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.main import get_command

import kg
from kg.curation.turtle import dump, new_graph
from kg.documents.reference import markdown
from kg.graph.terms import ONTOLOGY_DIR, PAL, RDF
from kg.graph.validate import Places, shape_faults
from kg.serving import api, cli
from tests.intake_scores import tables
from tests.worked_example import example, weights

ROOT = Path(__file__).parents[1]
PAGES = {str(path.relative_to(ROOT)): path for path in sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))}
GENERATED = {"weights": weights, "example": example, "scores": tables, "reference": lambda: markdown(kg.load().knowledge).rstrip()}
NOT_RUN = {"serve", "build", "check"}
"""Commands that run long: of these only the options are checked here; other tests run them."""
COMMANDS: dict[str, Any] = get_command(cli.app).commands  # type: ignore[attr-defined]

_PYTHON = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n^```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```\n)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_GENERATED = re.compile(r"(<!-- (weights|example|scores|reference): written by tests/test_docs.py -->\n).*?(?=<!-- end -->)", re.DOTALL)


@cache
def text_of(name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language, each as (what stands behind the language on its first line, its text)."""
    return re.findall(rf"^```{language}(?: ([^\n]+))?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def samples(language: str) -> list[Any]:
    return [pytest.param(text, id=f"{name}-{number}") for name in PAGES
            for number, (_, text) in enumerate(blocks(text_of(name), language), 1)]  # fmt: skip


# ---------------------------------------------------------------------------------------------------- running samples
class Runner:
    """Runs the samples of one page in an empty folder; its methods take a match and return it with its output of now.

    An output that still matches, `...` standing for anything, stays as it is.
    """

    def __init__(self, server: TestClient | None) -> None:
        self.server = server

    def python(self, found: re.Match[str]) -> str:
        with redirect_stdout(io.StringIO()) as out:
            exec(compile(found["code"], "<sample>", "exec"), {})
        return _kept(found, out.getvalue())

    def console(self, block: re.Match[str]) -> str:
        return _COMMAND.sub(self.command, block[0])

    def command(self, found: re.Match[str]) -> str:
        words = shlex.split(found["command"].replace("\\\n", " "))
        command, redirect = (words[:-2], words[-1]) if ">" in words else (words, None)
        if command[0] == "curl":
            return _kept(found, self.curl(command[1:]))
        assert command[:3] == ["python", "-m", "kg"], "a command that is not to be run here goes into a block of sh"
        if command[3] in NOT_RUN:
            assert {word for word in command if word.startswith("--")} <= options(command[3]), command
            return found[0]
        output, status = import_tables(command[3:]) if command[3] == "import" else run_kg(command[3:])
        assert found["output"] or not status, output
        if redirect:
            Path(redirect).write_text(output, encoding="utf-8")
        return found[0] if redirect else _kept(found, output)

    def curl(self, words: list[str]) -> str:
        """`curl -s [-H HEADER] [--json BODY] [--data-urlencode NAME=VALUE] URL`, answered by the routes themselves."""
        assert self.server is not None
        body, headers, form, url = "", {}, {}, words[-1].removeprefix("http://127.0.0.1:8501")
        for option, value in pairwise(words):
            if option == "-H":
                headers[value.partition(":")[0]] = value.partition(":")[2].strip()
            elif option == "--json":
                body = value
            elif option == "--data-urlencode":
                form[value.partition("=")[0]] = value.partition("=")[2]
        if form or body:
            answer = self.server.post(url, data=form or None, content=body or None, headers=headers)
        else:
            answer = self.server.get(url, headers=headers)
        return answer.text.replace("\r\n", "\n").rstrip("\n") + "\n"


def _kept(found: re.Match[str], output: str) -> str:
    if not found["output"] or OutputChecker().check_output(found["output"], output, ELLIPSIS):
        return found[0]
    start, end = (position - found.start() for position in found.span("output"))
    return found[0][:start] + output + found[0][end:]


def run_kg(command: list[str]) -> tuple[str, int]:
    """What a command prints, and its exit status; run in this process."""
    kg.load()  # so that no progress of a build stands in the output
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(out), patch.object(sys, "argv", ["kg", *command]):
        try:
            cli.main()
        except SystemExit as stop:
            return out.getvalue(), int(stop.code or 0)
    return out.getvalue(), 0


def import_tables(command: list[str]) -> tuple[str, int]:
    """What an import prints, and its exit status; it writes to a copy of a part of the ontology."""
    if not Path("ontology").exists():
        for folder in ("evidence", "techniques"):
            shutil.copytree(ONTOLOGY_DIR / folder, Path("ontology", folder))
        Path("ontology", "conditions").mkdir()
        for name in ("palpate.ttl", "vocabulary.ttl", "conditions/plantar-fasciitis.ttl"):
            shutil.copy(ONTOLOGY_DIR / name, Path("ontology", name))
    done = subprocess.run([sys.executable, "-m", "kg", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={**environ, "PALPATE_ONTOLOGY": "ontology", "PYTHONPATH": str(ROOT)})  # fmt: skip
    return done.stdout, done.returncode


@contextmanager
def server() -> Iterator[TestClient]:
    """The routes of the server, with workers of their own."""
    with patch.object(api.protocol, "_endpoint", None), TestClient(Starlette(routes=api.routes(), lifespan=api.lifespan)) as client:
        yield client


def live(page: str) -> str:
    """The page with what its samples print now."""
    with ExitStack() as stack:
        run = Runner(stack.enter_context(server()) if "$ curl" in page else None)
        stack.enter_context(patch.dict(environ, COLUMNS="100"))
        stack.enter_context(chdir(stack.enter_context(tempfile.TemporaryDirectory())))
        for name, table in blocks(page, "csv"):
            Path(name).write_text(table, encoding="utf-8")
        page = _CONSOLE.sub(run.console, _PYTHON.sub(run.python, page))
    return _GENERATED.sub(lambda block: f"{block[1]}\n{GENERATED[block[2]]()}\n", page)


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_prints_is_live(name: str) -> None:
    assert live(text_of(name)) == text_of(name), f"{name} is stale; mend it with: python -m tests.test_docs"


@pytest.mark.parametrize("query", samples("sparql"))
def test_a_sample_query_answers_something(query: str) -> None:
    assert next(iter(kg.load().knowledge.store.query(query, use_default_graph_as_union=True)), None) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("sample", samples("turtle"))
def test_sample_turtle_is_canonical(sample: str) -> None:
    canonical = dump(new_graph().parse(data=sample, format="turtle"))
    assert sample == canonical


@pytest.mark.parametrize("name", PAGES)
def test_sample_turtle_has_the_shape(name: str) -> None:
    """What the samples of a page state together violates no shape; of what they refer to, only the types are looked at."""
    stated = [quad.triple for _, sample in blocks(text_of(name), "turtle") for quad in ox.parse(sample, format=ox.RdfFormat.TURTLE)]
    store, is_a = kg.load().knowledge.store, ox.NamedNode(RDF + "type")
    named = {triple.object for triple in stated if isinstance(triple.object, ox.NamedNode)}
    types = [quad.triple for node in named for quad in store.quads_for_pattern(node, is_a, None, None)]
    own = {triple.subject.value.removeprefix(PAL) for triple in stated}  # type: ignore[union-attr]
    faults = shape_faults([*stated, *types], ONTOLOGY_DIR / "shapes.ttl", Places([], ONTOLOGY_DIR)) if stated else []
    assert not [fault for fault in faults if fault.partition(":")[0] in own]


# ---------------------------------------------------------------------------------------------------- completeness
def options(command: str) -> set[str]:
    return {option for param in COMMANDS[command].params for option in param.opts if option.startswith("--")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    assert f"python -m kg {command}" in text_of("docs/api.md")
    assert not [option for option in options(command) if f"`{option}" not in text_of("docs/api.md")]


def test_every_setting_is_documented() -> None:
    code = [ROOT / "app.py", *(ROOT / "kg").rglob("*.py"), *(ROOT / "explorer").rglob("*.py")]
    settings = {name for path in code for name in re.findall(r"PALPATE_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert settings
    assert not [name for name in settings if f"`{name}`" not in text_of("docs/api.md")]


def test_every_route_is_documented() -> None:
    assert not [o.path for o in api.operations() if f"`{o.path}" not in text_of("docs/api.md")]


def test_every_field_of_an_answer_is_documented() -> None:
    flag = kg.load().knowledge.of_class("RedFlag")[0].slug
    answers = [kg.rank("plantar-fasciitis", phase="chronic", hazards=["warfarin"], red_flags=flags, top=3) for flags in ([], [flag])]
    fields = {field for answer in answers for field in _fields(answer.to_dict())}
    assert not sorted(field for field in fields if f"`{field}`" not in text_of("docs/api.md"))


def _fields(value: Any, name: str = "") -> Iterator[str]:
    """The names of all fields; in maps that are keyed by slugs, those of the values alone."""
    if isinstance(value, list):
        for member in value:
            yield from _fields(member)
    elif isinstance(value, dict):
        for key, member in value.items():
            if name not in ("statements", "sources", "parameters"):
                yield key
            yield from _fields(member, key)


def test_every_class_of_the_ontology_is_documented() -> None:
    classes = {q.subject.value.removeprefix(PAL) for q in ox.parse(path=str(ONTOLOGY_DIR / "palpate.ttl"))
               if q.predicate.value == RDF + "type" and q.object == ox.NamedNode("http://www.w3.org/2002/07/owl#Class")
               and isinstance(q.subject, ox.NamedNode) and q.subject.value.startswith(PAL)}  # fmt: skip
    assert not sorted(cls for cls in classes if not re.search(rf"\b{cls}\b", text_of("docs/ontology.md")))


# ---------------------------------------------------------------------------------------------------- links
def anchors(page: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page, and those that it sets itself."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    own = re.findall(r'<a id="([^"]+)"></a>', page)
    return {*own, *(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        path = (PAGES[name].parent / target).resolve() if target else PAGES[name]
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            broken.append(link)
    assert not broken


if __name__ == "__main__":
    for page_name, page_path in PAGES.items():
        if (new := live(text_of(page_name))) != text_of(page_name):
            page_path.write_text(new, encoding="utf-8")
            print(f"{page_name}: written anew")
