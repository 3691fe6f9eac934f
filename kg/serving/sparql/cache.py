"""Answers that were given, kept up to a number of bytes; the graph never changes while it is served.

>>> cache = Cache(10)
>>> cache.put("a", Answer(b"12345678", "text/csv")); cache.put("b", Answer(b"1234", "text/csv"))
>>> cache.get("a") is None, cache.get("b").body
(True, b'1234')
"""

from collections import OrderedDict
from collections.abc import Hashable

from kg.serving.sparql.query import Answer


class Cache:
    """The answers used last. Its bodies hold at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()

    def get(self, key: Hashable) -> Answer | None:
        """The answer kept under a key, now the one used last."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer; those that were not used for longest make room."""
        if len(answer.body) > self._limit:
            return
        if previous := self._answers.pop(key, None):
            self._held -= len(previous.body)
        self._answers[key] = answer
        self._held += len(answer.body)
        while self._held > self._limit:
            _, dropped = self._answers.popitem(last=False)
            self._held -= len(dropped.body)
