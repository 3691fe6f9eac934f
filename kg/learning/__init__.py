"""Questions that the graph asks and can answer: quizzes, case walks, repetition, and a deck of cards to take along."""

from kg.learning.questions import KINDS, Choice, Question, Quiz
from kg.learning.session import CONFIDENCE, Answered, Report, Session

__all__ = ["CONFIDENCE", "KINDS", "Answered", "Choice", "Question", "Quiz", "Report", "Session"]
