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
from typing import Any, cast

from kg.serving.sparql.errors import QueryError
from kg.serving.sparql.query import Answer, Formats, Query, run

_LENGTH = struct.Struct("!Q")
_READ = 2**13
"""Bytes that a worker reads at once: more than most queries have, and less than what the allocator tidies up after."""
_SHORT_SECONDS = 0.5
"""How long a query runs before its worker gives way to others, so that short queries stay short beside long ones."""
_LATE = 15
"""The niceness of a worker that gives way."""
_CONTEXT = multiprocessing.get_context("spawn")
_ALLOCATOR = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=127")
"""glibc keeps seven freed blocks of a size at hand, and to plan a query takes dozens: with these, a third less time."""


# ---------------------------------------------------------------------------------------------------- in the worker
def _serve(pipe: socket.socket, paths: Sequence[str], memory: int, sockets: bool) -> None:
    """Load the store, give up what a query must not have, then answer until the server is gone."""
    import resource

    import pyoxigraph as ox

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server stops its workers itself
    with suppress(AttributeError, OSError):  # a worker that wakes lets the server go on, which has more to hand out
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    store = ox.Store()
    for path in paths:
        store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if not sockets:
        free = os.dup(0)  # the lowest number that a new file or socket could have
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
    with suppress(ConnectionError):  # the server is gone: nobody waits
        pipe.sendall(_framed(b""))
        while asked := _receive(pipe):
            query, formats, limit = pickle.loads(asked)
            pipe.sendall(_framed(pickle.dumps(_answer(store, Query(*query), Formats(*formats), limit))))


def _framed(message: bytes) -> bytes:
    return _LENGTH.pack(len(message)) + message


def _whole(data: bytearray) -> bytes | None:
    """The message that has come, without its length; None where a part of it has not."""
    head = _LENGTH.size
    if len(data) < head or len(data) < head + _LENGTH.unpack_from(data)[0]:
        return None
    return bytes(data[head:])


def _receive(pipe: socket.socket) -> bytes:
    """The next message, mostly in one read; empty where the server is gone."""
    data = bytearray()
    while (message := _whole(data)) is None:
        chunk = pipe.recv(_READ)
        if not chunk:
            return b""
        data += chunk
    return message


def _answer(store: Any, query: Query, formats: Formats, limit: int) -> tuple[bytes, str] | QueryError:
    """The body and media type of an answer, or what was wrong: what pickle writes quickest."""
    try:
        answer = run(store, query, formats, limit)
    except QueryError as error:
        return error
    except MemoryError:
        return QueryError("The query needs more memory than it may use.", 503)
    return answer.body, answer.media_type


# ---------------------------------------------------------------------------------------------------- in the server
class _Gone(Exception):
    """The worker died."""


class _Pipe(asyncio.Protocol):
    """The server's end of the socket to a worker, over which one message comes for each that goes."""

    def __init__(self) -> None:
        self.lost = False
        self.loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._data = bytearray()
        self._awaited: asyncio.Future[bytes] = self.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        message = _whole(self._data)
        if message is None:
            return
        self._data = bytearray()
        if not self._awaited.done():
            self._awaited.set_result(message)

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True
        self.fail(_Gone())

    def fail(self, error: Exception) -> None:
        """Let who waits for a message know that none comes."""
        if not self._awaited.done():
            self._awaited.set_exception(error)

    async def receive(self) -> bytes:
        """The message that answers what was sent last; the first one says that the worker is ready.

        Raises:
            _Gone: where the worker has died.
        """
        return await self._awaited

    def send(self, message: bytes) -> None:
        """Send a message.

        Raises:
            _Gone: where the worker has died.
        """
        if self.lost or not self._transport:
            raise _Gone
        self._awaited = self.loop.create_future()
        self._transport.write(_framed(message))

    def close(self) -> None:
        """Hang up."""
        if self._transport and not self.loop.is_closed():
            self._transport.close()


class Worker:
    """One process and the socket to it."""

    def __init__(self, paths: Sequence[str], memory: int, sockets: bool) -> None:
        self._near, far = socket.socketpair()
        self.process = _CONTEXT.Process(target=_serve, args=(far, paths, memory, sockets), daemon=True)
        self.process.start()
        far.close()
        self._opening: asyncio.Task[_Pipe] | None = None
        self._pipe: _Pipe | None = None
        self._late = False

    async def ready(self) -> None:
        """Wait until it has loaded the store.

        Raises:
            _Gone: where it has died, or listens to an event loop that has ended.
        """
        if self._pipe is None:
            self._opening = self._opening or asyncio.ensure_future(self._open())
            self._pipe = await asyncio.shield(self._opening)  # who gives up waiting leaves it to the next
        if self._pipe.lost or self._pipe.loop is not asyncio.get_running_loop():
            raise _Gone

    async def _open(self) -> _Pipe:
        _, pipe = await asyncio.get_running_loop().create_unix_connection(_Pipe, sock=self._near)
        await pipe.receive()
        return pipe

    async def ask(self, query: Query, formats: Formats, limit: int, seconds: float) -> Answer | QueryError:
        """The answer to a query; past a short time other workers and the server go first.

        Raises:
            TimeoutError: where it takes more than `seconds`.
            _Gone: where the worker died over it.
        """
        assert self._pipe, "ready() comes first"
        asked = ((query.text, query.default_graphs, query.named_graphs), (formats.table, formats.graph), limit)
        self._pipe.send(pickle.dumps(asked))
        self._timer = asyncio.get_running_loop().call_later(min(seconds, _SHORT_SECONDS), self._not_short, seconds)
        try:
            answer = pickle.loads(await self._pipe.receive())
        finally:
            self._timer.cancel()
        return answer if isinstance(answer, QueryError) else Answer(*answer)

    def _not_short(self, seconds: float) -> None:
        """Give way to the others from here on, and end at the time limit."""
        assert self._pipe
        left = seconds - _SHORT_SECONDS
        if left <= 0:
            self._pipe.fail(TimeoutError())
            return
        self._timer = asyncio.get_running_loop().call_later(left, self._pipe.fail, TimeoutError())
        with suppress(OSError):  # it is gone
            os.setpriority(os.PRIO_PROCESS, self.process.pid or 0, _LATE)
            self._late = True

    def come_back(self) -> bool:
        """Take its turn as all others again; whether the system lets it."""
        if self._late:
            try:
                os.setpriority(os.PRIO_PROCESS, self.process.pid or 0, os.getpriority(os.PRIO_PROCESS, 0))
            except OSError:
                return False
            self._late = False
        return True

    def hang_up(self) -> None:
        """Close the socket, from the event loop."""
        if self._pipe:
            self._pipe.close()

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join(5)


class Pool:
    """Some workers; those that wait for one are served in turn."""

    def __init__(self, workers: int, paths: Sequence[str], memory: int, sockets: bool = False) -> None:
        self._arguments = (paths, memory, sockets)
        os.environ.setdefault(*_ALLOCATOR)  # which the workers inherit
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
        try:
            answer = await worker.ask(query, formats, limit, seconds)
        except _Gone:  # most likely of its memory limit
            await self._replace(worker)
            raise QueryError("The query was stopped: it used more than it may.", 503) from None
        except BaseException:  # past its time, or nobody waits for it any longer
            await asyncio.shield(self._replace(worker))
            raise
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
        worker.hang_up()
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
