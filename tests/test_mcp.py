"""The server of the Model Context Protocol, through a client of the official SDK."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from kg.reasoning.engine import Engine
from kg.serving import mcp

ROOT = Path(__file__).parents[1]


def talk(server: Any, conversation: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Client(server) as client:
            return await conversation(client)

    return asyncio.run(run())


def call(name: str, **arguments: Any) -> Any:
    return talk(mcp.server(), lambda client: client.call_tool(name, arguments))


def test_each_tool_is_offered_with_a_schema_and_a_description(engine: Engine) -> None:
    tools = talk(mcp.server(), lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == [tool.__name__ for tool in mcp.TOOLS]
    assert all(tool.description for tool in tools)
    rank = next(tool for tool in tools if tool.name == "rank")
    assert rank.input_schema["required"] == ["condition"]
    assert rank.input_schema["properties"]["hazards"]["anyOf"][0]["type"] == "array"


def test_rank_is_the_ranking_behind_the_gate(engine: Engine) -> None:
    answer = json.loads(call("rank", condition="frozen shoulder", hazards=["warfarin"], top=2).content[0].text)
    expected = engine.rank("adhesive-capsulitis", engine.client(hazards=["warfarin"]), 2).to_dict()
    assert answer == json.loads(json.dumps(expected))
    assert "deep-tissue-massage" in {entry["technique"] for entry in answer["withheld"]}


def test_a_red_flag_leaves_nothing_to_recommend(engine: Engine) -> None:
    flag = next(n.one("redFlag") for n in engine.knowledge.of_class("RedFlagIndication") if n.one("urgency") == "urgency-emergency")
    answer = json.loads(call("rank", condition="plantar-fasciitis", red_flags=[flag]).content[0].text)
    assert (answer["referral"]["urgency"], answer["recommended"], answer["adjuncts"]) == ("emergency", [], [])


@pytest.mark.parametrize(("tool", "arguments", "says"), [
    ("rank", {"condition": "plantar facitis"}, "Did you mean: plantar-fasciitis"),
    ("rank", {"condition": "plantar-fasciitis", "hazards": ["warfrin"]}, "There is no hazard 'warfrin'."),
    ("rank", {"condition": "plantar-fasciitis", "top": 0}, "top must be 1 or more"), ("search", {"text": "x", "limit": 0}, "limit must be"),
    ("entity", {"slug": "no-such-thing-qq"}, "There is no entity"), ("query", {"sparql": "SELECT"}, "malformed at line 1"),
    ("query", {"sparql": "DROP ALL"}, "malformed"), ("query", {"sparql": "SELECT * { SERVICE <http://a/> { } }"}, "SERVICE is refused"),
])  # fmt: skip
def test_a_mistake_is_the_error_of_the_tool(engine: Engine, tool: str, arguments: dict[str, Any], says: str) -> None:
    result = call(tool, **arguments)
    assert result.is_error
    assert says in result.content[0].text


def test_search_entity_and_query_answer(engine: Engine) -> None:
    assert json.loads(call("search", text="frozen sholder").content[0].text)["hits"][0]["slug"] == "adhesive-capsulitis"
    assert json.loads(call("entity", slug="cupping").content[0].text)["label"] == engine.knowledge.label("cupping")
    question = "PREFIX pal: <https://w3id.org/palpate/> SELECT ?x { pal:cupping a ?x } ORDER BY ?x LIMIT 1"
    table = call("query", sparql=question).content[0].text
    assert table.splitlines() == ["x", "https://w3id.org/palpate/AnyMassageTechnique"]


def test_the_command_speaks_on_standard_input_and_output(engine: Engine) -> None:
    server = StdioServerParameters(command=sys.executable, args=["-m", "kg", "mcp"], cwd=ROOT, env=dict(os.environ))
    result = talk(server, lambda client: client.call_tool("search", {"text": "M72.2", "limit": 1}))
    assert json.loads(result.content[0].text)["hits"][0]["slug"] == "plantar-fasciitis"
