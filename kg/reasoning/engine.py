"""The query layer over one graph: names, safety gate, model, screening and assessment, built once.

    engine = Engine(load())
    engine.rank("plantar-fasciitis", engine.client(phase="chronic", hazards=["warfarin"]))
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Any

from kg.errors import PalpateError
from kg.graph.index import Names
from kg.graph.knowledge import Knowledge
from kg.reasoning.adapt import Adapter, Advice
from kg.reasoning.assess import Assessment, Assessor
from kg.reasoning.certainty import Certainty, Reader, bands
from kg.reasoning.client import Client
from kg.reasoning.explain import Explainer, Rationale
from kg.reasoning.preferences import Preferences
from kg.reasoning.rank import Entry, Ranking, SetAside, Withheld
from kg.reasoning.safety import SafetyGate, Verdict
from kg.reasoning.score import Model, Score
from kg.reasoning.screen import Screener, Screening

_SCOPES = {"scope-massage": "massage", "scope-adjunct": "adjunct", "scope-referral-only": "referral-only"}
_SHOWN = (
    "prior-mean-low", "prior-mean-high", "prior-observations", "record-share", "record-half", "interval-tail", "band-separation",
    "class-steps-most", "class-evidence-least", "class-supported-share", "class-against-share", "class-plausibility-least",
    "certainty-width-serious", "certainty-width-very-serious", "certainty-weight-least",
    "certainty-consistency-least", "certainty-directness-least", "certainty-trusted-share", "link-prior-observations",
    "refuted-strength", "discount-claim-step", "discount-technique-step", "discount-condition-step",
    "discount-subtype-step", "age-half-life",
)  # fmt: skip


class Engine:
    """The query layer over one graph: built once, then every question is answered from arrays and indexes."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.names = Names(knowledge)
        self.gate = SafetyGate(knowledge)
        self.adapter = Adapter(knowledge, self.gate)
        self.model = Model(knowledge, self.gate.techniques)
        self.explainer = Explainer(self.model)
        self._reader = Reader(self.model)

    @cached_property
    def _scopes(self) -> dict[str, str]:
        return {slug: _SCOPES[self.knowledge[slug].one("scope")] for slug in self.gate.techniques}

    def client(self, phase: str | None = None, irritability: str | None = None, hazards: Iterable[str] = (),
               red_flags: Iterable[str] = (), on: date | str | None = None, age: int | None = None) -> Client:  # fmt: skip
        """A client whose words are resolved; see `Client.of`."""
        return Client.of(self.knowledge, self.names, phase, irritability, hazards, red_flags, on, age)

    @cached_property
    def _screener(self) -> Screener:
        return Screener(self.knowledge, self.names, self.gate)

    @cached_property
    def _assessor(self) -> Assessor:
        return Assessor(self.knowledge, self.names, self._screener)

    def screen(self, complaint: str | None = None, region: str | None = None, age: int | None = None, sex: str | None = None,
               present: Iterable[str] = (), absent: Iterable[str] = ()) -> Screening:  # fmt: skip
        """Screen a complaint for serious disease that could hide behind it.

        Args:
            complaint: a condition, or a region of the body.
            region: the region that hurts; narrows a condition that lies in several.
            age: in years.
            sex: female or male.
            present: red flags, findings, and hazards or conditions of the history that are there.
            absent: the same, asked about and not there. What is in neither list has not been asked.

        Raises:
            UnknownName: for any word that the graph does not hold.
            PalpateError: for an age that no person has, or an answer that is both present and absent.
        """
        return self._screener.screen(complaint, region, age, sex, present, absent)

    def assess(self, findings: Iterable[str] = (), absent: Iterable[str] = (), tests: Mapping[str, str] | None = None,
               region: str | None = None, age: int | None = None, sex: str | None = None) -> Assessment:  # fmt: skip
        """What findings and tests are consistent with, behind a screening of the same answers.

        Args:
            findings: findings and red flags that are there; hazards and conditions of the history too.
            absent: the same, asked about and not there.
            tests: orthopedic test -> `positive` or `negative`.
            region: the region that hurts.
            age: in years.
            sex: female or male.

        Raises:
            UnknownName: for any word that the graph does not hold.
            PalpateError: for an age that no person has, or an answer that contradicts another.
        """
        return self._assessor.assess(findings, absent, tests, region, age, sex)

    def preferences(self, **stated: Any) -> Preferences:
        """Preferences whose words are resolved; see `Preferences.of`."""
        return Preferences.of(self.knowledge, self.names, **stated)

    def rank(self, condition: str, client: Client | None = None, top: int | None = None, explain: bool = True,
             without: Collection[str] = (), preferences: Preferences | None = None) -> Ranking:  # fmt: skip
        """Rank all techniques for a condition and a client.

        Args:
            condition: slug, label, synonym or code of a condition.
            client: what is known of the client; nothing by default.
            top: keep only the first `top` of each list of techniques; what is withheld is always whole.
            explain: whether each technique carries its rationale.
            without: sources whose evidence on treatment is withdrawn, to see what hangs on them.
            preferences: what client and therapist prefer or have; sets techniques aside, and orders those of one band.

        Raises:
            UnknownName: where no condition has that name.
            PalpateError: where `top` is below 1.
        """
        if top is not None and top < 1:
            raise PalpateError(f"top must be 1 or more, not {top}.")
        slug = self.names.resolve(condition, "Condition")
        if client:  # a client made by hand may bear words that the graph does not hold
            client = self.client(client.phase, client.irritability, client.words, client.red_flags, client.on)
        client = client or Client()
        verdict = self.gate.judge(slug, client)
        without = self.names.resolve_all(without, "Source")
        found = self.model.scores(slug, client, without)
        scores = list(found)
        stopped = bool(verdict.referral and verdict.referral.stops)
        free = [] if stopped else [score for score in scores if score.technique not in verdict.withheld]
        wishes = preferences or Preferences()
        aside = {score.technique: tuple(why) for score in free if (why := wishes.against(self.knowledge, score.technique))}
        free = [score for score in free if score.technique not in aside]
        judged = self._reader.read(found, [score.high - score.low for score in scores]) if free else []
        paths = self.explainer.rationales(slug, client.phase) if explain else {}
        lists = {
            scope: self._entries([s for s in free if self._scopes[s.technique] == scope], judged, paths, verdict, top, wishes)
            for scope in ("massage", "adjunct", "referral-only")
        }
        withheld = tuple(
            Withheld(name, self.knowledge.label(name), verdict.level(name), reasons) for name, reasons in verdict.withheld.items()
        )
        parameters = self.model.parameters
        return Ranking(
            slug, client, self.knowledge.version, verdict.referral, self.model.needs(slug, client.phase),
            lists["massage"], lists["adjunct"], withheld, lists["referral-only"], wishes,
            tuple(SetAside(name, self.knowledge.label(name), why) for name, why in sorted(aside.items())),
            {name: parameters[name] for name in _SHOWN}, bool(self.knowledge[slug].properties.get("inDepth")), self.knowledge,
            self.adapter.plan(client, slug),
        )  # fmt: skip

    def adapt(self, client: Client, condition: str | None = None) -> Advice:
        """How treatment is changed for a client, and for what a condition brings in the client's phase.

        Raises:
            UnknownName: where no condition has that name.
            PalpateError: where there is neither a hazard, a red flag nor a condition.
        """
        if condition is None and not (client.hazards or client.red_flags):
            raise PalpateError("Name a hazard, a red flag or a condition: without one there is nothing to adapt to.")
        return self.adapter.advise(client, None if condition is None else self.names.resolve(condition, "Condition"))

    def _entries(self, scores: list[Score], judged: list[tuple[str, Certainty]], paths: Mapping[str, tuple[Rationale, ...]],
                 verdict: Verdict, top: int | None, wishes: Preferences) -> tuple[Entry, ...]:  # fmt: skip
        ordered = sorted(scores, key=lambda s: (-s.mean, -s.plausibility, s.technique))
        placed = bands([(s.mean, s.variance) for s in ordered], self.model.parameters["band-separation"])
        if wishes.spare:  # among techniques that cannot be told apart, those that spare the therapist come first
            order = sorted(range(len(ordered)), key=lambda i: (placed[i], wishes.strain(self.knowledge, ordered[i].technique), i))
            ordered, placed = [ordered[i] for i in order], [placed[i] for i in order]
        return tuple(
            Entry(
                rank, band, s.technique, self.knowledge.label(s.technique), self._scopes[s.technique], s, *judged[s.index],
                verdict.cautions.get(s.technique, ()), paths.get(s.technique, ()),
            )
            for rank, (s, band) in enumerate(zip(ordered[:top], placed, strict=False), 1)
        )  # fmt: skip
