"""Nearest names for what somebody mistyped.

>>> nearest("plantar facitis", ["plantar-fasciitis", "hamstring-strain"])
['plantar-fasciitis']
"""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], limit: int = 3, at_least: float = 60) -> list[str]:
    """Up to `limit` known names that are like `name`, the likest first."""
    from rapidfuzz import fuzz, process, utils

    found = process.extract(name, sorted(known), scorer=fuzz.WRatio, processor=utils.default_process, limit=limit, score_cutoff=at_least)
    return [match for match, _, _ in found]
