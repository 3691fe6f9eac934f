"""What was answered, kept up to a number of bytes; the graph never changes while it is served.

>>> from kg.serving.sparql.query import Answer
>>> cache = Cache(OVERHEAD + 10)
>>> cache.put("a", Answer(b"12345678", "text/csv")); cache.put("b", Answer(b"1234", "text/csv"))
>>> cache.get("a") is None, cache.get("b").body
(True, b'1234')
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

OVERHEAD = 1024
"""Bytes that an answer takes beside its body: its key, its headers, its place."""


class Kept(Protocol):
    """Whatever has a body of bytes."""

    @property
    def body(self) -> bytes: ...


K = TypeVar("K", bound=Kept)


class Cache(Generic[K]):
    """The answers used last; their bodies hold at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._answers: OrderedDict[Hashable, K] = OrderedDict()

    def get(self, key: Hashable) -> K | None:
        """The answer kept under a key, now the one used last."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: K) -> None:
        """Keep an answer; those that were not used for longest make room. One above the limit is not kept."""
        if _size(answer) > self._limit:
            return
        if previous := self._answers.pop(key, None):
            self._held -= _size(previous)
        self._answers[key] = answer
        self._held += _size(answer)
        while self._held > self._limit:
            _, dropped = self._answers.popitem(last=False)
            self._held -= _size(dropped)


def _size(answer: Kept) -> int:
    return len(answer.body) + OVERHEAD
