"""How good predictions and orders are: the usual measures, from NumPy and SciPy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kg.curation.heldout import DEPTH, DISFAVORS, FAVORS, FIRST, Findings, Order, Predictor
from kg.reasoning.evidence import Booleans, Floats


def auroc(score: Floats, positive: Booleans) -> float:
    """The probability that a positive one stands above a negative one, ties half."""
    from scipy.stats import rankdata

    above, count = int(positive.sum()), len(score)
    return float((rankdata(score)[positive].sum() - above * (above + 1) / 2) / (above * (count - above)))


def ndcg(score: Floats, gain: Floats, depth: int = DEPTH) -> float:
    """Normalized discounted cumulative gain of the first `depth`; 1 is the best order there can be."""
    discount = 1 / np.log2(np.arange(2, depth + 2))
    first = gain[np.argsort(-score, kind="stable")][:depth]
    best = np.sort(gain)[::-1][:depth]
    return float((first * discount[: len(first)]).sum() / (best * discount[: len(best)]).sum())


def precision(score: Floats, gain: Floats, first: int = FIRST) -> float:
    """The share of the first few that are favored at all."""
    return float((gain[np.argsort(-score, kind="stable")[:first]] > 0).mean())


@dataclass(frozen=True, slots=True)
class Direction:
    """How well the direction of held-out findings was foretold."""

    auroc: float
    brier: float
    log_loss: float


def direction(findings: Findings) -> Direction:
    """AUROC on findings that take a side; Brier score and log loss on all."""
    share, foretold, weight = findings.share, findings.foretold, findings.importance
    sided = (share >= FAVORS) | (share <= DISFAVORS)
    chance = np.clip(foretold, 0.01, 0.99)
    losses = -(share * np.log(chance) + (1 - share) * np.log(1 - chance))
    return Direction(
        auroc(foretold[sided], share[sided] >= FAVORS),
        float(np.average((foretold - share) ** 2, weights=weight)),
        float(np.average(losses, weights=weight)),
    )


@dataclass(frozen=True, slots=True)
class Placing:
    """How well favored techniques were placed: means over the orders of each group, then over groups."""

    auroc: float
    ndcg: float
    precision: float


def placing(orders: Iterable[Order], predict: Predictor) -> Placing:
    """How favored techniques are placed."""
    groups: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for order in orders:
        score = predict(order.question)[order.members]
        above = auroc(score, order.gain > 0) if (order.gain == 0).any() else 1.0
        row = (above, ndcg(score, order.gain), precision(score, order.gain))
        groups.setdefault((order.kind, order.scope), []).append(row)
    means = np.mean([np.mean(rows, axis=0) for _, rows in sorted(groups.items())], axis=0)
    return Placing(*means.tolist())


def calibration(findings: Findings, bins: int = 10) -> list[tuple[float, float, int]]:
    """Findings in equal groups by what was foretold: mean foretold, mean share of success, number."""
    order = np.argsort(findings.foretold, kind="stable")
    return [
        (float(np.average(findings.foretold[part], weights=findings.importance[part])),
         float(np.average(findings.share[part], weights=findings.importance[part])), len(part))
        for part in np.array_split(order, bins)
    ]  # fmt: skip


def kendall(one: Sequence[float], other: Sequence[float]) -> float:
    """Kendall's tau of two orders."""
    from scipy.stats import kendalltau

    return float(kendalltau(one, other).statistic)
