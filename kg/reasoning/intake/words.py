"""The words of a note: tokens with their places, and the forms under which names and notes meet.

>>> [token.text for token in tokens("Pt denies h/o DVT.")]
['Pt', 'denies', 'h/o', 'DVT', '.']
>>> light("Crohn’s"), light("haemorrhages")
('crohn', 'hemorrhage')
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

_TOKEN = re.compile(
    r"\[[ xX✓]?\]|\([+-]\)|[+-]ve\b"  # ticked boxes and signs
    r"|(?<![^\W_])[^\W\d_]/[^\W\d_](?:['’][^\W\d_]+)?(?![^\W_])"  # h/o, s/p, d/c'd
    r"|(?<![^\W_])[wW]/(?=[oO]?\b|\s)"
    r"|\d+(?:[.,]\d+)*"
    r"|[^\W_]+(?:['’][^\W\d_]+)*"
    r"|\?+|\S"
)
_WORDLIKE = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or sign, and its place in the text."""

    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        return self.text.replace("’", "'").lower()

    @property
    def is_word(self) -> bool:
        return bool(_WORDLIKE.search(self.text))


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of a stretch of text, in order."""
    return [Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text, start, len(text) if end is None else end)]


def light(word: str) -> str:
    """A word without case, accents, possessive and plural, in American spelling."""
    word = word.lower()
    if not word.isascii():
        word = unicodedata.normalize("NFKD", word.replace("’", "'").casefold())
        word = "".join(c for c in word if not unicodedata.combining(c))
    word = word.removesuffix("'s").strip("'")
    if len(word) > 4:
        word = word.replace("ae", "e").replace("oe", "e")
        if word.endswith("our"):
            word = word[:-3] + "or"
    if len(word) > 3:
        if word.endswith("ies"):
            return word[:-3] + "y"
        if word.endswith(("xes", "ches", "shes", "sses", "zes")):
            return word[:-2]
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            return word[:-1]
    return word


def stem(word: str) -> str:
    """The stem of a light word, under which its forms are one: "fractured" and "fracture"."""
    return str(_stemmer().stemWord(word)) if len(word) > 3 else word


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english", 0)  # keeps no words


def is_english(word: str) -> bool:
    """Whether a dictionary of English knows a word, so that it is no misspelling of another."""
    return word.lower() in _dictionary()


@cache
def _dictionary() -> Any:
    from spellchecker import SpellChecker

    return SpellChecker()
