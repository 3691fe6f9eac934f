"""Every number of an answer is recomputed by hand from the answer's own JSON; and the laws that pooling must keep."""

import json
from collections import defaultdict
from itertools import pairwise
from math import isclose, prod, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

import kg
from kg.graph.terms import PAL
from kg.reasoning.engine import Engine
from kg.reasoning.evidence import pooled

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


def pairs(query: str) -> list[tuple[str, str]]:
    table = kg.sparql(f"PREFIX pal: <{PAL}> {query}")
    assert not isinstance(table, bool)
    return [(str(one), str(other)) for one, other in table.rows]


def test_a_path_relieves_only_where_its_effect_finds_what_it_presupposes(engine: Engine) -> None:
    """Read from the triples: no relief of a bursa's pain by less irritable trigger points, if there are none."""
    presupposed: dict[str, set[str]] = defaultdict(set)
    for effect, impairment in pairs("SELECT ?effect ?impairment { ?effect pal:presupposes ?impairment }"):
        presupposed[str(effect)].add(str(impairment))
    assert presupposed
    impaired: dict[str, set[str]] = defaultdict(set)
    for condition, impairment in pairs("SELECT ?c ?i { ?p pal:profileOf ?c ; pal:profileImpairment ?i }"):
        impaired[str(condition)].add(str(impairment))
    settled = found = 0
    for condition, impairments in impaired.items():
        for rationales in engine.explainer.rationales(condition.rpartition("/")[2], None).values():
            for path in (rationale.path for rationale in rationales):
                if needed := presupposed.get(f"{PAL}{path.link.effect}"):
                    assert impairments & needed or not path.relieves, (condition, path.link.claim)
                    found += 1
        settled += sum(not impairments & needed for needed in presupposed.values())
    assert found > 1000  # where they are there, the effects relieve
    assert settled > 100


def test_strength_of_a_claim_is_prior_and_laboratory_evidence(answer: dict) -> None:
    p = answer["parameters"]
    for entry in entries(answer):
        for claim in entry["claims"]:
            count = p["link-prior-observations"]
            mean = (claim["prior"] * count + claim["successes"]) / (count + claim["successes"] + claim["failures"])
            assert close(claim["strength"], mean * p["discount-claim-step"] ** claim["steps"])


def test_plausibility_is_the_weighted_cover_of_needs(answer: dict) -> None:
    for entry in entries(answer):
        missed: dict[str, float] = defaultdict(lambda: 1.0)
        spared: dict[str, float] = defaultdict(lambda: 1.0)
        for path in entry["rationale"]:
            (missed if path["relieves"] else spared)[path["need"]] *= 1 - path["strength"]
        cover = sum(need["weight"] * (1 - missed[need["need"]]) * spared[need["need"]] for need in answer["needs"])
        assert close(entry["plausibility"], cover), entry["technique"]


def test_prior_joins_mechanism_and_record(answer: dict) -> None:
    p = answer["parameters"]
    low, high, share, half = (p[name] for name in ("prior-mean-low", "prior-mean-high", "record-share", "record-half"))
    for entry in entries(answer):
        mechanism = low + (high - low) * entry["plausibility"] * entry["tolerance"]
        assert close(entry["mechanism"], mechanism)
        won, lost = entry["record"]["successes"] * entry["tolerance"], entry["record"]["failures"]
        assert close(entry["prior"]["mean"], (1 - share) * mechanism + share * (won + half * mechanism) / (won + lost + half))
        assert close(entry["prior"]["observations"], p["prior-observations"] * (1 - entry["doubt"]))
        assert 0 <= entry["doubt"] < 1


def test_posterior_score_and_interval(answer: dict) -> None:
    tail = answer["parameters"]["interval-tail"]
    for entry in entries(answer):
        mean, count = entry["prior"]["mean"], entry["prior"]["observations"]
        a = mean * count + sum(e["successes"] for e in entry["evidence"])
        b = (1 - mean) * count + sum(e["failures"] for e in entry["evidence"])
        assert close(entry["posterior"]["alpha"], a)
        assert close(entry["posterior"]["beta"], b)
        assert close(entry["score"], a / (a + b))
        assert entry["interval"] == pytest.approx(beta.ppf([tail, 1 - tail], a, b))


def test_evidence_shares_the_weight_of_its_cluster(answer: dict) -> None:
    for entry in entries(answer):
        clusters = defaultdict(list)
        for item in entry["evidence"]:
            clusters[item["cluster"]].append(item)
            assert close(item["weight"], item["successes"] + item["failures"])
            assert item["statement"] in answer["statements"]
            assert item["source"] in answer["sources"]
        for group in clusters.values():
            gains = [prod(i["factors"].values()) * (i["share"] or 0) for i in group]
            losses = [prod(i["factors"].values()) * (1 - i["share"]) if i["share"] is not None else 0 for i in group]
            total = sum(gains) + sum(losses)
            for item, gain, loss in zip(group, gains, losses, strict=True):
                assert close(item["successes"], gain * max(gains) / total * entry["tolerance"] if total else 0)
                assert close(item["failures"], loss * max(losses) / total if total else 0)


def test_discounts_follow_the_steps(answer: dict) -> None:
    p = answer["parameters"]
    for entry in entries(answer):
        for item in entry["evidence"]:
            steps = item["steps"]
            up, down = p["discount-condition-step"] ** steps["general_condition"], p["discount-subtype-step"] ** steps["special_condition"]
            assert close(item["factors"]["condition"], up * down)
            assert close(item["factors"]["technique"], p["discount-technique-step"] ** steps["general_technique"])


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
            near = [e for e in entry["evidence"] if sum(e["steps"].values()) <= p["class-steps-most"]]
            gains, losses = sum(e["successes"] / entry["tolerance"] for e in near), sum(e["failures"] for e in near)
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


def test_evidence_passes_between_kin_at_a_discount(engine: Engine) -> None:
    score = {s.technique: s for s in engine.model.scores("achilles-tendinopathy", engine.client("chronic"))}["eccentric-exercise"]
    steps = {o.steps[:2] for o in score.observations}
    assert (0, 0) in steps
    assert (1, 0) in steps, "from tendinopathy"
    assert (1, 1) in steps, "from another tendinopathy"
    for o in score.observations:
        assert (o.steps[:2] == (0, 0)) == (o.about_condition == "achilles-tendinopathy")


def test_the_record_is_the_evidence_of_all_conditions_that_are_no_kin(engine: Engine) -> None:
    condition, technique = "plantar-fasciitis", "classical-massage"
    model = engine.model
    score = {s.technique: s for s in model.scores(condition, engine.client())}[technique]
    won = lost = 0.0
    for other in {n.slug for n in engine.knowledge.of_class("Condition")} - set(model.evidence.kin[condition]):
        entry = next(s for s in model.scores(other, engine.client()) if s.technique == technique)
        own = [o for o in entry.observations if o.steps[:2] == (0, 0) and o.share is not None]
        fit = model.parameters["phase-open"]
        weights = [(o.cluster, prod(o.factors.values()) / fit, o.share) for o in own]
        s, f = pooled((cluster, w * share, w * (1 - share)) for cluster, w, share in weights)
        won, lost = won + s, lost + f
    assert score.record == pytest.approx((won, lost))


def test_refuted_effects_take_certainty_from_the_prior(engine: Engine) -> None:
    doubted = [s for s in engine.model.scores("delayed-onset-muscle-soreness", engine.client("acute")) if s.doubt > 0]
    assert doubted
    for score in doubted:
        assert score.prior_observations < engine.model.parameters["prior-observations"]


def test_a_technique_bound_to_a_region_does_nothing_for_another(engine: Engine) -> None:
    answer = engine.rank("plantar-fasciitis", engine.client("chronic"))
    entry = next(e for e in answer.recommended if e.technique == "intraoral-massage")
    assert entry.class_ == "unknown"
    assert all(r.need.whole_person for r in entry.rationale)


# ---------------------------------------------------------------------------------------------------- laws of pooling
weights = st.floats(0.001, 20)
statements = st.lists(st.tuples(st.sampled_from("abc"), weights, st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=12)
Rows = list[tuple[str, float, float]]


def posterior(rows: Rows, prior: float = 0.4, count: float = 4.0) -> tuple[float, float]:
    """Alpha and beta of the posterior."""
    gains, losses = pooled((cluster, weight * share, weight * (1 - share)) for cluster, weight, share in rows)
    return prior * count + gains, (1 - prior) * count + losses


def mean(rows: Rows) -> float:
    a, b = posterior(rows)
    return a / (a + b)


def width(rows: Rows) -> float:
    low, high = beta.ppf([0.05, 0.95], *posterior(rows))
    return float(high - low)


@given(statements, st.sampled_from("abcd"), weights)
def test_a_benefit_never_lowers_a_score(rows: Rows, source: str, weight: float) -> None:
    assert mean([*rows, (source, weight, 1.0)]) >= mean(rows) - 1e-12


@given(statements, st.sampled_from("abcd"), weights)
def test_a_harm_never_raises_a_score(rows: Rows, source: str, weight: float) -> None:
    assert mean([*rows, (source, weight, 0.0)]) <= mean(rows) + 1e-12


@given(st.lists(st.tuples(st.sampled_from("abc"), weights), max_size=8), weights, st.booleans())
def test_evidence_that_agrees_never_widens_the_interval(rows: list[tuple[str, float]], weight: float, good: bool) -> None:
    """With a prior whose mean is on the side to which all evidence points, more of it narrows the interval."""
    share, prior = (1.0, 0.6) if good else (0.0, 0.4)
    before = [(source, w, share) for source, w in rows]

    def wide(found: Rows) -> float:
        low, high = beta.ppf([0.05, 0.95], *posterior(found, prior))
        return float(high - low)

    assert wide([*before, ("new", weight, share)]) <= wide(before) + 1e-9


@given(statements, st.randoms(use_true_random=False))
def test_order_does_not_matter(rows: Rows, random) -> None:  # type: ignore[no-untyped-def]
    assert mean(random.sample(rows, len(rows))) == pytest.approx(mean(rows), abs=1e-12)


@given(statements)
def test_names_do_not_matter(rows: Rows) -> None:
    renamed = [({"a": "z", "b": "m", "c": "k"}[cluster], weight, share) for cluster, weight, share in rows]
    assert mean(renamed) == pytest.approx(mean(rows), abs=1e-12)


@given(statements)
def test_a_source_weighs_at_most_its_strongest_statement(rows: Rows) -> None:
    for source in "abc":
        own = [row for row in rows if row[0] == source]
        gains, losses = pooled((cluster, weight * share, weight * (1 - share)) for cluster, weight, share in own)
        assert gains + losses <= max((weight for _, weight, _ in own), default=0.0) + 1e-9
