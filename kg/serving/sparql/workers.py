"""Worker processes, each with the store, that evaluate one query after the other and are killed where they must be.

A worker hangs on the server by one socket, over which go the query and its answer. One that is past its time, or whose
client has left, is killed and replaced, and so is one that died; no other query notices. After its start a worker opens no
file or socket, so that no query reaches another server, save those that `federation` lets through to a worker of their own.
"""

import asyncio
import multiprocessing
import os
import pickle
import signal
import socket
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kg.serving.sparql.errors import QueryError
from kg.serving.sparql.query import Answer, Formats, Query, run

_LENGTH = struct.Struct("!Q")
_SHORT_SECONDS = 0.5
"""How long a query runs before its worker gives way to others, so that short queries stay short beside long ones."""
_LATE = 15
"""The niceness of a worker that gives way."""
_CONTEXT = multiprocessing.get_context("spawn")


# ---------------------------------------------------------------------------------------------------- in the worker
def _serve(pipe: socket.socket, paths: Sequence[str], memory: int, sockets: bool) -> None:
    """Load the store, give up what a query must not have, then answer until the server is gone."""
    import resource

    import pyoxigraph as ox

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server stops its workers itself
    store = ox.Store()
    for path in paths:
        store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if not sockets:
        free = os.dup(0)  # the lowest number that a new file or socket could have
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
    with suppress(ConnectionError):  # the server is gone: nobody waits
        pipe.sendall(b"R")
        while head := _read(pipe, _LENGTH.size):
            query, formats, limit = pickle.loads(_read(pipe, _LENGTH.unpack(head)[0]))
            answer = pickle.dumps(_answer(store, query, formats, limit))
            pipe.sendall(_LENGTH.pack(len(answer)) + answer)


def _read(pipe: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = pipe.recv(min(size - len(data), 2**20))
        if not chunk:
            return b""
        data += chunk
    return bytes(data)


def _answer(store: Any, query: Query, formats: Formats, limit: int) -> Answer | QueryError:
    try:
        return run(store, query, formats, limit)
    except QueryError as error:
        return error
    except MemoryError:
        return QueryError("The query needs more memory than it may use.", 503)


# ---------------------------------------------------------------------------------------------------- in the server
class _Gone(Exception):
    """The worker died."""


class Worker:
    """One process and the socket to it."""

    def __init__(self, paths: Sequence[str], memory: int, sockets: bool) -> None:
        self._pipe, far = socket.socketpair()
        self.process = _CONTEXT.Process(target=_serve, args=(far, paths, memory, sockets), daemon=True)
        self.process.start()
        far.close()
        self._pipe.setblocking(False)
        self._ready = False

    async def ready(self) -> None:
        """Wait until it has loaded the store.

        Raises:
            _Gone: where it died before.
        """
        if not self._ready:
            await self._receive(1)
            self._ready = True

    async def ask(self, query: Query, formats: Formats, limit: int) -> Answer | QueryError:
        """The answer to a query.

        Raises:
            _Gone: where it died over it.
        """
        asked = pickle.dumps((query, formats, limit))
        try:
            await asyncio.get_running_loop().sock_sendall(self._pipe, _LENGTH.pack(len(asked)) + asked)
        except OSError:
            raise _Gone from None
        answer = await self._receive(_LENGTH.unpack(await self._receive(_LENGTH.size))[0])
        return pickle.loads(answer)  # type: ignore[no-any-return]

    async def _receive(self, size: int) -> bytes:
        loop, data = asyncio.get_running_loop(), bytearray()
        while len(data) < size:
            try:
                chunk = await loop.sock_recv(self._pipe, min(size - len(data), 2**20))
            except OSError:
                chunk = b""
            if not chunk:
                raise _Gone
            data += chunk
        return bytes(data)

    def give_way(self) -> None:
        """Let other workers and the server go first from here on."""
        with suppress(OSError):  # it is gone
            os.setpriority(os.PRIO_PROCESS, self.process.pid or 0, _LATE)

    def come_back(self) -> bool:
        """Take its turn as all others again; whether the system lets it."""
        try:
            if self.process.pid and os.getpriority(os.PRIO_PROCESS, self.process.pid) == _LATE:
                os.setpriority(os.PRIO_PROCESS, self.process.pid, os.getpriority(os.PRIO_PROCESS, 0))
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """End the process at once."""
        self._pipe.close()
        self.process.kill()
        self.process.join(5)


class Pool:
    """Some workers; those that wait for one are served in turn."""

    def __init__(self, workers: int, paths: Sequence[str], memory: int, sockets: bool = False) -> None:
        self._arguments = (paths, memory, sockets)
        self._idle = deque(Worker(*self._arguments) for _ in range(workers))
        self._all = set(self._idle)
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._closed = False

    @property
    def processes(self) -> list[int]:
        """The process numbers of the workers."""
        return [worker.process.pid or 0 for worker in self._all]

    async def run(self, query: Query, formats: Formats, limit: int, seconds: float) -> Answer | QueryError:
        """Evaluate a query in a worker; `seconds` count from when it has one.

        Raises:
            TimeoutError: where it takes longer.
            QueryError: where the worker died over it.
        """
        worker = await self._take()
        late = asyncio.get_running_loop().call_later(_SHORT_SECONDS, worker.give_way)
        try:
            async with asyncio.timeout(seconds):
                answer = await worker.ask(query, formats, limit)
        except _Gone:  # most likely of its memory limit
            await self._replace(worker)
            raise QueryError("The query was stopped: it used more than it may.", 503) from None
        except BaseException:  # past its time, or nobody waits for it any longer
            await asyncio.shield(self._replace(worker))
            raise
        finally:
            late.cancel()
        if worker.come_back():
            self._give(worker)
        else:
            await self._replace(worker)
        return answer

    async def _take(self) -> Worker:
        """A worker that lives and is ready."""
        while True:
            worker = await self._next()
            try:
                if not worker.process.is_alive():
                    raise _Gone
                await worker.ready()
                return worker
            except _Gone:
                await self._replace(worker)
            except BaseException:
                self._give(worker)
                raise

    async def _next(self) -> Worker:
        if self._idle:
            return self._idle.popleft()
        waiter: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._give(waiter.result())
            raise

    def _give(self, worker: Worker) -> None:
        """Hand a worker to who has waited longest, else keep it: the one used last goes first, its memory is warm."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(worker)
                return
        self._idle.appendleft(worker)

    async def _replace(self, worker: Worker) -> None:
        self._all.discard(worker)
        await asyncio.to_thread(worker.kill)
        if self._closed:
            return
        fresh = await asyncio.to_thread(Worker, *self._arguments)
        self._all.add(fresh)
        if self._waiting:
            self._give(fresh)
        else:
            self._idle.append(fresh)  # behind those that are ready

    def close(self) -> None:
        """End all workers."""
        self._closed = True
        for worker in self._all:
            worker.kill()
        self._all.clear()
        self._idle.clear()
