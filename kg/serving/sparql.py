"""SPARQL for strangers: their queries run in worker processes, each with the store, under limits of time, memory and size.

An Oxigraph query cannot be cancelled, so a worker past its time is killed and replaced. The default graph of a query is
the union of the asserted and the inferred graph. Past a limit the answer is an error, never part of the rows.
"""

import asyncio
import io
import os
import re
import shutil
import tempfile
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kg.errors import PalpateError

if TYPE_CHECKING:
    import pyoxigraph as ox
    from pebble import ProcessPool

RESULT_TYPES = {
    "application/sparql-results+json": "srj", "application/json": "srj", "application/sparql-results+xml": "srx",
    "application/xml": "srx", "text/csv": "csv", "text/tab-separated-values": "tsv",
}  # fmt: skip
GRAPH_TYPES = {
    "text/turtle": "ttl", "application/n-triples": "nt", "application/rdf+xml": "rdf", "application/ld+json": "jsonld",
}  # fmt: skip
_QUOTED = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|<[^<>\"{}|^`\\\s]*>|#[^\n]*", re.DOTALL)
_FROM = re.compile(r"(?<![\w?$:.-])FROM(?![\w:-])", re.IGNORECASE)
_SERVICE = re.compile(r"(?<![\w?$:-])SERVICE(?![\w:-])", re.IGNORECASE)
"""Finds the plain cases, for a clear message; what is written to slip past it fails in the worker, see `_start`."""


class QueryError(PalpateError):
    """A query that is refused or past a limit; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use."""

    seconds: float = 30.0
    bytes: int = 64 * 2**20
    memory: int = 2 * 2**30
    query_length: int = 100_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A serialized answer with its media type."""

    body: bytes
    media_type: str


def check(text: str, limits: Limits) -> None:
    """Refuse what is never run: a query that is too long, or asks other servers.

    Raises:
        QueryError: saying which.
    """
    if len(text) > limits.query_length:
        raise QueryError(f"The query is longer than {limits.query_length} characters.", 413)
    if _SERVICE.search(_QUOTED.sub(" ", text)):
        raise QueryError("SERVICE is refused: this endpoint asks no other server.")


def acceptable(accept: str) -> tuple[str, str]:
    """The media types for a table and for a graph that an Accept header likes best.

    Raises:
        QueryError: with status 406, where it likes none that there is.
    """
    wanted = []
    for index, part in enumerate(accept.split(",")):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        weight = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 1.0
        if media and weight > 0:
            wanted.append((-weight, index, media))
    order = [media for _, _, media in sorted(wanted)] or ["*/*"]
    table, graph = _first(order, RESULT_TYPES), _first(order, GRAPH_TYPES)
    if table is None and graph is None:
        raise QueryError(f"None of {accept!r} can be given; there are {', '.join([*RESULT_TYPES, *GRAPH_TYPES])}.", 406)
    return table or next(iter(RESULT_TYPES)), graph or next(iter(GRAPH_TYPES))


def _first(order: list[str], offered: dict[str, str]) -> str | None:
    for media in order:
        if media in offered:
            return media
        if media == "*/*" or (media.endswith("/*") and any(o.startswith(media[:-1]) for o in offered)):
            return next((o for o in offered if media == "*/*" or o.startswith(media[:-1])), None)
    return None


class _Bounded(io.BytesIO):
    """A buffer that refuses to grow past a limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: "bytes") -> int:  # type: ignore[override]
        if self.tell() + len(data) > self._limit:
            raise QueryError(f"The answer is larger than {self._limit // 2**20} MiB; ask for less, with LIMIT or a narrower pattern.", 413)
        return super().write(data)


def run(store: "ox.Store", text: str, table: str, graph: str, limit: int) -> Answer:
    """Run a query and serialize its answer, at most `limit` bytes.

    Raises:
        QueryError: where the query is malformed or its answer too large.
    """
    import pyoxigraph as ox

    union = not _FROM.search(_QUOTED.sub(" ", text))  # FROM and FROM NAMED say themselves which graphs they mean
    try:
        results = store.query(text, use_default_graph_as_union=union)
    except SyntaxError as error:
        raise QueryError(f"The query is malformed: {error.msg}") from None
    except ValueError as error:
        raise QueryError(f"The query cannot be run: {error}") from None
    out = _Bounded(limit)
    try:
        if isinstance(results, ox.QueryTriples):
            ox.serialize(results, out, format=ox.RdfFormat.from_extension(GRAPH_TYPES[graph]))
            return Answer(out.getvalue(), graph)
        results.serialize(out, format=ox.QueryResultsFormat.from_extension(RESULT_TYPES[table]))
    except ValueError as error:
        raise QueryError(f"The answer cannot be written as {table}: {error}", 406) from None
    except OSError as error:
        raise QueryError(f"The server that SERVICE names cannot be asked: {error}") from None
    return Answer(out.getvalue(), table)


def run_locally(store: "ox.Store", text: str) -> str:
    """Run a user's own query in this process: a table as TSV, a graph as Turtle."""
    return run(store, text, "text/tab-separated-values", "text/turtle", 2**40).body.decode()


# ---------------------------------------------------------------------------------------------------- worker processes
_store: "ox.Store | None" = None


def _start(path: str, memory: int) -> None:
    """Load the store into a fresh worker, bound its memory, and let it open no file or socket from here on.

    So a query that hides a SERVICE from `check` reaches no other server all the same.
    """
    import resource

    import pyoxigraph as ox

    global _store
    _store = ox.Store()
    _store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    free = os.dup(0)  # the lowest number that a new file or socket could have
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))


def _work(text: str, table: str, graph: str, limit: int) -> Answer | tuple[str, int]:
    assert _store is not None
    try:
        return run(_store, text, table, graph, limit)
    except QueryError as error:
        return error.message, error.status
    except MemoryError:
        return "The query needs more memory than it may use.", 503


class Endpoint:
    """A pool of workers over one graph file."""

    def __init__(self, graph: Path, limits: Limits = Limits(), workers: int | None = None) -> None:
        from pebble import CONSTS

        CONSTS.term_timeout = 0.2  # a worker past its limit is killed, not asked
        self.limits = limits
        self._workers = workers or max(2, (os.cpu_count() or 2) - 1)
        self._folder = tempfile.TemporaryDirectory(prefix="palpate-")
        self._graph = shutil.copy(graph, self._folder.name)  # the cache may drop its file while this serves
        self._pool = self._new_pool()

    def _new_pool(self) -> "ProcessPool":
        import multiprocessing

        import pebble

        return pebble.ProcessPool(max_workers=self._workers, initializer=_start, initargs=(self._graph, self.limits.memory),
                                  context=multiprocessing.get_context("spawn"))  # fmt: skip

    async def query(self, text: str, accept: str = "*/*", seconds: float | None = None) -> Answer:
        """Answer a query of a stranger.

        Raises:
            QueryError: where it is refused, malformed, or past a limit.
        """
        check(text, self.limits)
        table, graph = acceptable(accept)
        limit = min(seconds or self.limits.seconds, self.limits.seconds)
        if not self._pool.active:
            self._pool = self._new_pool()
        future = self._pool.schedule(_work, args=(text, table, graph, self.limits.bytes), timeout=limit)
        try:
            result = await asyncio.wrap_future(future)
        except (FutureTimeout, TimeoutError):
            raise QueryError(f"The query took longer than {limit:g} seconds and was stopped.", 503) from None
        except Exception:  # the worker died, most likely of its memory limit
            raise QueryError("The query was stopped: it used more than it may.", 503) from None
        if isinstance(result, tuple):
            raise QueryError(*result)
        return result

    def close(self) -> None:
        """Stop all workers."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join(timeout=5)
        self._folder.cleanup()
