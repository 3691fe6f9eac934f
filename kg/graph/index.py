"""Names to individuals: labels, synonyms, codes and slugs resolve to one slug; a near miss is an error with the nearest.

>>> from kg.graph.knowledge import load
>>> names = Names(load())
>>> names.resolve("heel spur syndrome", "Condition")
'plantar-fasciitis'
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.graph.knowledge import Knowledge
from kg.graph.names import nearest

_LABELS = ("skos:prefLabel", "skos:altLabel", "skos:hiddenLabel")
_CANDIDATES = 300
"""How many names a search compares letter by letter."""
_MATCHES = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch")


@dataclass(frozen=True, slots=True)
class Hit:
    """An entity that a search found: `score` up to 115, and the name by which it was found."""

    slug: str
    label: str
    type: str
    matched: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {"slug": self.slug, "label": self.label, "type": self.type, "matched": self.matched, "score": self.score}


def fold(name: str) -> str:
    """A name as it is compared: lower case, hyphens, underscores and runs of space as one space."""
    return re.sub(r"[\s_-]+", " ", name.casefold()).strip()


KINDS = {
    "Condition": "condition", "Hazard": "hazard", "RedFlag": "red flag", "Technique": "technique", "AnatomicalStructure": "structure",
    "Impairment": "impairment", "PhysiologicalEffect": "effect", "SeriousPathology": "serious pathology", "Finding": "finding",
    "OrthopedicTest": "test", "OutcomeMeasure": "outcome measure", "DecisionRule": "decision rule", "Source": "source",
    "Equipment": "equipment",
}  # fmt: skip
"""The classes whose individuals people look for by name, with the word for one."""


def _kind(cls: str) -> str:
    """The word for an individual of a class: `BodyRegion` is a body region."""
    return KINDS.get(cls) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls).lower()


class Names:
    """An index over the names of the individuals of each class in `KINDS`."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._tables: dict[str, dict[str, tuple[str, ...]]] = {}

    def table(self, cls: str) -> dict[str, tuple[str, ...]]:
        """Folded name -> slugs that bear it, for one class."""
        if cls not in self._tables:
            table: dict[str, set[str]] = {}
            for node in self._knowledge.of_class(cls):
                for name in (node.slug, *(label for prop in _LABELS for label in node.all(prop))):
                    table.setdefault(fold(name), set()).add(node.slug)
            self._tables[cls] = {name: tuple(sorted(slugs)) for name, slugs in table.items()}
        return self._tables[cls]

    @cached_property
    def codes(self) -> dict[str, tuple[str, ...]]:
        """Code of another terminology -> slugs of conditions, those that match it exactly before those it is broader than."""
        found: dict[str, list[str]] = {}
        for prop in _MATCHES:
            for node in self._knowledge.of_class("Condition"):
                for term in node.all(prop):
                    if term in self._knowledge and (code := self._knowledge[term].one("skos:notation")):
                        found.setdefault(code.upper(), []).append(node.slug)
        return {code: tuple(dict.fromkeys(slugs)) for code, slugs in found.items()}

    def resolve(self, name: str, cls: str) -> str:
        """The one slug of class `cls` that `name` means: its slug, a label, a synonym, or for a condition a code.

        Raises:
            UnknownName: with the nearest names, where none bears it.
            PalpateError: naming the candidates, where several do.
        """
        slug = name.strip().removeprefix("https://w3id.org/palpate/").removeprefix("pal:")
        if slug in self._knowledge and self._knowledge[slug].is_a(cls):
            return slug
        found = self.table(cls).get(fold(name), ())
        if not found and cls == "Condition":
            found = self.codes.get(name.strip().upper(), ())
        if len(found) > 1:
            raise PalpateError(f"{name!r} is the name of several entries; choose one: {', '.join(found)}.")
        if not found:
            raise UnknownName(_kind(cls), name, self.suggestions(name, cls))
        return found[0]

    def suggestions(self, name: str, cls: str) -> list[str]:
        """Up to three slugs of the class whose names are nearest."""
        table = self.table(cls)
        slugs = (slug for match in nearest(fold(name), table, limit=6) for slug in table[match])
        return list(dict.fromkeys(slugs))[:3]

    def resolve_all(self, names: Iterable[str], cls: str) -> tuple[str, ...]:
        """Each name resolved, in order, each slug once."""
        return tuple(dict.fromkeys(self.resolve(name, cls) for name in names))

    @cached_property
    def _all(self) -> list[tuple[str, str, str, str]]:
        """(folded name, name, slug, class) over all classes; an individual under the first class that fits."""
        rows, seen = [], set[str]()
        for cls in KINDS:
            for node in self._knowledge.of_class(cls):
                if node.slug in seen:
                    continue
                seen.add(node.slug)
                names = [node.slug, *(label for prop in _LABELS for label in node.all(prop))]
                if cls == "Source":
                    names = [node.slug, node.one("dcterms:title")]
                rows += [(fold(name), name, node.slug, cls) for name in dict.fromkeys(names)]
        rows += [(code.lower(), code, slug, "Condition") for code, slugs in self.codes.items() for slug in slugs]
        return rows

    @cached_property
    def _trigrams(self) -> dict[str, Any]:
        """Trigram -> the rows of `_all` whose names hold it, as arrays."""
        import numpy as np

        found: dict[str, list[int]] = {}
        for index, row in enumerate(self._all):
            for gram in _grams(row[0]):
                found.setdefault(gram, []).append(index)
        return {gram: np.asarray(rows) for gram, rows in found.items()}

    @cached_property
    def _lengths(self) -> Any:
        import numpy as np

        return np.asarray([len(row[0]) for row in self._all])

    def _candidates(self, query: str, wanted: set[str]) -> list[int]:
        """The rows that share most trigrams with a query, the shorter name first; only these are compared letter by letter."""
        import numpy as np

        rows = [self._trigrams[gram] for gram in _grams(query) if gram in self._trigrams]
        if not rows:
            return []
        shared = np.bincount(np.concatenate(rows), minlength=len(self._all))
        worth = shared - self._lengths / (self._lengths + 1000.0)
        if wanted:
            worth = np.where([row[3] in wanted for row in self._all], worth, -1.0)
        likely = np.argpartition(-worth, min(_CANDIDATES, len(worth) - 1))[:_CANDIDATES]
        return likely[shared[likely] > 0].tolist()  # type: ignore[no-any-return]

    def search(self, text: str, limit: int = 10, classes: Iterable[str] = ()) -> list[Hit]:
        """The entities whose names are likest to `text`, the likest first, each once."""
        from rapidfuzz import fuzz, process

        query = fold(text)
        names = {index: self._all[index][0] for index in self._candidates(query, set(classes))}
        best: dict[str, Hit] = {}
        for folded, score, index in process.extract(query, names, scorer=fuzz.WRatio, limit=limit * 8, score_cutoff=60):
            _, name, slug, cls = self._all[index]
            if len(folded) < 4 and folded != query:  # "PE" is like every word that holds it
                continue
            score += 10 * (folded == query) + 5 * folded.startswith(query)
            if slug not in best or best[slug].score < score:
                best[slug] = Hit(slug, self._knowledge.label(slug), cls, name, min(score, 115.0))
        kinds = list(KINDS)
        return sorted(best.values(), key=lambda hit: (-hit.score, kinds.index(hit.type), hit.label))[:limit]

    @cached_property
    def _slugs(self) -> list[str]:
        return [node.slug for node in self._knowledge if "://" not in node.slug]

    def complete(self, text: str, limit: int = 10) -> list[str]:
        """Slugs that somebody who has typed `text` may mean: those that start with it, named and short ones first, then by any name."""
        start = bisect_left(self._slugs, text)
        begun = self._slugs[start : bisect_left(self._slugs, text + "\uffff", start)]
        begun.sort(key=lambda slug: ("skos:prefLabel" not in self._knowledge[slug].properties, len(slug), slug))
        return list(dict.fromkeys((*begun[:limit], *(hit.slug for hit in self.search(text, limit)))))[:limit]


def _grams(folded: str) -> set[str]:
    """The trigrams of the words of a folded name, each word with two blanks before and one after it."""
    return {padded[i : i + 3] for word in folded.split() for padded in (f"  {word} ",) for i in range(len(padded) - 2)}
