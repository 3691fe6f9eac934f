"""Every number of an answer is recomputed by hand from the answer's own JSON; and the laws that pooling must keep."""

import json
from collections import defaultdict
from itertools import pairwise
from math import isclose, prod, sqrt

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

import kg
from kg.reasoning.rank import Engine
from kg.reasoning.score import Observation, pool

CASES = [
    ("plantar-fasciitis", "chronic", "moderate", ["warfarin"]),
    ("chronic-low-back-pain", None, None, []),
    ("achilles-tendinopathy", "acute", "high", []),
    ("breast-cancer-related-lymphedema", "subacute", "low", []),
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case[0])
def answer(request: pytest.FixtureRequest) -> dict:
    condition, phase, irritability, hazards = request.param
    return json.loads(json.dumps(kg.rank(condition, phase=phase, irritability=irritability, hazards=hazards).to_dict()))


def entries(answer: dict) -> list[dict]:
    return [*answer["recommended"], *answer["adjuncts"], *answer["discuss"]]


def close(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def test_needs_share_one(answer: dict) -> None:
    assert close(sum(need["weight"] for need in answer["needs"]), 1.0)


def test_strength_of_a_path_is_claim_times_relief(answer: dict) -> None:
    for entry in entries(answer):
        claims = {claim["claim"]: claim for claim in entry["claims"]}
        for path in entry["rationale"]:
            assert close(path["strength"], prod(path["factors"].values()))
            assert close(path["factors"]["claim"], claims[path["claim"]]["strength"])
            assert path["path"][0].endswith("/" + entry["technique"])
            assert path["path"][-1] == answer["condition"]["iri"]


def test_strength_of_a_claim_is_prior_and_laboratory_evidence(answer: dict) -> None:
    p = answer["parameters"]
    for entry in entries(answer):
        for claim in entry["claims"]:
            count = p["link-prior-observations"]
            mean = (claim["prior"] * count + claim["successes"]) / (count + claim["successes"] + claim["failures"])
            assert close(claim["strength"], mean * p["discount-technique-step"] ** claim["steps"])


def test_plausibility_is_the_weighted_cover_of_needs(answer: dict) -> None:
    for entry in entries(answer):
        missed: dict[str, float] = defaultdict(lambda: 1.0)
        spared: dict[str, float] = defaultdict(lambda: 1.0)
        for path in entry["rationale"]:
            (missed if path["relieves"] else spared)[path["need"]] *= 1 - path["strength"]
        cover = sum(need["weight"] * (1 - missed[need["need"]]) * spared[need["need"]] for need in answer["needs"])
        assert close(entry["plausibility"], cover), entry["technique"]


def test_prior_posterior_score_and_interval(answer: dict) -> None:
    p = answer["parameters"]
    for entry in entries(answer):
        low, high = p["prior-mean-low"], p["prior-mean-high"]
        assert close(entry["prior"]["mean"], low + (high - low) * entry["plausibility"] * entry["tolerance"])
        count = entry["prior"]["observations"]
        a = entry["prior"]["mean"] * count + sum(e["successes"] for e in entry["evidence"])
        b = (1 - entry["prior"]["mean"]) * count + sum(e["failures"] for e in entry["evidence"])
        assert close(entry["posterior"]["alpha"], a)
        assert close(entry["posterior"]["beta"], b)
        assert close(entry["score"], a / (a + b))
        tail = p["interval-tail"]
        assert entry["interval"] == pytest.approx(beta.ppf([tail, 1 - tail], a, b))


def test_evidence_shares_the_weight_of_its_source(answer: dict, engine: Engine) -> None:
    """One source, or sources of which one rests on another, weighs at most what its strongest statement does."""
    resting = nx.Graph((node.slug, other) for node in engine.knowledge.of_class("Source") for other in node.all("restsOn"))
    together = {source: min(members) for members in nx.connected_components(resting) for source in members}
    for entry in entries(answer):
        sources = defaultdict(list)
        for item in entry["evidence"]:
            sources[together.get(item["source"], item["source"])].append(item)
            assert close(item["weight"], item["successes"] + item["failures"])
            assert item["statement"] in answer["statements"]
            assert item["source"] in answer["sources"]
        for group in sources.values():
            gains = [prod(i["factors"].values()) * (i["share"] or 0) for i in group]
            losses = [prod(i["factors"].values()) * (1 - i["share"]) if i["share"] is not None else 0 for i in group]
            total = sum(gains) + sum(losses)
            for item, gain, loss in zip(group, gains, losses, strict=True):
                assert close(item["successes"], gain * max(gains) / total if total else 0)
                assert close(item["failures"], loss * max(losses) / total if total else 0)


def test_order_bands_and_classes(answer: dict) -> None:
    p = answer["parameters"]
    for name in ("recommended", "adjuncts", "discuss"):
        listed = answer[name]
        assert [e["rank"] for e in listed] == list(range(1, len(listed) + 1))
        assert all(one["score"] >= other["score"] for one, other in pairwise(listed))
        leader, band = None, 0
        for entry in listed:
            a, b = entry["posterior"]["alpha"], entry["posterior"]["beta"]
            mean, variance = a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))
            if leader is None or (leader[0] - mean) / sqrt(leader[1] + variance) >= p["band-separation"]:
                leader, band = (mean, variance), band + 1
            assert entry["band"] == band
            near = [e for e in entry["evidence"] if e["factors"]["condition"] * e["factors"]["technique"] >= p["class-directness-least"]]
            gains, losses = (sum(e[key] for e in near) for key in ("successes", "failures"))
            if gains + losses < p["class-evidence-least"]:
                expected = "mechanism-only" if entry["plausibility"] >= p["class-plausibility-least"] else "unknown"
            else:
                share = gains / (gains + losses)
                expected = "against" if share <= p["class-against-share"] else "conflicting"
                expected = "supported" if share >= p["class-supported-share"] else expected
            assert entry["class"] == expected


def test_no_scores_tie(engine: Engine) -> None:
    scores = [round(e.score.mean, 12) for e in engine.rank("chronic-low-back-pain", explain=False).recommended]
    assert len(set(scores)) > 0.9 * len(scores)


def test_phase_and_irritability_matter(engine: Engine) -> None:
    def order(phase: str, irritability: str) -> list[str]:
        answer = engine.rank("lateral-elbow-tendinopathy", engine.client(phase, irritability), explain=False)
        return [entry.technique for entry in answer.recommended]

    assert order("acute", "high") != order("chronic", "low")
    friction = {irritability: order("chronic", irritability).index("deep-transverse-friction") for irritability in ("low", "high")}
    assert friction["low"] < friction["high"]


def test_general_evidence_passes_down_at_a_discount(engine: Engine) -> None:
    score = {s.technique: s for s in engine.model.scores("achilles-tendinopathy", engine.client("chronic"))}["eccentric-exercise"]
    steps = {round(o.factors["condition"], 3) for o in score.observations}
    assert 0.5 in steps
    assert all(o.factors["condition"] == 1.0 or o.about_condition != "achilles-tendinopathy" for o in score.observations)


def test_a_technique_bound_to_a_region_does_nothing_for_another(engine: Engine) -> None:
    answer = engine.rank("plantar-fasciitis", engine.client("chronic"))
    entry = next(e for e in answer.recommended if e.technique == "intraoral-massage")
    assert entry.class_ == "unknown"
    assert all(r.need.whole_person for r in entry.rationale)


# ---------------------------------------------------------------------------------------------------- laws of pooling
weights = st.floats(0.001, 20)
statements = st.lists(st.tuples(st.sampled_from("abc"), weights, st.sampled_from([0.0, 0.25, 0.5, 1.0, None])), max_size=12)


def observe(index: int, source: str, weight: float, share: float | None) -> Observation:
    return Observation(f"s{index:03}", "benefit", source, {"design": weight}, share)


def mean(found: list[Observation], prior: float = 0.4, count: float = 4.0) -> float:
    gains, losses = sum(o.successes for o in found), sum(o.failures for o in found)
    return (prior * count + gains) / (count + gains + losses)


@given(statements, st.sampled_from("abcd"), weights)
def test_a_benefit_never_lowers_a_score(rows: list, source: str, weight: float) -> None:
    before = [observe(i, *row) for i, row in enumerate(rows)]
    after = [*before, observe(len(rows), source, weight, 1.0)]
    assert mean(pool(after, {})) >= mean(pool(before, {})) - 1e-12


@given(statements, st.sampled_from("abcd"), weights)
def test_a_harm_never_raises_a_score(rows: list, source: str, weight: float) -> None:
    before = [observe(i, *row) for i, row in enumerate(rows)]
    after = [*before, observe(len(rows), source, weight, 0.0)]
    assert mean(pool(after, {})) <= mean(pool(before, {})) + 1e-12


@given(statements, st.randoms(use_true_random=False))
def test_order_does_not_matter(rows: list, random) -> None:  # type: ignore[no-untyped-def]
    found = [observe(i, *row) for i, row in enumerate(rows)]
    shuffled = random.sample(found, len(found))
    assert mean(pool(found, {})) == pytest.approx(mean(pool(shuffled, {})), abs=1e-12)


@given(statements)
def test_a_source_weighs_at_most_its_strongest_statement(rows: list) -> None:
    pooled = pool([observe(i, *row) for i, row in enumerate(rows)], {})
    for source in "abc":
        own = [o for o in pooled if o.source == source]
        strongest = max((o.weight for o in own if o.share is not None), default=0.0)
        assert sum(o.successes + o.failures for o in own) <= strongest + 1e-9


@given(statements)
def test_silent_statements_add_nothing(rows: list) -> None:
    pooled = pool([observe(i, *row) for i, row in enumerate(rows)], {})
    assert all(o.successes == o.failures == 0.0 for o in pooled if o.share is None)
