"""Screening: which disease could hide behind a complaint, what to ask first, and when a physician comes first.

    screening = engine.screen(region="jaw", age=58, sex="female", present=["breathless-weary-jaw-back-pain"])
    screening.referral.urgency

It refers by any of three ways: one strong red flag; a decision rule that reaches its points; weak flags that together
lift the probability of one disease over the threshold of its urgency. Whatever is present can only make a referral more
urgent, never less. Answers are present, absent, or not asked; absent is never assumed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.graph.frame import Tabular
from kg.graph.index import Names
from kg.graph.knowledge import Knowledge, Node, Version
from kg.graph.names import nearest
from kg.graph.regions import EVERYWHERE, Regions
from kg.reasoning.client import Client
from kg.reasoning.parameters import Parameters
from kg.reasoning.safety import URGENCIES, Referral, ReferralReason, SafetyGate

_URGENCY, _SEX, _FINDING = "urgency-", "sex-", "finding-"
ANSWERS = ("RedFlag", "Finding", "Hazard", "Condition")
"""The classes whose individuals can be answers of a client: flags and findings first, then what is known from the history."""
OLDEST = 120


@dataclass(frozen=True, slots=True)
class Person:
    """Age in years and sex, each None where it is not known."""

    age: int | None = None
    sex: str | None = None

    @staticmethod
    def of(knowledge: Knowledge, age: int | None, sex: str | None) -> "Person":
        """A person whose words are checked.

        Raises:
            PalpateError: for an age that no person has.
            UnknownName: for a sex that the graph does not hold.
        """
        if age is not None and (isinstance(age, bool) or not isinstance(age, int) or not 0 <= age <= OLDEST):
            raise PalpateError(f"age must be a whole number of years from 0 to {OLDEST}, not {age!r}.")
        if sex is None:
            return Person(age)
        words = list(knowledge.words("Sex"))
        word = sex.strip().lower() if isinstance(sex, str) else ""
        if word not in words:
            raise UnknownName("sex", str(sex), nearest(str(sex), words) or words)
        return Person(age, word)

    def fits(self, node: Node) -> bool:
        """Whether what a node states on age and sex holds for the person, or may hold as far as is known."""
        sex = node.one("appliesToSex").removeprefix(_SEX)
        if sex and self.sex and sex != self.sex:
            return False
        return self.age is None or node.number("fromAge", 0) <= self.age <= node.number("toAge", OLDEST)

    def meets(self, node: Node) -> bool:
        """Whether a node states something on age or sex, and the person is known to meet all of it."""
        needs_age, needs_sex = "fromAge" in node.properties or "toAge" in node.properties, "appliesToSex" in node.properties
        known = (not needs_age or self.age is not None) and (not needs_sex or self.sex is not None)
        return (needs_age or needs_sex) and known and self.fits(node)


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of a client: slugs that are present, slugs that are absent; all else has not been asked."""

    present: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """One question to ask: for which pathologies, how urgent the gravest, and how much the answer may change."""

    finding: str
    label: str
    question: str
    pathologies: tuple[str, ...]
    urgency: str
    why: str
    gain: float

    def to_dict(self) -> dict[str, Any]:
        return {"finding": self.finding, "label": self.label, "question": self.question, "pathologies": list(self.pathologies),
                "urgency": self.urgency, "why": self.why, "expected_gain": self.gain}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleResult:
    """A decision rule computed from the answers: whether it applies, points so far, the most that is possible, its reading."""

    rule: str
    label: str
    target: str
    pathology: str
    applies: bool
    points: float
    most: float
    reading: str | None
    urgency: str | None
    met: tuple[str, ...]
    missing: tuple[str, ...]
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"rule": self.rule, "label": self.label, "target": self.target, "pathology": self.pathology,
                "applies": self.applies,
                "points": self.points, "most": self.most,
                "reading": self.reading, "urgency": self.urgency, "met": list(self.met), "missing": list(self.missing),
                "sources": list(self.sources)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A pathology for which something speaks: its probability, in words too, and what speaks for and against it."""

    pathology: str
    label: str
    urgency: str
    probability: float
    words: str
    supporting: tuple[str, ...]
    against: tuple[str, ...]
    not_asked: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"pathology": self.pathology, "label": self.label, "urgency": self.urgency, "probability": self.probability,
                "words": self.words, "supporting": list(self.supporting), "against": list(self.against),
                "not_asked": list(self.not_asked)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Screening(Tabular):
    """The answer: whether to refer, what is suspected, what was considered, and what to ask next."""

    PARTS = ("questions",)

    complaint: str | None
    regions: tuple[str, ...]
    person: Person
    answers: Answers
    version: Version
    referral: Referral | None
    do_now: tuple[str, ...]
    to_client: str | None
    suspected: tuple[Suspicion, ...]
    considered: tuple[str, ...]
    rules: tuple[RuleResult, ...]
    questions: tuple[Question, ...]
    knowledge: Knowledge

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        label = self.knowledge.label
        return {
            "graph": self.version.to_dict(),
            "context": {"complaint": self.complaint, "regions": list(self.regions), "age": self.person.age, "sex": self.person.sex,
                        "present": sorted(self.answers.present), "absent": sorted(self.answers.absent)},
            "referral": self.referral.to_dict() if self.referral else None,
            "do_now": list(self.do_now),
            "to_client": self.to_client,
            "suspected": [suspicion.to_dict() for suspicion in self.suspected],
            "considered": [{"pathology": slug, "label": label(slug)} for slug in self.considered],
            "rules": [rule.to_dict() for rule in self.rules],
            "questions": [question.to_dict() for question in self.questions],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Flag:
    """One red flag as a sign of one pathology."""

    slug: str
    pathology: str
    urgency: str
    question: str
    alone: bool
    triggers: bool
    reassures: bool
    opens: bool
    ratio: float
    absence: float
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Criterion:
    """One criterion of a decision rule: the findings that answer it, its points, the group whose absence counts."""

    node: Node
    answers: tuple[str, ...]
    points: float
    group: str

    def holds(self, answers: Answers, person: Person) -> bool | None:
        """Whether the criterion is met; None where it is not known."""
        if answers.present.intersection(self.answers) or person.meets(self.node):
            return True
        if self.answers:
            return False if answers.absent.issuperset(self.answers) else None
        return None if person.fits(self.node) else False


@dataclass(frozen=True, slots=True)
class _Rule:
    """A decision rule with its criteria, those of one group together, and its readings, the highest first."""

    node: Node
    groups: tuple[tuple[_Criterion, ...], ...]
    readings: tuple[Node, ...]
    required: frozenset[str]
    regions: tuple[str, ...]
    pathology: str

    @property
    def answers(self) -> frozenset[str]:
        """The findings that answer one of the criteria."""
        return frozenset(answer for parts in self.groups for part in parts for answer in part.answers)

    def tally(self, answers: Answers, person: Person) -> "_Tally":
        """Points of what is met, the points that open criteria could add, and which criteria are met and open."""
        points, most, met, open_ = 0.0, 0.0, list[_Criterion](), list[_Criterion]()
        for parts in self.groups:
            states = [part.holds(answers, person) for part in parts]
            holds = states[0] if not parts[0].group else False if True in states else None if None in states else True
            points += parts[0].points * (holds is True)
            most += max(parts[0].points, 0.0) * (holds is None)
            met += parts if holds else ()
            open_ += [part for part, state in zip(parts, states, strict=True) if state is None] if holds is None else ()
        applies = not self.required or bool(answers.present & self.required)
        return _Tally(self, applies, points, points + most, tuple(met), tuple(open_))


@dataclass(frozen=True, slots=True)
class _Tally:
    """A decision rule counted."""

    rule: _Rule
    applies: bool
    points: float
    most: float
    met: tuple[_Criterion, ...]
    open: tuple[_Criterion, ...]

    def wanted(self, answers: Answers) -> tuple[tuple[str, str], ...]:
        """Findings to ask about, with the criterion in words: what is open, or first whether the rule applies at all."""
        if self.applies:
            return tuple((part.answers[0], part.node.one("criterion")) for part in self.open if part.answers)
        return () if answers.absent >= self.rule.required else tuple((finding, finding) for finding in sorted(self.rule.required))

    @property
    def reading(self) -> Node | None:
        """The reading that holds: one that refers as soon as it is reached, any other when nothing is open."""
        reached = next((reading for reading in self.rule.readings if self.points >= reading.number("pointsFrom")), None)
        if reached is None or not self.applies:
            return None
        refers = bool(reached.one("urgency")) and self.points > 0
        return reached if refers or not self.open else None

    @property
    def result(self) -> RuleResult:
        reading, node = self.reading, self.rule.node
        urgency = reading.one("urgency").removeprefix(_URGENCY) if reading else ""
        met, missing = (tuple(part.node.one("criterion") for part in parts) for parts in (self.met, self.open))
        return RuleResult(
            node.slug, node.label, node.one("ruleTarget"), self.rule.pathology, self.applies, self.points, self.most,
            reading.one("interpretation") if reading else None, urgency or None, met, missing,
            self.rule.readings[0].all("dcterms:source"),
        )  # fmt: skip


class Screener:
    """The red flags, risks and decision rules of a graph, resolved once."""

    def __init__(self, knowledge: Knowledge, names: Names, gate: SafetyGate) -> None:
        self._knowledge, self._names, self._gate = knowledge, names, gate
        self._regions = Regions(knowledge)
        self._parameters = Parameters(knowledge)
        self._urgencies = {urgency: knowledge[_URGENCY + urgency] for urgency in URGENCIES}
        self._by_flag: dict[str, list[_Flag]] = {}
        self._by_pathology: dict[str, list[_Flag]] = {}
        self._mimics: dict[str, set[str]] = {}
        self._places: dict[str, set[str]] = {}
        for node in knowledge.of_class("RedFlagIndication"):
            self._add(node)
        self._signs = {path: _once(flags) for path, flags in self._by_pathology.items()}
        self._risks = {path: nodes for (path,), nodes in knowledge.group("PathologyRisk", "riskOf").items()}
        self._advice: dict[str, list[str]] = {}
        for node in knowledge.of_class("Advice"):
            for path in node.all("adviceFor"):
                self._advice.setdefault(path, []).append(node.one("doNow"))

    # ------------------------------------------------------------------ reading the graph
    def _add(self, node: Node) -> None:
        """Take in one indication. A flag whose strength is not stated refers by itself: the safe side."""
        strength = node.one("flagStrength")
        alone, together = (
            not strength or self._knowledge[strength].properties[name][0] is True for name in ("refersAlone", "refersTogether")
        )
        ratio, absence = self._ratios(node, strength or "screening-default-ratio")
        flag = _Flag(
            node.one("redFlag"), node.one("pathology"), node.one("urgency").removeprefix(_URGENCY), node.one("question"), alone, together,
            ratio <= 1, node.properties.get("opens", (False,))[0] is True, ratio, absence, node.all("dcterms:source"),
        )  # fmt: skip
        self._by_flag.setdefault(flag.slug, []).append(flag)
        self._by_pathology.setdefault(flag.pathology, []).append(flag)
        self._mimics.setdefault(flag.pathology, set()).update(node.all("mimics"))
        self._places.setdefault(flag.pathology, set()).update(node.all("inRegion"))

    def _ratios(self, node: Node, assumed: str) -> tuple[float, float]:
        """Likelihood ratios of presence and absence: stated, from sensitivity and specificity, or assumed."""
        sensitivity, specificity = (node.number(name, -1.0) / 100 for name in ("sensitivity", "specificity"))
        both = sensitivity >= 0 and specificity >= 0
        most = self._parameters["screening-ratio-most"]
        derived = sensitivity / max(1 - specificity, 1 / most) if both else self._parameters[assumed]
        ratio = node.number("lrPositive", derived)
        absence = node.number("lrNegative", (1 - sensitivity) / specificity if both else 1.0)
        return min(ratio, most), min(max(absence, 1 / most), 1.0)

    @cached_property
    def _rules(self) -> tuple[_Rule, ...]:
        """The decision rules that can be computed: those with readings."""
        readings = self._knowledge.group("RuleReading", "readingOf")
        criteria = self._knowledge.group("RuleCriterion", "ofRule")
        found = []
        for node in self._knowledge.of_class("DecisionRule"):
            groups: dict[str, list[_Criterion]] = {}
            for part in criteria.get((node.slug,), ()):
                points, group = float(part.one("points", "1")), part.one("unlessGroup")
                if points:  # what adds no points is a remark, not a criterion
                    groups.setdefault(group or part.slug, []).append(_Criterion(part, part.all("answeredBy"), points, group))
            ordered = sorted(readings.get((node.slug,), ()), key=lambda reading: -reading.number("pointsFrom"))
            if ordered:
                found.append(_Rule(node, tuple(map(tuple, groups.values())), tuple(ordered), frozenset(node.all("ruleRequires")),
                                   node.all("inRegion"), node.one("rulePathology")))  # fmt: skip
        return tuple(found)

    @cached_property
    def _own_answers(self) -> dict[str, frozenset[str]]:
        """Rule -> the findings that answer its criteria and those of no other rule."""
        uses = Counter(answer for rule in self._rules for answer in rule.answers)
        return {rule.node.slug: frozenset(answer for answer in rule.answers if uses[answer] == 1) for rule in self._rules}

    # ------------------------------------------------------------------ asking
    def answers(self, present: Iterable[str], absent: Iterable[str]) -> Answers:
        """Answers whose words are resolved against flags, findings, hazards and conditions.

        Raises:
            UnknownName: for a word that the graph does not hold.
            PalpateError: where something is both present and absent.
        """
        answers = Answers(frozenset(map(self.resolve, present)), frozenset(map(self.resolve, absent)))
        if both := sorted(answers.present & answers.absent):
            raise PalpateError(f"{both[0]!r} cannot be both present and absent.")
        return answers

    def resolve(self, word: str) -> str:
        """The one individual that a word means, sought in the classes of `ANSWERS` in their order."""
        if not isinstance(word, str):
            raise PalpateError(f"A finding is named by a word, not by {word!r}.")
        if (slug := _FINDING + word.strip()) in self._knowledge:  # slugs of findings may go without their prefix
            return slug
        near: list[str] = []
        for cls in ANSWERS:
            try:
                return self._names.resolve(word, cls)
            except UnknownName as error:
                near += error.nearest
        raise UnknownName("finding, red flag or hazard", word, nearest(word, near, limit=4, at_least=0))

    def place(self, complaint: str | None, region: str | None) -> tuple[str | None, tuple[str, ...]]:
        """The condition that a complaint names, if it does, and the regions in which it lies.

        Raises:
            UnknownName: for a complaint that is neither a condition nor a region, or an unknown region.
        """
        regions = [self.region(region)] if region else []
        if not complaint:
            return None, tuple(regions)
        try:
            condition = self._names.resolve(complaint, "Condition")
        except UnknownName as error:
            try:
                return None, tuple(dict.fromkeys((*regions, self.region(complaint))))
            except UnknownName as other:
                raise UnknownName("condition or region", complaint, [*error.nearest, *other.nearest][:4]) from None
        return condition, tuple(regions or sorted(self._regions.of_condition[condition]))

    def region(self, word: str) -> str:
        """The region that a word means.

        Raises:
            UnknownName: where none does.
        """
        return self._names.resolve(word, "BodyRegion")

    def screen(self, complaint: str | None = None, region: str | None = None, age: int | None = None, sex: str | None = None,
               present: Iterable[str] = (), absent: Iterable[str] = ()) -> Screening:  # fmt: skip
        """Screen a complaint for serious disease; see `Engine.screen`."""
        condition, regions = self.place(complaint, region)
        person, answers = Person.of(self._knowledge, age, sex), self.answers(present, absent)
        known = self._widened(condition, answers)
        near = {path: self._nearness(path, condition, regions) for path in self._by_pathology}
        odds = {path: self._odds(path, near[path], person, known) for path in self._by_pathology}
        tallies = self._tallies(regions, known, person)
        rules = tuple(tally.result for tally in tallies)
        referral = self._refer(odds, rules, answers)
        suspected = self._suspected(odds, answers)
        considered = sorted(
            (path for path in odds if self._is_near(near[path]) and person.fits(self._knowledge[path])),
            key=lambda path: (URGENCIES.index(self._gravest(path)), -odds[path], path),
        )
        return Screening(
            condition, regions, person, answers, self._knowledge.version, referral, self._do_now(referral),
            self._urgencies[referral.urgency].one("toClient") if referral else None,
            suspected, tuple(considered), rules,
            self._questions(odds, considered, tallies, person, answers), self._knowledge,
        )  # fmt: skip

    def _widened(self, condition: str | None, answers: Answers) -> Answers:
        """The answers with what they imply: who has a narrower hazard has the wider, and the complaint brings its own."""
        brought = self._gate.lasting(condition, None) if condition else ()
        wider = {hazard for has in (*answers.present, *brought) for hazard in self._gate.hazards_of(has)}
        return Answers(answers.present | wider, answers.absent)

    # ------------------------------------------------------------------ probabilities
    def _nearness(self, pathology: str, condition: str | None, regions: Sequence[str]) -> float:
        """Factor on the pretest probability: how well the complaint fits where the pathology hurts and was counted."""
        node = self._knowledge[pathology]
        own = node.all("screenedIn") or self._places[pathology]
        if not regions or condition in self._mimics[pathology] or self._lies_in(regions, own):
            fit = 1.0
        else:  # it may hurt anywhere, or in a part of a wide complaint
            part = EVERYWHERE in own or self._lies_in(own, regions)
            fit = self._parameters["screening-referred" if part else "screening-elsewhere"]
        if regions and condition not in self._mimics[pathology] and all(self._lies_in((at,), node.all("seldomIn")) for at in regions):
            fit = min(fit, self._parameters["screening-referred"])
        counted = self._knowledge[self._pretest(pathology)].all("inRegion")
        known = not counted or not regions or self._lies_in(regions, counted) or self._lies_in(counted, regions)
        return fit if known else max(fit * self._parameters["screening-referred"], self._parameters["screening-elsewhere"])

    def _pretest(self, pathology: str) -> str:
        return self._knowledge[pathology].one("pretest", "screening-default-pretest")

    def _lies_in(self, regions: Iterable[str], places: Iterable[str]) -> bool:
        """Whether one of the regions is one of the places or part of it."""
        return any(self._regions.within(region, place) for region in regions for place in places)

    def _is_near(self, nearness: float) -> bool:
        return nearness > self._parameters["screening-elsewhere"]

    def _odds(self, pathology: str, nearness: float, person: Person, answers: Answers) -> float:
        """Probability of a pathology: pretest, then risks and flags by Bayes' rule, flags of one disease pooled."""
        pretest = self._knowledge[self._pretest(pathology)].number("value") * nearness
        most = self._parameters["screening-ratio-most"]
        evidence = [log(min(risk.number("lrPositive"), most)) for risk in self._risks.get(pathology, ())
                    if (risk.one("riskFactor") in answers.present if risk.one("riskFactor") else person.meets(risk))]  # fmt: skip
        flags = self._signs[pathology]
        evidence += [max(log(f.ratio), 0.0) for f in flags if f.slug in answers.present]
        evidence += [log(f.absence) for f in flags if f.slug in answers.absent]
        logit = log(pretest / (1 - pretest)) + pooled(evidence, self._parameters["screening-pooling"])
        return 1 / (1 + exp(-logit))

    def _gravest(self, pathology: str) -> str:
        return min(
            (flag.urgency for flag in self._by_pathology[pathology] if not flag.reassures), key=URGENCIES.index, default=URGENCIES[-1]
        )

    # ------------------------------------------------------------------ decision rules
    def _tallies(self, regions: Sequence[str], answers: Answers, person: Person) -> list[_Tally]:
        """The rules for these regions, counted, and those elsewhere of which a criterion is met that is theirs alone."""
        return [rule.tally(answers, person) for rule in self._rules
                if answers.present & (self._own_answers[rule.node.slug] if regions else rule.answers)
                or any(EVERYWHERE not in (region, place) and (self._regions.within(region, place) or self._regions.within(place, region))
                       for region in regions for place in rule.regions)]  # fmt: skip

    # ------------------------------------------------------------------ referral
    def _refer(self, odds: Mapping[str, float], rules: Sequence[RuleResult], answers: Answers) -> Referral | None:
        reasons = [self._reason(flag) for slug in answers.present for flag in self._by_flag.get(slug, ()) if flag.alone]
        for path, probability in odds.items():
            flags = [flag for flag in self._signs[path] if flag.slug in answers.present and not flag.reassures]
            if any(flag.triggers for flag in flags) and probability >= self._urgencies[self._urgency_of(flags)].number("threshold"):
                reasons += [self._reason(flag, self._urgency_of(flags)) for flag in flags]
        for rule in rules:
            if rule.urgency:
                path = self._knowledge[rule.rule].one("rulePathology")
                label = f"{rule.label}: {rule.reading}"
                reasons.append(ReferralReason(rule.rule, label, path, self._knowledge.label(path), rule.urgency, rule.sources))
        hazards = tuple(sorted(slug for slug in answers.present if self._knowledge[slug].is_a("Hazard")))
        gate = self._gate.refer(Client(hazards=hazards), "")
        reasons += gate.reasons if gate else ()
        return self._gate.referral(reasons)

    def _urgency_of(self, flags: Sequence[_Flag]) -> str:
        """The gravest urgency among flags that stand together."""
        return min((flag.urgency for flag in flags), key=URGENCIES.index)

    def _reason(self, flag: _Flag, urgency: str | None = None) -> ReferralReason:
        label = self._knowledge.label
        return ReferralReason(flag.slug, label(flag.slug), flag.pathology, label(flag.pathology), urgency or flag.urgency, flag.sources)

    def _do_now(self, referral: Referral | None) -> tuple[str, ...]:
        """What to do at once: by the urgency, then by the pathologies that are as urgent."""
        if not referral:
            return ()
        paths = dict.fromkeys(reason.pathology for reason in referral.reasons if reason.pathology and reason.urgency == referral.urgency)
        special = [text for path in paths for text in self._advice.get(path, ())]
        return tuple(dict.fromkeys((self._urgencies[referral.urgency].one("doNow"), *special)))

    def _suspected(self, odds: Mapping[str, float], answers: Answers) -> tuple[Suspicion, ...]:
        found = []
        for path, own in self._signs.items():
            supporting = [flag for flag in own if flag.slug in answers.present and not flag.reassures]
            if supporting:
                against = [
                    f.slug for f in own if (f.slug in answers.present and f.reassures) or (f.slug in answers.absent and not f.reassures)
                ]
                open_ = [f.slug for f in own if f.slug not in answers.present | answers.absent]
                found.append(Suspicion(
                    path, self._knowledge.label(path), self._urgency_of(supporting), odds[path], self._word(odds[path]),
                    tuple(f.slug for f in supporting), tuple(against), tuple(open_),
                ))  # fmt: skip
        return tuple(sorted(found, key=lambda s: (URGENCIES.index(s.urgency), -s.probability, s.pathology)))

    def _word(self, probability: float) -> str:
        return in_words(self._knowledge, "SuspicionWord", probability)

    # ------------------------------------------------------------------ questions
    def _questions(self, odds: Mapping[str, float], considered: Sequence[str], tallies: Sequence[_Tally], person: Person,
                   answers: Answers) -> tuple[Question, ...]:  # fmt: skip
        """What to ask, the answer that may change most first: urgency x probability x weight of evidence.

        A further question on the same pathology gains less than the one before, so that each pathology gets its turn.
        """
        gains: dict[str, float] = {}
        asked: dict[str, list[tuple[str, _Ask]]] = {}
        for path in considered:
            of_rules = [wanted for tally in tallies if tally.rule.pathology == path for wanted in tally.wanted(answers)]
            asks = {ask.finding: ask for ask in (*self._asks_of_rules(path, of_rules), *self._asks_of_flags(path, person))}
            wanted = [ask for slug, ask in asks.items() if slug not in answers.present | answers.absent]
            for turn, ask in enumerate(sorted(wanted, key=lambda ask: (not ask.opens, -ask.weight, ask.finding))):
                gain = ask.weight * odds[path] * self._parameters["screening-repeat"] ** turn
                gains[ask.finding] = gains.get(ask.finding, 0.0) + gain
                asked.setdefault(ask.finding, []).append((path, ask))
        return tuple(self._question(asked[slug], gain) for slug, gain in sorted(gains.items(), key=lambda item: (-item[1], item[0])))

    def _asks_of_flags(self, pathology: str, person: Person) -> list["_Ask"]:
        return [_Ask(flag.slug, flag.question, flag.urgency, self._weight(flag.urgency, flag.ratio), flag.opens)
                for flag in self._signs[pathology]
                if not flag.reassures and person.fits(self._knowledge[flag.slug])]  # fmt: skip

    def _asks_of_rules(self, pathology: str, wanted: Iterable[tuple[str, str]]) -> list["_Ask"]:
        urgency = self._gravest(pathology)
        weight = self._weight(urgency, self._parameters["screening-criterion-ratio"])
        return [_Ask(slug, self._knowledge[slug].one("question", words), urgency, weight, False)
                for slug, words in wanted if slug not in self._by_flag]  # fmt: skip

    def _weight(self, urgency: str, ratio: float) -> float:
        return self._urgencies[urgency].number("value") * log(ratio)

    def _question(self, asks: Sequence[tuple[str, "_Ask"]], gain: float) -> Question:
        paths = sorted(path for path, _ in asks)
        first = min((ask for _, ask in asks), key=lambda ask: (URGENCIES.index(ask.urgency), ask.question))
        why = f"Looks for: {'; '.join(sorted(map(self._knowledge.label, paths)))}."
        return Question(first.finding, self._knowledge.label(first.finding), first.question, tuple(paths), first.urgency, why, gain)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A question that could be asked on one pathology: its urgency, and urgency x weight of evidence."""

    finding: str
    question: str
    urgency: str
    weight: float
    opens: bool


def pooled(evidence: Iterable[float], discount: float) -> float:
    """Log likelihood ratios joined: for each sign the strongest counts full, each further one `discount` times the one before.

    >>> pooled([1.0, 2.0, -1.0], 0.5)
    1.5
    """
    values = sorted(evidence, key=abs, reverse=True)
    total = 0.0
    for side in ([v for v in values if v > 0], [v for v in values if v < 0]):
        total += sum(value * discount**place for place, value in enumerate(side))
    return total


def in_words(knowledge: Knowledge, cls: str, probability: float) -> str:
    """The word of the class whose lower bound a probability reaches."""
    return max(
        (node for node in knowledge.of_class(cls) if node.number("value") <= probability), key=lambda node: node.number("value")
    ).label


def _once(flags: Iterable[_Flag]) -> list[_Flag]:
    """Each red flag once, by its strongest indication."""
    best: dict[str, _Flag] = {}
    for flag in flags:
        if flag.slug not in best or flag.ratio > best[flag.slug].ratio:
            best[flag.slug] = flag
    return [best[slug] for slug in sorted(best)]
