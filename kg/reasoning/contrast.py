"""Why this and not that, and what if: what sets two techniques apart, and which study or link moves an answer most."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

from kg.errors import PalpateError
from kg.graph.frame import Tabular
from kg.graph.knowledge import Version
from kg.reasoning.client import Client
from kg.reasoning.engine import Engine
from kg.reasoning.explain import Rationale
from kg.reasoning.score import Score, Scores

_MOST = 10


# ---------------------------------------------------------------------------------------------------- why this, why not that
@dataclass(frozen=True, slots=True)
class Part:
    """One thing that sets two techniques apart: what it adds to the difference of their scores, and in words."""

    name: str
    adds: float
    text: str

    def to_dict(self) -> dict[str, Any]:
        return {"part": self.name, "adds": self.adds, "text": self.text}


@dataclass(frozen=True, slots=True)
class Comparison(Tabular):
    """Two techniques for one condition and client. The parts add up to the difference of the scores."""

    PARTS = ("parts",)

    condition: str
    client: Client
    version: Version
    first: str
    second: str
    withheld: dict[str, str]
    """Which of both the client must not get, and the gravest reason."""
    scores: tuple[float, float]
    apart: float
    """The difference in standard deviations."""
    told_apart: bool
    parts: tuple[Part, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "condition": self.condition, "context": self.client.to_dict(), "graph": self.version.to_dict(),
            "first": self.first, "second": self.second, "withheld": self.withheld, "scores": list(self.scores),
            "difference": self.scores[0] - self.scores[1], "standard_deviations": self.apart, "told_apart": self.told_apart,
            "parts": [part.to_dict() for part in self.parts], "text": self.text,
        }  # fmt: skip


def compare(engine: Engine, condition: str, first: str, second: str, client: Client | None = None) -> Comparison:
    """What sets two techniques apart for a condition and a client.

    Raises:
        UnknownName: for a condition or technique that the graph does not hold.
        PalpateError: where both are the same, or one is only a parent of techniques.
    """
    slug, client = engine.names.resolve(condition, "Condition"), client or Client()
    chosen = [engine.names.resolve(name, "Technique") for name in (first, second)]
    if chosen[0] == chosen[1]:
        raise PalpateError(f"Compare two techniques; {chosen[0]} was given twice.")
    if parent := next((name for name in chosen if name not in engine.model.techniques), None):
        raise PalpateError(f"{parent} stands for a family of techniques; compare techniques of it.")
    found = engine.model.scores(slug, client)
    one, other = (next(score for score in found if score.technique == name) for name in chosen)
    verdict = engine.gate.judge(slug, client)
    gravest = {name: verdict.withheld[name][0] for name in chosen if name in verdict.withheld}
    withheld = {name: f"{reason.label}: {reason.reason}" for name, reason in gravest.items()}
    apart = (one.mean - other.mean) / sqrt(one.variance + other.variance)
    told_apart = abs(apart) >= engine.model.parameters["band-separation"]
    parts = tuple(_parts(engine, slug, client, one, other))
    return Comparison(
        slug, client, engine.knowledge.version, chosen[0], chosen[1], withheld, (one.mean, other.mean), apart, told_apart, parts,
        _summary(engine, one, other, told_apart, withheld, parts),
    )  # fmt: skip


def _parts(engine: Engine, condition: str, client: Client, one: Score, other: Score) -> Iterator[Part]:
    """The way from the second score to the first, one ingredient after the other; so the steps add up to the difference."""

    def mean(mechanism: Score, record: Score, gains: Score, losses: Score) -> float:
        prior = engine.model.prior(mechanism.mechanism_mean, record.record[0] * record.tolerance, record.record[1])
        count = mechanism.prior_observations
        return (prior * count + gains.successes) / (count + gains.successes + losses.failures)

    name, rival = engine.knowledge.label(one.technique), engine.knowledge.label(other.technique)
    steps = [
        ("mechanism", _mechanism(engine, condition, client, one, other)),
        ("record elsewhere", f"in other conditions, general techniques included, {name} has {_record(one)}, {rival} {_record(other)}"),
        ("evidence for", f"findings here count {one.successes:.1f} for {name}, {other.successes:.1f} for {rival}"),
        ("evidence against", f"findings here count {one.failures:.1f} against {name}, {other.failures:.1f} against {rival}"),
    ]
    before = mean(other, other, other, other)
    for taken, (part, text) in enumerate(steps, 1):
        after = mean(*(one if place < taken else other for place in range(len(steps))))
        yield Part(part, after - before, text)
        before = after


def _record(score: Score) -> str:
    won, lost = score.record
    return f"{won:.0f} for and {lost:.0f} against" if won + lost >= 0.5 else "no record"


def _mechanism(engine: Engine, condition: str, client: Client, one: Score, other: Score) -> str:
    """The impairments that each relieves more."""
    label = engine.knowledge.label
    covered = {score.technique: _covered(engine, condition, client, score.technique) for score in (one, other)}
    gap = {need: covered[one.technique].get(need, 0.0) - covered[other.technique].get(need, 0.0)
           for need in covered[one.technique].keys() | covered[other.technique].keys()}  # fmt: skip
    ordered = sorted(gap, key=lambda need: (-abs(gap[need]), need))
    told = [
        f"{label(score.technique)} relieves {' and '.join(needs)} more"
        for score, sign in ((one, 1), (other, -1)) if (needs := [need for need in ordered if gap[need] * sign > 1e-9][:2])
    ]  # fmt: skip
    return "; ".join(told) or "both relieve the same impairments alike"


def _covered(engine: Engine, condition: str, client: Client, technique: str) -> dict[str, float]:
    """Weighted coverage of each need, by the label of its impairment."""
    by_need: dict[str, list[Rationale]] = {}
    for rationale in engine.explainer.rationale(condition, client.phase, technique):
        by_need.setdefault(rationale.need.key, []).append(rationale)
    covered: dict[str, float] = {}
    for paths in by_need.values():
        name = engine.knowledge.label(paths[0].need.impairment).lower()
        covered[name] = covered.get(name, 0.0) + paths[0].need.weight * _coverage(paths)
    return covered


def _coverage(paths: list[Rationale]) -> float:
    missed = prod(1 - r.strength for r in paths if r.path.relieves)
    return (1 - missed) * prod(1 - r.strength for r in paths if not r.path.relieves)


def _summary(engine: Engine, one: Score, other: Score, told_apart: bool, withheld: dict[str, str], parts: tuple[Part, ...]) -> str:
    label = engine.knowledge.label
    if withheld:
        return " ".join(f"{label(name)} is withheld from this client ({reason.rstrip('.')})." for name, reason in withheld.items())
    ahead, behind = (one, other) if one.mean >= other.mean else (other, one)
    sign = 1 if ahead is one else -1
    verdict = "stands above" if told_apart else "cannot be told apart from"
    head = f"{label(ahead.technique)} ({ahead.mean:.2f}) {verdict} {label(behind.technique)} ({behind.mean:.2f})."
    pro = [part for part in sorted(parts, key=lambda part: -abs(part.adds)) if part.adds * sign > 0.005]
    con = [part for part in parts if part.adds * sign < -0.005]
    why = f" Most for it: {pro[0].text}." if pro else ""
    but = f" Against that: {min(con, key=lambda part: part.adds * sign).text}." if con else ""
    return head + why + but


# ---------------------------------------------------------------------------------------------------- what if
@dataclass(frozen=True, slots=True)
class Move:
    """What an answer would be without one source, claim or relief."""

    without: str
    kind: str
    label: str
    technique: str
    before: float
    after: float
    rank_before: int
    rank_after: int

    @property
    def change(self) -> float:
        return self.after - self.before

    def to_dict(self) -> dict[str, Any]:
        return {
            "without": self.without, "kind": self.kind, "label": self.label, "technique": self.technique, "before": self.before,
            "after": self.after, "change": self.change, "rank_before": self.rank_before, "rank_after": self.rank_after,
        }  # fmt: skip


def what_if(engine: Engine, condition: str, client: Client | None = None, technique: str | None = None, top: int = _MOST) -> list[Move]:
    """Which single source, claim or relief moves the answer most if it is withdrawn: the greatest change first.

    Args:
        technique: only moves of this one; of all techniques by default, each source with the technique that it moves most.

    Raises:
        UnknownName: for a condition or technique that the graph does not hold.
    """
    slug, client = engine.names.resolve(condition, "Condition"), client or Client()
    asked = engine.names.resolve(technique, "Technique") if technique else None
    verdict = engine.gate.judge(slug, client)
    free = [name for name in engine.model.techniques if name not in verdict.withheld]
    if verdict.referral and verdict.referral.stops:
        free = []
    if asked and asked not in free:
        raise PalpateError(f"{asked} is withheld from this client or stands for a family; nothing of its score would change the answer.")
    names = [asked] if asked else free
    found = engine.model.scores(slug, client)
    moves = [*_without_sources(engine, slug, client, found, names, free), *_without_links(engine, slug, client, found, names, free)]
    return sorted(moves, key=lambda move: (-abs(move.change), move.without, move.technique))[:top]


def _without_sources(engine: Engine, condition: str, client: Client, found: Scores, names: list[str], free: list[str]) -> Iterator[Move]:
    evidence = engine.model.evidence
    places = {name: engine.model.techniques.index(name) for name in free}
    before = found.mean
    sources = {evidence.sources[i] for i in found.basis.sums.rows.statement.tolist()}
    for source in sorted(sources):
        after = engine.model.scores(condition, client, without=(source,)).mean
        name = max(names, key=lambda name: abs(after[places[name]] - before[places[name]]), default=None)
        if name and after[places[name]] != before[places[name]]:
            ranks = [_rank(values, places, name) for values in (before, after)]
            label = engine.knowledge[source].one("dcterms:title", source)
            place = places[name]
            yield Move(source, "source", label, name, float(before[place]), float(after[place]), ranks[0], ranks[1])


def _without_links(engine: Engine, condition: str, client: Client, found: Scores, names: list[str], free: list[str]) -> Iterator[Move]:
    """Each claim and relief on which a technique's mechanism rests, left out of the coverage of every need."""
    p, before = engine.model.parameters, found.mean
    places = {name: engine.model.techniques.index(name) for name in free}
    spread = p["prior-mean-high"] - p["prior-mean-low"]
    for score in (score for score in found if score.technique in names):
        by_need: dict[str, list[Rationale]] = {}
        for rationale in engine.explainer.rationale(condition, client.phase, score.technique):
            by_need.setdefault(rationale.need.key, []).append(rationale)
        links = {r.path.link.claim: "claim" for paths in by_need.values() for r in paths}
        links |= {r.path.relief: "relief" for paths in by_need.values() for r in paths}
        for slug, kind in sorted(links.items()):
            lost = sum(
                paths[0].need.weight * (_coverage(paths) - _coverage([r for r in paths if slug not in (r.path.link.claim, r.path.relief)]))
                for paths in by_need.values()
            )
            mechanism = score.mechanism_mean - spread * lost * score.tolerance
            prior = engine.model.prior(mechanism, score.record[0] * score.tolerance, score.record[1])
            after = score.mean + (prior - score.prior_mean) * score.prior_observations / (score.alpha + score.beta)
            changed = before.copy()
            changed[places[score.technique]] = after
            yield Move(slug, kind, _link_label(engine, slug), score.technique, score.mean, after,
                       _rank(before, places, score.technique), _rank(changed, places, score.technique))  # fmt: skip


def _rank(values: Any, places: dict[str, int], name: str) -> int:
    """The place among all techniques that the client may get, whatever their scope."""
    return 1 + sum(1 for other in places.values() if values[other] > values[places[name]])


def _link_label(engine: Engine, slug: str) -> str:
    node, label = engine.knowledge[slug], engine.knowledge.label
    if node.is_a("Relief"):
        return f"{label(node.one('reliefEffect'))} relieves {label(node.one('reliefImpairment')).lower()}"
    return f"{label(node.one('claimTechnique'))}: {label(node.one('direction'))} {label(node.one('claimEffect')).lower()}"
