"""The knowledge as the unit under test: nothing of the tables is missing, and the audit finds no error."""

import csv
from collections import defaultdict
from math import prod
from pathlib import Path

import pytest

from kg.curation.audit import ADVICE, ERROR, audit, report, report_html
from kg.graph.knowledge import Node
from kg.graph.terms import ONTOLOGY_DIR
from kg.reasoning.engine import Engine


def counts() -> list[dict[str, str]]:
    with (Path(__file__).parent / "table_counts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", counts(), ids=lambda row: row["class"])
def test_all_of_the_tables_is_in_the_graph(engine: Engine, row: dict[str, str]) -> None:
    """The counts are those of the fact tables; curators add to them, so there may be more, never fewer."""
    found = len(engine.knowledge.of_class(row["class"]))
    if row["class"] == "TreatmentEvidence":
        found += len(engine.knowledge.of_class("RefusedStatement"))
    assert found >= int(row["count"]), row["counted"]


def test_the_audit_finds_no_error(engine: Engine) -> None:
    errors = [str(finding) for finding in audit(engine.knowledge) if finding.level == ERROR]
    assert not errors, "\n".join(errors)


def test_the_audit_sees_what_it_should(engine: Engine) -> None:
    """Each check finds its fault when a copy of the graph has it."""
    knowledge = engine.knowledge

    class Spoiled:
        """The graph with some nodes replaced."""

        def __init__(self, **nodes: Node) -> None:
            self.nodes = {name.replace("_", "-"): node for name, node in nodes.items()}

        def of_class(self, cls: str) -> tuple[Node, ...]:
            return tuple(self.nodes.get(node.slug, node) for node in knowledge.of_class(cls))

        def __iter__(self):  # type: ignore[no-untyped-def]
            return iter(self.nodes.get(node.slug, node) for node in knowledge)

        def __contains__(self, name: object) -> bool:
            return name in knowledge

        def __getitem__(self, name: str) -> Node:
            return self.nodes.get(name, knowledge[name])

    def without(slug: str, *names: str) -> Node:
        return Node(slug, {k: v for k, v in knowledge[slug].properties.items() if k not in names})

    def having(slug: str, **changed: tuple[str, ...]) -> Node:
        return Node(slug, {**knowledge[slug].properties, **{k.replace("_", ":", 1): v for k, v in changed.items()}})

    def faults(**nodes: Node) -> str:
        return "\n".join(str(finding) for finding in audit(Spoiled(**nodes)))  # type: ignore[arg-type]

    assert "affects no tissue" in faults(plantar_fasciitis=without("plantar-fasciitis", "affects"))
    assert "has no impairment" in faults(plantar_fasciitis=without("plantar-fasciitis", "hasImpairment"))
    assert "relieves no impairment" in faults(muscle_tone=without("muscle-tone", "relieves"))
    assert "is relieved by no effect" in faults(hypertonicity=without("hypertonicity", "relievedBy"))
    assert "forbids and limits nothing" in faults(fever=without("fever", "contraindicates"))
    claim = next(node for node in knowledge.of_class("EffectClaim"))
    assert "does not say on what it rests" in faults(**{claim.slug.replace("-", "_"): without(claim.slug, "basis")})
    definition = tuple(knowledge["effleurage"].all("skos:definition"))
    assert "has the definition of" in faults(petrissage=having("petrissage", skos_definition=definition))
    assert "shares the name" in faults(petrissage=having("petrissage", skos_prefLabel=("Effleurage",)))
    result = next(node for node in knowledge.of_class("StudyResult") if node.one("result") == "benefit")
    crossing = having(result.slug, effectSize=("MD -1.0 (95% CI -2.5 to 0.5)",))
    assert "crosses no effect" in faults(**{result.slug.replace("-", "_"): crossing})


def test_the_report_lists_all_conditions_the_weakest_first(engine: Engine) -> None:
    text = report(engine.knowledge)
    for node in engine.knowledge.of_class("Condition"):
        assert f"| {node.label} |" in text
    assert ADVICE in text or "0 pieces of advice" in text


def test_the_published_report_is_that_of_this_graph(engine: Engine) -> None:
    published = ONTOLOGY_DIR.parent / "docs" / "curation-report.md"
    if published.exists():  # not beside an ontology that stands elsewhere
        stale = "docs/curation-report.md is stale; mend it with: python -m kg check --report docs/curation-report.md"
        assert published.read_text(encoding="utf-8") == report(engine.knowledge), stale
        assert published.with_suffix(".html").read_text(encoding="utf-8") == report_html(report(engine.knowledge)), stale


def test_refuted_teaching_stands_as_refuted(engine: Engine) -> None:
    """What laboratories contradicted is in the graph as refuted, with a source, and makes no path."""
    assert "local-blood-flow" in engine.knowledge["petrissage"].all("doesNotProduce")
    blood = [link for link in engine.model.mechanism.links if link.technique == "petrissage" and link.effect == "local-blood-flow"]
    assert not [link for link in blood if link.tissue == "blood-vessel"]
    assert all(node.all("dcterms:source") for node in engine.knowledge.of_class("RefutedEffectClaim"))


def test_each_condition_can_be_ranked_in_each_phase(engine: Engine) -> None:
    for node in engine.knowledge.of_class("Condition"):
        for phase in (None, "acute", "subacute", "chronic", "postoperative"):
            answer = engine.rank(node.slug, engine.client(phase), explain=False)
            assert answer.recommended or answer.adjuncts, (node.slug, phase)


def test_what_rests_on_what_is_said_with_its_ground(engine: Engine) -> None:
    """Each pair says how it is known, and nothing rests on itself, over however many steps."""
    knowledge = engine.knowledge
    resting = [node for node in knowledge.of_class("Source") if node.all("restsOn")]
    assert resting
    for node in resting:
        notes = " ".join(node.all("skos:editorialNote"))
        assert all(f"{other}: " in notes for other in node.all("restsOn")), node.slug
        seen, ahead = set(), list(node.all("restsOn"))
        while ahead:
            other = ahead.pop()
            assert other != node.slug
            ahead += [further for further in knowledge[other].all("restsOn") if further not in seen]
            seen.add(other)


def test_sources_that_rest_on_each_other_count_once(engine: Engine) -> None:
    """Together they add no more than the strongest of their statements would alone."""
    topics: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for statement in engine.knowledge.of_class("TreatmentEvidence"):
        topics[statement.one("dcterms:source")].add((statement.one("evidenceCondition"), statement.one("evidenceTechnique")))
    shared, places = 0, {slug: i for i, slug in enumerate(engine.model.techniques)}
    for node in engine.knowledge.of_class("Source"):
        for other in node.all("restsOn"):
            for condition, technique in topics[node.slug] & topics[other]:
                if technique not in places:  # a family, which is not ranked
                    continue
                scores = engine.model.scores(condition, engine.client(None))
                found = [o for o in scores.observations(places[technique]) if o.source in (node.slug, other)]
                assert len({o.cluster for o in found}) == 1
                assert sum(o.successes + o.failures for o in found) <= max(prod(o.factors.values()) for o in found) + 1e-9
                shared += len({o.source for o in found}) == 2
    assert shared >= 5


def test_statements_read_for_the_gaps_are_marked_as_read(engine: Engine) -> None:
    """What came in after the tables was read by whoever wrote it down, and says so."""
    file = ONTOLOGY_DIR / "evidence" / "further-findings.ttl"
    if file.exists():
        slugs = [line.removeprefix("pal:") for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("pal:evidence-")]
        assert len(slugs) >= 80
        assert all(engine.knowledge[slug].all("verifiedOn") and engine.knowledge[slug].all("verifiedAgainst") for slug in slugs)


def test_what_unloads_relieves_faulty_loading(engine: Engine) -> None:
    """Supports and advice work by load, not by touch; no mechanism missed them before load was an effect."""
    paths = engine.model.mechanism.paths.paths
    relieving = {path.link.technique for path in paths if path.impairment == "faulty-loading" and path.relieves}
    assert {"orthosis-splinting", "rigid-taping", "postural-education", "motor-control-exercise"} <= relieving


def test_claims_are_bound_to_regions_that_exist(engine: Engine) -> None:
    regions = {node.slug for node in engine.knowledge.of_class("BodyRegion")}
    bound = [node for node in engine.knowledge.of_class("EffectClaim") if node.all("claimAtRegion")]
    assert bound
    assert all(set(node.all("claimAtRegion")) <= regions for node in bound)
