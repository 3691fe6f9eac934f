"""How long each step takes: the shortest usual time for all, then minute by minute to what the phase is for and does most."""

from collections.abc import Sequence

from kg.reasoning.plan.choose import Candidate, useful
from kg.reasoning.plan.facts import Facts

_GRAIN = 0.5
"""Minutes are handed out in halves."""


def allot(facts: Facts, steps: Sequence[Candidate], weights: Sequence[float], budget: float, core: str = "") -> list[float]:
    """Minutes of each step: within its range, in sum within `budget`, never past the therapist's load.

    Each next half minute goes to the step that covers most for the minutes it has already, steps of the role `core` first.
    """
    given = [step.low for step in steps]
    worth = [useful(step, weights) for step in steps]
    strains = [facts.strain(step.technique) for step in steps]
    limits = facts.strain_limits
    open_ = {i for i, step in enumerate(steps) if given[i] + _GRAIN <= step.high}
    while open_ and sum(given) + _GRAIN <= budget:
        best = max(sorted(open_), key=lambda i: (steps[i].role.slug == core, worth[i] / given[i], -i))
        longer = [minutes + _GRAIN * (i == best) for i, minutes in enumerate(given)]
        loads = [sum(s[part] * m for s, m in zip(strains, longer, strict=True)) for part in range(len(limits))]
        if all(load <= limit for load, limit in zip(loads, limits, strict=True)):
            given[best] += _GRAIN
        else:
            open_.discard(best)
        if given[best] + _GRAIN > steps[best].high:
            open_.discard(best)
    return given
