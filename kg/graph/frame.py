"""Answers as data frames of pandas: what `to_dict` says, one part a row.

>>> [row["technique"] for row in rows({"sessions": [{"number": 1, "steps": [{"technique": "cupping"}]}]}, "sessions.steps")]
['cupping']
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from kg.errors import PalpateError, UnknownName
from kg.graph.names import nearest

if TYPE_CHECKING:
    import pandas


class Plain(Protocol):
    """Whatever can be said as plain data."""

    def to_dict(self) -> dict[str, Any]: ...


Part = TypeVar("Part", bound=Plain)


def rows(answer: Mapping[str, Any], path: str) -> Iterator[dict[str, Any]]:
    """The parts under a name of an answer; under `sessions.steps` the steps of all sessions, each with `sessions.number` and so on.

    Raises:
        UnknownName: where the answer has no such name.
        PalpateError: where what it has there are no parts.
    """
    name, _, rest = path.partition(".")
    if name not in answer:
        raise UnknownName("part of the answer", name, nearest(name, answer) or sorted(answer))
    found = answer[name]
    for part in found if isinstance(found, list) else [found] if found else []:
        if not isinstance(part, dict):
            raise PalpateError(f"{name!r} holds no parts that could be rows.")
        own = {f"{name}.{key}": value for key, value in part.items() if not isinstance(value, dict | list)}
        yield from (own | row for row in rows(part, rest)) if rest else iter([part])


def frame(found: list[dict[str, Any]]) -> "pandas.DataFrame":
    """Rows of plain data; objects within them as columns such as `dose.minutes`, lists as they are."""
    import pandas

    return pandas.json_normalize(found)


class Tabular:
    """An answer that can be had as a table."""

    __slots__ = ()
    PARTS: ClassVar[tuple[str, ...]]
    """The parts that are rows where none are named."""

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        raise NotImplementedError

    def to_frame(self, *parts: str) -> "pandas.DataFrame":
        """The answer as a data frame of pandas, one row for each part; `attrs["graph"]` names the graph.

        Args:
            parts: names of lists in `to_dict`, or of lists in them: "recommended", "sessions.steps". The usual ones by default.
                Where they are several, the column `list` says which.

        Raises:
            UnknownName: where the answer has no such part.
        """
        answer, named = self.to_dict(), parts or self.PARTS
        made = frame([({"list": path} if len(named) > 1 else {}) | row for path in named for row in rows(answer, path)])
        made.attrs["graph"] = answer["graph"]
        return made


class Rows(list[Part]):
    """A list of results that is a table too."""

    def to_frame(self) -> "pandas.DataFrame":
        """One row for each, as its `to_dict` says it."""
        return frame([part.to_dict() for part in self])
