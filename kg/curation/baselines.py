"""What a ranking could be made of instead: votes, popularity, paths, walks. Each answers the same held-out questions.

Every baseline sees what the model sees: all evidence but that of the source in question.
"""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kg.curation.heldout import FAVORS, HeldOut, Predictor, Question
from kg.reasoning.evidence import Booleans, Floats, totals

if TYPE_CHECKING:
    import networkx as nx

_DAMPING = 0.4
"""Exponent of degrees in a degree-weighted path count, as published for Hetionet (Himmelstein 2017)."""
_RESTART = 0.15


class Baselines:
    """The baselines over one set of questions."""

    def __init__(self, held_out: HeldOut) -> None:
        self._held_out, self._model = held_out, held_out.model
        self._evidence = held_out.model.evidence
        self._count = len(held_out.techniques)
        place = {slug: i for i, slug in enumerate(held_out.techniques)}
        self._technique = np.array([place[node.one("evidenceTechnique")] for node in self._evidence.statements])
        self._condition = np.array([node.one("evidenceCondition") for node in self._evidence.statements])
        self._speaks = ~np.isnan(self._evidence.share)
        self._won = np.where(self._speaks, self._evidence.share, 0.0)

    def all(self) -> dict[str, Predictor]:
        """Each baseline by its name."""
        return {
            "vote counting": self.votes,
            "popularity": self.popularity,
            "record of the technique": self.record,
            "degree-weighted path count": self.path_count,
            "personalized PageRank": self.walk,
        }

    def _known(self, question: Question) -> Booleans:
        elsewhere: Booleans = self._evidence.cluster != question.cluster
        return self._speaks & elsewhere

    def votes(self, question: Question) -> Floats:
        """The share of statements on the pair that favor it, one vote each; with none, the share over all pairs."""
        known = self._known(question)
        here = known & (self._condition == question.condition)
        base = float(self._won[known].mean())
        count = np.bincount(self._technique[here], minlength=self._count)
        won = totals(self._technique[here], self._won[here], self._count)
        return np.where(count > 0, won / np.maximum(count, 1), base)

    def popularity(self, question: Question) -> Floats:
        """How many statements favor the technique in any condition: its degree, and nothing of the condition."""
        known = self._known(question) & (self._evidence.share >= FAVORS)
        count = np.bincount(self._technique[known], minlength=self._count)
        return count / max(int(count.max()), 1)

    def record(self, question: Question) -> Floats:
        """The share of statements that favor the technique in any condition, drawn to the share over all."""
        known = self._known(question)
        base, weight = float(self._won[known].mean()), self._model.parameters["record-half"]
        count = np.bincount(self._technique[known], minlength=self._count)
        return (totals(self._technique[known], self._won[known], self._count) + weight * base) / (count + weight)

    def path_count(self, question: Question) -> Floats:
        """Paths technique - effect - impairment - condition, each divided by the degrees that it passes."""
        mechanism = self._model.mechanism
        effects, reliefs = self._degrees
        counted = np.zeros(self._count)
        place = {slug: i for i, slug in enumerate(self._held_out.techniques)}
        needs = mechanism.needs(question.condition, question.phase)
        for need in needs:
            for index in mechanism.paths.to(need, mechanism.here(question.condition)).tolist():
                path = mechanism.paths.paths[index]
                if path.relieves:
                    degrees = effects[path.link.technique] * effects[path.link.effect] * reliefs[path.impairment] * len(needs)
                    counted[place[path.link.technique]] += degrees**-_DAMPING
        return counted / max(float(counted.max()), 1e-12)

    @cached_property
    def _degrees(self) -> tuple[dict[str, int], dict[str, int]]:
        effects: dict[str, int] = {}
        impairments: dict[str, int] = {}
        for link in self._model.mechanism.links:
            effects[link.technique] = effects.get(link.technique, 0) + 1
            effects[link.effect] = effects.get(link.effect, 0) + 1
        for path in self._model.mechanism.paths.paths:
            impairments[path.impairment] = impairments.get(path.impairment, 0) + 1
        return effects, impairments

    def walk(self, question: Question) -> Floats:
        """Personalized PageRank from the condition over conditions, impairments, effects and techniques, and favorable findings."""
        import networkx as nx

        graph = self._graph.copy()
        known = self._known(question) & (self._evidence.share >= FAVORS)
        for i in np.flatnonzero(known).tolist():
            graph.add_edge(self._condition[i], self._held_out.techniques[self._technique[i]])
        found = nx.pagerank(graph, alpha=1 - _RESTART, personalization={question.condition: 1.0}, tol=1e-6)
        rank = np.array([found.get(slug, 0.0) for slug in self._held_out.techniques], dtype=np.float64)
        return rank / float(rank.max())

    @cached_property
    def _graph(self) -> "nx.Graph[str]":
        import networkx as nx

        mechanism = self._model.mechanism
        graph: nx.Graph[str] = nx.Graph()
        for path in mechanism.paths.paths:
            if path.relieves:
                graph.add_edge(path.link.technique, path.link.effect)
                graph.add_edge(path.link.effect, path.impairment)
        for condition in self._evidence.kin:
            graph.add_node(condition)
            for need in mechanism.needs(condition, None):
                graph.add_edge(need.impairment, condition)
        return graph
