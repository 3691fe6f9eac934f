"""The Model Context Protocol: assistants have the operations of the API as tools, behind the same gate of safety as everybody.

The tools are those of the registry of `kg.serving.api`, and one to query; a new operation that declares a `Tool` is offered
without a change here. A mistake is told to the assistant as the error of the tool, in the one sentence that people get.
"""

import base64
import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

import kg
from kg.documents.plan import Document
from kg.errors import PalpateError, UnknownName
from kg.graph.names import nearest
from kg.serving.api import operations
from kg.serving.api.operations import Arguments, Operation, Parameter, Tool, from_object, object_of
from kg.serving.api.schema import FLAG, TEXT, components, inlined
from kg.serving.sparql import Endpoint, Formats, Limits, Query

_INSTRUCTIONS = (
    "Palpate ranks techniques of orthopedic massage for a condition that somebody qualified has named. It never diagnoses. "
    "Where an answer holds a referral, say so first; recommend no technique if it is 'emergency' or 'urgent'. Always show what is "
    "withheld and why, and every caution; never recommend what is withheld. 'unknown' is not 'useless'. Ask for hazards and red "
    "flags, or use `screen`, before `rank` or `plan`; `intake` reads a note, whose reading a person must confirm. Names that are "
    "not known come back as errors with the nearest ones; `search` finds names. If you change a plan, use `check_plan`."
)
_FULL = Parameter("full", "Give the long answer too, with all that it was computed from.", FLAG)


async def query(asked: Arguments) -> dict[str, Any]:
    """The answer of the SPARQL endpoint: a table as CSV, a graph as Turtle."""
    answer = await _endpoint().query(Query(asked["sparql"]), Formats("text/csv", "text/turtle"))
    return {"graph": kg.load().knowledge.version.to_dict(), "media_type": answer.media_type, "answer": answer.body.decode()}


@cache
def _endpoint() -> Endpoint:
    return Endpoint(kg.load().knowledge.path, Limits(workers=1, bytes=2**20))


_QUERY = Operation(
    "POST", "/sparql", "Run a SPARQL 1.1 query: SELECT, ASK, CONSTRUCT or DESCRIBE", query,
    (Parameter("sparql", "The query; declare PREFIX pal: <https://w3id.org/palpate/>.", TEXT, required=True),),
    details="An answer from the graph is no recommendation: what is safe for a client is the answer of rank and plan alone.",
    tool=Tool("query"),
)  # fmt: skip


def offered() -> dict[str, Operation]:
    """The operations that assistants have, by the name of the tool; parameters that a tool adds are among theirs."""
    found = {operation.tool.name: operation for operation in (*operations(), _QUERY) if operation.tool}
    return {name: _as_tool(operation) for name, operation in found.items()}


def _as_tool(operation: Operation) -> Operation:
    """The operation as taking one JSON object, with the defaults of its tool."""
    assert operation.tool
    parameters = (*operation.parameters, *([_FULL] if operation.tool.long else []))
    own = tuple(
        replace(p, schema={**p.schema, "default": operation.tool.defaults[p.field]}) if p.field in operation.tool.defaults else p
        for p in parameters
    )
    return replace(operation, method="POST", parameters=own)


def described(name: str, operation: Operation) -> types.Tool:
    """A tool as it is told to assistants: in plain words, with the words of the graph that each argument takes."""
    body = object_of(operation)
    properties = {p.field: {**p.form, "description": p.description} for p in operation.parameters}
    form = inlined({**body, "properties": properties}, components(kg.load().knowledge, properties))
    return types.Tool(
        name=name, title=operation.summary, description=f"{operation.summary}. {operation.details}".strip(), input_schema=form,
        annotations=types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )  # fmt: skip


async def called(operation: Operation, given: Mapping[str, Any]) -> types.CallToolResult:
    """What a tool answers; a user's mistake is an answer that says what was wrong."""
    assert operation.call
    assert operation.tool
    try:
        asked = from_object(dict(given), operation)
        full = asked.pop(_FULL.name, True) if operation.tool.long else True
        if inspect.iscoroutinefunction(operation.call):
            answer = await operation.call(asked)
        else:
            answer = await anyio.to_thread.run_sync(operation.call, asked)
    except PalpateError as error:
        return types.CallToolResult(content=[types.TextContent(text=error.message)], is_error=True)
    if isinstance(answer, Document):
        return types.CallToolResult(content=[_content(answer)])
    shown = answer if full else _without(answer, operation.tool.long)
    return types.CallToolResult(content=[types.TextContent(text=json.dumps(shown, ensure_ascii=False))])


def _content(document: Document) -> types.TextContent | types.EmbeddedResource:
    """A document as text, or as the bytes that it is."""
    if document.media_type != "application/pdf":
        return types.TextContent(text=document.content.decode())
    blob = base64.b64encode(document.content).decode()
    return types.EmbeddedResource(
        resource=types.BlobResourceContents(uri=f"palpate:plan.{document.extension}", mime_type=document.media_type, blob=blob)
    )


def _without(answer: Any, long: frozenset[str]) -> Any:
    """An answer without some of its fields, at any depth."""
    if isinstance(answer, dict):
        return {name: _without(value, long) for name, value in answer.items() if name not in long}
    return [_without(value, long) for value in answer] if isinstance(answer, list) else answer


def server() -> Server[Any]:
    """The server with all tools."""
    tools = offered()

    async def listed(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[described(name, operation) for name, operation in tools.items()])

    async def call(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in tools:
            raise MCPError(types.INVALID_PARAMS, UnknownName("tool", params.name, nearest(params.name[:100], tools)).message)
        return await called(tools[params.name], params.arguments or {})

    return Server("palpate", title="Palpate", version=kg.load().knowledge.version.version, instructions=_INSTRUCTIONS,
                  on_list_tools=listed, on_call_tool=call)  # fmt: skip


async def _serve() -> None:
    made = server()
    async with stdio_server() as (read, write):
        await made.run(read, write, made.create_initialization_options())


def run() -> None:
    """Serve over standard input and output until the client leaves."""
    try:
        anyio.run(_serve)
    finally:
        if _endpoint.cache_info().currsize:
            _endpoint().close()
