"""A round of questions: what was answered how surely, what comes back when, and what was confidently wrong.

A session never changes; each answer makes the next one. A question that was answered wrong comes back after a few others,
one that was right but guessed after some more; one that was known is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kg.errors import UnknownName
from kg.learning.questions import Question

CONFIDENCE: Mapping[str, str] = {"guess": "A guess", "think": "I think so", "sure": "I am sure"}
"""How sure somebody can be, asked before the answer is shown."""
_AGAIN_AFTER = {(False, "guess"): 4, (False, "think"): 3, (False, "sure"): 2, (True, "guess"): 5, (True, "think"): 8}
"""After how many other questions one comes back, by whether it was right and how sure the answer was."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: the question, the choice by its place, and how sure it was."""

    question: Question
    choice: int
    confidence: str

    @property
    def right(self) -> bool:
        return self.question.choices[self.choice].right

    @property
    def confidently_wrong(self) -> bool:
        return not self.right and self.confidence == "sure"


@dataclass(frozen=True, slots=True)
class Report:
    """How a session went: for each confidence how many answers there were and how many were right; and the sure errors."""

    answers: int
    right: int
    by_confidence: Mapping[str, tuple[int, int]]
    confidently_wrong: tuple[Answered, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"answers": self.answers, "right": self.right,
                "by_confidence": {name: {"answers": asked, "right": right} for name, (asked, right) in self.by_confidence.items()},
                "confidently_wrong": [a.question.id for a in self.confidently_wrong]}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Session:
    """The questions that are still to come, in order, and the answers so far."""

    queue: tuple[Question, ...]
    answers: tuple[Answered, ...] = ()

    @property
    def current(self) -> Question | None:
        """The question to ask now; None when all is known."""
        return self.queue[0] if self.queue else None

    def answer(self, choice: int, confidence: str) -> "Session":
        """The session after an answer to the current question.

        Raises:
            UnknownName: for a confidence that there is not.
            IndexError: for a choice that the question does not have, or where no question is left.
        """
        if confidence not in CONFIDENCE:
            raise UnknownName("confidence", confidence, list(CONFIDENCE))
        question, rest = self.queue[0], self.queue[1:]
        if not 0 <= choice < len(question.choices):
            raise IndexError(choice)
        given = Answered(question, choice, confidence)
        later = _AGAIN_AFTER.get((given.right, confidence))
        queue = rest if later is None else (*rest[:later], question, *rest[later:])
        return replace(self, queue=queue, answers=(*self.answers, given))

    def report(self) -> Report:
        """How it went so far."""
        by_confidence = {}
        for name in CONFIDENCE:
            given = [a for a in self.answers if a.confidence == name]
            by_confidence[name] = (len(given), sum(a.right for a in given))
        return Report(len(self.answers), sum(a.right for a in self.answers), by_confidence,
                      tuple(a for a in self.answers if a.confidently_wrong))  # fmt: skip
