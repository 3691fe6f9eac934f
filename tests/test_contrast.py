"""Why this and not that, and what if: parts that add up, and withdrawals that are what the ranking says without."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kg
from kg.errors import PalpateError, UnknownName
from kg.reasoning.engine import Engine

PAIRS = [
    ("plantar-fasciitis", "static-stretching", "ischemic-compression", "chronic", "low"),
    ("chronic-low-back-pain", "classical-massage", "cupping", None, None),
    ("lateral-elbow-tendinopathy", "deep-transverse-friction", "myofascial-release", "acute", "high"),
]


@pytest.mark.parametrize(("condition", "first", "second", "phase", "irritability"), PAIRS)
def test_parts_add_up_to_the_difference(condition: str, first: str, second: str, phase: str, irritability: str) -> None:
    found = kg.compare(condition, first, second, phase=phase, irritability=irritability)
    assert sum(part.adds for part in found.parts) == pytest.approx(found.scores[0] - found.scores[1])
    ranked = {e.technique: e for e in _entries(kg.rank(condition, phase=phase, irritability=irritability))}
    assert found.scores == pytest.approx((ranked[first].score.mean, ranked[second].score.mean))
    assert found.text


def _entries(answer: kg.rank) -> list:  # type: ignore[valid-type]
    return [*answer.recommended, *answer.adjuncts, *answer.discuss]  # type: ignore[attr-defined]


def test_comparing_the_other_way_round_turns_the_difference(engine: Engine) -> None:
    one = kg.compare("plantar-fasciitis", "cupping", "effleurage")
    other = kg.compare("plantar-fasciitis", "effleurage", "cupping")
    assert one.apart == pytest.approx(-other.apart)
    assert one.told_apart == other.told_apart


def test_what_is_withheld_is_said_first() -> None:
    found = kg.compare("plantar-fasciitis", "deep-tissue-massage", "effleurage", hazards=["warfarin"])
    assert "deep-tissue-massage" in found.withheld
    assert "withheld" in found.text
    assert "stands above" not in found.text


@pytest.mark.parametrize(("first", "second", "error"), [
    ("effleurage", "effleurage", PalpateError),
    ("effleurage", "massage-unspecified", PalpateError),
    ("effleurage", "efleurag", UnknownName),
])  # fmt: skip
def test_mistakes_are_told(first: str, second: str, error: type[PalpateError]) -> None:
    with pytest.raises(error):
        kg.compare("plantar-fasciitis", first, second)


def test_a_withdrawn_source_gives_what_the_ranking_says_without_it(engine: Engine) -> None:
    moves = [m for m in kg.what_if("plantar-fasciitis", phase="chronic", top=200) if m.kind == "source"]
    assert moves
    for move in moves[:5]:
        without = kg.rank("plantar-fasciitis", phase="chronic", without=[move.without])
        score = next(e.score for e in _entries(without) if e.technique == move.technique)
        assert score.mean == pytest.approx(move.after)
        assert not any(o.source == move.without and o.successes + o.failures > 0 for o in score.observations)


def test_moves_come_greatest_first_and_of_one_technique_alone_if_asked() -> None:
    moves = kg.what_if("chronic-low-back-pain", technique="classical-massage", top=15)
    assert {m.technique for m in moves} == {"classical-massage"}
    sizes = [abs(m.change) for m in moves]
    assert sizes == sorted(sizes, reverse=True)
    assert {"source", "claim"} <= {m.kind for m in moves}


def test_a_withdrawn_claim_takes_its_paths_from_the_coverage(engine: Engine) -> None:
    """Recomputed from the paths of the answer."""
    condition, technique = "chronic-low-back-pain", "classical-massage"
    score = next(s for s in engine.model.scores(condition, engine.client()) if s.technique == technique)
    paths = engine.explainer.rationale(condition, None, technique)
    p = engine.model.parameters
    for move in (m for m in kg.what_if(condition, technique=technique, top=100) if m.kind == "claim"):
        kept = [r for r in paths if r.path.link.claim != move.without]
        covered = 0.0
        for need in engine.model.needs(condition, None):
            missed = spared = 1.0
            for r in (r for r in kept if r.need.key == need.key):
                if r.path.relieves:
                    missed *= 1 - r.strength
                else:
                    spared *= 1 - r.strength
            covered += need.weight * (1 - missed) * spared
        mechanism = p["prior-mean-low"] + (p["prior-mean-high"] - p["prior-mean-low"]) * covered
        share, half, (won, lost) = p["record-share"], p["record-half"], score.record
        prior = (1 - share) * mechanism + share * (won + half * mechanism) / (won + lost + half)
        alpha = prior * score.prior_observations + score.successes
        beta = (1 - prior) * score.prior_observations + score.failures
        assert move.after == pytest.approx(alpha / (alpha + beta))


def test_nothing_withheld_is_moved() -> None:
    withheld = {w.technique for w in kg.rank("plantar-fasciitis", hazards=["warfarin"]).withheld}
    assert not {m.technique for m in kg.what_if("plantar-fasciitis", hazards=["warfarin"], top=500)} & withheld
    with pytest.raises(PalpateError):
        kg.what_if("plantar-fasciitis", hazards=["warfarin"], technique=sorted(withheld)[0])


# ---------------------------------------------------------------------------------------------------- preferences
WISHES = st.fixed_dictionaries({
    "pressure": st.sampled_from([None, "none", "light", "moderate", "deep"]),
    "training": st.sampled_from([None, "entry", "additional", "specialist"]),
    "position": st.sampled_from([None, "prone", "supine", "seated", "side-lying"]),
    "clothed": st.booleans(),
    "no_instruments": st.booleans(),
    "equipment": st.sampled_from([None, [], ["lubricant"], ["lubricant", "cups"]]),
    "spare": st.lists(st.sampled_from(["thumb", "wrist", "back"]), unique=True, max_size=3),
})  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(WISHES, st.sampled_from([[], ["warfarin"], ["pregnancy"], ["osteoporosis"]]))
def test_preferences_never_touch_safety(wishes: dict, hazards: list[str]) -> None:
    plain = kg.rank("chronic-low-back-pain", hazards=hazards)
    wished = kg.rank("chronic-low-back-pain", hazards=hazards, **wishes)
    assert [w.technique for w in plain.withheld] == [w.technique for w in wished.withheld]
    aside = {s.technique for s in wished.set_aside}
    assert {e.technique for e in _entries(wished)} | aside == {e.technique for e in _entries(plain)}
    assert not {e.technique for e in _entries(wished)} & aside
    assert all(s.because for s in wished.set_aside)
    for e in _entries(wished):
        assert e.score.mean == next(o.score.mean for o in _entries(plain) if o.technique == e.technique)


def test_preferences_set_aside_what_does_not_fit(engine: Engine) -> None:
    knowledge = engine.knowledge
    answer = kg.rank("mechanical-neck-pain", pressure="light", clothed=True, no_instruments=True, training="entry", equipment=[])
    for entry in _entries(answer):
        node = knowledge[entry.technique]
        assert node.one("pressure") in ("pressure-none", "pressure-light")
        assert node.one("training") == "training-entry"
        assert list(node.properties["throughClothing"]) == [True]
        assert not node.all("needsEquipment")
        assert node.one("contact") not in ("contact-tool", "contact-device", "contact-needle")


def test_sparing_the_thumb_orders_within_a_band_only(engine: Engine) -> None:
    answer = kg.rank("mechanical-neck-pain", spare=["thumb"])
    load = {"load-low": 1, "load-moderate": 2, "load-high": 3}
    seen = [(e.band, load[engine.knowledge[e.technique].one("thumbLoad")]) for e in answer.recommended]
    assert seen == sorted(seen)


@pytest.mark.parametrize("wish", [{"pressure": "hard"}, {"training": "master"}, {"position": "upside down"}, {"spare": ["knee"]},
                                  {"equipment": ["lubricnt"]}])  # fmt: skip
def test_unknown_preferences_are_errors(wish: dict) -> None:
    with pytest.raises(UnknownName):
        kg.rank("mechanical-neck-pain", **wish)


def test_age_brings_its_hazards() -> None:
    assert "minor-client" in kg.rank("mechanical-neck-pain", age=15).client.hazards
    assert "minor-client" not in kg.rank("mechanical-neck-pain", age=18).client.hazards
    with pytest.raises(PalpateError):
        kg.rank("mechanical-neck-pain", age=180)
