"""A note cut into sentences, each in its section; markup is blanked so that places stay those of the note as given."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kg.reasoning.intake.lexicon import Heading, Lexicon
from kg.reasoning.intake.words import Token, tokens

_TAG = re.compile(r"<[A-Za-z/!][^<>]{0,400}>")
_BLOCK = re.compile(r"</?(?:p|br|li|ul|ol|div|tr|td|th|table|h[1-6]|section)\b", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6});")
_HIDDEN = ("script", "style")
_BULLETS = frozenset("-*•·–—>#")
_ENDS = frozenset(".!;")
_ANSWERS = ("", *":?-–—=|")
_LONGEST_SENTENCE = 250


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of a sentence or line, and the section in which it stands."""

    tokens: tuple[Token, ...]
    section: Heading | None

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end


def without_markup(text: str) -> str:
    """The text with tags, scripts and entities as blanks; as long as it was, so that every place stays."""
    if "<" not in text and "&" not in text:
        return text
    for name in _HIDDEN:
        text = _blank_element(text, name)
    text = _TAG.sub(lambda m: ("\n" if _BLOCK.match(m[0]) else " ") + " " * (len(m[0]) - 1), text)
    return _ENTITY.sub(lambda m: " " * len(m[0]), text)


def _blank_element(text: str, name: str) -> str:
    lower, parts, at = text.lower(), list[str](), 0
    if len(lower) != len(text):  # a letter whose small form is longer: places would shift
        return text
    while (start := lower.find(f"<{name}", at)) >= 0 and (close := lower.find(f"</{name}", start)) >= 0:
        end = lower.find(">", close)
        end = len(text) if end < 0 else end + 1
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join(parts) + text[at:]


class Segmenter:
    """Cuts notes by the headings and words of a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._headings = lexicon.headings
        self._longest = max(map(len, self._headings), default=0)
        self._wrap = lexicon.number("note-wrap")
        self._unfinished = lexicon.words("words-joining") | lexicon.words("words-skipped") | lexicon.words("words-unfinished")
        self._titles = lexicon.words("words-before-stop")
        self._client = lexicon.words("words-client")

    def sentences(self, text: str) -> Iterator[Sentence]:
        """All sentences of a text in order, with the section of each."""
        section: Heading | None = None
        filled = False
        for start, end in self._blocks(text):
            block = tokens(text, start, end)
            if not block:
                if filled:
                    section = None
                continue
            first = _after_bullet(block)
            heading, after = self._heading(block, first, alone=True)
            if heading:
                section, filled = (heading, False) if after >= len(block) else (None, False)
            inline = heading if heading and after < len(block) else None
            filled = filled or not heading
            yield from self._block(block, after if heading else first, inline, section)

    def _blocks(self, text: str) -> Iterator[tuple[int, int]]:
        """Stretches of lines that belong together: a line, and those into which it is wrapped."""
        start = at = 0
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            at += len(line)
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if not self._goes_on(line.strip(), following):
                yield start, at
                start = at

    def _goes_on(self, line: str, following: str) -> bool:
        first = following.strip()[:1]
        if not line or not first or first in _BULLETS or first.isdigit() or first == "[" or line[-1] in ".!?:;":
            return False
        last = line.rsplit(None, 1)[-1].lower()
        if line[-1] == ",":
            return len(line) > 1
        if last in self._unfinished:
            return line[: -len(last)].rstrip()[-1:] not in _ANSWERS
        return len(line) >= self._wrap and first.islower()

    def _heading(self, block: Sequence[Token], at: int, alone: bool = False) -> tuple[Heading | None, int]:
        """The heading at a token, and the token after it and its colon."""
        for length in range(min(self._longest, len(block) - at), 0, -1):
            after = at + length
            heading = self._headings.get(tuple(token.folded for token in block[at:after]))
            if heading and after < len(block) and _answers(block, after):
                return heading, after + 1
            if heading and alone and after == len(block) and len(block[at].text) > 1:
                return heading, after
        return None, at

    def _block(self, block: Sequence[Token], at: int, inline: Heading | None, section: Heading | None) -> Iterator[Sentence]:
        sentence: list[Token] = []
        for index in range(at, len(block)):
            token = block[index]
            gap = index > at and token.start - block[index - 1].end > 2
            if gap or len(sentence) >= _LONGEST_SENTENCE:
                yield from self._cut(sentence, inline or section)
                sentence = []
            sentence.append(token)
            if token.text in _ENDS and self._ends(block, index):
                yield from self._cut(sentence, inline or section)
                inline = self._stays(sentence, inline)
                sentence = []
                heading, after = self._heading(block, index + 1)
                if heading:
                    yield from self._block(block, after, heading, None)
                    return
        yield from self._cut(sentence, inline or section)

    def _cut(self, sentence: Sequence[Token], section: Heading | None) -> Iterator[Sentence]:
        if sentence:
            yield Sentence(tuple(sentence), section)

    def _stays(self, sentence: Sequence[Token], inline: Heading | None) -> Heading | None:
        """A section within a line lasts until a sentence speaks of the client again."""
        return None if inline and any(token.folded in self._client for token in sentence) else inline

    def _ends(self, block: Sequence[Token], index: int) -> bool:
        token = block[index]
        if token.text != ".":
            return True
        if index + 1 < len(block) and block[index + 1].start == token.end:
            return False
        before = block[index - 1] if index else token
        initial = len(before.text) == 1 and before.text.isupper()
        return not (before.end == token.start and (before.folded in self._titles or initial))


def _after_bullet(block: Sequence[Token]) -> int:
    """Past a bullet or a number at the start of a line."""
    at = 0
    while at < len(block) - 1 and block[at].text in _BULLETS:
        at += 1
    if at + 1 < len(block) - 1 and block[at].text.isdigit() and block[at + 1].text in ".)":
        at += 2
    return at


def _answers(block: Sequence[Token], at: int) -> bool:
    """Whether a heading ends at a token: a colon, or a dash that stands free, "Meds - aspirin"."""
    token = block[at]
    if token.text not in ":-–—":
        return False
    free = token.start > block[at - 1].end and at + 1 < len(block) and block[at + 1].start > token.end
    return token.text == ":" or free
