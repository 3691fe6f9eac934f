"""The Model Context Protocol: assistants rank, search and query the graph, behind the same gate of safety as everybody.

A tool is a function with type hints and a docstring, which become its schema. A mistake is told to the assistant as the
error of the tool, in the one sentence that people get.
"""

import functools
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

import kg
from kg.errors import PalpateError
from kg.graph import entity as entities
from kg.serving.sparql import Endpoint, Formats, Limits, Query

_INSTRUCTIONS = (
    "Palpate ranks techniques of orthopedic massage for a condition that somebody qualified has named. It never diagnoses. "
    "Always show what is withheld and why, and every caution. Where the answer holds a referral, say so first, and recommend "
    "no technique if it is 'emergency' or 'urgent'. 'unknown' is not 'useless'. Ask for hazards and red flags before ranking; "
    "names that are not known come back as errors with the nearest ones."
)


def rank(condition: str, phase: str | None = None, irritability: str | None = None, hazards: list[str] | None = None,
         red_flags: list[str] | None = None, top: int = 5) -> dict[str, Any]:  # fmt: skip
    """Rank massage techniques for a condition and a client, with reasons, cautions, and all that is withheld.

    Args:
        condition: slug, label, synonym or ICD-10-CM code.
        phase: acute, subacute, chronic or postoperative.
        irritability: low, moderate or high.
        hazards: hazards of the client, by slug or name, such as medicines, pregnancy, diseases.
        red_flags: red flags that were found.
        top: how many techniques of each list; what is withheld is always whole.
    """
    return kg.rank(condition, phase=phase, irritability=irritability, hazards=hazards or (), red_flags=red_flags or (), top=top).to_dict()


def search(text: str, limit: int = 10) -> dict[str, Any]:
    """Find conditions, hazards, red flags, techniques, tissues and so on by name, synonym or code, misspelt if need be."""
    if not 1 <= limit <= 100:
        raise PalpateError(f"limit must be from 1 to 100, not {limit}.")
    hits = [{"slug": h.slug, "label": h.label, "type": h.type, "matched": h.matched} for h in kg.search(text, limit)]
    return {"graph": kg.load().knowledge.version.to_dict(), "hits": hits}


def entity(slug: str) -> dict[str, Any]:
    """Everything that the graph says of one entity, in both directions."""
    return entities.of(kg.load().knowledge, slug).to_dict()


@cache
def _endpoint() -> Endpoint:
    return Endpoint(kg.load().knowledge.path, Limits(workers=1, bytes=2**20))


async def query(sparql: str) -> str:
    """Run a SPARQL 1.1 SELECT, ASK, CONSTRUCT or DESCRIBE query; a table comes as CSV, a graph as Turtle.

    The namespace is `PREFIX pal: <https://w3id.org/palpate/>`. An answer from the graph is no recommendation: what is safe
    for a client is the answer of `rank` alone.
    """
    answer = await _endpoint().query(Query(sparql), Formats("text/csv"))
    return answer.body.decode()


TOOLS: tuple[Callable[..., Any], ...] = (rank, search, entity, query)
"""The tools, each a function of this module or of another."""


def server() -> MCPServer:
    """The server with all tools."""
    made: MCPServer = MCPServer("palpate", title="Palpate", instructions=_INSTRUCTIONS, version=kg.load().knowledge.version.version,
                                log_level="WARNING")  # fmt: skip
    for tool in TOOLS:
        made.add_tool(_told(tool))
    return made


def _told(tool: Callable[..., Any]) -> Callable[..., Any]:
    """The tool with mistakes told to the assistant."""
    if inspect.iscoroutinefunction(tool):

        @functools.wraps(tool)
        async def waits(*args: Any, **kwargs: Any) -> Any:
            try:
                return await tool(*args, **kwargs)
            except PalpateError as error:
                raise ToolError(error.message) from None

        return waits

    @functools.wraps(tool)
    def calls(*args: Any, **kwargs: Any) -> Any:
        try:
            return tool(*args, **kwargs)
        except PalpateError as error:
            raise ToolError(error.message) from None

    return calls


def run() -> None:
    """Serve over standard input and output until the client leaves."""
    made = server()
    try:
        made.run("stdio")
    finally:
        if _endpoint.cache_info().currsize:
            _endpoint().close()
