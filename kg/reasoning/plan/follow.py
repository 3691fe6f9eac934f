"""How a client does against the plan: scores per session beside the expected course and the least change that matters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """One measure so far: its scores by session, what was expected at these, and what that means.

    `verdict` is `met`, `on-course`, `behind`, `worse` or `unclear` (fewer than two scores).
    """

    measure: str
    label: str
    scores: tuple[tuple[int, float], ...]
    expected: tuple[tuple[int, float], ...]
    target: float | None
    change: float | None
    important: bool
    beyond_error: bool | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "measure": self.measure, "label": self.label, "scores": [list(s) for s in self.scores],
            "expected": [list(e) for e in self.expected], "target": self.target, "change": self.change, "important": self.important,
            "beyond_error": self.beyond_error, "verdict": self.verdict,
        }  # fmt: skip


def follow(plan: Mapping[str, Any]) -> list[Progress]:
    """The progress on each goal of a plan for which it holds scores: `{"measure", "session", "score"}` in `plan["scores"]`.

    Args:
        plan: as plain data; scores of measures or sessions that it does not have are left out.
    """
    weeks = {s["number"]: s["day"] / 7 for s in plan["sessions"]}
    points = [(p["week"], p["remaining"]) for p in plan["expected"]["points"]] if plan.get("expected") else []
    found = []
    for goal in plan["goals"]:
        scores = sorted({s["session"]: float(s["score"]) for s in plan.get("scores", ())
                         if s["measure"] == goal["measure"] and s["session"] in weeks}.items())  # fmt: skip
        if scores:
            found.append(_progress(goal, scores, weeks, points))
    return found


def _progress(goal: Mapping[str, Any], scores: list[tuple[int, float]], weeks: Mapping[int, float],
              points: Sequence[tuple[float, float]]) -> Progress:  # fmt: skip
    start, latest = scores[0][1], scores[-1]
    aim = goal["target_change"]
    done = 1 - _remaining(points, max(weeks.values()))
    share = {session: (1 - _remaining(points, week)) / done for session, week in sorted(weeks.items())} if aim and done else {}
    expected = tuple((session, round(start + aim * part, 2)) for session, part in share.items())
    change = latest[1] - start if len(scores) > 1 else None
    better = change is not None and (change > 0) == goal["higher_is_better"] and change != 0
    least = goal["mcid"] or (abs(aim) if aim else None)
    important = change is not None and least is not None and abs(change) >= least
    beyond = None if change is None or goal["mdc"] is None else abs(change) >= goal["mdc"]
    return Progress(goal["measure"], goal["measure_label"], tuple(scores), expected, None if aim is None else round(start + aim, 2), change,
                    important, beyond, _verdict(change, better, important, latest, dict(expected), goal["higher_is_better"]))  # fmt: skip


def _verdict(change: float | None, better: bool, important: bool, latest: tuple[int, float], expected: Mapping[int, float],
             higher: bool) -> str:  # fmt: skip
    if change is None:
        return "unclear"
    if important:
        return "met" if better else "worse"
    wanted = expected.get(latest[0])
    if wanted is None:
        return "unclear"
    return "on-course" if (latest[1] >= wanted if higher else latest[1] <= wanted) else "behind"


def _remaining(points: Sequence[tuple[float, float]], week: float) -> float:
    """What is expected to be left at a week, by straight lines between the points."""
    if not points:
        return 1.0
    for (w0, r0), (w1, r1) in pairwise(points):
        if week <= w1:
            return r0 + (r1 - r0) * (week - w0) / (w1 - w0) if w1 > w0 else r1
    return points[-1][1]
