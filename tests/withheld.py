"""What each hazard withholds and limits, as a table that stands apart from the rules: tests/withheld.csv.

Whoever changes a rule writes the table anew, and the diff shows what the change does to a client:

    python -m tests.withheld

Rows: `group` (its techniques), `wider` (the hazards whose rules a hazard has too), `rule` (what the rules of one hazard say
at one level, place and time, groups by name), and `redundant` (a target of a rule that another target or rule of the
same hazard covers, so that dropping it alone would change nothing else).
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.safety import Rule, SafetyGate

TABLE = Path(__file__).parent / "withheld.csv"
COMMAND = "python -m tests.withheld"
Row = tuple[str, str, str, str, str]
Cell = tuple[str, str]
"""A level, and the place and time at which a rule holds."""
Outcome = dict[Cell, frozenset[str]]


def targets(knowledge: Knowledge, gate: SafetyGate) -> dict[str, frozenset[str]]:
    """What each target of a rule covers: techniques by name, family or group; positions and regions as they are."""
    bears: dict[str, set[str]] = {}
    for technique in gate.techniques:
        node = knowledge[technique]
        for name in (technique, *node.all("inGroup"), *node.all("family"), *node.all("variantOf")):
            bears.setdefault(name, set()).add(technique)
    places = [node.slug for cls in ("BodyPosition", "BodyRegion") for node in knowledge.of_class(cls)]
    return {**{name: frozenset(found) for name, found in bears.items()}, **{place: frozenset({place}) for place in places}}


def cell(rule: Rule) -> Cell:
    """Where in the table a rule stands."""
    lifts = rule.reason.lifts
    when = [f"from day {rule.holds_from}" if rule.holds_from else "",
            f"to day {lifts.after_days}" if lifts and lifts.after_days else "",
            f"lifted by {lifts.by}" if lifts and lifts.after_days and lifts.by else "",
            f"except for {' '.join(sorted(rule.except_for))}" if rule.except_for else "",
            f"at {' '.join(sorted(rule.at_regions))}" if rule.at_regions else ""]  # fmt: skip
    return rule.reason.level, ", ".join(filter(None, when))


def outcome(rules: Iterable[tuple[Rule, frozenset[str]]]) -> Outcome:
    """What rules say together, each given with what it covers."""
    found: dict[Cell, set[str]] = {}
    for rule, covered in rules:
        if covered:
            found.setdefault(cell(rule), set()).update(covered)
    return {key: frozenset(names) for key, names in found.items()}


def resolved(rule: Rule) -> frozenset[str]:
    """All that the gate takes a rule to cover."""
    return rule.techniques | rule.positions | rule.regions


def own_rules(gate: SafetyGate, hazard: str) -> list[Rule]:
    """The rules that stand at a hazard itself."""
    return [rule for rule in gate.rules_of(hazard) if rule.reason.hazard == hazard]


def without(covers: Mapping[str, frozenset[str]], rule: Node, target: str) -> frozenset[str]:
    """What a rule would cover if one of its targets were deleted."""
    left = (covers.get(other, frozenset()) for other in rule.all("appliesTo") if other != target)
    return frozenset().union(*left) - set(rule.all("exceptTechnique"))


def mutants(knowledge: Knowledge, gate: SafetyGate) -> Iterator[tuple[str, str, str, Outcome]]:
    """Every deletion of one target of one rule: hazard, rule, target, and what the hazard's own rules would then say."""
    covers = targets(knowledge, gate)
    for hazard in knowledge.of_class("Hazard"):
        rules = own_rules(gate, hazard.slug)
        for mutated in rules:
            node = knowledge[mutated.reason.rule]
            for target in node.all("appliesTo"):
                left = [(rule, without(covers, node, target) if rule is mutated else resolved(rule)) for rule in rules]
                yield hazard.slug, mutated.reason.rule, target, outcome(left)


def rows(knowledge: Knowledge, gate: SafetyGate) -> list[Row]:
    """The table as the gate makes it."""
    groups = {node.slug: frozenset(slug for slug in gate.techniques if node.slug in knowledge[slug].all("inGroup"))
              for node in knowledge.of_class("TechniqueGroup")}  # fmt: skip
    found: list[Row] = [("group", slug, "", "", " ".join(sorted(members))) for slug, members in groups.items()]
    outcomes = {}
    for hazard in knowledge.of_class("Hazard"):
        if wider := hazard.all("subHazardOf"):
            found.append(("wider", hazard.slug, "", "", " ".join(sorted(wider))))
        outcomes[hazard.slug] = outcome((rule, resolved(rule)) for rule in own_rules(gate, hazard.slug))
        found += [("rule", hazard.slug, level, when, _named(names, groups)) for (level, when), names in outcomes[hazard.slug].items()]
    spare = [(hazard, rule, target) for hazard, rule, target, left in mutants(knowledge, gate) if left == outcomes[hazard]]
    return sorted([*found, *(("redundant", hazard, rule, "", target) for hazard, rule, target in spare)])


def _named(names: frozenset[str], groups: Mapping[str, frozenset[str]]) -> str:
    """Names, with groups that are wholly among them in their stead, the largest first."""
    left, said = set(names), []
    for slug, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        if members and members <= names and members & left:
            said.append(f"[{slug}]")
            left -= members
    return " ".join((*said, *sorted(left)))


def stored() -> list[Row]:
    """The table as it is checked in."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [(row["kind"], row["hazard"], row["level"], row["when"], row["what"]) for row in csv.DictReader(file)]


def stored_outcomes() -> dict[str, Outcome]:
    """What the checked-in table says of each hazard, groups spelled out."""
    table = stored()
    groups = {slug: frozenset(what.split()) for kind, slug, _, _, what in table if kind == "group"}
    found: dict[str, Outcome] = {}
    for kind, hazard, level, when, what in table:
        if kind == "rule":
            names = (groups[word[1:-1]] if word.startswith("[") else frozenset({word}) for word in what.split())
            found.setdefault(hazard, {})[level, when] = frozenset().union(*names)
    return found


def main() -> None:
    """Write the table anew."""
    import kg

    engine = kg.load()
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kind", "hazard", "level", "when", "what"])
        writer.writerows(rows(engine.knowledge, engine.gate))


if __name__ == "__main__":
    main()
