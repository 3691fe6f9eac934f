"""The numbers of scoring.ttl: of parameters by their slug, of words of the vocabulary by theirs."""

from collections.abc import Mapping

import numpy as np

from kg.errors import GraphError
from kg.graph.knowledge import Knowledge
from kg.reasoning.client import IRRITABILITY


class Parameters:
    """All numbers of the model.

    Args:
        knowledge: the graph that states them.
        changed: values that stand in for the stated ones; for fitting, ablation and tests of stability.
    """

    def __init__(self, knowledge: Knowledge, changed: Mapping[str, float] | None = None) -> None:
        self._value = {node.slug: node.number("value") for node in knowledge if "value" in node.properties} | dict(changed or {})
        self._tolerance = {
            (setting, node.one("toleratedIntensity")): self._value[node.slug]
            for node in knowledge.of_class("Tolerance") for setting in (*node.all("inPhase"), *node.all("atIrritability"))
        }  # fmt: skip

    def __getitem__(self, name: str) -> float:
        """The number of that name.

        Raises:
            GraphError: where the graph states none; it was made for another version of this software.
        """
        try:
            return self._value[name]
        except KeyError:
            raise GraphError([f"The graph states no number {name!r} for the score; was it made for another version?"]) from None

    def get(self, name: str, default: float | None = None) -> float | None:
        return self._value.get(name, default)

    def tolerance(self, intensity: str, phase: str | None, irritability: str | None) -> float:
        """What share of the benefit can be expected at this intensity in the client's phase and irritability."""
        settings = (phase or "", f"{IRRITABILITY}{irritability}")
        return float(np.prod([self._tolerance.get((setting, intensity), 1.0) for setting in settings]))
