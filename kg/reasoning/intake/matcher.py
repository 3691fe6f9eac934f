"""Finds the names of conditions, hazards and red flags in a sentence: in any order, misspelt, abbreviated, joined by "and".

A name of several words is looked up by the sorted stems of its words, so "osteoarthritis of the left knee" and "knee
osteoarthritis" meet; all work is by dictionary over windows of a few words, so it grows with the note and no faster.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.intake.lexicon import Lexicon, phrase
from kg.reasoning.intake.words import Token, is_english, light, stem, tokens

KINDS = {"conditions": "Condition", "hazards": "Hazard", "red_flags": "RedFlag", "pathologies": "SeriousPathology"}
"""The lists of an answer, and the class of what stands in each."""
_SIGNS = ("red_flags", "pathologies")
"""Lists whose names are too much of a piece to be put together from two members of a list."""
_NAMES = ("skos:prefLabel", "skos:altLabel", "skos:hiddenLabel", "noteName")
_LONGEST, _LONGEST_SERIES, _SHORT = 6, 4, 2
_LONGEST_MEASURE, _BETWEEN = 3, 4
"""The most words of a measurement's name, and of what stands between it and its number."""
_PARENTHESIS = re.compile(r"\s*\(([^()]*)\)")
_BREAK, _JOIN, _COMMA = "\n", "&", ","


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the ontology: whose it is, in which list it belongs, how it reads, whether it says that the thing is absent."""

    slug: str
    kind: str
    name: str
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A name found: from the first token to the one after the last; the right spelling where the note's was wrong.

    `size` counts the words of the name, of which an abbreviation has several; `loose` says that other words may stand between.
    """

    first: int
    after: int
    name: Name
    spelling: str | None = None
    size: int = 1
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A word as it is looked up; a break, a comma or a joining word where `stem` is one of these signs."""

    stem: str
    light: str
    token: int
    spelling: str | None = None


@dataclass(slots=True)
class Forms:
    """The stems and corrections of the words of one note; forgotten with it."""

    matcher: "Matcher"
    units: dict[str, tuple[tuple[str, str, str | None], ...]] = field(default_factory=dict)
    folds: dict[str, str] = field(default_factory=dict)

    def folded(self, token: Token) -> str:
        """A token as cues write it, a slip in its spelling mended."""
        found = self.folds.get(token.text)
        if found is None:
            found = self.folds[token.text] = self.matcher.as_cue(token.folded)
        return found

    def of(self, word: str) -> tuple[tuple[str, str, str | None], ...]:
        """(stem, light form, right spelling if it was wrong) of each word that a word stands for."""
        found = self.units.get(word)
        if found is None:
            found = self.units[word] = self.matcher.forms(light(word), word.isupper())
        return found


class Matcher:
    """The names of a graph, indexed for notes."""

    def __init__(self, knowledge: Knowledge, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._skipped = lexicon.words("words-skipped")
        self._joining = lexicon.words("words-joining") - {","}
        self._capitals = lexicon.words("words-capitals")
        self._ordinary = lexicon.words("words-ordinary")
        self._stems: dict[str, str] = {}
        self._sets: dict[tuple[str, ...], list[Name]] = {}
        self._linked: dict[tuple[str, ...], list[Name]] = {}
        self._singles: dict[str, list[Name]] = {}
        self._phrases: dict[tuple[str, ...], list[Name]] = {}
        self._patterns: dict[str, list[tuple[tuple[frozenset[str], ...], Name]]] = {}
        self._asked: set[str] = set()
        self._window, self._apart = lexicon.number("note-pattern-window"), lexicon.number("note-pattern-apart")
        for kind, cls in KINDS.items():
            for node in knowledge.of_class(cls):
                if _readable(knowledge, node) and not (kind == "pathologies" and node.is_a("Hazard")):
                    self._add(node, kind)
        self._least, self._two = lexicon.number("note-typo-least"), lexicon.number("note-typo-two")
        self._measures = self._measures_of(knowledge)
        self._idle = self._skipped | lexicon.words("words-client")
        self._by_letter: dict[str, list[str]] = {}
        for word in sorted(self._stems):
            if len(word) >= self._least - 1 and word.isalpha():
                self._by_letter.setdefault(word[0], []).append(word)

    # ------------------------------------------------------------------ the index
    def _add(self, node: Node, kind: str) -> None:
        unread = {light(name) for name in node.all("unreadName")}
        for label in dict.fromkeys((node.slug.replace("-", " "), *(name for prop in _NAMES for name in node.all(prop)))):
            for name in _variants_of(label, label == node.label):
                if light(name) not in unread:
                    self._add_name(name, Name(node.slug, kind, name))
        for label in node.all("absentName"):
            self._add_name(label, Name(node.slug, kind, label, absent=True))
        for pattern in node.all("notePattern"):
            elements = tuple(frozenset(self._stem_of(word) for word in element.split("|")) for element in pattern.split())
            self._asked.update(word for element in pattern.split() for word in element.split("|"))
            for first in elements[0]:
                self._patterns.setdefault(first, []).append((elements, Name(node.slug, kind, pattern)))

    def _measures_of(self, knowledge: Knowledge) -> dict[tuple[str, ...], list[tuple[float, float, Name]]]:
        """The folded words of a measurement -> the ranges of its value, and what each means."""
        found: dict[tuple[str, ...], list[tuple[float, float, Name]]] = {}
        for node in knowledge.of_class("NoteMeasure"):
            meant = Name(node.one("measureMeans"), "hazards", node.label)
            for words in node.all("skos:hiddenLabel"):
                self._stems.update((word, stem(word)) for word in map(light, phrase(words)))
                found.setdefault(phrase(words), []).append((node.number("measureFrom"), node.number("measureBelow"), meant))
        return found

    def _add_name(self, text: str, name: Name) -> None:
        words = [light(token.text) for token in tokens(text) if token.is_word and token.folded not in self._joining]
        content = [word for word in words if word not in self._skipped]
        units = [form for word in content for form in self._plain(word)]
        if len(words) == 1:
            _append(self._singles, text.strip().lower() if text.isupper() else units[0] if len(units) == 1 else words[0], name)
            if len(units) > 1:
                _append(self._sets, tuple(sorted(map(self._stem, units))), name)
            self._stem(words[0])
        elif len(units) < 2:
            _append(self._phrases, tuple(words), name)
            for word in words:
                self._stem(word)
        elif len(units) <= _LONGEST:
            linked = any(token.folded in self._joining for token in tokens(text))
            _append(self._linked if linked else self._sets, tuple(sorted(map(self._stem, units))), name)

    def _stem_of(self, word: str) -> str:
        """The stem under which a note's word is looked up, its variants included."""
        plain = self._plain(light(word))
        return self._stem(plain[0] if len(plain) == 1 else light(word))

    def _plain(self, word: str) -> tuple[str, ...]:
        return self._lexicon.variants.get(word, (word,))

    def _stem(self, word: str) -> str:
        found = self._stems.get(word)
        if found is None:
            found = self._stems[word] = stem(word)
        return found

    # ------------------------------------------------------------------ words of a note
    def forms(self, word: str, abbreviation: bool = False) -> tuple[tuple[str, str, str | None], ...]:
        """The words that a light word of a note stands for, each as stem and light form, with the spelling if it was mended."""
        if word in self._lexicon.variants:
            return tuple((self._stems.get(w) or stem(w), w, None) for w in self._lexicon.variants[word])
        if word in self._stems:
            return ((self._stems[word], word, None),)
        if not (abbreviation and len(word) <= self._least) and (mended := self._mend(word)):
            return tuple((self._stems.get(w) or stem(w), w, mended) for w in self._plain(mended))
        return ((stem(word), word, None),)

    def _mend(self, word: str) -> str | None:
        """The known word of which `word` is a misspelling, if one is near enough and English does not know `word` itself."""
        if len(word) < self._least or not word.isalpha() or word in self._lexicon.known:
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        found = process.extractOne(word, self._by_letter.get(word[0], ()), scorer=OSA.distance, score_cutoff=2)
        if not found or (found[1] == 2 and max(len(word), len(found[0])) < self._two) or is_english(word):
            return None
        return str(found[0])

    def as_cue(self, word: str) -> str:
        """The word of a cue of which an unknown word is a misspelling by one letter, else the word itself."""
        if len(word) <= self._least or not word.isalpha() or light(word) in self._stems or light(word) in self._lexicon.known:
            return word
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        found = process.extractOne(word, self._lexicon.long_cue_words, scorer=OSA.distance, score_cutoff=1)
        return str(found[0]) if found and not is_english(word) else word

    def knows(self, word: str) -> bool:
        """Whether a name, cue or list has a word; an abbreviation in its full length."""
        short = word.lower()
        if word.isupper():
            return short in self._singles or short in self._stems or short in self._lexicon.known
        return light(word) in self._stems or light(word) in self._lexicon.known

    # ------------------------------------------------------------------ finding
    def find(self, sentence: Sequence[Token], forms: Forms, shouted: bool, whispered: bool) -> list[Hit]:
        """All names in a sentence, the longer before those that they contain in the same list.

        Args:
            shouted: the line is in capitals throughout, so that capitals tell nothing.
            whispered: the line has no capital at all.
        """
        units = self._units(sentence, forms)
        joined = (hit for hit in self._joined(units) if hit.name.kind not in _SIGNS)
        hits = [*self._windows(sentence, units, shouted, whispered), *self._exact(sentence), *joined, *self._scattered(sentence, units),
                *self._measured(sentence)]  # fmt: skip
        return _longest(hits)

    def _units(self, sentence: Sequence[Token], forms: Forms) -> list[Unit]:
        units: list[Unit] = []
        for index, token in enumerate(sentence):
            folded = token.folded
            if folded in self._skipped and not (token.text.isupper() and len(token.text) > 1 and light(folded) in self._singles):
                continue
            if folded in self._joining:
                units.append(Unit(_JOIN, "", index))
            elif token.is_word or (token.text in self._lexicon.variants and not _numbers(sentence, index)):
                units += [Unit(s, word, index, spelling) for s, word, spelling in forms.of(token.text)]
            elif token.text == ",":
                units.append(Unit(_COMMA, "", index))
            elif not (token.text in "-.'’" and 0 < index < len(sentence) - 1 and sentence[index - 1].end == token.start
                      and (token.end == sentence[index + 1].start or token.text == ".")):  # fmt: skip
                units.append(Unit(_BREAK, "", index))
        return units

    def _windows(self, sentence: Sequence[Token], units: Sequence[Unit], shouted: bool, whispered: bool) -> Iterator[Hit]:
        for at, unit in enumerate(units):
            if not unit.light:
                continue
            token = sentence[unit.token]
            for key in dict.fromkeys((token.folded, unit.light)):
                for name in self._singles.get(key, ()):
                    if self._meant(name, token, shouted, whispered):
                        yield Hit(unit.token, unit.token + 1, name, unit.spelling)
            if at and units[at - 1].token == unit.token:
                continue
            run, linked = [unit], False
            for end in range(at + 1, len(units)):
                if units[end].stem == _JOIN:
                    linked = True
                    continue
                if not units[end].light or len(run) == _LONGEST:
                    break
                run.append(units[end])
                if end + 1 == len(units) or units[end + 1].token != units[end].token:  # an abbreviation is taken whole
                    yield from self._lookup(run, self._linked if linked else self._sets)

    def _lookup(self, units: Sequence[Unit], names: Mapping[tuple[str, ...], list[Name]], loose: bool = False) -> Iterator[Hit]:
        for name in names.get(tuple(sorted(unit.stem for unit in units)), ()):
            spelling = next((unit.spelling for unit in units if unit.spelling), None)
            yield Hit(min(u.token for u in units), max(u.token for u in units) + 1, name, spelling, len(units), loose)

    def _meant(self, name: Name, token: Token, shouted: bool, whispered: bool) -> bool:
        """Whether a word is the abbreviation that it looks like: "AS" is, "as" is not."""
        if not (name.name.isupper() and name.name.lower() in self._capitals):
            return True
        if shouted or whispered:
            return token.folded not in self._ordinary
        return token.text.isupper() or token.text.removesuffix("s") == name.name

    def _exact(self, sentence: Sequence[Token]) -> Iterator[Hit]:
        """Names that are made of small words: "on insulin"."""
        words = [(index, light(token.text)) for index, token in enumerate(sentence) if token.is_word]
        for at in range(len(words)):
            for length in range(2, 5):
                run = words[at : at + length]
                for name in self._phrases.get(tuple(word for _, word in run), ()):
                    yield Hit(run[0][0], run[-1][0] + 1, name, size=length)

    def _measured(self, sentence: Sequence[Token]) -> Iterator[Hit]:
        """Measurements whose number lies in a range: of "BP: 196/118" the first number, "BP today 128/82, weight 185" too."""
        folded = [token.folded for token in sentence]
        for at, length in ((at, length) for at in range(len(folded)) for length in range(1, _LONGEST_MEASURE + 1)):
            ranges = self._measures.get(tuple(folded[at : at + length]))
            index = at + length
            while ranges and index < len(sentence) and index - at - length < _BETWEEN and self._is_idle(sentence[index]):
                index += 1
            if ranges and index < len(sentence) and (value := _number(sentence[index].text)) is not None:
                yield from (Hit(at, index + 1, name, size=length + 1) for low, high, name in ranges if low <= value < high)

    def _is_idle(self, token: Token) -> bool:
        return token.folded in self._idle or not (token.is_word or token.text in ",.;")

    def _joined(self, units: Sequence[Unit]) -> Iterator[Hit]:
        """Names that share a word in a list: "hip and knee pain", "pain of hip and knee"."""
        for series in _series(units):
            for at, first in enumerate(series):
                for last in series[at + 1 : at + 1 + _LONGEST_SERIES]:
                    for own, rest in _shared(first, last):
                        yield from self._lookup((*own, *rest), self._sets, loose=True)
                    if len(last) > _SHORT:  # what follows a long member is another list
                        break

    def _scattered(self, sentence: Sequence[Token], units: Sequence[Unit]) -> Iterator[Hit]:
        """Patterns: words that say something together, wherever they stand within a few words."""
        words = self._with_small_words(sentence, units)
        for at, unit in enumerate(words):
            for elements, name in self._patterns.get(unit.stem, ()):
                window = min(self._window, self._apart * len(elements))
                near = [u for u in words[max(0, at - window) : at + window + 1] if abs(u.token - unit.token) <= window]
                chosen = [unit]
                for element in elements[1:]:
                    able = [u for u in near if u.stem in element and u.token not in {c.token for c in chosen}]
                    if not able:
                        break
                    chosen.append(min(able, key=lambda u: abs(u.token - unit.token)))
                else:
                    first, after = min(u.token for u in chosen), max(u.token for u in chosen) + 1
                    if after - first <= window:
                        yield Hit(first, after, name, next((u.spelling for u in chosen if u.spelling), None), len(chosen), True)


    def _with_small_words(self, sentence: Sequence[Token], units: Sequence[Unit]) -> list[Unit]:
        """The words of a sentence, and of those that names may have or not the ones that a pattern asks for: "left", "to"."""
        small = [Unit(token.folded, token.folded, at) for at, token in enumerate(sentence)
                 if token.folded in self._skipped and token.folded in self._asked]  # fmt: skip
        return sorted((*(unit for unit in units if unit.light), *small), key=lambda u: u.token)


def _number(text: str) -> float | None:
    """The value of a number as notes write it, a comma before three digits being none of its own: "38.5", "38,5", "98,000"."""
    if not text[0].isdigit():
        return None
    text = re.sub(r",(?=\d{3}\b)", "", text).replace(",", ".")
    return float(text) if text.count(".") < 2 else None


def _numbers(sentence: Sequence[Token], index: int) -> bool:
    """Whether a sign only numbers what follows: "#1", but not "#5th metatarsal"."""
    after = sentence[index + 1 : index + 3]
    ordinal = len(after) > 1 and after[1].start == after[0].end and after[1].is_word
    return bool(after) and after[0].text[0].isdigit() and not ordinal


def _readable(knowledge: Knowledge, node: Node) -> bool:
    """Whether a note would state it as a fact of a client."""
    return all(knowledge[own].properties.get("readInNotes", (True,))[0] for own in (node.slug, *node.all("subHazardOf")))


def _variants_of(label: str, preferred: bool) -> list[str]:
    """A label without its parentheses, and what stands in those that end a preferred one: "Adhesive capsulitis (frozen shoulder)"."""
    inside = _PARENTHESIS.findall(label) if preferred and label.endswith(")") else []
    return [_PARENTHESIS.sub("", label), *(part for part in inside if len(part.split()) < _LONGEST and "," not in part)]


def _append(index: dict[tuple[str, ...], list[Name]] | dict[str, list[Name]], key: tuple[str, ...] | str, name: Name) -> None:
    bearers = index.setdefault(key, [])  # type: ignore[arg-type]
    if all(other.slug != name.slug or other.kind != name.kind for other in bearers):
        bearers.append(name)


def _series(units: Sequence[Unit]) -> Iterator[list[list[Unit]]]:
    """Runs of members joined by commas and at least one joining word."""
    members: list[list[Unit]] = [[]]
    joined = False
    for unit in (*units, Unit(_BREAK, "", -1)):
        if unit.light:
            members[-1].append(unit)
        elif unit.stem == _BREAK:
            if joined and len(whole := [member for member in members if member]) > 1:
                yield whole
            members, joined = [[]], False
        else:
            joined = joined or unit.stem == _JOIN
            if members[-1]:
                members.append([])


def _shared(first: Sequence[Unit], last: Sequence[Unit]) -> Iterator[tuple[Sequence[Unit], Sequence[Unit]]]:
    """What two members of a list may share: the end of the later one, "hip and knee pain", or the start of the earlier one."""
    for own in (first[-1:], first[-2:]):
        yield from ((own, rest) for rest in (last[1:2], last[1:3], last[2:3], last[2:4]) if own and rest)
    for own in (last[:1], last[:2]):
        yield from ((rest, own) for rest in (first[-2:-1], first[-3:-1]) if own and rest)


def _longest(hits: Iterable[Hit]) -> list[Hit]:
    """Without those within a longer one of the same list, and each slug once at a place; by place."""
    ordered = sorted(dict.fromkeys(hits), key=lambda h: (h.loose, h.first - h.after, -h.size, h.first, h.name.slug))
    kept: dict[str, list[Hit]] = {}
    for hit in ordered:
        others = kept.setdefault(hit.name.kind, [])
        if not any(_covers(other, hit) for other in others):
            others.append(hit)
    return sorted((hit for others in kept.values() for hit in others), key=lambda h: (h.first, -h.after, h.name.kind, h.name.slug))


def _covers(other: Hit, hit: Hit) -> bool:
    """Whether one hit makes another superfluous: it says more at that place, or the same."""
    if other.name.slug == hit.name.slug:
        return other.first < hit.after and hit.first < other.after
    says_more = (other.after - other.first, other.size) > (hit.after - hit.first, hit.size)
    return not other.loose and other.first <= hit.first and hit.after <= other.after and says_more
