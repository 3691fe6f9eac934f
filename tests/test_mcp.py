"""The server of the Model Context Protocol, through a client of the official SDK: in memory, and over standard input and output."""

import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

import kg
from kg.reasoning.engine import Engine
from kg.serving import mcp
from kg.serving.api import operations

ROOT = Path(__file__).parents[1]
KNOWLEDGE = kg.load().knowledge
FLAG = next(n.one("redFlag") for n in KNOWLEDGE.of_class("RedFlagIndication") if n.one("urgency") == "urgency-emergency")
HAZARDS = st.lists(st.sampled_from([node.slug for node in KNOWLEDGE.of_class("Hazard")]), max_size=3, unique=True)
CONDITIONS = st.sampled_from([node.slug for node in KNOWLEDGE.of_class("Condition")])
ASKED: dict[str, dict[str, Any]] = {
    "rank": {"condition": "frozen shoulder", "hazards": ["warfarin"], "top": 2}, "search": {"text": "frozen sholder"},
    "compare": {"condition": "M72.2", "techniques": ["myofascial-release", "cupping"]}, "what_if": {"condition": "M72.2", "top": 2},
    "adapt": {"hazards": ["Coumadin", "pregnancy"]}, "screen": {"region": "leg", "present": ["dvt-calf-swelling"]},
    "assess": {"findings": ["painful-arc-shoulder"], "tests": {"neer": "positive"}}, "intake": {"text": "On Eliquis for AFib."},
    "plan": {"condition": "frozen shoulder", "phase": "chronic", "sessions": 3}, "entity": {"entity": "cupping"},
    "query": {"sparql": "PREFIX pal: <https://w3id.org/palpate/> SELECT ?x { pal:cupping a ?x } ORDER BY ?x LIMIT 1"},
}  # fmt: skip


def talk(server: Any, conversation: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Client(server) as client:
            return await conversation(client)

    return asyncio.run(run())


def call(name: str, /, **arguments: Any) -> Any:
    return talk(mcp.server(), lambda client: client.call_tool(name, arguments))


def answer(name: str, /, **arguments: Any) -> Any:
    result = call(name, **arguments)
    assert not result.is_error, result.content[0].text
    return json.loads(result.content[0].text)


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


# ---------------------------------------------------------------------------------------------------- what is offered
def test_each_tool_of_the_registry_is_offered_in_plain_words(engine: Engine) -> None:
    tools = talk(mcp.server(), lambda client: client.list_tools()).tools
    assert {tool.name for tool in tools} == {o.tool.name for o in operations() if o.tool} | {"query"}
    assert {"rank", "search", "entity", "query", "assess", "plan", "screen", "intake", "adapt"} <= {tool.name for tool in tools}
    for tool in tools:
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        assert "$ref" not in json.dumps(tool.input_schema)
        assert tool.description
        assert all(argument["description"] for argument in tool.input_schema["properties"].values())
        assert tool.annotations.read_only_hint


def test_what_an_argument_may_be_is_what_the_graph_holds(engine: Engine) -> None:
    tools = {tool.name: tool.input_schema for tool in talk(mcp.server(), lambda client: client.list_tools()).tools}
    rank, screen = tools["rank"]["properties"], tools["screen"]["properties"]
    assert tools["rank"]["required"] == ["condition"]
    assert rank["phase"]["enum"] == [node.slug for node in sorted(KNOWLEDGE.of_class("Phase"), key=lambda n: n.number("order"))]
    assert set(rank["irritability"]["enum"]) == {n.slug.removeprefix("irritability-") for n in KNOWLEDGE.of_class("Irritability")}
    assert set(screen["sex"]["enum"]) == {n.slug.removeprefix("sex-") for n in KNOWLEDGE.of_class("Sex")}
    assert rank["hazards"]["type"] == "array"
    assert {"pdf", "fhir", "ics", "markdown"} <= set(tools["plan"]["properties"]["format"]["enum"])


@pytest.mark.parametrize("name", ASKED)
def test_every_answer_names_its_graph(engine: Engine, name: str) -> None:
    schema = mcp.described(name, mcp.offered()[name]).input_schema
    jsonschema.Draft202012Validator(schema).validate(ASKED[name])
    text = call(name, **ASKED[name]).content[0].text
    version = KNOWLEDGE.version
    assert (f"Graph {version.version} {version.sha256[:12]}" in text) if name == "plan" else json.loads(text)["graph"] == version.to_dict()


# ---------------------------------------------------------------------------------------------------- the same answers
def test_rank_is_the_ranking_of_the_library(engine: Engine) -> None:
    expected = plain(engine.rank("adhesive-capsulitis", engine.client(hazards=["warfarin"]), 2).to_dict())
    assert answer("rank", **ASKED["rank"], full=True) == expected
    short = answer("rank", **ASKED["rank"])
    assert "deep-tissue-massage" in {entry["technique"] for entry in short["withheld"]}
    for part in ("referral", "withheld", "modifications", "set_aside", "sources"):
        assert short[part] == expected[part]
    assert [(e["technique"], e["score"], e["cautions"]) for e in short["recommended"]] == [
        (e["technique"], e["score"], e["cautions"]) for e in expected["recommended"]
    ]
    assert not [entry for entry in short["recommended"] if "rationale" in entry]


def test_the_tools_answer_as_the_library(engine: Engine) -> None:
    assert answer("assess", **ASKED["assess"]) == plain(kg.assess(["painful-arc-shoulder"], tests={"neer": "positive"}).to_dict())
    assert answer("screen", **ASKED["screen"]) == plain(kg.screen(region="leg", present=["dvt-calf-swelling"]).to_dict())
    assert answer("adapt", **ASKED["adapt"]) == plain(kg.adapt(["Coumadin", "pregnancy"]).to_dict())
    assert answer("intake", **ASKED["intake"]) == plain(kg.intake("On Eliquis for AFib.").to_dict())
    assert answer("compare", **ASKED["compare"]) == plain(kg.compare("M72.2", "myofascial-release", "cupping").to_dict())
    assert answer("search", text="frozen sholder")["hits"][0]["slug"] == "adhesive-capsulitis"
    assert answer("entity", entity="cupping")["label"] == engine.knowledge.label("cupping")
    assert answer("query", **ASKED["query"])["answer"].splitlines() == ["x", "https://w3id.org/palpate/AnyMassageTechnique"]


def test_a_plan_comes_in_each_form_and_is_checked(engine: Engine) -> None:
    made = answer("plan", **ASKED["plan"], format="json")
    assert made == plain(kg.plan("frozen shoulder", phase="chronic", sessions=3).to_dict())
    assert answer("check_plan", plan=made)["findings"] == []
    assert call("plan", plan=made).content[0].text.startswith("# ")
    assert base64.b64decode(call("plan", plan=made, format="pdf").content[0].resource.blob).startswith(b"%PDF")
    withheld = answer("rank", condition="frozen shoulder", hazards=["warfarin"])["withheld"][0]["technique"]
    made["context"]["hazards"] = ["warfarin"]
    made["sessions"][0]["steps"][0]["technique"] = withheld
    assert "unsafe" in {finding["kind"] for finding in answer("check_plan", plan=made)["findings"]}
    refused = call("plan", plan=made)
    assert refused.is_error
    assert "is withheld" in refused.content[0].text


# ---------------------------------------------------------------------------------------------------- safety
def test_a_red_flag_leaves_nothing_to_recommend(engine: Engine) -> None:
    ranked = answer("rank", condition="plantar-fasciitis", red_flags=[FLAG])
    planned = answer("plan", condition="plantar-fasciitis", red_flags=[FLAG], format="json")
    assert (ranked["referral"]["urgency"], ranked["recommended"], ranked["adjuncts"]) == ("emergency", [], [])
    assert (planned["referral"]["urgency"], planned["sessions"]) == ("emergency", [])


@given(CONDITIONS, HAZARDS)
@settings(max_examples=15, deadline=None)
def test_what_is_forbidden_is_neither_ranked_nor_planned(condition: str, hazards: list[str]) -> None:
    forbidden = {w.technique for w in kg.rank(condition, hazards=hazards).withheld}
    ranked = answer("rank", condition=condition, hazards=hazards, top=100)
    assert {entry["technique"] for entry in ranked["withheld"]} == forbidden
    assert not forbidden & {entry["technique"] for name in ("recommended", "adjuncts", "discuss") for entry in ranked[name]}
    planned = answer("plan", condition=condition, hazards=hazards, sessions=2, format="json")
    assert not forbidden & {step["technique"] for session in planned["sessions"] for step in session["steps"]}


# ---------------------------------------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(("tool", "arguments", "says"), [
    ("rank", {"condition": "plantar facitis"}, "Did you mean: plantar-fasciitis"),
    ("rank", {"condition": "plantar-fasciitis", "hazards": ["warfrin"]}, "There is no hazard 'warfrin'. Did you mean: "),
    ("rank", {"condition": "plantar-fasciitis", "hazards": "warfarin"}, "hazards must be a list of texts, not 'warfarin'."),
    ("rank", {"condition": "plantar-fasciitis", "hazzards": ["warfarin"]}, "Unknown field 'hazzards'; there are age, "),
    ("rank", {"condition": "plantar-fasciitis", "hazard": [], "hazards": []}, "Give hazard or hazards, not both."),
    ("rank", {"condition": "plantar-fasciitis", "top": 0}, "top must be a whole number of 1 or more, not 0."),
    ("rank", {"condition": "plantar-fasciitis", "phase": "cronic"}, "There is no phase 'cronic'. Did you mean: chronic?"),
    ("rank", {}, "The field 'condition' is missing."), ("search", {"text": "x", "limit": 0}, "limit must be a whole number from 1 to 100"),
    ("screen", {"region": "sholder"}, "There is no body region 'sholder'. Did you mean: shoulder"),
    ("assess", {"tests": {"neer": "perhaps"}}, "There is no result of a test 'perhaps'."), ("adapt", {}, "Name"),
    ("compare", {"condition": "M72.2", "techniques": ["cupping"]}, "Name two techniques to compare."),
    ("plan", {}, "Give one of these fields: condition, plan."), ("plan", {"condition": "M72.2", "format": "docx"}, "There is no format"),
    ("plan", {"condition": "M72.2", "sessions": 400}, "sessions must be a whole number from 1 to 40, not 400."),
    ("intake", {"text": ""}, "text must be a text"), ("entity", {"entity": "no-such-thing-qq"}, "There is no entity"),
    ("query", {"sparql": "SELECT"}, "malformed at line 1"), ("query", {"sparql": "DROP ALL"}, "malformed"),
    ("query", {"sparql": "SELECT * { SERVICE <http://a/> { } }"}, "SERVICE is refused"),
])  # fmt: skip
def test_a_mistake_is_the_error_of_the_tool_in_one_sentence(engine: Engine, tool: str, arguments: dict[str, Any], says: str) -> None:
    result = call(tool, **arguments)
    assert result.is_error
    assert says in result.content[0].text
    assert "\n" not in result.content[0].text
    assert "Traceback" not in result.content[0].text


def test_an_unknown_tool_is_an_error_with_the_nearest(engine: Engine) -> None:
    async def conversation(client: Client) -> str:
        with pytest.raises(MCPError) as told:
            await client.call_tool("asses", {})
        return told.value.message

    assert talk(mcp.server(), conversation) == "There is no tool 'asses'. Did you mean: assess?"


NAMES = sorted({p.field for operation in mcp.offered().values() for p in operation.parameters})
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers() | st.text(max_size=8), max_size=3)


@given(st.sampled_from(sorted(mcp.offered())), st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), VALUES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_no_arguments_break_a_tool(tool: str, arguments: dict[str, Any]) -> None:
    result = call(tool, **arguments)
    assert result.content[0].text
    assert result.is_error == (not result.content[0].text.startswith(("{", "# ")))


# ---------------------------------------------------------------------------------------------------- the configuration in the docs
def test_the_configuration_of_the_docs_starts_a_server_that_answers(engine: Engine) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    told = json.loads(next(block for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL) if "mcpServers" in block))
    server = told["mcpServers"]["palpate"]
    assert server["command"] == "/path/to/palpate/.venv/bin/python"
    here = StdioServerParameters(
        command=sys.executable, args=server["args"], env={**os.environ, **{name: str(ROOT) for name in server["env"]}}, cwd="/"
    )

    async def conversation(client: Client) -> tuple[Any, Any, Any]:
        found = await client.call_tool("search", {"text": "M72.2", "limit": 1})
        ranked = await client.call_tool("rank", {"condition": "M72.2", "hazards": ["warfarin"], "top": 1})
        return found, ranked, await client.call_tool("rank", {"condition": "M72.22"})

    found, ranked, refused = talk(here, conversation)
    assert json.loads(found.content[0].text)["hits"][0]["slug"] == "plantar-fasciitis"
    assert "deep-tissue-massage" in {entry["technique"] for entry in json.loads(ranked.content[0].text)["withheld"]}
    assert refused.is_error
