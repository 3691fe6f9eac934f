"""Where things lie: regions of the body, which contains which, and where a condition sits."""

from collections.abc import Iterable
from functools import cached_property

from kg.graph.knowledge import Knowledge

EVERYWHERE = "general"


class Regions:
    """The regions of one graph."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._within = {node.slug: frozenset((node.slug, *node.all("partOf"))) for node in knowledge.of_class("BodyRegion")}

    def within(self, region: str, other: str) -> bool:
        """Whether a region is the other or part of it."""
        return other in self._within[region]

    @cached_property
    def of_condition(self) -> dict[str, frozenset[str]]:
        """The narrowest regions in which each condition lies."""
        regions = {}
        for node in self._knowledge.of_class("Condition"):
            stated = set(node.all("inRegion"))
            wider = {other for region in stated for other in self._within[region] if other != region}
            regions[node.slug] = frozenset(stated - wider)
        return regions

    def inside(self, condition: str, regions: Iterable[str]) -> bool:
        """Whether a condition lies within one of the regions."""
        return any(self.within(at, region) for at in self.of_condition[condition] for region in regions)

    def near(self, condition: str, regions: Iterable[str]) -> bool:
        """Whether a condition lies in the same large part of the body as one of the regions, or anywhere."""
        parts = {part for region in regions for part in self._within[region]}
        return EVERYWHERE in self.of_condition[condition] or any(self._within[at] & parts for at in self.of_condition[condition])

    def overlap(self, condition: str, regions: Iterable[str]) -> bool:
        """Whether a condition lies in one of the regions, one of them in its region, or it anywhere: the wider reading, for safety."""
        return any(
            at == EVERYWHERE or self.within(region, at) or self.within(at, region)
            for at in self.of_condition[condition] for region in regions
        )  # fmt: skip
