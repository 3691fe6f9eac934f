"""SPARQL for strangers: their queries run in worker processes, each with the store, under limits of time, memory and size.

An Oxigraph query cannot be cancelled, so a worker past its time is killed and replaced. Past a limit the answer is an
error, never part of the rows. A worker opens no file or socket after its start, so no query reaches another server,
save those that `federation` lets through to a worker of their own.
"""

import asyncio
import hashlib
import os
import shutil
import tempfile
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.graph import remote
from kg.serving.sparql import federation
from kg.serving.sparql.cache import Cache
from kg.serving.sparql.errors import QueryError
from kg.serving.sparql.limits import Limits
from kg.serving.sparql.query import Answer, Formats, Query, run

if TYPE_CHECKING:
    import pyoxigraph as ox
    from pebble import ProcessPool

_USUAL, _LIMITS = Formats(), Limits()
_store: "ox.Store | None" = None


def _start(paths: list[str], memory: int, sockets: bool) -> None:
    """Load the store into a fresh worker, bound its memory, and let it open no file or socket from here on."""
    import resource

    import pyoxigraph as ox

    global _store
    _store = ox.Store()
    for path in paths:
        _store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS)
    os.nice(5)  # the server itself goes first, so that it stays awake however hard the workers work
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if not sockets:
        free = os.dup(0)  # the lowest number that a new file or socket could have
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))


def _work(query: Query, formats: Formats, limit: int) -> Answer | QueryError:
    assert _store is not None
    try:
        return run(_store, query, formats, limit)
    except QueryError as error:
        return error
    except MemoryError:
        return QueryError("The query needs more memory than it may use.", 503)


def _ask(url: str, query: Query, formats: Formats, seconds: float, limit: int) -> Answer:
    """The answer of another server, see `kg.graph.remote`."""
    accept = ", ".join(f"{media};q={quality}" for media, quality in ((formats.table, "1"), (formats.graph, "0.9")) if media)
    try:
        body, media = remote.ask(url, query.text, accept, default=query.default_graphs, named=query.named_graphs,
                                 seconds=seconds, limit=limit)  # fmt: skip
    except remote.RemoteError as error:
        raise QueryError(error.message, error.status) from None
    if media not in (formats.table, formats.graph):
        raise QueryError(f"The server answers as {media}, which was not asked for.", 406)
    return Answer(body, media)


class Endpoint:
    """Workers over one graph file, with a queue and a cache.

    Args:
        graph: the N-Quads file; copied, so that the cache of graphs may drop it.
        limits: what queries may use.
        services: addresses that SERVICE may ask.
        more: further N-Quads that are served beside it, such as the description of the service.
    """

    def __init__(self, graph: Path, limits: Limits = _LIMITS, services: tuple[str, ...] = (), more: bytes = b"") -> None:
        from pebble import CONSTS

        CONSTS.term_timeout = 0.2  # a worker past its limit is killed, not asked
        self.limits, self.services = limits, services
        self._folder = tempfile.TemporaryDirectory(prefix="palpate-")
        self._paths = [shutil.copy(graph, self._folder.name)]
        if more:
            beside = Path(self._folder.name, "service.nq")
            beside.write_bytes(more)
            self._paths.append(str(beside))
        self._tag = hashlib.sha256(graph.stem.encode() + more).hexdigest()
        self._remote = remote.address()
        self._answers = Cache(limits.cache)
        self.waiting = 0
        """Queries that wait or run."""
        self._pool = self._new_pool(limits.processes)
        self._federated: ProcessPool | None = None

    def _new_pool(self, workers: int, sockets: bool = False) -> "ProcessPool":
        import multiprocessing

        import pebble

        return pebble.ProcessPool(max_workers=workers, initializer=_start, initargs=(self._paths, self.limits.memory, sockets),
                                  context=multiprocessing.get_context("spawn"))  # fmt: skip

    def etag(self, query: Query, formats: Formats) -> str:
        """A weak entity tag of graph, query and formats: the rows are the same, their order may not be."""
        asked = repr((self._tag, query, formats)).encode()
        return f'W/"{hashlib.sha256(asked).hexdigest()[:32]}"'

    async def query(self, query: Query, formats: Formats = _USUAL, seconds: float | None = None) -> Answer:
        """Answer a query of a stranger, from the cache where it was answered before.

        Raises:
            QueryError: where it is refused, malformed, or past a limit.
        """
        key = (query, formats)
        if kept := self._answers.get(key):
            return kept
        pool = await self._pool_for(query)
        if self.waiting >= self.limits.queue:
            raise QueryError(f"{self.waiting} queries are waiting already; try again soon.", 503, headers={"Retry-After": "2"})
        limit = min(seconds or self.limits.seconds, self.limits.seconds)
        self.waiting += 1
        try:
            if self._remote:
                result: Any = await asyncio.to_thread(_ask, self._remote, query, formats, limit, self.limits.bytes)
            else:
                result = await asyncio.wrap_future(pool.schedule(_work, args=(query, formats, self.limits.bytes), timeout=limit))
        except QueryError:
            raise
        except (FutureTimeout, TimeoutError):
            raise QueryError(f"The query took longer than {limit:g} seconds and was stopped.", 503) from None
        except (asyncio.CancelledError, CancelledError):
            raise
        except Exception:  # the worker died, most likely of its memory limit
            raise QueryError("The query was stopped: it used more than it may.", 503) from None
        finally:
            self.waiting -= 1
        if isinstance(result, QueryError):
            raise result
        assert isinstance(result, Answer)
        if not query.volatile:
            self._answers.put(key, result)
        return result

    async def _pool_for(self, query: Query) -> "ProcessPool":
        """The workers for a query, started anew where they have stopped.

        Raises:
            QueryError: where it is too long, or asks a server that is not allowed.
        """
        if len(query.text) > self.limits.query_length:
            raise QueryError(f"The query is longer than {self.limits.query_length} characters.", 413)
        if federation.allowed(query.text, self.services):
            if not await asyncio.to_thread(federation.public, self.services):
                raise QueryError("SERVICE is refused: an address that the operator allows does not lead to the open internet.", 403)
            if self._federated is None or not self._federated.active:
                self._federated = self._new_pool(1, sockets=True)
            return self._federated
        if query.asks_servers:
            names = ", ".join(self.services)
            raise QueryError("SERVICE is refused: " + (f"this endpoint asks {names} only, written out as <ADDRESS>." if names
                                                       else "this endpoint asks no other server."))  # fmt: skip
        if not self._pool.active:
            self._pool = self._new_pool(self.limits.processes)
        return self._pool

    def close(self) -> None:
        """Stop all workers."""
        for pool in filter(None, (self._pool, self._federated)):
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join(timeout=5)
        self._folder.cleanup()
