"""Deleting any one statement of what a hazard contraindicates fails here.

tests/withheld.csv holds, apart from the rules, what the rules of each hazard come to. A deletion either changes that, or
is one of those that the table lists as redundant, and then it changes that list.
"""

from dataclasses import replace

import pytest

from kg.reasoning.engine import Engine
from kg.reasoning.safety import SafetyGate
from tests import withheld
from tests.withheld import COMMAND, outcome, own_rules, resolved, rows, stored, stored_outcomes, targets, without


def test_the_table_is_what_the_gate_does(engine: Engine) -> None:
    now, then = set(rows(engine.knowledge, engine.gate)), set(stored())
    assert now == then, f"New: {sorted(now - then)[:5]} Gone: {sorted(then - now)[:5]} If that is meant, run {COMMAND} and read the diff."


def test_the_targets_that_the_table_spells_out_are_those_of_the_gate(engine: Engine) -> None:
    covers = targets(engine.knowledge, engine.gate)
    for hazard in engine.knowledge.of_class("Hazard"):
        for rule in own_rules(engine.gate, hazard.slug):
            assert without(covers, engine.knowledge[rule.reason.rule], "") == resolved(rule), rule.reason.rule


def test_deleting_any_target_of_any_rule_is_noticed(engine: Engine) -> None:
    expected = stored_outcomes()
    redundant = {(hazard, rule, target) for kind, hazard, rule, _, target in stored() if kind == "redundant"}
    tried = 0
    for hazard, rule, target, left in withheld.mutants(engine.knowledge, engine.gate):
        tried += 1
        assert (left == expected[hazard]) == ((hazard, rule, target) in redundant), (rule, target)
    assert tried == sum(len(rule.all("appliesTo")) for rule in engine.knowledge.of_class("ContraindicationRule"))


def test_deleting_any_whole_rule_is_noticed(engine: Engine) -> None:
    """Even one that others cover: its redundant targets then leave the table."""
    expected = stored_outcomes()
    listed = {rule for kind, _, rule, _, _ in stored() if kind == "redundant"}
    for hazard in engine.knowledge.of_class("Hazard"):
        rules = own_rules(engine.gate, hazard.slug)
        for deleted in rules:
            left = outcome((rule, resolved(rule)) for rule in rules if rule is not deleted)
            assert left != expected[hazard.slug] or deleted.reason.rule in listed, deleted.reason.rule


@pytest.mark.parametrize("hazard", ["anticoagulants", "pregnancy", "cautionary-site-general", "recent-surgery", "osteoporosis"])
def test_a_mutated_gate_fails_the_table(engine: Engine, hazard: str) -> None:
    """The same on a real gate: one technique taken from one rule, and the table no longer agrees."""
    gate = SafetyGate(engine.knowledge)
    rules = gate._rules[hazard]
    for rule in rules:
        for technique in sorted(rule.techniques)[:2]:
            mutant = replace(rule, techniques=rule.techniques - {technique})
            gate._rules[hazard] = tuple(mutant if other is rule else other for other in rules)
            left = outcome((other, resolved(other)) for other in own_rules(gate, hazard))
            assert left != stored_outcomes()[hazard] or _covered_twice(engine, hazard, technique)


def _covered_twice(engine: Engine, hazard: str, technique: str) -> bool:
    cells = [withheld.cell(rule) for rule in own_rules(engine.gate, hazard) if technique in rule.techniques]
    return len(cells) > len(set(cells))
