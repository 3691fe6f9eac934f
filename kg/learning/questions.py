"""Multiple-choice questions made from the graph. A wrong choice is near to the right one, and wrong by what the graph states.

>>> import kg
>>> question = Quiz(kg.load()).question("nerve", "gastrocnemius", seed=1)
>>> question.prompt
'Which nerve supplies Gastrocnemius?'
>>> question.right.label
'Tibial nerve'
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from kg.errors import PalpateError, UnknownName
from kg.graph.knowledge import Node
from kg.graph.names import nearest
from kg.learning.facts import CHANGES, Facts, lowered
from kg.reasoning.engine import Engine
from kg.reasoning.mechanism import Path
from kg.reasoning.rank import Entry

KINDS: Mapping[str, str] = {
    "technique": "Which technique for this impairment?",
    "contraindicated": "Contraindicated or not?",
    "red-flag": "Spot the red flag",
    "myth": "Myth or evidence?",
    "impairment": "What leads in this condition?",
    "best": "What is best supported?",
    "nerve": "Muscles: nerve",
    "action": "Muscles: action",
    "origin": "Muscles: origin",
    "insertion": "Muscles: insertion",
}
"""The kinds of questions, with what each asks."""
_WRONG = 3
_NEAR = 9
"""From how many of the nearest wrong answers the shown ones are drawn."""
_PHASE = "chronic"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose: whether it is right, and why or why not."""

    label: str
    right: bool
    why: str
    slug: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.label, "right": self.right, "why": self.why, "slug": self.slug or None}


@dataclass(frozen=True, slots=True)
class Question:
    """A question with one right choice; `id` stays the same whatever the seed, `about` are the slugs that it speaks of."""

    id: str
    kind: str
    prompt: str
    choices: tuple[Choice, ...]
    explanation: str
    about: tuple[str, ...]
    sources: tuple[str, ...] = ()
    grounds: str = ""

    @property
    def right(self) -> Choice:
        return next(choice for choice in self.choices if choice.right)

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "prompt": self.prompt, "choices": [c.to_dict() for c in self.choices],
                "explanation": self.explanation, "about": list(self.about), "sources": list(self.sources),
                "grounds": self.grounds or None}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a case: what is going on, and the question that it raises."""

    title: str
    story: str
    question: Question


class Quiz:
    """Makes questions. The same graph, kind, subject and seed give the same question."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.knowledge, self.facts = engine, engine.knowledge, Facts(engine)
        self._makers: Mapping[str, Callable[[str, Random], Question | None]] = {
            "technique": self._technique, "contraindicated": self._contraindicated, "red-flag": self._red_flag, "myth": self._myth,
            "impairment": self._impairment, "best": self._best, "nerve": self._nerve, "action": self._action,
            "origin": lambda muscle, random: self._attachment("origin", muscle, random),
            "insertion": lambda muscle, random: self._attachment("insertion", muscle, random),
        }  # fmt: skip

    @cached_property
    def subjects(self) -> Mapping[str, tuple[str, ...]]:
        """The slugs of which each kind may ask."""
        facts = self.facts
        return {
            "technique": facts.impairments, "contraindicated": facts.hazards, "red-flag": facts.mimicked, "myth": facts.claims,
            "impairment": facts.profiled, "best": facts.profiled, "nerve": facts.muscles, "action": facts.muscles,
            "origin": facts.muscles, "insertion": facts.muscles,
        }  # fmt: skip

    def question(self, kind: str, subject: str, seed: int | str = 0) -> Question:
        """The question of a kind about one subject.

        Raises:
            UnknownName: for a kind or a subject that there is not.
            PalpateError: where the graph holds too little for four choices.
        """
        if kind not in KINDS:
            raise UnknownName("kind of question", kind, nearest(kind, KINDS) or list(KINDS))
        if subject not in self.subjects[kind]:
            raise UnknownName(f"subject of {kind!r} questions", subject, nearest(subject, self.subjects[kind]))
        made = self._makers[kind](subject, Random(f"{seed}/{kind}/{subject}"))
        if made is None:
            raise PalpateError(f"The graph holds too little on {self.knowledge.label(subject)!r} for a question of kind {kind!r}.")
        return made

    def draw(self, kinds: Iterable[str], count: int, seed: int | str = 0) -> tuple[Question, ...]:
        """Up to `count` questions of the given kinds in turn, each about another subject.

        Raises:
            UnknownName: for a kind that there is not.
        """
        asked = list(dict.fromkeys(kinds))
        queues = {}
        for kind in asked:
            if kind not in KINDS:
                raise UnknownName("kind of question", kind, nearest(kind, KINDS) or list(KINDS))
            queues[kind] = self._queue(kind, seed)
        found: list[Question] = []
        while len(found) < count and any(queues.values()):
            for kind in asked:
                if len(found) < count and (made := self._next(kind, queues[kind], seed)):
                    found.append(made)
        return tuple(found)

    def _queue(self, kind: str, seed: int | str) -> list[str]:
        """The subjects of a kind in an order of chance, the next one last; claims with each verdict of measurements in turn."""
        random, queue = Random(f"{seed}/{kind}"), list(self.subjects[kind])
        random.shuffle(queue)
        if kind != "myth":
            return queue
        by_verdict: dict[str, list[str]] = {}
        for claim in queue:
            by_verdict.setdefault(self.facts.verdicts[claim], []).append(claim)
        place = {claim: index for claims in by_verdict.values() for index, claim in enumerate(claims)}
        return sorted(queue, key=place.__getitem__, reverse=True)

    def _next(self, kind: str, queue: list[str], seed: int | str) -> Question | None:
        while queue:
            subject = queue.pop()
            made = self._makers[kind](subject, Random(f"{seed}/{kind}/{subject}"))
            if made:
                return made
        return None

    def walk(self, condition: str, hazard: str, seed: int | str = 0) -> tuple[Step, ...]:
        """A case from the first word to the last check: what to rule out, what leads, what helps, what is unsafe.

        Raises:
            UnknownName: for a condition or hazard that the graph does not hold.
        """
        condition = self.engine.names.resolve(condition, "Condition")
        hazard = self.engine.names.resolve(hazard, "Hazard")
        name, risk = self.knowledge.label(condition), self.knowledge.label(hazard)
        told = {
            "red-flag": ("Before the table", f"Somebody comes with what has been called {name}."),
            "impairment": ("What to work on", f"Nothing speaks against treatment so far. You look at what {name} does to the tissue."),
            "best": ("What to choose", "You know what leads. Now you weigh the techniques."),
            "contraindicated": ("A last question", f"As you fold the sheet back, the client mentions: {risk}."),
        }
        steps = []
        for kind, (title, story) in told.items():
            random = Random(f"{seed}/{kind}/{condition}/{hazard}")
            made = self._unsafe(condition, hazard, random) if kind == "contraindicated" else self._makers[kind](condition, random)
            if made:
                steps.append(Step(title, story, made))
        return tuple(steps)

    # ------------------------------------------------------------------ making a question
    def _made(self, kind: str, subject: str, prompt: str, right: Choice, wrong: Sequence[Choice], random: Random, explanation: str,
              about: Iterable[str], node: Node | None = None, sources: Iterable[str] = ()) -> Question | None:  # fmt: skip
        """The question, or None where there are too few wrong choices."""
        if len(wrong) < _WRONG:
            return None
        choices = [right, *wrong]
        random.shuffle(choices)
        cited = tuple(dict.fromkeys((*sources, *(node.all("dcterms:source") if node else ()))))
        basis = node.one("basis") or node.one("http://www.w3.org/ns/prov#wasDerivedFrom") if node else ""
        grounds = "" if cited else self.knowledge.label(basis)
        return Question(f"{kind}/{subject}", kind, prompt, tuple(choices), explanation, tuple(dict.fromkeys(about)), cited, grounds)

    def _near(
        self, candidates: Collection[str], features: Collection[str], of: Callable[[str], Collection[str]], random: Random
    ) -> list[str]:
        """Some of the candidates that share most features."""
        wanted = set(features)
        ordered = sorted(candidates, key=lambda slug: (-len(wanted.intersection(of(slug))), slug))[:_NEAR]
        return sorted(random.sample(ordered, min(_WRONG, len(ordered))))

    def _technique(self, impairment: str, random: Random) -> Question | None:
        facts, label = self.facts, self.knowledge.label
        best = facts.relieving[impairment][:5]
        if not best:
            return None
        path = random.choice(best)
        technique = path.link.technique
        candidates = [slug for slug in facts.techniques if impairment not in facts.claimed_to_relieve(slug)]
        none = f"None of its claimed effects relieves {lowered(label(impairment))}; it is held to"
        wrong = [Choice(label(slug), False, f"{none} {facts.claimed_words(slug)}.", slug)
                 for slug in self._near(candidates, facts.kinship(technique), facts.kinship, random)]  # fmt: skip
        relief = self.knowledge[path.relief]
        claim = self.knowledge[path.link.claim]
        why = f"{self._path_words(path)} {claim.definition}"
        return self._made("technique", impairment, f"Which of these techniques has an effect that relieves {lowered(label(impairment))}?",
                          Choice(label(technique), True, why, technique), wrong, random, relief.definition,
                          (impairment, technique, path.link.effect), claim, relief.all("dcterms:source"))  # fmt: skip

    def _path_words(self, path: Path) -> str:
        label = self.knowledge.label
        return (f"It {CHANGES[path.link.direction]} {lowered(label(path.link.effect))}, which relieves {lowered(label(path.impairment))} "
                f"(strength {path.strength:.2f} of 1).")  # fmt: skip

    def _contraindicated(self, hazard: str, random: Random) -> Question | None:
        return self._unsafe(random.choice(self.facts.profiled), hazard, random)

    def _unsafe(self, condition: str, hazard: str, random: Random) -> Question | None:
        """Which technique the gate withholds from a client with a hazard; the others are those that it lets pass."""
        engine, label = self.engine, self.knowledge.label
        answer = engine.rank(condition, engine.client(_PHASE, hazards=[hazard]), explain=False)
        if answer.referral and answer.referral.stops:
            return None
        own = set(engine.gate.hazards_of(hazard))
        barred = {item.technique: [r for r in item.because if r.hazard in own] for item in answer.withheld}
        barred = {slug: reasons for slug, reasons in barred.items() if reasons and slug in self.facts.techniques}
        safe = {entry.technique: entry for entry in (*answer.recommended, *answer.adjuncts)}
        if not barred:
            return None
        technique = random.choice(sorted(barred))
        reason = barred[technique][0]
        wrong = [Choice(label(slug), False, self._passes(safe[slug]), slug)
                 for slug in self._near(safe, self.facts.kinship(technique), self.facts.kinship, random)]  # fmt: skip
        where = f" ({reason.circumstance})" if reason.circumstance else ""
        right = Choice(label(technique), True, f"{reason.reason}{where}. Instead: {reason.action}.", technique)
        return self._made("contraindicated", hazard, f"A client with {label(condition)}, chronic, also has: {label(hazard)}. "
                          "Which technique must be withheld?", right, wrong, random, f"Level: {label(reason.level)}.",
                          (hazard, technique, condition), self.knowledge[reason.rule])  # fmt: skip

    def _passes(self, entry: Entry) -> str:
        if not entry.cautions:
            return "No rule of this graph forbids it for this client."
        return f"Not forbidden, but with care: {'; '.join(dict.fromkeys(reason.action for reason in entry.cautions[:2]))}."

    def _red_flag(self, condition: str, random: Random) -> Question | None:
        label, facts = self.knowledge.label, self.facts
        indication = random.choice(facts.indications[condition])
        flag, pathology = indication.one("redFlag"), indication.one("pathology")
        usual = [slug for slug in self.knowledge[condition].all("presentsWith") if slug not in facts.alarming]
        if len(usual) < _WRONG:
            return None
        wrong = [Choice(label(slug), False, f"It belongs to the usual picture of {label(condition)}.", slug)
                 for slug in sorted(random.sample(sorted(usual), _WRONG))]  # fmt: skip
        why = f"It may point to {lowered(label(pathology))} ({lowered(label(indication.one('urgency')))})."
        asked = indication.one("question")
        return self._made("red-flag", condition, f"A client says: {label(condition)}. Which of these is a red flag?",
                          Choice(label(flag), True, why, flag), wrong, random, f"The question to ask: {asked}" if asked else "",
                          (condition, flag, pathology), indication)  # fmt: skip

    def _myth(self, claim: str, random: Random) -> Question | None:
        """What measurements say of a claim that is taught."""
        facts, node = self.facts, self.knowledge[claim]
        verdict = facts.verdicts[claim]
        told = {
            "contradicted": "Measured, and contradicted",
            "supported": "Measured, and supported",
            "untested": "Taught, but not measured",
        }
        words = {"contradicted": "Measurements in this graph contradict it.", "supported": "Measurements in this graph mostly found it.",
                 "untested": "No measurement of it is in this graph."}  # fmt: skip
        choices = tuple(Choice(text, name == verdict, words[verdict] if name == verdict else "") for name, text in told.items())
        cited = tuple(dict.fromkeys((*node.all("dcterms:source"), *facts.measured_in(claim))))
        grounds = "" if cited else self.knowledge.label(node.one("basis"))
        prompt = f"“{facts.claim_words(claim)}” What do measurements say?"
        return Question(f"myth/{claim}", "myth", prompt, choices, node.definition, facts.claim_about(claim), cited, grounds)

    def _impairment(self, condition: str, random: Random) -> Question | None:
        label, facts = self.knowledge.label, self.facts
        leading = facts.leading(condition)
        if not leading:
            return None
        profile = random.choice(leading)
        impairment = profile.one("profileImpairment")
        candidates = [slug for slug in facts.impairments if slug not in self.knowledge[condition].all("hasImpairment")]
        wrong = [Choice(label(slug), False, f"The graph does not list it for {label(condition)}. {self.knowledge[slug].definition}", slug)
                 for slug in self._near(candidates, facts.impairment_features(impairment), facts.impairment_features, random)]  # fmt: skip
        tissue = profile.one("impairedTissue")
        where = f" It sits in: {label(tissue)}." if tissue else ""
        right = Choice(label(impairment), True, f"{self.knowledge[impairment].definition}{where}", impairment)
        return self._made("impairment", condition, f"Which impairment leads in {label(condition)}?", right, wrong, random,
                          profile.one("skos:scopeNote"), (condition, impairment, *([tissue] if tissue else [])), profile)  # fmt: skip

    def _best(self, condition: str, random: Random) -> Question | None:
        """The best supported technique, against those that its interval tells apart from it."""
        answer = self.engine.rank(condition, self.engine.client(_PHASE), explain=False)
        first = answer.recommended[0] if answer.recommended else None
        if (answer.referral and answer.referral.stops) or not first or first.class_ != "supported":
            return None
        apart = {entry.technique: entry for entry in answer.recommended if entry.band > first.band}
        label = self.knowledge.label
        wrong = [Choice(label(slug), False, self._weighed(apart[slug]), slug)
                 for slug in self._near(apart, self.facts.kinship(first.technique), self.facts.kinship, random)]  # fmt: skip
        sources = [o.source for o in first.score.observations if o.successes + o.failures > 0]
        right = Choice(first.label, True, self._weighed(first), first.technique)
        asks = f"Which of these techniques is best supported for chronic {lowered(label(condition))}?"
        about = (condition, first.technique)
        return self._made("best", condition, asks, right, wrong, random, first.why(self.knowledge), about, sources=sources[:5])

    def _weighed(self, entry: Entry) -> str:
        score = entry.score
        return (f"Score {score.mean:.2f} ({score.low:.2f} to {score.high:.2f}), {entry.class_.replace('-', ' ')}, "
                f"certainty {entry.certainty.level.replace('-', ' ')}.")  # fmt: skip

    # ------------------------------------------------------------------ muscles
    def _nerve(self, muscle: str, random: Random) -> Question | None:
        facts, label = self.facts, self.knowledge.label
        own = facts.nerves(muscle)
        if not own:
            return None
        nerve = random.choice(own)
        candidates = [slug for slug in facts.motor_nerves if facts.apart_from(slug, own) and not facts.supplies_part(slug, muscle)]
        wrong = [Choice(label(slug), False, f"It supplies {facts.supplied_words(slug)}.", slug)
                 for slug in self._near(candidates, facts.regions_of(muscle), facts.regions_of, random)]  # fmt: skip
        right = Choice(label(nerve), True, "", nerve)
        explanation = f"{label(muscle)} is supplied by: {', '.join(map(label, own))}."
        return self._made("nerve", muscle, f"Which nerve supplies {label(muscle)}?", right, wrong, random, explanation,
                          (muscle, nerve), self.knowledge[muscle])  # fmt: skip

    def _action(self, muscle: str, random: Random) -> Question | None:
        facts, label = self.facts, self.knowledge.label
        own = self.knowledge[muscle].all("performs")
        if not own:
            return None
        action = random.choice(own)
        candidates = [slug for slug in facts.actions if not any(_overlap(label(slug), label(mine)) for mine in own)]
        wrong = [Choice(label(slug), False, f"It is done by {facts.doers_words(slug)}.", slug)
                 for slug in self._near(candidates, facts.around(muscle), facts.doers, random)]  # fmt: skip
        return self._made("action", muscle, f"What does {label(muscle)} do?", Choice(label(action), True, "", action), wrong, random,
                          f"Its actions: {', '.join(map(label, own))}.", (muscle,), self.knowledge[muscle])  # fmt: skip

    def _attachment(self, kind: str, muscle: str, random: Random) -> Question | None:
        facts, label = self.facts, self.knowledge.label
        text, structures = f"{kind}Text", f"has{kind.capitalize()}"
        own = self.knowledge[muscle]
        if not own.all(text) or not own.all(structures):
            return None
        candidates = [slug for slug in facts.muscles if facts.attaches_elsewhere(slug, muscle, text, structures)]
        wrong = [Choice("; ".join(self.knowledge[slug].all(text)), False, f"That is the {kind} of {label(slug)}.", slug)
                 for slug in self._near(candidates, facts.neighborhood(muscle), facts.neighborhood, random)]  # fmt: skip
        if len({choice.label for choice in wrong}) < len(wrong):
            return None
        asks = f"Where does {label(muscle)} {'arise' if kind == 'origin' else 'insert'}?"
        return self._made(kind, muscle, asks, Choice("; ".join(own.all(text)), True, "", muscle), wrong,
                          random, f"{label(muscle)}: {kind} {'; '.join(own.all(text))}.", (muscle,), own)  # fmt: skip


def _overlap(action: str, other: str) -> bool:
    """Whether the words of one action hold those of the other, so that both may be true."""
    mine, theirs = set(action.split()), set(other.split())
    return mine <= theirs or theirs <= mine
