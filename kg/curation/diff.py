"""`python -m kg diff OLD NEW`: which recommendations moved between two versions of the graph, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import PalpateError
from kg.graph.knowledge import Knowledge, load
from kg.reasoning.engine import Engine
from kg.reasoning.rank import Entry

_FIRST = 5
_MOVED = 0.05
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a technique stands in one version: its list, rank, score and class; withheld or missing where it has none."""

    list: str
    rank: int = 0
    score: float = 0.0
    class_: str = ""

    def __str__(self) -> str:
        return f"{self.list} {self.rank} ({self.score:.2f}, {self.class_})" if self.rank else self.list

    def to_dict(self) -> dict[str, Any]:
        return {"list": self.list, "rank": self.rank or None, "score": self.score if self.rank else None, "class": self.class_ or None}


@dataclass(frozen=True, slots=True)
class Change:
    """One recommendation that moved."""

    condition: str
    technique: str
    before: Place
    after: Place
    why: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"condition": self.condition, "technique": self.technique, "before": self.before.to_dict(),
                "after": self.after.to_dict(), "why": list(self.why)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two versions."""

    old: dict[str, str]
    new: dict[str, str]
    added: dict[str, list[str]]
    removed: dict[str, list[str]]
    weights: dict[str, tuple[float | None, float | None]]
    changes: tuple[Change, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "old": self.old, "new": self.new, "added": self.added, "removed": self.removed,
            "weights": {slug: {"old": old, "new": new} for slug, (old, new) in self.weights.items()},
            "changes": [change.to_dict() for change in self.changes],
        }  # fmt: skip

    def to_markdown(self) -> str:
        """Release notes."""
        lines = [f"# From {self.old['version']} ({self.old['sha256'][:12]}) to {self.new['version']} ({self.new['sha256'][:12]})", ""]
        for word, found in (("Added", self.added), ("Removed", self.removed)):
            lines += [f"- {word}: {len(slugs)} {name}" + (f" ({', '.join(slugs[:_NAMED])}{' ...' if len(slugs) > _NAMED else ''})")
                      for name, slugs in found.items()]  # fmt: skip
        lines += [f"- Weight `{slug}`: {_shown(old)} to {_shown(new)}" for slug, (old, new) in self.weights.items()]
        lines += ["", f"## Recommendations that moved ({len(self.changes)})", ""]
        for condition in dict.fromkeys(change.condition for change in self.changes):
            lines += [f"### {condition}", ""]
            moved = (change for change in self.changes if change.condition == condition)
            lines += [f"- {c.technique}: {c.before} to {c.after}. {' '.join(c.why)}".rstrip() for c in moved]
            lines.append("")
        return "\n".join(lines).rstrip() + "\n"


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


_CLASSES = {
    "Condition": "conditions", "Technique": "techniques", "Hazard": "hazards", "ContraindicationRule": "rules",
    "RedFlag": "red flags", "TreatmentEvidence": "statements on treatment", "MechanismEvidence": "measurements",
    "EffectClaim": "effect claims", "Source": "sources",
}  # fmt: skip


def opened(path: Path) -> Engine:
    """The query layer over a folder of Turtle files or over a built graph (.nq).

    Raises:
        PalpateError: where there is neither.
        GraphError: where the ontology cannot be built.
    """
    if path.is_dir():
        return Engine(load(path.resolve()))
    if path.suffix == ".nq" and path.is_file():
        return Engine(Knowledge(path))
    raise PalpateError(f"{path} is neither a folder of Turtle files nor a built graph (.nq).")


def diff(old: Engine, new: Engine) -> Difference:
    """Compare two versions: what came and went, and which recommendations moved and why."""
    came, went = {}, {}
    for cls, name in _CLASSES.items():
        before, after = ({node.slug for node in engine.knowledge.of_class(cls)} for engine in (old, new))
        if after - before:
            came[name] = sorted(after - before)
        if before - after:
            went[name] = sorted(before - after)
    both = sorted({n.slug for n in old.knowledge.of_class("Condition")} & {n.slug for n in new.knowledge.of_class("Condition")})
    changes = [change for condition in both for change in _changes(old, new, condition)]
    return Difference(old.knowledge.version.to_dict(), new.knowledge.version.to_dict(), came, went, _weights(old, new), tuple(changes))


def _weights(old: Engine, new: Engine) -> dict[str, tuple[float | None, float | None]]:
    values = [{n.slug: n.number("value") for n in engine.knowledge if "value" in n.properties} for engine in (old, new)]
    return {
        slug: (values[0].get(slug), values[1].get(slug))
        for slug in sorted(values[0].keys() | values[1].keys()) if values[0].get(slug) != values[1].get(slug)
    }  # fmt: skip


def _changes(old: Engine, new: Engine, condition: str) -> Iterator[Change]:
    before, after = _places(old, condition), _places(new, condition)
    for technique in sorted(before.keys() | after.keys()):
        one, first = before.get(technique, (Place("missing"), None))
        other, second = after.get(technique, (Place("missing"), None))
        if _moved(one, other):
            yield Change(condition, technique, one, other, tuple(_why(old, new, first, second)))


def _places(engine: Engine, condition: str) -> dict[str, tuple[Place, Entry | None]]:
    answer = engine.rank(condition, explain=False)
    lists = (("recommended", answer.recommended), ("adjunct", answer.adjuncts), ("discuss", answer.discuss))
    found: dict[str, tuple[Place, Entry | None]] = {
        e.technique: (Place(name, e.rank, e.score.mean, e.class_), e) for name, entries in lists for e in entries
    }
    return found | {w.technique: (Place(f"withheld ({w.because[0].hazard})"), None) for w in answer.withheld}


def _moved(one: Place, other: Place) -> bool:
    """Another list or class, in or out of the first few, or another score."""
    among = [0 < place.rank <= _FIRST for place in (one, other)]
    return one.list != other.list or one.class_ != other.class_ or among[0] != among[1] or abs(one.score - other.score) >= _MOVED


def _why(old: Engine, new: Engine, before: Entry | None, after: Entry | None) -> Iterator[str]:
    """What made the numbers differ, the evidence first."""
    if before is None or after is None:
        return
    seen = [{o.statement: (round(o.successes, 3), round(o.failures, 3)) for o in e.score.observations} for e in (before, after)]
    came, went = sorted(seen[1].keys() - seen[0].keys()), sorted(seen[0].keys() - seen[1].keys())
    for word, statements, engine in (("New", came, new), ("Gone", went, old)):
        if statements:
            sources = sorted({engine.knowledge[slug].one("dcterms:source") for slug in statements})
            yield f"{word} evidence of {', '.join(sources[:_NAMED])}{' and others' if len(sources) > _NAMED else ''}."
    if not came and not went and seen[0] != seen[1]:
        yield "The same evidence weighs otherwise."
    if abs(before.score.plausibility - after.score.plausibility) > 0.005:
        yield f"Mechanism covers {before.score.plausibility:.0%} of the impairments before, {after.score.plausibility:.0%} after."
    if abs(before.score.prior_mean - after.score.prior_mean) > 0.005 and before.score.record != after.score.record:
        yield "The record in other conditions changed."
