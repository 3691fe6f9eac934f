"""The stored queries of `queries/`: what each asks, and the individuals to put in place of those that stand there.

>>> query = stored()["conditions-of-tissue"]
>>> [(p.name, p.default) for p in query.parameters]
[('tissue', 'quadriceps-femoris')]
>>> "pal:soleus" in query.filled({"tissue": "soleus"})
True
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kg.errors import PalpateError, UnknownName
from kg.graph.names import nearest

QUERIES = Path(__file__).resolve().parents[2] / "queries"
_LINE = re.compile(r"^(?P<code>[^#\n]*?)(?P<gap>\s*# parameter: )(?P<names>.+)$", re.MULTILINE)
_VALUE = re.compile(r"pal:([\w-]+)|\"([^\"\\\n]*)\"")
_SLUG = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something to fill in: its name, the slug or text that stands there, and whether it is text."""

    name: str
    default: str
    text: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored query."""

    name: str
    title: str
    summary: str
    tags: tuple[str, ...]
    text: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be filled in; a line whose values are a list, not one for each name, is left as it is."""
        found: dict[str, Parameter] = {}
        for line in _LINE.finditer(self.text):
            for parameter in _of_line(line):
                found.setdefault(parameter.name, parameter)
        return tuple(found.values())

    def filled(self, values: Mapping[str, str]) -> str:
        """The query with other individuals in the place of the stated ones.

        Raises:
            UnknownName: for a parameter that the query does not have.
            PalpateError: for a value that is no slug, or text that would end the string.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in values.items():
            if name not in known:
                raise UnknownName("parameter", name, nearest(name, known) or list(known))
            if not (re.fullmatch(r"[^\"\\\n]*", value) if known[name].text else _SLUG.fullmatch(value)):
                raise PalpateError(f"{value!r} cannot stand for {name!r}: give the slug of one individual.")

        def fill(line: re.Match[str]) -> str:
            stated = iter(_of_line(line))

            def one(match: re.Match[str]) -> str:
                parameter = next(stated)
                value = values.get(parameter.name, parameter.default)
                return f'"{value}"' if parameter.text else f"pal:{value}"

            if not _of_line(line):
                return line[0]
            head, brace, rest = line["code"].partition("{")
            return head + brace + _VALUE.sub(one, rest) + line["gap"] + line["names"]

        return _LINE.sub(fill, self.text)


def _of_line(line: re.Match[str]) -> list[Parameter]:
    names = [name.strip() for name in line["names"].split(",")]
    values = list(_VALUE.finditer(line["code"].partition("{")[2]))
    if len(names) != len(values):
        return []
    return [Parameter(name, v[1] if v[1] is not None else v[2], v[1] is None) for name, v in zip(names, values, strict=True)]


@cache
def stored() -> Mapping[str, Stored]:
    """All stored queries by name."""
    return {path.stem: _read(path) for path in sorted(QUERIES.glob("*.rq"))}


def _read(path: Path) -> Stored:
    text = path.read_text(encoding="utf-8")
    header = dict(re.findall(r"^#\+ (\w+): (.+)$", text, re.MULTILINE))
    body = re.sub(r"^#\+.*\n", "", text, flags=re.MULTILINE).lstrip("\n")
    return Stored(
        path.stem, header.get("title", path.stem), header.get("summary", ""), tuple(re.findall(r"\w+", header.get("tags", ""))), body
    )
