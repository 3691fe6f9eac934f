"""What the ontology says of the language of notes: cues, headings, lists of words, numbers; read once from the graph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.intake.words import light, tokens

NEGATED, UNCERTAIN, HISTORICAL = "meaning-negated", "meaning-uncertain", "meaning-historical"
FAMILY, HYPOTHETICAL, NOT_TAKEN, PRESENT, VOID = (
    "meaning-family", "meaning-hypothetical", "meaning-not-taken", "meaning-present", "meaning-void",
)  # fmt: skip
FORWARD, BACKWARD, BOTH, ANSWER, NOTHING = "cue-forward", "cue-backward", "cue-both", "cue-answer", "cue-none"
_UNBOUNDED = 10_000


@dataclass(frozen=True, slots=True)
class Cue:
    """What one phrase does: its meaning, where it speaks, how many words far."""

    meaning: str
    direction: str
    reach: int = _UNBOUNDED
    over_commas: bool = False
    maybe_recent: bool = False
    ends: bool = False
    after_break: bool = False
    to_comma: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A section: what it says of its terms, and whether each of its members names something."""

    slug: str
    meaning: str
    lists: bool
    maybe_recent: bool = False


def phrase(text: str) -> tuple[str, ...]:
    """The folded tokens of a phrase, under which it is found in a note."""
    return tuple(token.folded for token in tokens(text))


class Lexicon:
    """The words of notes by their use."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    @cached_property
    def cues(self) -> dict[tuple[str, ...], tuple[Cue, ...]]:
        """Phrase -> what it does; a phrase may speak forward as well as backward."""
        found: dict[tuple[str, ...], list[Cue]] = {}
        for node in (*self._knowledge.of_class("NoteCue"), *self._knowledge.of_class("ScopeEnd")):
            ends = node.is_a("ScopeEnd")
            cue = Cue(
                node.one("cueMeaning", PRESENT), node.one("cueDirection"), int(node.number("cueReach", _UNBOUNDED)),
                bool(node.one("overCommas")), bool(node.one("maybeRecent")), ends, bool(node.one("afterBreak")),
                bool(node.one("upToComma")),
            )  # fmt: skip
            for words in _words(node):
                found.setdefault(phrase(words), []).append(cue)
        return {words: tuple(cues) for words, cues in found.items()}

    @cached_property
    def longest_cue(self) -> int:
        return max(map(len, self.cues), default=0)

    @cached_property
    def headings(self) -> dict[tuple[str, ...], Heading]:
        """Phrase -> the section that it heads."""
        return {
            phrase(words): Heading(node.slug, node.one("cueMeaning"), bool(node.one("listsTerms")), bool(node.one("maybeRecent")))
            for node in self._knowledge.of_class("SectionHeading")
            for words in (node.label, *_words(node))
        }

    @cached_property
    def sides(self) -> dict[str, str]:
        """Word -> side of the body."""
        return {words.lower(): node.label for node in self._knowledge.of_class("Laterality") for words in (node.label, *_words(node))}

    @cached_property
    def phases(self) -> dict[str, str]:
        """Word -> phase."""
        return {node.label.lower(): node.slug for node in self._knowledge.of_class("Phase") if " " not in node.label}

    @cached_property
    def statuses(self) -> dict[tuple[str, str], str]:
        """Element and code of a FHIR resource -> what it says."""
        return {
            (element, code): node.one("cueMeaning")
            for node in self._knowledge.of_class("StatusCode")
            for element in node.all("statusOf")
            for code in _words(node)
        }

    def words(self, name: str) -> frozenset[str]:
        """The folded words of a word list."""
        return frozenset(words.lower() for words in _words(self._knowledge[name]))

    def number(self, name: str) -> int:
        """A parameter of reading."""
        return int(self._knowledge[name].number("value"))

    @cached_property
    def variants(self) -> dict[str, tuple[str, ...]]:
        """Word as notes write it -> words as names write it."""
        return {
            light(words): tuple(map(light, node.one("expandsTo").split()))
            for node in self._knowledge.of_class("WordVariant")
            for words in _words(node)
        }

    @cached_property
    def known(self) -> frozenset[str]:
        """Every word of cues, headings and lists: no misspellings."""
        phrases = (*self.cues, *self.headings)
        lists = (word for node in self._knowledge.of_class("WordList") for word in _words(node))
        return frozenset(light(word) for words in phrases for word in words) | frozenset(map(light, lists)) | frozenset(self.variants)

    @cached_property
    def long_cue_words(self) -> tuple[str, ...]:
        """The words of cues that are long enough to be known when misspelled."""
        least = self.number("note-typo-least")
        return tuple(sorted({word for words in self.cues for word in words if len(word) >= least and word.isalpha()}))

    def find_cues(self, folded: Sequence[str]) -> Iterator[tuple[int, int, tuple[Cue, ...]]]:
        """The cues of a sentence, given by its folded tokens, as (first token, token after the last, what they do).

        Of those that overlap the longest counts; of two that are equally long the one that says less: "has not only" is
        "not only", "is not excluded" is in doubt.
        """
        found = [
            (at, at + length, cues)
            for at in range(len(folded))
            for length in range(1, min(self.longest_cue, len(folded) - at) + 1)
            if (cues := self.cues.get(tuple(folded[at : at + length])))
        ]
        taken = [False] * len(folded)
        kept = []
        for first, after, cues in sorted(found, key=lambda f: (f[0] - f[1], _boldness(f[2]), f[0])):
            if not any(taken[first:after]):
                taken[first:after] = [True] * (after - first)
                kept.append((first, after, cues))
        yield from sorted(kept, key=lambda f: f[0])


def _boldness(cues: Sequence[Cue]) -> int:
    return 0 if any(c.direction == NOTHING for c in cues) else 1 if any(c.meaning == UNCERTAIN for c in cues) else 2


def _words(node: Node) -> tuple[str, ...]:
    return node.all("skos:hiddenLabel")
