"""A query as the protocol brings it, and its evaluation on a store, serialized and bounded in size.

The default graph is the union of all graphs unless the query says FROM or the request names graphs; graphs that the
request names replace those of the query, as the SPARQL 1.1 Protocol has it (2.1.4). Relative IRIs are of our namespace,
which is the base that the protocol asks a service to define (2.3): `DESCRIBE <foot>`.
"""

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from kg.graph.remote import QUOTED, names_graphs
from kg.graph.serialize import write
from kg.graph.terms import PAL
from kg.serving.sparql.errors import QueryError
from kg.serving.sparql.media import GRAPHS, TABLES

if TYPE_CHECKING:
    import pyoxigraph as ox

    from kg.graph.remote import Results

_SERVICE = re.compile(r"(?<![\w?$:-])SERVICE(?![\w:-])", re.IGNORECASE)
"""Finds the plain cases, for a clear message; what is written to slip past it fails in the worker, which opens no socket."""
_VOLATILE = re.compile(r"(?:NOW|RAND|UUID|BNODE)(?:\s|#[^\r\n]*[\r\n])*\(|SERVICE", re.IGNORECASE)
"""Finds more than there may be, such as what stands in a text: what it does not find gives the same answer each time."""
_NO_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]|<oxprefix:[\s>/]")
"""Characters that XML does not hold, and the element that Oxigraph writes of a property that has no local name."""
_PLACE = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)


class Query(NamedTuple):
    """A query, and the graphs that the request names: none, where the query itself or the default is to say."""

    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()

    @property
    def volatile(self) -> bool:
        """Whether two evaluations may differ though the graph is the same."""
        lower = self.text.lower()  # most queries hold none of the words, which is quick to see
        held = "now" in lower or "rand" in lower or "uuid" in lower or "bnode" in lower or "service" in lower
        return held and bool(_VOLATILE.search(self.text))

    @property
    def asks_servers(self) -> bool:
        """Whether the query plainly says SERVICE."""
        return "service" in self.text.lower() and bool(_SERVICE.search(QUOTED.sub(" ", self.text)))


class Formats(NamedTuple):
    """The media types for a table and for a graph; None where the client takes none."""

    table: str | None = "application/sparql-results+json"
    graph: str | None = "text/turtle"


_PLAIN = Formats("text/tab-separated-values")


@dataclass(frozen=True, slots=True)
class Answer:
    """A serialized answer with its media type."""

    body: bytes = field(repr=False)
    media_type: str


class _Bounded(io.BytesIO):
    """A buffer that refuses to grow past a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: "bytes") -> int:  # type: ignore[override]
        if self.tell() + len(data) > self._limit:
            raise QueryError(f"The answer is larger than {self._limit // 2**20} MiB; ask for less, with LIMIT or a narrower pattern.", 413)
        return super().write(data)


def malformed(message: str, text: str) -> QueryError:
    """The parser's complaint in one line: where, what stands thereabouts, and what it says in words.

    The tokens that it lists as expected are left out: they are those of its grammar's last branch, not all that may stand there.
    """
    place = _PLACE.match(message)
    if not place:
        return QueryError(f"The query is malformed: {' '.join(message.split())}")
    line, column = int(place[1]), int(place[2])
    lines = text.split("\n")
    there = lines[line - 1][max(column - 16, 0) : column + 15].strip() if line <= len(lines) else ""
    words = [item.strip() for item in place[3].split(",") if " " in item.strip() and not set("[]|'") & set(item)]
    near = f", near {there!r}" if there else ""
    return QueryError(f"The query is malformed at line {line}, column {column}{near}{': ' if words else ''}{'; '.join(words)}.",
                      line=line, column=column)  # fmt: skip


def run(store: "ox.Store", query: Query, formats: Formats, limit: int) -> Answer:
    """Evaluate a query and serialize its answer, at most `limit` bytes.

    Raises:
        QueryError: where the query is malformed, its answer too large, or of a kind that no accepted format can hold.
    """
    import pyoxigraph as ox

    try:
        if query.default_graphs or query.named_graphs:
            results = store.query(query.text, base_iri=PAL, default_graph=[ox.NamedNode(g) for g in query.default_graphs],
                                  named_graphs=[ox.NamedNode(g) for g in query.named_graphs])  # fmt: skip
        else:
            results = store.query(query.text, base_iri=PAL, use_default_graph_as_union=not names_graphs(query.text))
    except SyntaxError as error:
        raise malformed(str(error.msg), query.text) from None
    except (ValueError, RuntimeError) as error:  # such as a function that there is not
        raise QueryError(f"The query cannot be run: {error}") from None
    return serialized(results, formats, limit)


def serialized(results: "Results", formats: Formats, limit: int) -> Answer:
    """What a query found, in the format that its kind goes by, at most `limit` bytes.

    Raises:
        QueryError: where it is too large, or of a kind that no accepted format can hold.
    """
    import pyoxigraph as ox

    is_graph = not isinstance(results, (ox.QuerySolutions, ox.QueryBoolean))
    media = formats.graph if is_graph else formats.table
    if media is None:
        kind, offered = ("a graph", GRAPHS) if is_graph else ("a table or a truth value", TABLES)
        raise QueryError(f"The answer is {kind}, which can be given as {', '.join(offered)}.", 406)
    out = _Bounded(limit)
    try:
        if not isinstance(results, (ox.QuerySolutions, ox.QueryBoolean)):
            write(results, out, GRAPHS[media])
        else:
            results.serialize(out, format=ox.QueryResultsFormat.from_extension(TABLES[media]))
    except ValueError as error:
        raise QueryError(f"The answer cannot be written as {media}: {error}", 406) from None
    except RuntimeError as error:
        raise QueryError(f"The query cannot be run: {error}") from None
    except OSError:
        raise QueryError("A server that SERVICE names does not answer.", 502) from None
    except SyntaxError as error:  # of what another server sent
        raise QueryError(f"The answer of the SPARQL server cannot be read: {' '.join(str(error).split())[:200]}", 502) from None
    body = out.getvalue()
    return Answer(_as_xml(body, media) if media.endswith("xml") else body, media)


def _as_xml(body: bytes, media: str) -> bytes:
    """What Oxigraph wrote, which writes every character as it stands, as XML that is read as it was meant (XML 1.0, 2.2 and 2.11).

    Raises:
        QueryError: where there is no such XML.
    """
    if _NO_XML.search(body):
        raise QueryError(f"The answer cannot be written as {media}: XML has no control characters, and RDF/XML no property "
                         "whose IRI does not end in a name.", 406)  # fmt: skip
    return body.replace(b"\r", b"&#13;")


def as_text(results: "Results") -> str:
    """What a user's own query found: a table as TSV, a graph as Turtle."""
    return serialized(results, _PLAIN, 2**40).body.decode()


def run_locally(store: "ox.Store", text: str) -> str:
    """Run a user's own query in this process, and write what it finds as `as_text` does."""
    return run(store, Query(text), _PLAIN, 2**40).body.decode()
