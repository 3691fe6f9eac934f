"""Reads a physician's note into conditions, hazards and red flags, each with the words it was read from.

Nothing is acted on until a person confirms it. A note lives in memory while it is read, and nowhere else.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from kg.errors import PalpateError
from kg.reasoning.engine import Engine
from kg.reasoning.intake.codes import CodeHit, Codes
from kg.reasoning.intake.context import Context, Status, is_year
from kg.reasoning.intake.items import Intake, Item
from kg.reasoning.intake.lexicon import FAMILY, HISTORICAL, HYPOTHETICAL, NEGATED, NOT_TAKEN, UNCERTAIN, Lexicon
from kg.reasoning.intake.matcher import KINDS, Forms, Hit, Matcher, Name
from kg.reasoning.intake.referral import Referrals
from kg.reasoning.intake.sentences import Segmenter, Sentence, without_markup
from kg.reasoning.intake.unread import Unread

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")
_SIDE_REACH, _PHASE_REACH = 3, 2


class Reader:
    """Reads notes by one graph; its indexes are built when first needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._knowledge = engine.knowledge
        self.lexicon = Lexicon(engine.knowledge)

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self._knowledge, self.lexicon)

    @cached_property
    def _segmenter(self) -> Segmenter:
        return Segmenter(self.lexicon)

    @cached_property
    def _context(self) -> Context:
        return Context(self.lexicon)

    @cached_property
    def _referrals(self) -> Referrals:
        return Referrals(self._knowledge, self._engine.gate)

    @cached_property
    def codes(self) -> Codes:
        return Codes(self._knowledge, self._engine.names)

    @cached_property
    def _medicines(self) -> frozenset[str]:
        """Hazards that mean that a client takes a medicine: each medicine, its one nearest kind, and what is stated to be one.

        Of several kinds beside each other none is taken: one may be what the medicine brings about, such as bleeding.
        """
        found = {node.slug for node in self._knowledge.of_class("Hazard") if node.one("medicine")}
        for medicine in self._knowledge.of_class("Medicine"):
            kinds = set(medicine.all("subHazardOf"))
            found |= {medicine.slug, *(kind for kind in kinds if kinds == {kind, *self._knowledge[kind].all("subHazardOf")})}
        return frozenset(found)

    def read(self, note: str) -> Intake:
        """What a note says: free text, lines of codes, or a FHIR R4 Bundle or resource as JSON.

        Raises:
            PalpateError: where it is empty, no text, too long, or broken FHIR.
        """
        self._check(note)
        if note.lstrip()[:1] == "{":
            from kg.reasoning.intake.fhir import read_fhir

            found, unread = read_fhir(note, self)
        else:
            found, unread = self.read_text(note)
        return self._answer(found, unread)

    def _check(self, note: str) -> None:
        limit = self.lexicon.number("note-limit")
        if len(note) > limit:
            raise PalpateError(f"The note has {len(note)} characters; at most {limit} are read at once. Send the part that matters.")
        if _CONTROL.search(note) or note.startswith(("%PDF", "{\\rtf", "PK\x03")):
            raise PalpateError("The note is no plain text. Give its text, or FHIR as JSON.")
        if not note.strip():
            raise PalpateError("The note is empty.")

    # ------------------------------------------------------------------ text
    def read_text(self, note: str) -> tuple[list[tuple[str, Item]], list[str]]:
        """Items, each with its list, and what was not understood, of free text."""
        text = without_markup(note)
        forms, unread = Forms(self._matcher), Unread(self.lexicon, self._matcher)
        past_year = self._past_year(text)
        codes = list(self.codes.find(text))
        items: list[tuple[str, Item]] = []
        for sentence in self._segmenter.sentences(text):
            own = [code for code in codes if sentence.start <= code.start < sentence.end] if codes else []
            found = self._sentence(note, text, sentence, forms, own, past_year)
            items += found
            unread.add(note, sentence, [(item.start, item.end) for _, item in found], own)
        return items, unread.lines

    def _past_year(self, text: str) -> int:
        years = [int(word) for word in re.findall(r"(?<![\w.])\d{4}(?!\w)", text) if is_year(word)]
        reference = self.lexicon.number("note-reference-year")
        return max([reference, *(year for year in years if year <= reference + 50)]) - self.lexicon.number("note-years-past")

    def _sentence(self, note: str, text: str, sentence: Sentence, forms: Forms, codes: Sequence[CodeHit],
                  past_year: int) -> list[tuple[str, Item]]:  # fmt: skip
        words = sentence.tokens
        shouted, whispered = _case(text[sentence.start : sentence.end])
        hits = self._matcher.find(words, forms, shouted, whispered)
        hits += [hit for code in codes for hit in _code_hits(code, sentence)]
        by_place = {(code.start, code.end): code.code for code in codes}
        statuses = self._context.read(sentence, [forms.folded(token) for token in words], hits, past_year)
        found = []
        for hit, status in zip(hits, statuses, strict=True):
            start, end = words[hit.first].start, words[hit.after - 1].end
            item = Item(
                hit.name.slug, "", note[start:end], start, end, side=self._side(words, hit), phase=self._phase(words, hit),
                section=sentence.section.slug if sentence.section else None, code=by_place.get((start, end)),
                spelling=hit.spelling, matched=hit.name.name,
            )  # fmt: skip
            found.append((hit.name.kind, self.settle(hit.name, item, status)))
        return found

    def settle(self, name: Name, item: Item, status: Status) -> Item:
        """An item with what is said of it; a hazard that lies in the past becomes what remains of it."""
        said = status.meanings
        node = self._knowledge[name.slug]
        not_taken = NOT_TAKEN in said and name.slug in self._medicines
        if name.kind == "hazards" and HISTORICAL in said and status.long_past and NEGATED not in said and (left := node.one("inThePast")):
            item = replace(item, slug=left)
        return replace(
            item, label=self._knowledge.label(item.slug), negated=item.negated or NEGATED in said or not_taken,
            certain=item.certain and not (UNCERTAIN in said or HYPOTHETICAL in said), historical=item.historical or HISTORICAL in said,
            family=item.family or FAMILY in said, hypothetical=item.hypothetical or HYPOTHETICAL in said,
            year=item.year or status.year, because=tuple(dict.fromkeys((*item.because, *said.values()))),
        )  # fmt: skip

    def _side(self, words: Sequence[Any], hit: Hit) -> str | None:
        before, after = range(hit.first - 1, hit.first - _SIDE_REACH, -1), range(hit.after, hit.after + _SIDE_REACH)
        for at in (*range(hit.first, hit.after), *before, *after):
            if 0 <= at < len(words):
                if words[at].text in ",;." and not hit.first <= at < hit.after:
                    if at >= hit.after:
                        return None
                    continue
                if side := self.lexicon.sides.get(words[at].folded):
                    return side
        return None

    def _phase(self, words: Sequence[Any], hit: Hit) -> str | None:
        for at in (*range(hit.first, hit.after), *range(hit.first - 1, hit.first - 1 - _PHASE_REACH, -1)):
            if at >= 0 and (phase := self.lexicon.phases.get(words[at].folded)):
                return phase
        return None

    # ------------------------------------------------------------------ the answer
    def _answer(self, found: Iterable[tuple[str, Item]], unread: Iterable[str]) -> Intake:
        lists: dict[str, dict[Item, None]] = {kind: {} for kind in KINDS}
        for kind, item in found:
            lists[kind][item] = None
        ordered = {kind: tuple(sorted(items, key=lambda i: (i.start, i.end, i.slug))) for kind, items in lists.items()}
        ordered["pathologies"] = _not_among(ordered["hazards"], ordered["pathologies"])
        return Intake(self._knowledge.version, **ordered, unread=tuple(dict.fromkeys(unread)), referral=self._referrals.of(**ordered))


def _not_among(hazards: Sequence[Item], pathologies: Sequence[Item]) -> tuple[Item, ...]:
    """Pathologies without the known ones whose words already name a hazard: its rules say what to do."""
    named = {(item.start, item.end) for item in hazards}
    return tuple(item for item in pathologies if not item.certain or (item.start, item.end) not in named)


def _code_hits(code: CodeHit, sentence: Sentence) -> Iterator[Hit]:
    inside = [at for at, token in enumerate(sentence.tokens) if token.start < code.end and code.start < token.end]
    for name in code.names:
        yield Hit(inside[0], inside[-1] + 1, name)


def _case(text: str) -> tuple[bool, bool]:
    """Whether a line is in capitals throughout, so that they tell nothing; whether it has none at all."""
    long = re.findall(r"[^\W\d_]{4,}", text)
    return len(long) >= 2 and all(word.isupper() for word in long), not any(c.isupper() for c in text)
