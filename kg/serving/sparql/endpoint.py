"""SPARQL for strangers: their queries run in worker processes, each with the store, under limits of time, memory and size.

An Oxigraph query cannot be cancelled, so a worker past its time is killed and replaced. Past a limit the answer is an
error, never part of the rows.
"""

import asyncio
import hashlib
import shutil
import tempfile
from pathlib import Path

from kg.graph import remote
from kg.serving.sparql import federation
from kg.serving.sparql.cache import Cache
from kg.serving.sparql.errors import QueryError
from kg.serving.sparql.limits import Limits
from kg.serving.sparql.query import Answer, Formats, Query, serialized
from kg.serving.sparql.workers import Pool

_USUAL, _LIMITS = Formats(), Limits()


def _ask(url: str, query: Query, formats: Formats, seconds: float, limit: int) -> Answer | QueryError:
    """The answer of another server, see `kg.graph.remote`."""
    try:
        found = remote.evaluate(url, query.text, default=query.default_graphs, named=query.named_graphs, seconds=seconds, limit=limit)
        return serialized(found, formats, limit)
    except (remote.RemoteError, QueryError) as error:
        return QueryError(error.message, error.status)  # anew: the other holds on to results, which only this thread may let go


class Endpoint:
    """Workers over one graph file, with a queue and a cache; for one event loop at a time.

    Args:
        graph: the N-Quads file; copied, so that the cache of graphs may drop it.
        limits: what queries may use.
        services: addresses that SERVICE may ask.
        more: further N-Quads that are served beside it, such as the description of the service.
    """

    def __init__(self, graph: Path, limits: Limits = _LIMITS, services: tuple[str, ...] = (), more: bytes = b"") -> None:
        self.limits, self.services = limits, services
        self._folder = tempfile.TemporaryDirectory(prefix="palpate-")
        self._paths = [shutil.copy(graph, self._folder.name)]
        if more:
            beside = Path(self._folder.name, "service.nq")
            beside.write_bytes(more)
            self._paths.append(str(beside))
        self._tag = hashlib.sha256(graph.stem.encode() + more).hexdigest()
        self._remote = remote.address()
        self._answers: Cache[Answer] = Cache(limits.cache)
        self.waiting = 0
        """Queries that wait or run."""
        self.pool = Pool(0 if self._remote else limits.processes, self._paths, limits.memory)
        self._federated: Pool | None = None

    def etag(self, query: Query, formats: Formats) -> str:
        """A weak entity tag of graph, query and formats: the rows are the same, their order may not be."""
        parts = (self._tag, query.text, *query.default_graphs, "named", *query.named_graphs, formats.table or "", formats.graph or "")
        asked = "\0".join(parts).encode("utf-8", "surrogatepass")
        return f'W/"{hashlib.blake2b(asked, digest_size=16).hexdigest()}"'

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
                result: Answer | QueryError = await asyncio.to_thread(_ask, self._remote, query, formats, limit, self.limits.bytes)
            else:
                result = await pool.run(query, formats, self.limits.bytes, limit)
        except TimeoutError:
            raise QueryError(f"The query took longer than {limit:g} seconds and was stopped.", 503) from None
        finally:
            self.waiting -= 1
        if isinstance(result, QueryError):
            hidden = result.status == 502 and pool is self.pool and not self._remote  # it slipped past the check of the text
            raise self._refuses_services() if hidden else result
        if not query.volatile:
            self._answers.put(key, result)
        return result

    async def _pool_for(self, query: Query) -> Pool:
        """The workers for a query.

        Raises:
            QueryError: where it is too long, or asks a server that is not allowed.
        """
        if len(query.text) > self.limits.query_length:
            raise QueryError(f"The query is longer than {self.limits.query_length} characters.", 413)
        if federation.allowed(query.text, self.services):
            if not await asyncio.to_thread(federation.public, self.services):
                raise QueryError("SERVICE is refused: an address that the operator allows does not lead to the open internet.", 403)
            if self._federated is None:
                self._federated = Pool(1, self._paths, self.limits.memory, sockets=True)
            return self._federated
        if query.asks_servers:
            raise self._refuses_services()
        return self.pool

    def _refuses_services(self) -> QueryError:
        names = ", ".join(self.services)
        return QueryError("SERVICE is refused: " + (f"this endpoint asks {names} only, written out as <ADDRESS>." if names
                                                    else "this endpoint asks no other server."))  # fmt: skip

    def close(self) -> None:
        """Stop all workers."""
        for pool in filter(None, (self.pool, self._federated)):
            pool.close()
        self._folder.cleanup()
