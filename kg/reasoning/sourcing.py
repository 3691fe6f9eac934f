"""How well a statement of safety is sourced: the best kind among its sources, as the ontology grades the kinds."""

from collections.abc import Iterable

from kg.graph.knowledge import Knowledge

_PREFIX = "sourcing-"


def sourcing(knowledge: Knowledge, sources: Iterable[str], basis: str = "") -> str:
    """The grade, without its prefix, of the best of these sources; where there is none, of the basis.

    A source is graded by its design, which names its grade (`pal:sourcing`); the grade of the greatest value is best.
    Empty where neither a source nor the basis has one.
    """
    kinds = [knowledge[source].one("design") for source in sources] or [basis]
    grades = [grade for kind in kinds if kind in knowledge for grade in knowledge[kind].all("sourcing")]
    return max(grades, key=lambda grade: (knowledge[grade].number("value"), grade)).removeprefix(_PREFIX) if grades else ""


def sourcing_label(knowledge: Knowledge, grade: str) -> str:
    """The words for a grade that `sourcing` gave."""
    return knowledge.label(_PREFIX + grade) if grade else ""
