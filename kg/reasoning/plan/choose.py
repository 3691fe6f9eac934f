"""Which steps a session gets: a small mixed-integer program, solved exactly by HiGHS, the same each time.

    maximize   sum over needs of weight * covered  +  merit of the steps  -  cost of each step
    where      covered(need) = 1 - product over chosen steps of (1 - how far the step relieves the need)

`covered` is the noisy-or of the score. Its logarithm is a sum, so it is a concave function of the choice, and is held
below its tangents. Subject to minutes, the number of steps and of each role, the therapist's load, no technique beside its own variant, and
what a rule of order needs (no deep work without something that warms before it), and a step of the role for which the phase is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log1p

import numpy as np

from kg.graph.knowledge import Knowledge
from kg.reasoning.plan.facts import Facts, Role

_TANGENTS = (0.1, 0.4, 0.9, 1.8)
"""Where the tangents of 1 - exp(-u) touch; between them coverage is too high by 0.03 at most where it is below 0.86, by 0.07 above."""
_MOST = 0.999
_TIE = 1e-6
"""Prefers the earlier candidate where two choices are worth the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A technique in one role: its shortest and longest minutes here, how far it covers each need, and its merit."""

    technique: str
    role: Role
    low: float
    high: float
    covers: Mapping[int, float]
    merit: float


def choose(facts: Facts, candidates: Sequence[Candidate], weights: Sequence[float], budget: float, core: str = "") -> tuple[Candidate, ...]:
    """The steps that cover the needs best within `budget` minutes; none where nothing is worth a step.

    Args:
        candidates: in order of preference where all else is equal.
        weights: of the needs, by the index that `Candidate.covers` uses.
        core: a role of which the session has a step, where one is possible.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    candidates = _shortlist(facts, candidates, weights)
    count, needs = len(candidates), len(weights)
    if not count:
        return ()
    most = facts["plan-steps-most"]
    merit = np.array([facts["plan-merit-weight"] * c.merit / most - facts["plan-step-cost"] for c in candidates])
    gain = np.concatenate([merit - _TIE * np.arange(count), np.array(weights, dtype=np.float64)])
    rows, limits = _limits(facts, candidates, needs, budget)
    of_core = np.array([-1.0 * (c.role.slug == core) for c in candidates] + [0.0] * needs)
    for least in (1, 0) if of_core.any() else (0,):
        solved = milp(-gain, constraints=LinearConstraint(np.vstack([rows, of_core]), ub=[*limits, -least]), bounds=Bounds(0, 1),
                      integrality=np.concatenate([np.ones(count), np.zeros(needs)]), options={"mip_rel_gap": 0.0})  # fmt: skip
        if solved.x is not None:
            break
    return tuple(c for c, chosen in zip(candidates, solved.x[:count], strict=True) if chosen > 0.5)


def useful(candidate: Candidate, weights: Sequence[float]) -> float:
    """How much of all needs a candidate covers alone."""
    return sum(weights[need] * share for need, share in candidate.covers.items())


def _shortlist(facts: Facts, candidates: Sequence[Candidate], weights: Sequence[float]) -> list[Candidate]:
    """The most useful candidates of each role, of those that are worth a step at all; in the order given."""
    worth = {c: useful(c, weights) + facts["plan-merit-weight"] * c.merit for c in candidates
             if useful(c, weights) >= facts["plan-step-serves-least"]}  # fmt: skip
    kept: set[Candidate] = set()
    for role in dict.fromkeys(c.role for c in worth):
        own = sorted((c for c in worth if c.role == role), key=lambda c: (-worth[c], c.technique))
        kept.update(own[: int(facts["plan-shortlist"])])
    return [c for c in candidates if c in kept]


def _limits(facts: Facts, candidates: Sequence[Candidate], needs: int, budget: float) -> tuple[np.ndarray, np.ndarray]:
    """All constraints as rows of `row @ [steps, covered] <= limit`."""
    count = len(candidates)
    rows: list[np.ndarray] = []
    limits: list[float] = []

    def limit(steps: Mapping[int, float], bound: float, need: int | None = None) -> None:
        row = np.zeros(count + needs)
        for index, value in steps.items():
            row[index] = value
        if need is not None:
            row[count + need] = 1.0
        rows.append(row)
        limits.append(bound)

    everything = dict(enumerate(candidates))
    limit({i: c.low for i, c in everything.items()}, budget)
    limit(dict.fromkeys(everything, 1.0), facts["plan-steps-most"])
    strains = {i: facts.strain(c.technique) for i, c in everything.items()}
    for part, bound in enumerate(facts.strain_limits):
        limit({i: strains[i][part] * c.low for i, c in everything.items()}, bound)
    for role in dict.fromkeys(c.role for c in candidates):
        limit({i: 1.0 for i, c in everything.items() if c.role == role}, role.most)
    for need in range(needs):
        sums = {i: -log1p(-min(c.covers[need], _MOST)) for i, c in everything.items() if need in c.covers}
        for at in _TANGENTS:
            slope = exp(-at)
            limit({i: -slope * value for i, value in sums.items()}, 1 - slope - slope * at, need)
    for pair in _variants(facts, candidates):
        limit(dict.fromkeys(pair, 1.0), 1.0)
    for rule in facts.rules:
        for i, c in everything.items():
            if c.role.slug in rule.needed_by:
                other = rule.earlier if c.role.slug in rule.later else rule.later
                limit({i: 1.0} | {j: -1.0 for j, d in everything.items() if d.role.slug in other}, 0.0)
    return np.array(rows), np.array(limits)


def _variants(facts: Facts, candidates: Sequence[Candidate]) -> list[tuple[int, int]]:
    """Pairs of which one technique is a variant of the other, or the same one in the middle of the session twice."""
    return [(i, j) for i, one in enumerate(candidates) for j, other in enumerate(candidates[:i])
            if akin(facts.knowledge, one.technique, other.technique)]  # fmt: skip


def akin(knowledge: Knowledge, one: str, other: str) -> bool:
    """Whether one technique is a variant of another."""
    return one != other and (one in knowledge[other].all("variantOf") or other in knowledge[one].all("variantOf"))
