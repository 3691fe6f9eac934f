"""The measures against what they are by definition, held-out evidence, the fit, the published evaluation, and diff."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.curation import fit as fitting
from kg.curation.diff import diff, opened
from kg.curation.evaluate import Evaluation, Evaluator
from kg.curation.fit import Fit, Weight
from kg.curation.heldout import HeldOut
from kg.curation.measures import auroc, ndcg, precision
from kg.documents.evaluation import FIGURE, figure, markdown
from kg.errors import GraphError, PalpateError
from kg.graph.terms import ONTOLOGY_DIR
from kg.reasoning.engine import Engine
from kg.reasoning.score import Model

DOCS = Path(__file__).parents[1] / "docs"
numbers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=12).filter(
    lambda rows: 0 < sum(positive for _, positive in rows) < len(rows)
)


# ---------------------------------------------------------------------------------------------------- measures
@given(numbers)
def test_auroc_counts_pairs(rows: list[tuple[float, bool]]) -> None:
    score, positive = np.array([s for s, _ in rows]), np.array([p for _, p in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    assert auroc(score, positive) == pytest.approx(np.mean(pairs))


def test_ndcg_and_precision_of_known_orders() -> None:
    gain = np.array([1.0, 0.0, 0.5, 0.0])
    assert ndcg(np.array([4.0, 1.0, 3.0, 2.0]), gain) == pytest.approx(1.0)
    worst = (0.5 / np.log2(4) + 1 / np.log2(5)) / (1 + 0.5 / np.log2(3))
    assert ndcg(np.array([1.0, 4.0, 2.0, 3.0]), gain) == pytest.approx(worst)
    assert precision(np.array([4.0, 3.0, 2.0, 1.0]), gain) == pytest.approx(2 / 3)


# ---------------------------------------------------------------------------------------------------- held-out evidence
@pytest.fixture(scope="module")
def held_out(engine: Engine) -> HeldOut:
    return HeldOut(engine.knowledge)


def test_no_answer_has_seen_what_it_is_asked(held_out: HeldOut) -> None:
    """Nothing of the held-out sources is left: neither among the observations nor in the record."""
    model = held_out.model
    for question in held_out.questions[::37]:
        basis = model.basis(question.condition, question.phase, question.sources)
        scores = model.join(basis, np.ones(len(model.techniques)))
        for place in range(len(model.techniques)):
            assert not [o for o in scores.observations(place) if o.source in question.sources and o.successes + o.failures > 0]


def test_a_record_without_a_source_is_that_of_a_graph_without_it(held_out: HeldOut) -> None:
    """What is subtracted from the record equals a record that was pooled without these statements."""
    evidence = held_out.model.evidence
    for question in held_out.questions[::61]:
        out = evidence.from_sources(question.sources)
        direct = evidence.direct
        left = ~out[direct.statement]
        won, lost = evidence._pooled_by_pair(direct.pair, direct.gains * left, direct.losses * left, direct.starts)
        strangers = evidence.strangers(question.condition)
        found = evidence.record(question.condition, question.sources)
        assert found[0] == pytest.approx(strangers @ won)
        assert found[1] == pytest.approx(strangers @ lost)


def test_orders_name_what_sources_favor(held_out: HeldOut) -> None:
    for order in held_out.orders:
        assert order.gain.max() > 0
        assert set(np.unique(order.gain)) <= {0.0, 0.5, 1.0}
        assert len(order.gain) == order.members.sum()


# ---------------------------------------------------------------------------------------------------- the fit
def test_weights_move_on_their_scale() -> None:
    share, ratio = Weight("a", 0.5, True), Weight("b", 2.0, False)
    assert share.moved(0.5, 1.5) == pytest.approx(0.6)
    assert ratio.moved(2.0, 1.5) == pytest.approx(3.0)
    for factor in (1.5, 1 / 1.5):
        assert 0 < share.moved(0.999, factor) < 1


def test_the_graph_holds_a_fit_of_its_weights(engine: Engine, held_out: HeldOut) -> None:
    """The record says what it was fitted to; fitted weights serve held-out sources better than reasoned ones."""
    record = engine.knowledge["fit-of-weights"]
    assert record.number("objectiveAsFitted") > record.number("objectiveAsReasoned")
    fit = Fit(engine.knowledge)
    stated = {weight.slug: engine.knowledge[weight.slug].number("value") for weight in fit.weights}
    everything = range(fitting.FOLDS)
    assert fit.objective(stated, everything) > fit.objective(fit.reasoned, everything)


def test_a_fit_is_written_and_read_back(engine: Engine, tmp_path: Path) -> None:
    from datetime import date

    shutil.copy(ONTOLOGY_DIR / "scoring.ttl", tmp_path)
    fit = Fit(engine.knowledge)
    found = fitting.Fitted(fit.reasoned | {"record-share": 0.123}, 10, "ab" * 32, 0.5, 0.6)
    text = fitting.write(found, date(2026, 1, 31), tmp_path).read_text(encoding="utf-8")
    assert "pal:value 0.123" in text
    assert '"2026-01-31"' in text
    assert "pal:objectiveAsFitted 0.6000" in text


# ---------------------------------------------------------------------------------------------------- the evaluation
@pytest.fixture(scope="module")
def evaluation(engine: Engine) -> Evaluation:
    return Evaluator(engine.knowledge).run()


def test_the_published_evaluation_is_that_of_this_graph(engine: Engine, evaluation: Evaluation) -> None:
    mend = "write it anew: python -m kg evaluate --output docs/evaluation.md"
    assert (DOCS / "evaluation.md").read_text(encoding="utf-8") == markdown(evaluation, engine.knowledge), mend
    assert (DOCS / FIGURE).read_text(encoding="utf-8") == figure(evaluation), mend


def test_the_model_places_better_than_every_baseline(evaluation: Evaluation) -> None:
    """Whatever weights come: an ablation may beat it on a measure, a baseline that knows no mechanism or no evidence may not."""
    full = evaluation.rows[0].placing
    for row in evaluation.rows:
        if row.name in ("vote counting", "popularity", "record of the technique", "degree-weighted path count", "personalized PageRank",
                        "mechanism only"):  # fmt: skip
            assert full.ndcg > row.placing.ndcg, row.name
            assert full.auroc > row.placing.auroc, row.name


# ---------------------------------------------------------------------------------------------------- diff
def test_a_version_does_not_differ_from_itself(engine: Engine) -> None:
    same = diff(engine, engine)
    assert same.changes == ()
    assert same.weights == {}
    assert same.added == same.removed == {}


def test_what_moved_is_told_with_its_reason(engine: Engine, tmp_path: Path) -> None:
    """A graph without one source: the recommendations that it carried move, and the reason names it."""
    source = "mirza-nd-mfr"
    lines = engine.knowledge.path.read_text(encoding="utf-8").splitlines(keepends=True)
    statements = [n for n in engine.knowledge.of_class("TreatmentEvidence") if n.one("dcterms:source") == source]
    gone = {f"<{n.iri}>" for n in statements}
    assert gone
    path = tmp_path / "smaller-graph.nq"
    path.write_text("".join(line for line in lines if not any(name in line for name in gone)), encoding="utf-8")
    found = diff(engine, opened(path))
    assert len(found.removed["statements on treatment"]) == len(gone)
    changed = {(c.condition, c.technique): c for c in found.changes}
    change = changed["plantar-fasciitis", "myofascial-release"]
    assert any(source in reason for reason in change.why)
    assert "plantar-fasciitis" in found.to_markdown()


def test_what_is_no_graph_is_told(tmp_path: Path) -> None:
    with pytest.raises(PalpateError, match="neither"):
        opened(tmp_path / "nothing")


def test_a_graph_of_other_software_is_told(engine: Engine) -> None:
    from kg.reasoning.parameters import Parameters

    with pytest.raises(GraphError, match="no-such-number"):
        Parameters(engine.knowledge)["no-such-number"]


def test_models_with_other_weights_differ(held_out: HeldOut) -> None:
    other: Model = held_out.with_weights({"record-share": 0.9}, held_out.model.mechanism)
    question = held_out.questions[0]
    assert not np.allclose(held_out.predictor(other)(question), held_out.predictor(held_out.model)(question))
