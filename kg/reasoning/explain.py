"""Why: the paths from a technique over its effects to the impairments of a condition, in words and as a networkx graph.

The paths are the links, reliefs and needs from which the score is computed, so what explains a number is what made it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kg.graph.knowledge import Knowledge
from kg.reasoning.mechanism import Link, Need, Path
from kg.reasoning.score import Model

if TYPE_CHECKING:
    import networkx as nx

_KEPT = 256
"""For how many conditions and phases the paths are kept."""
_VERBS = {"increases": "raises", "decreases": "lowers"}


@dataclass(frozen=True, slots=True)
class Rationale:
    """One path from a technique to a need of the condition."""

    path: Path
    need: Need
    condition: str

    @property
    def strength(self) -> float:
        return self.path.strength

    @property
    def contribution(self) -> float:
        """How much the path weighs in its condition: strength times the weight of the need; negative if it aggravates."""
        return self.strength * self.need.weight * (1 if self.path.relieves else -1)

    def nodes(self) -> tuple[str, ...]:
        """The slugs along the path: technique, effect, impairment, tissue where there is one, condition."""
        link = self.path.link
        return tuple(filter(None, (link.technique, link.effect, self.path.impairment, self.need.tissue, self.condition)))

    def text(self, knowledge: Knowledge) -> str:
        """The path as a sentence."""
        link, label = self.path.link, knowledge.label
        where = f" of the {label(self.need.tissue).lower()}" if self.need.tissue else ""
        does = "relieves" if self.path.relieves else "aggravates"
        change = f"{label(link.technique)} {_VERBS[link.direction]} {_lower(label(link.effect))}"
        return f"{change}, which {does} {_lower(label(self.path.impairment))}{where}."

    def to_dict(self, knowledge: Knowledge) -> dict[str, Any]:
        return {
            "path": [knowledge[slug].iri for slug in self.nodes()],
            "strength": self.strength,
            "text": self.text(knowledge),
            "relieves": self.path.relieves,
            "need": self.need.key,
            "claim": self.path.link.claim,
            "relief": self.path.relief,
            "factors": {"claim": self.path.link.strength, "relief": self.path.relief_strength},
        }


def link_dict(link: Link) -> dict[str, Any]:
    """An effect claim as it stands for one technique: its prior, what laboratory evidence adds, its strength."""
    return {
        "claim": link.claim, "effect": link.effect, "direction": link.direction, "tissue_type": link.tissue, "prior": link.prior,
        "steps": link.steps, "successes": link.successes, "failures": link.failures,
        "strength": link.strength, "evidence": [measured.statement for measured in link.evidence],
    }  # fmt: skip


def _lower(label: str) -> str:
    """A label within a sentence; names in capitals stay."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


class Explainer:
    """Finds the paths of a model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kept = lru_cache(maxsize=_KEPT)(self._find)

    def rationales(self, condition: str, phase: str | None) -> Mapping[str, tuple[Rationale, ...]]:
        """For each technique all its paths to the needs of a condition, the weightiest first."""
        return self._kept(condition, phase)

    def rationale(self, condition: str, phase: str | None, technique: str) -> tuple[Rationale, ...]:
        """All paths of one technique to the needs of a condition, the weightiest first."""
        return self.rationales(condition, phase).get(technique, ())

    def _find(self, condition: str, phase: str | None) -> Mapping[str, tuple[Rationale, ...]]:
        mechanism = self._model.mechanism
        bound = dict(zip(mechanism.techniques, mechanism.bound_elsewhere(condition).tolist(), strict=True))
        found: dict[str, list[Rationale]] = {}
        for need in mechanism.needs(condition, phase):
            for index in mechanism.paths.to(need, mechanism.here(condition)).tolist():
                path = mechanism.paths.paths[index]
                if need.whole_person or not bound[path.link.technique]:
                    found.setdefault(path.link.technique, []).append(Rationale(path, need, condition))
        return {technique: tuple(sorted(paths, key=_weightiest_first)) for technique, paths in found.items()}

    def graph(self, condition: str, phase: str | None) -> "nx.MultiDiGraph[Any]":
        """technique -> (technique, effect, tissue type) -> (impairment, tissue) -> condition, for all techniques.

        Edges carry `strength` and, as `slug`, the claim, relief or profile behind them; reliefs carry their `path`, the
        last edges their `need`.
        """
        import networkx as nx

        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(condition=condition, phase=phase)
        for paths in self.rationales(condition, phase).values():
            for path, need in ((r.path, r.need) for r in paths):
                link, spot = path.link, (need.impairment, need.tissue)
                effect = (link.technique, link.effect, link.tissue)
                graph.add_edge(link.technique, effect, key=link.claim, slug=link.claim, strength=link.strength, link=link)
                graph.add_edge(effect, spot, key=path.relief, slug=path.relief, strength=path.relief_strength, path=path)
                graph.add_edge(spot, condition, key=need.key, slug=need.profiles[0], strength=need.weight, need=need)
        return graph


def _weightiest_first(rationale: Rationale) -> tuple[float, str, str]:
    return -abs(rationale.contribution), rationale.path.link.claim, rationale.need.key
