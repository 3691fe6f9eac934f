"""What of a note was not understood: members of lists, medicines, clinical words that no name covers."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from kg.reasoning.intake.codes import CodeHit
from kg.reasoning.intake.lexicon import Lexicon
from kg.reasoning.intake.matcher import Matcher
from kg.reasoning.intake.sentences import Sentence
from kg.reasoning.intake.words import Token, is_english

_LONGEST_SHOWN, _SHORTEST_MEDICINE = 160, 3
_ABBREVIATION = re.compile(r"[A-Z][A-Z0-9]{2,6}")


class Unread:
    """Gathers the parts of one note that no item covers."""

    def __init__(self, lexicon: Lexicon, matcher: Matcher) -> None:
        self._matcher = matcher
        self._dose = lexicon.words("words-dose")
        self._idle = lexicon.words("words-not-clinical")
        self._clinical = lexicon.words("words-clinical")
        self._endings = tuple(lexicon.words("words-clinical-endings"))
        self._joining = lexicon.words("words-joining")
        self._before_medicine = lexicon.words("words-before-medicine")
        self.lines: list[str] = []

    def add(self, note: str, sentence: Sentence, covered: Sequence[tuple[int, int]], codes: Sequence[CodeHit]) -> None:
        """Look at a sentence, of which items cover these stretches."""
        self.lines += [code.code for code in codes if not code.names]
        covered = [*covered, *((code.start, code.end) for code in codes)]
        shown = len(self.lines)
        for member in _members(sentence.tokens):
            if not any(start < member[-1].end and member[0].start < end for start, end in covered):
                if self._matters(member, sentence):
                    self.lines.append(_shown(note[member[0].start : member[-1].end]))
            else:
                self.lines += [token.text for token in member if self._strange(token, covered)]
        said = " ".join(self.lines[shown:])
        self.lines += [token.text for token in self._medicines(sentence.tokens, covered) if token.text not in said]

    def _medicines(self, tokens: Sequence[Token], covered: Sequence[tuple[int, int]]) -> Iterator[Token]:
        """Capitalized words that nobody knows behind a word such as "takes": medicines, as like as not."""
        for before, token in pairwise(tokens):
            if before.folded in self._before_medicine and token.text.istitle() and len(token.text) > _SHORTEST_MEDICINE:
                known = self._matcher.knows(token.text) or is_english(token.text) or token.folded in self._idle
                if not known and not any(start < token.end and token.start < end for start, end in covered):
                    yield token

    def _matters(self, member: Sequence[Token], sentence: Sentence) -> bool:
        words = [token for token in member if token.is_word and not token.text.isdigit() and token.folded not in self._idle]
        if not any(len(token.text) > 1 and token.text.isalpha() for token in words):
            return False
        listed = sentence.section is not None and sentence.section.lists
        return listed or self._is_dose(member) or any(self._is_clinical(token) for token in words)

    def _is_dose(self, member: Sequence[Token]) -> bool:
        """Whether a number and a unit of a medicine stand side by side, and no slash as in a laboratory value."""
        for at, token in enumerate(member):
            if token.folded in self._dose and at and member[at - 1].text[0].isdigit():
                return at + 1 == len(member) or member[at + 1].text != "/"
        return False

    def _is_clinical(self, token: Token) -> bool:
        if token.folded in self._clinical or (len(token.text) > 6 and token.folded.endswith(self._endings)):
            return True
        return self._is_abbreviation(token)

    def _is_abbreviation(self, token: Token) -> bool:
        return bool(_ABBREVIATION.fullmatch(token.text)) and not self._matcher.knows(token.text) and not is_english(token.text)

    def _strange(self, token: Token, covered: Sequence[tuple[int, int]]) -> bool:
        """Whether a token beside the items of its member is clinical and in none of them."""
        if any(start < token.end and token.start < end for start, end in covered) or token.folded in self._idle:
            return False
        ends = len(token.text) > 6 and token.folded.endswith(self._endings)
        return self._is_abbreviation(token) or (ends and not self._matcher.knows(token.text))


def _members(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The members of a list: what stands between commas, semicolons and full stops."""
    member: list[Token] = []
    for token in tokens:
        if token.text in ",;." or token.text == "•":
            if member:
                yield member
            member = []
        else:
            member.append(token)
    if member:
        yield member


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
