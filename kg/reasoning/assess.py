"""Assessment: which conditions the findings and tests are consistent with, and what to ask or test next.

    assessment = engine.assess(findings=["finding-painful-arc-shoulder"], tests={"neer": "positive"}, region="shoulder")
    assessment.differential[0].label

Bayes' rule over all conditions and "none of these". Each answer moves a condition against a condition that does not list
the finding; answers that come together are pooled, so that many weak hints never make a certainty. Every number is in
`assessment/screening.ttl` or stated with a test. It says what findings are consistent with; it decides nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import PalpateError, UnknownName
from kg.graph.frame import Tabular
from kg.graph.index import Names
from kg.graph.knowledge import Knowledge, Node, Version
from kg.graph.names import nearest
from kg.graph.regions import EVERYWHERE, Regions
from kg.reasoning.parameters import Parameters
from kg.reasoning.safety import Referral
from kg.reasoning.screen import Answers, Person, Question, Screener, Screening, in_words, pooled

POSITIVE, NEGATIVE = "positive", "negative"
_NEXT, _SCREENING = 10, 5
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Hint:
    """One answer that speaks for or against a condition, with the likelihood ratio before pooling."""

    slug: str
    label: str
    answer: str
    ratio: float
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "slug": self.slug,
            "label": self.label,
            "answer": self.answer,
            "likelihood_ratio": self.ratio,
            "sources": list(self.sources),
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """One condition with its probability and what speaks for and against it."""

    condition: str
    label: str
    probability: float
    supporting: tuple[Hint, ...]
    against: tuple[Hint, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "condition": self.condition, "label": self.label, "probability": self.probability,
            "supporting": [hint.to_dict() for hint in self.supporting], "against": [hint.to_dict() for hint in self.against],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well a test tells one condition, pooled over its studies and shrunk by their size."""

    condition: str
    positive: float
    negative: float
    sensitivity: float
    rate: float
    participants: int | None
    certainty: str
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"condition": self.condition, "likelihood_ratio_positive": self.positive, "likelihood_ratio_negative": self.negative,
                "participants": self.participants, "certainty": self.certainty, "sources": list(self.sources)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Next:
    """One question or test that would tell much, in bits of entropy that its answer is expected to remove."""

    kind: str
    slug: str
    label: str
    question: str
    expected_information: float
    procedure: str | None
    positive_sign: tuple[str, ...]
    accuracy: tuple[Accuracy, ...]

    def to_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {self.kind: self.slug, "label": self.label, "question": self.question,
                                 "expected_information": self.expected_information}  # fmt: skip
        if self.kind == "test":
            found |= {"procedure": self.procedure, "positive_sign": list(self.positive_sign),
                      "accuracy": [accuracy.to_dict() for accuracy in self.accuracy]}  # fmt: skip
        return found


@dataclass(frozen=True, slots=True)
class Assessment(Tabular):
    """The answer: referral first, then what the answers are consistent with, how sure that is, and what to ask next."""

    PARTS = ("differential",)

    version: Version
    screening: Screening
    tests: tuple[tuple[str, str], ...]
    region: str | None
    differential: tuple[Candidate, ...]
    other: float
    confidence: str
    confidence_reason: str
    next: tuple[Next, ...]

    @property
    def referral(self) -> Referral | None:
        return self.screening.referral

    @property
    def screening_questions(self) -> tuple[Question, ...]:
        """The first questions of the screening, which come before those on the differential."""
        return self.screening.questions[:_SCREENING]

    @property
    def to_be_acted_upon(self) -> bool:
        """Whether the differential may guide treatment: not before a physician has seen a client who is referred urgently."""
        return not (self.referral and self.referral.stops)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data, in the shape of the JSON contract."""
        screening = self.screening.to_dict()
        return {
            "graph": self.version.to_dict(),
            "context": screening["context"] | {"region": self.region, "tests": dict(self.tests)},
            "referral": screening["referral"],
            "do_now": screening["do_now"],
            "to_client": screening["to_client"],
            "suspected": screening["suspected"],
            "act_on_differential": self.to_be_acted_upon,
            "reading": "consistent with",
            "differential": [candidate.to_dict() for candidate in self.differential],
            "other": {"probability": self.other, "label": "none of these"},
            "confidence": {"word": self.confidence, "reason": self.confidence_reason},
            "next": [step.to_dict() for step in self.next],
            "screening": [question.to_dict() for question in self.screening_questions],
        }


class Assessor:
    """Findings and tests of all conditions as arrays, built once."""

    def __init__(self, knowledge: Knowledge, names: Names, screener: Screener) -> None:
        self._knowledge, self._names, self._screener = knowledge, names, screener
        self._parameters = Parameters(knowledge)
        self._regions = Regions(knowledge)
        self._conditions = tuple(node.slug for node in knowledge.of_class("Condition"))
        self._index = {slug: place for place, slug in enumerate(self._conditions)}

    # ------------------------------------------------------------------ what the graph says of findings
    @cached_property
    def _shown(self) -> dict[str, dict[int, float]]:
        """Finding -> place of a condition -> share of its people who show it, for conditions that state it."""
        usual = self._parameters["assess-stated"]
        shown: dict[str, dict[int, float]] = {}
        for slug, place in self._index.items():
            for finding in self._knowledge[slug].all("presentsWith"):
                shown.setdefault(finding, {})[place] = usual
        for node in self._knowledge.of_class("Presentation"):
            share = self._knowledge[node.one("findingFrequency")].number("value")
            shown.setdefault(node.one("presentedFinding"), {})[self._index[node.one("presentationOf")]] = share
        return shown

    def _rate(self, finding: str) -> float:
        """How often a condition that does not list a finding shows it all the same."""
        aspect = self._knowledge[finding].one("aspect")
        return self._knowledge[aspect].number("value") if aspect else self._parameters["assess-unlisted"]

    @cached_property
    def _accuracies(self) -> dict[str, dict[int, Accuracy]]:
        """Test -> place of a condition -> its accuracy, pooled over studies."""
        groups = self._knowledge.group("DiagnosticEvidence", "ofTest", "evidenceCondition")
        found: dict[str, dict[int, Accuracy]] = {}
        for (test, condition), studies in sorted(groups.items()):
            if condition in self._index and (accuracy := self._pool(condition, studies)):
                found.setdefault(test, {})[self._index[condition]] = accuracy
        return found

    def _pool(self, condition: str, studies: list[Node]) -> Accuracy | None:
        """The likelihood ratios of one test for one condition: geometric mean by size, shrunk to one where studies are small."""
        p = self._parameters
        rows = [(ratios, self._size(study)) for study in studies if (ratios := self._ratios(study))]
        if not rows:
            return None
        size = sum(weight for _, weight in rows)
        shrink = size / (size + p["assess-accuracy-participants"])
        positive, negative = (exp(shrink * sum(log(ratios[side]) * weight for ratios, weight in rows) / size) for side in (0, 1))
        rate = p["assess-test-rate"] if positive <= negative else (1 - negative) / (positive - negative)
        rate = min(max(rate, 0.01), 0.99 / max(positive, 1.0))
        stated = [int(study.number("participants")) for study in studies if "participants" in study.properties]
        sources = tuple(sorted({source for study in studies for source in study.all("dcterms:source")}))
        return Accuracy(
            condition, positive, negative, positive * rate, rate, sum(stated) or None, self._certainty(shrink, sources), sources
        )

    def _size(self, study: Node) -> float:
        return study.number("participants", self._parameters["assess-accuracy-unstated"])

    def _ratios(self, study: Node) -> tuple[float, float] | None:
        """Likelihood ratios of a positive and a negative test: stated, or from sensitivity and specificity; unknown ones are 1."""
        most = self._parameters["assess-ratio-most"]
        both = "sensitivity" in study.properties and "specificity" in study.properties
        sensitivity, specificity = (study.number(name, 50.0) / 100 for name in ("sensitivity", "specificity"))
        positive = study.number("lrPositive", sensitivity / max(1 - specificity, _LEAST) if both else 1.0)
        negative = study.number("lrNegative", (1 - sensitivity) / max(specificity, _LEAST) if both else 1.0)
        if not both and not {"lrPositive", "lrNegative"} & set(study.properties):
            return None
        return min(max(positive, 1 / most), most), min(max(negative, 1 / most), most)

    def _certainty(self, shrink: float, sources: Iterable[str]) -> str:
        """In a word, how far accuracy can be relied on: as the best design of its sources allows, less where studies are small."""
        ceiling = max((self._knowledge[self._knowledge[source].one("design")].number("ceiling", 1.0) for source in sources), default=1.0)
        level = min(ceiling, 1 + 3 * shrink)
        words = sorted(self._knowledge.of_class("Certainty"), key=lambda node: node.number("value"))
        return words[max(0, min(int(level) - 1, len(words) - 1))].label

    # ------------------------------------------------------------------ before any answer
    def prior(self, region: str | None, person: Person) -> NDArray[np.float64]:
        """Probability of each condition and, last, of none of these, before any answer."""
        p = self._parameters
        weights = np.array([self._knowledge[self._knowledge[slug].one("caseload")].number("value") for slug in self._conditions])
        if region and region != EVERYWHERE:
            fits = np.array([self._fit(slug, region) for slug in self._conditions])
            weights = weights * fits
            counted = {self._index[node.one("rateOf")]: node.number("value") for node in self._knowledge.of_class("BaseRate")
                       if any(self._regions.within(region, at) for at in node.all("inRegion"))}  # fmt: skip
            rest = [place for place in range(len(weights)) if place not in counted]
            weights[rest] *= (1 - sum(counted.values())) / weights[rest].sum()
            for place, share in counted.items():
                weights[place] = share
        usual = np.array([person.fits(self._knowledge[slug]) for slug in self._conditions])
        weights = np.where(usual, weights, weights * p["assess-unusual-person"])
        return np.append(weights / weights.sum() * (1 - p["assess-other"]), p["assess-other"])

    def _fit(self, condition: str, region: str) -> float:
        own = self._regions.of_condition[condition]
        if EVERYWHERE in own:
            return self._parameters["assess-general"]
        return 1.0 if self._regions.overlap(condition, [region]) else self._parameters["assess-outside"]

    # ------------------------------------------------------------------ the answer
    def assess(self, findings: Iterable[str] = (), absent: Iterable[str] = (), tests: Mapping[str, str] | None = None,
               region: str | None = None, age: int | None = None, sex: str | None = None) -> Assessment:  # fmt: skip
        """What the answers are consistent with; see `Engine.assess`."""
        person = Person.of(self._knowledge, age, sex)
        place = self._screener.region(region) if region else None
        screening = self._screener.screen(region=place, age=age, sex=sex, present=findings, absent=absent)
        results = self._results(tests or {})
        answers = self._with_age(screening.answers, person)
        prior = self.prior(place, person)
        hints = self._hints(answers, results)
        logs = np.log(prior) + np.array([self._sum(hints[place]) for place in range(len(prior))])
        posterior = np.exp(logs - logs.max())
        posterior /= posterior.sum()
        order = sorted(range(len(self._conditions)), key=lambda place: (-posterior[place], self._conditions[place]))
        differential = tuple(self._candidate(place, float(posterior[place]), hints[place]) for place in order)
        telling = [*(slug for slug in answers.present | answers.absent if slug in self._shown), *self._accuracies.keys() & results.keys()]
        word, reason = self._confidence(differential, len(telling))
        return Assessment(
            self._knowledge.version, screening, tuple(sorted(results.items())), place, differential, float(posterior[-1]), word, reason,
            self._next(posterior, answers, results),
        )  # fmt: skip

    def _results(self, tests: Mapping[str, str]) -> dict[str, str]:
        results: dict[str, str] = {}
        for word, result in tests.items():
            test = self._names.resolve(word, "OrthopedicTest")
            given = result.strip().lower() if isinstance(result, str) else ""
            if given not in (POSITIVE, NEGATIVE):
                raise UnknownName("result of a test", str(result), nearest(str(result), (POSITIVE, NEGATIVE)) or (POSITIVE, NEGATIVE))
            if results.setdefault(test, given) != given:
                raise PalpateError(f"The test {test!r} cannot be both positive and negative.")
        return results

    @cached_property
    def _of_age(self) -> tuple[str, ...]:
        """The findings that the age answers by itself."""
        return tuple(finding for finding in sorted(self._shown) if {"fromAge", "toAge"} & set(self._knowledge[finding].properties))

    def _with_age(self, answers: Answers, person: Person) -> Answers:
        """The answers with those that the age gives by itself."""
        if person.age is None:
            return answers
        known = answers.present | answers.absent
        met = {finding: person.fits(self._knowledge[finding]) for finding in self._of_age if finding not in known}
        return Answers(
            answers.present | {f for f, fits in met.items() if fits}, answers.absent | {f for f, fits in met.items() if not fits}
        )

    def _hints(self, answers: Answers, results: Mapping[str, str]) -> list[tuple[list[Hint], list[Hint]]]:
        """For each condition and, last, for none of these: the hints from findings and those from tests."""
        hints: list[tuple[list[Hint], list[Hint]]] = [([], []) for _ in range(len(self._conditions) + 1)]
        other = self._parameters["assess-other-rate"]
        for slug, present in sorted([*((f, True) for f in answers.present), *((f, False) for f in answers.absent)]):
            if slug not in self._shown:
                continue
            rate, node = self._rate(slug), self._knowledge[slug]
            for place, share in [*self._shown[slug].items(), (len(self._conditions), other)]:
                ratio = share / rate if present else (1 - share) / (1 - rate)
                hints[place][0].append(Hint(slug, node.label, "present" if present else "absent", ratio, node.all("dcterms:source")))
        for test, result in sorted(results.items()):
            for place, accuracy in self._accuracies.get(test, {}).items():
                ratio = accuracy.positive if result == POSITIVE else accuracy.negative
                hints[place][1].append(Hint(test, self._knowledge.label(test), result, ratio, accuracy.sources))
        return hints

    def _sum(self, hints: tuple[list[Hint], list[Hint]]) -> float:
        """The log likelihood ratio of a condition: findings pooled, tests pooled, each by their own discount."""
        discounts = self._parameters["assess-pooling"], self._parameters["assess-test-pooling"]
        return sum(pooled((log(hint.ratio) for hint in kind), discount) for kind, discount in zip(hints, discounts, strict=True))

    def _candidate(self, place: int, probability: float, hints: tuple[list[Hint], list[Hint]]) -> Candidate:
        slug = self._conditions[place]
        ordered = sorted((*hints[0], *hints[1]), key=lambda hint: (-abs(log(hint.ratio)), hint.slug))
        return Candidate(slug, self._knowledge.label(slug), probability,
                         tuple(h for h in ordered if h.ratio > 1), tuple(h for h in ordered if h.ratio < 1))  # fmt: skip

    def _confidence(self, differential: tuple[Candidate, ...], answered: int) -> tuple[str, str]:
        """A word for how far the first place can be relied on, from its probability and from how many answers tell conditions apart."""
        most = differential[0].probability * answered / (answered + self._parameters["assess-answers"])
        best = f"the first has {differential[0].probability:.0%}, the second {differential[1].probability:.0%}"
        return in_words(self._knowledge, "ConfidenceWord", most), f"{answered} answer{'' if answered == 1 else 's'}; {best}"

    # ------------------------------------------------------------------ what to ask next
    @cached_property
    def _steps(self) -> tuple[tuple[tuple[str, str], ...], NDArray[np.float64]]:
        """All findings and tests, and for each the chance of a yes in each condition and, last, in none of these."""
        flags = {node.slug for node in self._knowledge.of_class("RedFlag")}
        width, rows, steps = len(self._conditions) + 1, [], []
        for finding, shares in sorted(self._shown.items()):
            if finding in flags or finding in self._of_age:
                continue
            row = np.full(width, self._rate(finding))
            row[list(shares)] = list(shares.values())
            row[-1] = self._parameters["assess-other-rate"]
            steps.append(("finding", finding))
            rows.append(row)
        for test, accuracies in sorted(self._accuracies.items()):
            row = np.full(width, float(np.mean([accuracy.rate for accuracy in accuracies.values()])))
            row[list(accuracies)] = [accuracy.sensitivity for accuracy in accuracies.values()]
            steps.append(("test", test))
            rows.append(row)
        return tuple(steps), np.array(rows)

    @cached_property
    def _own_information(self) -> NDArray[np.float64]:
        """c log c + (1 - c) log(1 - c) of the chances of a yes, in bits."""
        _, chance = self._steps
        return _xlog(chance) + _xlog(1 - chance)

    def _next(self, posterior: NDArray[np.float64], answers: Answers, results: Mapping[str, str]) -> tuple[Next, ...]:
        """The steps whose answer is expected to remove most entropy, in bits."""
        steps, chance = self._steps
        yes = chance @ posterior
        information = _xlog(posterior)
        # the entropy left after each answer, times its chance: -sum(c p log(c p)) + y log y, with log(c p) = log c + log p
        left = _xlog(yes) + _xlog(1 - yes) - self._own_information @ posterior - information.sum()
        gain = np.maximum(-information.sum() - left, 0.0)
        known = answers.present | answers.absent | set(results)
        order = sorted(
            (place for place, (_, slug) in enumerate(steps) if slug not in known), key=lambda i: (-round(float(gain[i]), 12), steps[i])
        )
        return tuple(self._step(*steps[place], float(gain[place])) for place in order[:_NEXT])

    def _step(self, kind: str, slug: str, gain: float) -> Next:
        node = self._knowledge[slug]
        if kind == "finding":
            return Next(kind, slug, node.label, node.one("question", node.label), gain, None, (), ())
        signs = {sign for study in self._studies.get((slug,), ()) for sign in study.all("positiveSign")}
        accuracy = tuple(self._accuracies[slug][place] for place in sorted(self._accuracies[slug]))
        return Next(
            kind, slug, node.label, node.one("procedure", node.label), gain, node.one("procedure") or None, tuple(sorted(signs)), accuracy
        )

    @cached_property
    def _studies(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self._knowledge.group("DiagnosticEvidence", "ofTest")


def results_of(words: Iterable[str]) -> dict[str, str]:
    """Tests and their results from words of the form SLUG=RESULT.

    Raises:
        PalpateError: for a word of another form, or a test with two results.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, result = word.rpartition("=")
        if not equals or not name:
            raise PalpateError(f"A test is given as SLUG=positive or SLUG=negative, not as {word!r}.")
        if found.setdefault(name, result) != result:
            raise PalpateError(f"The test {name!r} cannot be both positive and negative.")
    return found


def _xlog(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """x log2 x, which is 0 at 0."""
    return values * np.log2(np.maximum(values, _LEAST))
