"""Questions: one right choice each, and no wrong one that the graph, read again without the quiz, could call right."""

import io
import json
import sqlite3
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kg
from kg.errors import PalpateError, UnknownName
from kg.learning import CONFIDENCE, KINDS, Question, Quiz, Session
from kg.learning.anki import deck
from kg.reasoning.engine import Engine


@cache
def quiz() -> Quiz:
    return Quiz(kg.load())


KIND = st.sampled_from(sorted(KINDS))


def some(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from(quiz().subjects[kind])


def asked(kind: str, subject: str, seed: int) -> Question | None:
    """A question, or None where the graph holds too little for one."""
    try:
        return quiz().question(kind, subject, seed)
    except UnknownName:
        raise
    except PalpateError:
        return None


def slugs(question: Question) -> tuple[str, list[str]]:
    """The slug of the right choice and those of the wrong ones."""
    return question.right.slug, [choice.slug for choice in question.choices if not choice.right]


@given(KIND.flatmap(lambda kind: st.tuples(st.just(kind), some(kind))), st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_a_question_has_one_right_choice_and_grounds(subject: tuple[str, str], seed: int) -> None:
    question = asked(*subject, seed)
    if question:
        assert question == asked(*subject, seed)
        assert [choice.right for choice in question.choices].count(True) == 1
        labels = [choice.label.casefold() for choice in question.choices]
        assert len(set(labels)) == len(labels) == (3 if question.kind == "myth" else 4)
        assert question.sources or question.grounds or question.kind in ("best", "myth")
        assert all(slug in quiz().knowledge for slug in (*question.about, *question.sources))
        json.dumps(question.to_dict())


@given(st.data(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_no_wrong_technique_is_claimed_to_relieve_the_impairment(data: st.DataObject, seed: int) -> None:
    impairment = data.draw(some("technique"))
    question = asked("technique", impairment, seed)
    if question is None:
        return
    knowledge = quiz().knowledge
    helpful = {(n.one("reliefEffect"), n.one("direction")) for n in knowledge.of_class("Relief") if n.one("reliefImpairment") == impairment}

    def claimed(technique: str) -> set[tuple[str, str]]:
        own = {technique, *knowledge[technique].all("variantOf")}
        return {(n.one("claimEffect"), n.one("direction")) for n in knowledge.of_class("EffectClaim") if n.one("claimTechnique") in own}

    right, wrong = slugs(question)
    assert claimed(right) & helpful
    assert not any(claimed(technique) & helpful for technique in wrong)


@given(st.data(), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_the_gate_withholds_the_right_choice_and_none_of_the_others(data: st.DataObject, seed: int) -> None:
    hazard = data.draw(some("contraindicated"))
    question = asked("contraindicated", hazard, seed)
    if question is None:
        return
    engine = quiz().engine
    condition = question.about[2]
    verdict = engine.gate.judge(condition, engine.client("chronic", hazards=[hazard]))
    right, wrong = slugs(question)
    assert {reason.hazard for reason in verdict.withheld[right]} & set(engine.gate.hazards_of(hazard))
    assert not set(wrong) & set(verdict.withheld)


@given(st.data(), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_only_the_right_finding_is_a_red_flag(data: st.DataObject, seed: int) -> None:
    condition = data.draw(some("red-flag"))
    question = asked("red-flag", condition, seed)
    if question:
        right, wrong = slugs(question)
        assert quiz().knowledge[right].is_a("RedFlag")
        assert not any(quiz().knowledge[slug].is_a("RedFlag") or quiz().knowledge[slug].all("suggests") for slug in wrong)
        assert all(slug in quiz().knowledge[condition].all("presentsWith") for slug in wrong)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_myth_is_what_measurements_contradict(data: st.DataObject) -> None:
    claim = data.draw(some("myth"))
    question = asked("myth", claim, 0)
    assert question
    refuted = quiz().knowledge[claim].is_a("RefutedEffectClaim")
    assert (question.right.label == "Measured, and contradicted") == refuted
    if question.right.label == "Measured, and supported":
        node = quiz().knowledge[claim]
        measured = [n for n in quiz().knowledge.of_class("MechanismEvidence") if n.one("evidenceEffect") == node.one("claimEffect")]
        assert any(n.one("direction") == node.one("direction") for n in measured)


@given(st.data(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_no_wrong_impairment_is_one_of_the_condition(data: st.DataObject, seed: int) -> None:
    condition = data.draw(some("impairment"))
    question = asked("impairment", condition, seed)
    if question:
        has = quiz().knowledge[condition].all("hasImpairment")
        right, wrong = slugs(question)
        assert right in has
        assert not set(wrong) & set(has)


@given(st.data(), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_the_best_technique_stands_in_a_band_above_the_others(data: st.DataObject, seed: int) -> None:
    condition = data.draw(some("best"))
    question = asked("best", condition, seed)
    if question:
        engine = quiz().engine
        answer = engine.rank(condition, engine.client("chronic"), explain=False)
        band = {entry.technique: entry.band for entry in answer.recommended}
        right, wrong = slugs(question)
        assert answer.recommended[0].technique == right
        assert all(band[slug] > band[right] for slug in wrong)


@given(st.data(), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_no_wrong_nerve_supplies_the_muscle(data: st.DataObject, seed: int) -> None:
    muscle = data.draw(some("nerve"))
    question = asked("nerve", muscle, seed)
    if question:
        knowledge = quiz().knowledge
        own = set(knowledge[muscle].all("innervatedBy"))
        right, wrong = slugs(question)
        assert right in own
        for nerve in wrong:
            assert nerve not in own
            assert not own & {*knowledge[nerve].all("partOf"), *knowledge[nerve].all("hasPart")}
            assert muscle not in knowledge[nerve].all("innervates")


@given(st.data(), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_no_wrong_action_is_one_of_the_muscle(data: st.DataObject, seed: int) -> None:
    muscle = data.draw(some("action"))
    question = asked("action", muscle, seed)
    if question:
        right, wrong = slugs(question)
        own = quiz().knowledge[muscle].all("performs")
        assert right in own
        assert not set(wrong) & set(own)


@given(st.sampled_from(["origin", "insertion"]), st.data(), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_no_wrong_attachment_shares_a_structure(kind: str, data: st.DataObject, seed: int) -> None:
    muscle = data.draw(some(kind))
    question = asked(kind, muscle, seed)
    if question:
        structures = f"has{kind.capitalize()}"
        own = set(quiz().knowledge[muscle].all(structures))
        _, wrong = slugs(question)
        assert muscle not in wrong
        assert not any(own & set(quiz().knowledge[other].all(structures)) for other in wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked(kind: str) -> None:
    drawn = quiz().draw([kind], 5, seed=3)
    assert len(drawn) == 5
    assert drawn == quiz().draw([kind], 5, seed=3)
    assert drawn != quiz().draw([kind], 5, seed=4)
    assert len({question.id for question in drawn}) == 5


def test_myths_and_facts_come_in_turn() -> None:
    answers = [question.right.label for question in quiz().draw(["myth"], 9, seed=1)]
    assert {answers.count(label) for label in set(answers)} == {3}
    assert len(set(answers)) == 3


def test_unknown_kinds_and_subjects_are_errors_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean: myth"):
        quiz().draw(["mith"], 3)
    with pytest.raises(UnknownName, match="gastrocnemius"):
        quiz().question("nerve", "gastrocnemis")
    with pytest.raises(UnknownName, match="plantar-fasciitis"):
        quiz().walk("plantar facitis", "warfarin")


def test_a_walk_goes_from_the_red_flag_to_the_last_check(engine: Engine) -> None:
    steps = quiz().walk("heel spur syndrome", "warfarin", seed=2)
    assert [step.question.kind for step in steps] == ["red-flag", "impairment", "best", "contraindicated"]
    assert all("plantar-fasciitis" in step.question.about for step in steps)
    withheld = {item.technique for item in kg.rank("plantar-fasciitis", phase="chronic", hazards=["warfarin"]).withheld}
    assert steps[-1].question.right.slug in withheld


# ---------------------------------------------------------------------------------------------------- sessions
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(CONFIDENCE))), max_size=40))
@settings(max_examples=80, deadline=None)
def test_what_was_not_known_comes_back_and_what_was_known_does_not(given_answers: list[tuple[bool, str]]) -> None:
    session = Session(quiz().draw(["nerve", "action"], 6, seed=1))
    known: set[str] = set()
    for right, confidence in given_answers:
        question = session.current
        if question is None:
            break
        assert question.id not in known
        choice = next(i for i, c in enumerate(question.choices) if c.right == right)
        later = session.answer(choice, confidence)
        if right and confidence == "sure":
            known.add(question.id)
            assert len(later.queue) == len(session.queue) - 1
        else:
            assert question in later.queue
            assert later.queue[0] != question or len(later.queue) == 1
        session = later
    report = session.report()
    assert report.answers == sum(asked for asked, _ in report.by_confidence.values()) == len(session.answers)
    assert len(report.confidently_wrong) == report.by_confidence["sure"][0] - report.by_confidence["sure"][1]


def test_a_session_refuses_what_it_cannot_read() -> None:
    session = Session(quiz().draw(["nerve"], 1, seed=1))
    with pytest.raises(UnknownName, match="confidence"):
        session.answer(0, "certain")
    with pytest.raises(IndexError):
        session.answer(9, "sure")


# ---------------------------------------------------------------------------------------------------- cards to take along
def test_the_deck_opens_with_every_question_and_is_the_same_each_time(tmp_path: Path) -> None:
    questions = quiz().draw(KINDS, 30, seed=7)
    made = deck(questions, "Palpate", lambda slug: slug)
    assert made == deck(questions, "Palpate", lambda slug: slug)
    zipfile.ZipFile(io.BytesIO(made)).extract("collection.anki2", tmp_path)
    with sqlite3.connect(tmp_path / "collection.anki2") as collection:
        notes = [row[0] for row in collection.execute("select flds from notes")]
        assert collection.execute("select count(*) from cards").fetchone()[0] == len(notes) == len(questions)
    for question in questions:
        assert any(question.right.label.replace("&", "&amp;").replace("'", "&#x27;") in fields.split("\x1f")[2] for fields in notes)
