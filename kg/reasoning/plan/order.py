"""In which order the steps of a session stand, and why: a topological order of the rules of the ontology."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import networkx as nx

from kg.reasoning.plan.choose import Candidate
from kg.reasoning.plan.facts import Facts, OrderRule


class Order:
    """The rules of order of one graph.

    Raises:
        ValueError: where they run in a circle.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        graph = nx.DiGraph()
        graph.add_nodes_from(facts.roles)
        graph.add_edges_from((before, after) for rule in facts.rules for before in rule.earlier for after in rule.later)
        if not nx.is_directed_acyclic_graph(graph):
            raise ValueError(f"The rules of order run in a circle: {nx.find_cycle(graph)}")
        self._place = {role: place for place, role in enumerate(nx.lexicographical_topological_sort(graph))}
        self.before = lru_cache(maxsize=None)(self._before)

    def sort(self, steps: Sequence[Candidate], lasts: Callable[[str], float]) -> list[Candidate]:
        """Steps in their order: by role; within a role the gentler first, then what lasts longest, so that what fades soon comes late."""
        return sorted(steps, key=lambda s: (self.place(s.role.slug), self._facts.strength(s.technique), -lasts(s.technique), s.technique))

    def place(self, role: str) -> int:
        """Where a role stands among all; last where it is none."""
        return self._place.get(role, len(self._place))

    def _before(self, role: str) -> tuple[OrderRule, ...]:
        return tuple(rule for rule in self._facts.rules if role in rule.later)

    def reason(self, role: str, earlier: Sequence[str]) -> str:
        """Why a step of a role stands after those that came before; empty for the first."""
        told = [rule for rule in self.before(role) if rule.earlier & set(earlier)]
        return min(told, key=lambda rule: (not rule.needed_by, -len(rule.earlier & set(earlier)), rule.slug)).reason if told else ""
