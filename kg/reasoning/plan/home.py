"""Home care: the few items that serve the needs of a phase best, within what a person keeps up."""

from collections.abc import Mapping, Sequence

from kg.reasoning.mechanism import Need
from kg.reasoning.plan.facts import Facts, HomeItem


def served(facts: Facts, item: HomeItem, need: Need, condition: str) -> float:
    """How well an item serves a need: 1 for its own tissue, less for its region or for anybody, 0 for another place or impairment."""
    if need.impairment not in item.serves:
        return 0.0
    if item.regions and not facts.regions.inside(condition, item.regions):
        return 0.0
    if need.tissue and need.tissue in item.tissues:
        return 1.0
    near = facts["plan-home-near"]
    return near if item.regions else near * near if item.tissues else near * 0.8


def home_care(facts: Facts, condition: str, phase: str, needs: Sequence[Need], weights: Sequence[float],
              merit: Mapping[str, float]) -> tuple[HomeItem, ...]:  # fmt: skip
    """Items for a phase of the plan, the most useful first: each next one is what adds most coverage of the needs.

    Args:
        merit: of each technique that the client may have; an item of any other is never given.
    """
    open_ = [item for item in facts.home if item.technique in merit and phase in item.phases]
    serving = {item.slug: [(i, share) for i, need in enumerate(needs) if (share := served(facts, item, need, condition))] for item in open_}
    left = list(weights)
    chosen: list[HomeItem] = []
    minutes = facts["plan-home-minutes-most"]
    while open_ and len(chosen) < facts["plan-home-items-most"]:
        gains = {item.slug: sum(left[i] * share for i, share in serving[item.slug]) for item in open_}
        gain, _, best = max((round(gains[i.slug] * (1 + merit[i.technique]), 9), i.slug, i) for i in open_)
        if gain <= 0:
            break
        open_.remove(best)
        if best.minutes <= minutes:
            chosen.append(best)
            minutes -= best.minutes
            for i, share in serving[best.slug]:
                left[i] *= 1 - share
    return tuple(chosen)
