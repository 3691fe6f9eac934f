"""Why: the paths from a technique over its effects to the impairments of a condition, as a networkx graph and in words.

The edges of the graph are the links, reliefs and needs from which the score is computed, so the paths that explain a
number are the paths that made it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kg.graph.knowledge import Knowledge
from kg.reasoning.score import Link, Model, Need, Path

if TYPE_CHECKING:
    import networkx as nx

_KEPT = 32
"""How many graphs of a condition and phase are kept."""
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
        "steps": link.steps, "successes": sum(o.successes for o in link.evidence), "failures": sum(o.failures for o in link.evidence),
        "strength": link.strength, "evidence": [o.statement for o in link.evidence],
    }  # fmt: skip


def _lower(label: str) -> str:
    """A label within a sentence; names in capitals stay."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


class Explainer:
    """Draws the paths of a model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._graphs = lru_cache(maxsize=_KEPT)(self._draw)

    def graph(self, condition: str, phase: str | None) -> "nx.MultiDiGraph[Any]":
        """technique -> (technique, effect, tissue type) -> (impairment, tissue) -> condition, for all techniques.

        Edges carry `strength` and, as `slug`, the claim, relief or profile behind them; reliefs carry their `path`, the
        last edges their `need`.
        """
        return self._graphs(condition, phase)

    def _draw(self, condition: str, phase: str | None) -> "nx.MultiDiGraph[Any]":
        import networkx as nx

        model = self._model
        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(condition=condition, phase=phase)
        for need in model.needs(condition, phase):
            spot = (need.impairment, need.tissue)
            graph.add_edge(spot, condition, key=need.key, slug=need.profiles[0], strength=need.weight, need=need)
            for index in model.paths_to(need):
                path = model.paths[index]
                link = path.link
                if not need.whole_person and model.bound_elsewhere(link.technique, condition):
                    continue
                effect = (link.technique, link.effect, link.tissue)
                graph.add_edge(link.technique, effect, key=link.claim, slug=link.claim, strength=link.strength, link=link)
                graph.add_edge(effect, spot, key=path.relief, slug=path.relief, strength=path.relief_strength, path=path)
        return graph

    def rationale(self, condition: str, phase: str | None, technique: str) -> list[Rationale]:
        """All paths of a technique to the needs of a condition, the weightiest first."""
        found = self._walk(self.graph(condition, phase), technique, condition)
        return sorted(found, key=lambda r: (-abs(r.contribution), r.path.link.claim, r.need.key))

    @staticmethod
    def _walk(graph: "nx.MultiDiGraph[Any]", technique: str, condition: str) -> Iterator[Rationale]:
        import networkx as nx

        if technique not in graph or condition not in graph:
            return
        for edges in nx.all_simple_edge_paths(graph, technique, condition, cutoff=3):
            relief, need = graph.edges[edges[1]], graph.edges[edges[2]]
            yield Rationale(relief["path"], need["need"], condition)
