"""Codes of ICD-10-CM in a note, with and without the dot; a code that is not mapped stands for its nearest parent that is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kg.graph.index import Names
from kg.graph.knowledge import Knowledge
from kg.reasoning.intake.matcher import KINDS, Name

_CODE = re.compile(r"(?<![\w.])[A-Za-z][0-9][0-9A-Za-z](?:\.[0-9A-Za-z]{1,4}|[0-9A-Za-z]{0,4})(?![\w]|\.\w)")
_CATEGORY = 3
_MATCHES = ("skos:exactMatch", "skos:closeMatch", "skos:narrowMatch", "skos:broadMatch")


@dataclass(frozen=True, slots=True)
class CodeHit:
    """A code and its place; nothing in `names` where no entry has it or a parent of it."""

    code: str
    start: int
    end: int
    names: tuple[Name, ...]
    dotted: bool


class Codes:
    """Which conditions, hazards and red flags a code of ICD-10-CM means."""

    def __init__(self, knowledge: Knowledge, names: Names) -> None:
        self._prefixes: dict[str, list[Name]] = {}
        self._ranges: list[tuple[str, str, Name]] = []
        for kind, cls in KINDS.items():
            for node in knowledge.of_class(cls):
                for text in node.all("codeRange"):
                    low, _, high = text.replace(".", "").partition("-")
                    name = Name(node.slug, kind, text)
                    if high:
                        self._ranges.append((low, high, name))
                    else:
                        self._prefixes.setdefault(low, []).append(name)
        self._conditions: dict[str, list[Name]] = {}
        for prop in _MATCHES:
            stated = set(self._conditions)
            for node in knowledge.of_class("Condition"):
                for term in node.all(prop):
                    if "/ICD10CM/" in term and (code := _bare(term.rsplit("/", 1)[1])) not in stated:
                        self._conditions.setdefault(code, []).append(Name(node.slug, "conditions", code))
        for code in sorted(self._conditions):  # a code for the side not stated stands for its siblings too
            general = code.rstrip("09")
            while len(general) < len(code):
                if len(general) >= _CATEGORY:
                    self._conditions.setdefault(general, self._conditions[code])
                general += code[len(general)]

    def lookup(self, code: str) -> tuple[Name, ...]:
        """What a code means, or the nearest parent that means something; nothing where none does."""
        bare = _bare(code)
        return tuple(dict.fromkeys((*self._nearest(self._conditions, bare), *self._nearest(self._prefixes, bare), *self._in_range(bare))))

    def _nearest(self, table: dict[str, list[Name]], bare: str) -> list[Name]:
        return next((table[bare[:length]] for length in range(len(bare), _CATEGORY - 1, -1) if bare[:length] in table), [])

    def _in_range(self, bare: str) -> Iterator[Name]:
        return (name for low, high, name in self._ranges if low <= bare[: len(low)] and bare[: len(high)] <= high)

    def find(self, text: str) -> Iterator[CodeHit]:
        """The codes of a text; what merely looks like one without a dot ("T12", "A1c") is left out unless it is mapped."""
        for match in _CODE.finditer(text):
            code = match[0]
            dotted = "." in code
            if not dotted and not code[0].isupper():
                continue
            found = self.lookup(code)
            if found or dotted or _stands_alone(text, match.start(), match.end()):
                yield CodeHit(code, match.start(), match.end(), found, dotted)


def _bare(code: str) -> str:
    return code.replace(".", "").upper()


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a line holds nothing but the code."""
    return text[text.rfind("\n", 0, start) + 1 : start].strip() in ("", "-", "*") and text[end:].partition("\n")[0].strip() == ""
