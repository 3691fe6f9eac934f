"""What a sentence says of each name in it: negated, in doubt, past, of the family; after the ConText algorithm.

A cue speaks of the names after it up to the end of its scope, or of those before it within its reach, or answers the
name before a colon (Harkema et al. 2009). All words are in the ontology.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kg.reasoning.intake.lexicon import (
    ANSWER,
    BACKWARD,
    BOTH,
    FAMILY,
    FORWARD,
    HISTORICAL,
    HYPOTHETICAL,
    NEGATED,
    PRESENT,
    UNCERTAIN,
    Cue,
    Lexicon,
)  # fmt: skip
from kg.reasoning.intake.matcher import Hit
from kg.reasoning.intake.sentences import Sentence
from kg.reasoning.intake.words import Token

_SEPARATORS = frozenset(":?-–—=")
_STOPS = frozenset(",;")
_ANSWERED = 10
_YEAR_REACH = 7


@dataclass(slots=True)
class Status:
    """What is said of one name: each meaning with the words that say it; whether it may be recent; its year."""

    meanings: dict[str, str] = field(default_factory=dict)
    long_past: bool = False
    year: str | None = None
    answered: bool = False

    def add(self, meaning: str, words: str, maybe_recent: bool = False) -> None:
        self.meanings.setdefault(meaning, words)
        self.long_past = self.long_past or (meaning == HISTORICAL and not maybe_recent)


@dataclass(frozen=True, slots=True)
class _Found:
    first: int
    after: int
    cues: tuple[Cue, ...]
    words: str

    def only(self, direction: str) -> Iterator[Cue]:
        return (cue for cue in self.cues if cue.direction == direction)


class Context:
    """Reads cues around names."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._joining = lexicon.words("words-joining")
        self._ongoing = lexicon.words("words-ongoing")

    def read(self, sentence: Sentence, folded: Sequence[str], hits: Sequence[Hit], past_year: int) -> list[Status]:
        """The status of each hit.

        Args:
            folded: the tokens of the sentence in small letters, rightly spelt.
            past_year: the latest year that lies in the past.
        """
        statuses = [Status() for _ in hits]
        for hit, status in zip(hits, statuses, strict=True):
            if hit.name.absent:
                status.add(NEGATED, hit.name.name)
        words = sentence.tokens
        found = [_Found(f, a, cues, " ".join(t.text for t in words[f:a])) for f, a, cues in self._lexicon.find_cues(folded)]
        answered: set[int] = set()
        for number, cue in enumerate(found):
            if self._answers(cue, words, hits, statuses):
                answered.add(number)
        for number, cue in enumerate(found):
            follower = found[number + 1] if number + 1 < len(found) else None
            if number in answered or (cue.words.startswith("?") and follower and number + 1 in answered and follower.first == cue.after):
                continue
            self._speak(cue, number, found, words, hits, statuses)
        self._dates(words, hits, statuses, past_year)
        if sentence.section:
            for status in statuses:
                if sentence.section.meaning != PRESENT:
                    status.add(sentence.section.meaning, sentence.section.slug, sentence.section.maybe_recent)
        return statuses

    # ------------------------------------------------------------------ forward and backward
    def _speak(self, cue: _Found, number: int, found: Sequence[_Found], words: Sequence[Token], hits: Sequence[Hit],
               statuses: Sequence[Status]) -> None:  # fmt: skip
        forward, backward, both = (list(cue.only(direction)) for direction in (FORWARD, BACKWARD, BOTH))
        if forward and backward:
            forward, backward = (forward, []) if self._looks_ahead(cue, number, found, words, hits, backward[0]) else ([], backward)
        for one in (*forward, *both):
            if one.meaning != PRESENT:
                end = self._scope_end(one, cue, found[number + 1 :], words)
                for hit, status in zip(hits, statuses, strict=True):
                    begins = hit.first < cue.first or (hit.first == cue.first and cue.after > cue.first + 1)
                    inside = hit.loose and begins and cue.after < hit.after and one.meaning != HISTORICAL
                    before = cue.first < hit.first < end and not (hit.loose and self._begins_with(hit, cue, words))
                    if (before or inside) and not status.answered:
                        status.add(one.meaning, cue.words, one.maybe_recent)
        for one in (*backward, *both):
            for at in self._before(one, cue, words, hits, found[:number]):
                if not statuses[at].answered:
                    statuses[at].add(one.meaning, cue.words, one.maybe_recent)

    def _begins_with(self, hit: Hit, cue: _Found, words: Sequence[Token]) -> bool:
        """Whether a pattern has a word of the cue as its own: "has not passed urine" does not deny "not passed urine"."""
        own = self._lexicon.cues.get((words[hit.first].folded,), ())
        return hit.first < cue.after and any(c.meaning == NEGATED for c in own)

    def _looks_ahead(self, cue: _Found, number: int, found: Sequence[_Found], words: Sequence[Token], hits: Sequence[Hit],
                     back: Cue) -> bool:  # fmt: skip
        """Whether a phrase that can speak both ways speaks of what follows: a sign of what it touches, a word of the nearer name."""
        if not words[cue.first].is_word:
            touches = cue.first > 0 and words[cue.first - 1].end == words[cue.first].start and words[cue.first - 1].is_word
            return not touches
        following = [hit.first for hit in hits if hit.first >= cue.after]
        if following and not any(words[at].text in _STOPS for at in range(cue.after, min(following))):
            return True
        return not list(self._before(back, cue, words, hits, found[:number]))

    def _scope_end(self, one: Cue, cue: _Found, later: Sequence[_Found], words: Sequence[Token]) -> int:
        end = min(len(words), cue.after + one.reach)
        if one.to_comma:
            end = next((at for at in range(cue.after, end) if words[at].text in _STOPS), end)
        end = next((at for at in range(cue.after + 1, end) if words[at].text == ":"), end)
        for other in later:
            if other.first >= end:
                break
            if any(self._stops(one, ender, other, words) for ender in other.cues):
                return other.first
        return end

    def _stops(self, one: Cue, ender: Cue, other: _Found, words: Sequence[Token]) -> bool:
        if ender.ends:
            after_break = other.first > 0 and (words[other.first - 1].text in ",-–—" or words[other.first - 1].folded in self._joining)
            return not ender.after_break or after_break or one.meaning == HISTORICAL
        return ender.meaning == PRESENT and ender.direction == FORWARD and one.meaning != FAMILY

    def _before(self, one: Cue, cue: _Found, words: Sequence[Token], hits: Sequence[Hit], earlier: Sequence[_Found]) -> Iterator[int]:
        for at, hit in enumerate(hits):
            if hit.after > cue.first or cue.first - hit.after >= one.reach:
                continue
            between = range(hit.after, cue.first)
            commas = [w for w in between if words[w].text in _STOPS]
            if commas and not one.over_commas and not (commas == [cue.first - 1] and self._closes(cue, words)):
                continue
            if any(e.first >= hit.after and any(c.ends and not c.after_break for c in e.cues) for e in earlier):
                continue
            yield at

    def _closes(self, cue: _Found, words: Sequence[Token]) -> bool:
        """Whether nothing but a date or a stop follows: "shingles last month, resolved."."""
        return cue.after == len(words) or not words[cue.after].is_word or words[cue.after].text.isdigit()

    # ------------------------------------------------------------------ answers
    def _answers(self, cue: _Found, words: Sequence[Token], hits: Sequence[Hit], statuses: Sequence[Status]) -> bool:
        """Whether the cue answers what stands before a colon, dash or question mark: "Pacemaker: no"."""
        answer = next(cue.only(ANSWER), None)
        separator = cue.first - 1
        if answer is None or separator < 1 or words[separator].text not in _SEPARATORS:
            return False
        if words[separator].text == "-" and words[separator - 1].end + 1 == words[cue.first].start:  # a hyphen
            return False
        closed = cue.after == len(words) or words[cue.after].text in ",;.(-–—|"
        if not closed and words[separator].text != "?":
            return False
        begin = separator
        while begin > 0 and separator - begin < _ANSWERED and words[begin - 1].text not in ",;.|" and words[begin - 1].text != "?":
            begin -= 1
        asked = [at for at, hit in enumerate(hits) if begin <= hit.first and hit.after <= separator]
        for at in asked:
            statuses[at].answered = True
            if answer.meaning != PRESENT:
                statuses[at].add(answer.meaning, cue.words)
        return bool(asked)

    # ------------------------------------------------------------------ dates
    def _dates(self, words: Sequence[Token], hits: Sequence[Hit], statuses: Sequence[Status], past_year: int) -> None:
        for at, token in enumerate(words):
            if not is_year(token.text):
                continue
            ongoing = any(words[before].folded in self._ongoing for before in range(max(0, at - 3), at))
            before = [n for n, hit in enumerate(hits) if hit.after <= at and at - hit.after < _YEAR_REACH]
            nearest = max((hits[n].after for n in before), default=None)
            targets = [n for n in before if hits[n].after == nearest or not any(words[w].text in _STOPS for w in range(hits[n].after, at))]
            if not targets and at <= 2:
                following = [n for n, hit in enumerate(hits) if 0 < hit.first - at < _YEAR_REACH]
                targets = following[:1]
            for n in targets:
                if statuses[n].year is None:
                    statuses[n].year = token.text
                    if int(token.text) <= past_year and not ongoing:
                        statuses[n].add(HISTORICAL, token.text)


def is_year(text: str) -> bool:
    """Whether a token is a year of the last or this century."""
    return len(text) == 4 and text.isdigit() and text.isascii() and text[:2] in ("19", "20")


__all__ = ["FAMILY", "HYPOTHETICAL", "NEGATED", "UNCERTAIN", "Context", "Status", "is_year"]
