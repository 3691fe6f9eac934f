"""Names: what people call things resolves to one slug or to an error with the nearest, never to something merely alike."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.errors import PalpateError, UnknownName
from kg.graph.index import KINDS, Names, fold
from kg.graph.names import nearest
from kg.reasoning.engine import Engine


@pytest.fixture(scope="module")
def names(engine: Engine) -> Names:
    return engine.names


@pytest.mark.parametrize(("name", "cls", "slug"), [
    ("plantar-fasciitis", "Condition", "plantar-fasciitis"),
    ("Plantar fasciitis (plantar heel pain)", "Condition", "plantar-fasciitis"),
    ("heel spur syndrome", "Condition", "plantar-fasciitis"),
    ("  Plantar   FASCIITIS ", "Condition", "plantar-fasciitis"),
    ("plantar_fasciitis", "Condition", "plantar-fasciitis"),
    ("M72.2", "Condition", "plantar-fasciitis"),
    ("m72.2 ", "Condition", "plantar-fasciitis"),
    ("https://w3id.org/palpate/plantar-fasciitis", "Condition", "plantar-fasciitis"),
    ("pal:plantar-fasciitis", "Condition", "plantar-fasciitis"),
    ("frozen shoulder", "Condition", "adhesive-capsulitis"),
    ("blood thinner", "Hazard", "anticoagulants"),
    ("Coumadin", "Hazard", "warfarin"),
    ("Tylenol 3", "Hazard", "codeine"),
    ("Gastrocnemius", "AnatomicalStructure", "gastrocnemius"),
])  # fmt: skip
def test_slugs_labels_synonyms_codes_and_iris_resolve(names: Names, name: str, cls: str, slug: str) -> None:
    assert names.resolve(name, cls) == slug


@pytest.mark.parametrize("cls", KINDS)
def test_every_slug_and_label_resolves_to_its_own(engine: Engine, names: Names, cls: str) -> None:
    for node in engine.knowledge.of_class(cls):
        assert names.resolve(node.slug, cls) == node.slug
        assert names.resolve(node.iri, cls) == node.slug
        assert node.slug in names.table(cls)[fold(node.label)]


def test_every_synonym_resolves_or_names_its_bearers(names: Names) -> None:
    for cls in ("Condition", "Hazard", "RedFlag", "Technique"):
        for name, slugs in names.table(cls).items():
            if len(slugs) == 1:
                assert names.resolve(name, cls) == slugs[0]


def test_no_two_hazards_or_red_flags_share_a_name(names: Names) -> None:
    for cls in ("Hazard", "RedFlag"):
        assert {name: slugs for name, slugs in names.table(cls).items() if len(slugs) > 1} == {}


def test_every_code_names_conditions(engine: Engine, names: Names) -> None:
    assert len(names.codes) > 300
    assert all(engine.knowledge[slug].is_a("Condition") for slugs in names.codes.values() for slug in slugs)


@pytest.mark.parametrize(("name", "cls", "near"), [
    ("plantar facitis", "Condition", "plantar-fasciitis"), ("frozn shoulder", "Condition", "adhesive-capsulitis"),
    ("warfrin", "Hazard", "anticoagulants"), ("osteoporosys", "Hazard", "osteoporosis"),
])  # fmt: skip
def test_a_near_miss_is_an_error_with_the_nearest(names: Names, name: str, cls: str, near: str) -> None:
    with pytest.raises(UnknownName) as told:
        names.resolve(name, cls)
    assert near in told.value.nearest
    assert told.value.message.startswith(f"There is no {KINDS[cls]} {name!r}. Did you mean: ")
    assert len(told.value.nearest) <= 3
    assert told.value.exit_status == 2


def test_a_name_of_another_class_does_not_resolve(names: Names) -> None:
    for name, cls in (("plantar-fasciitis", "Hazard"), ("anticoagulants", "Condition"), ("Hazard", "Hazard"), ("M72.2", "Hazard")):
        with pytest.raises(UnknownName):
            names.resolve(name, cls)


def test_a_name_of_several_is_an_error_that_names_them(names: Names) -> None:
    slugs = names.codes["M54.50"]
    assert len(slugs) > 1
    with pytest.raises(PalpateError, match="is the name of several entries; choose one") as told:
        names.resolve("M54.50", "Condition")
    assert all(slug in told.value.message for slug in slugs)
    assert not isinstance(told.value, UnknownName)


def test_several_names_resolve_in_order_and_once(names: Names) -> None:
    assert names.resolve_all(["Coumadin", "osteoporosis", "warfarin"], "Hazard") == ("warfarin", "osteoporosis")
    with pytest.raises(UnknownName, match="moonlight"):
        names.resolve_all(["warfarin", "moonlight"], "Hazard")


WORDS = st.one_of(st.text(max_size=30), st.from_regex(r"[a-z]{2,12}([ -][a-z]{2,12}){0,2}", fullmatch=True))


@settings(max_examples=150, deadline=None)
@given(WORDS, st.sampled_from(["Hazard", "RedFlag"]))
@example("", "Hazard")
@example(" - ", "Hazard")
@example("warfarin and others", "Hazard")
@example("https://w3id.org/palpate/", "RedFlag")
def test_no_text_resolves_to_a_hazard_that_does_not_bear_it(engine: Engine, text: str, cls: str) -> None:
    try:
        slug = engine.names.resolve(text, cls)
    except UnknownName as unknown:
        assert fold(text) not in engine.names.table(cls)
        assert all(engine.knowledge[near].is_a(cls) for near in unknown.nearest)  # noqa: PT017
    else:
        assert slug in engine.names.table(cls)[fold(text.strip().removeprefix("https://w3id.org/palpate/").removeprefix("pal:"))]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_wrong_letter_never_gives_another_hazard(engine: Engine, data: st.DataObject) -> None:
    table = engine.names.table("Hazard")
    name = data.draw(st.sampled_from(sorted(table)))
    position = data.draw(st.integers(0, len(name) - 1))
    misspelled = name[:position] + data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz")) + name[position + 1 :]
    if fold(misspelled) not in table:
        with pytest.raises(UnknownName):
            engine.names.resolve(misspelled, "Hazard")


# ---------------------------------------------------------------------------------------------------- search
@pytest.mark.parametrize(("text", "slug"), [
    ("plantar facitis", "plantar-fasciitis"), ("frozn shoulder", "adhesive-capsulitis"), ("carpel tunnel", "carpal-tunnel-syndrome"),
    ("tenis elbow", "lateral-elbow-tendinopathy"), ("gastrocnemus", "gastrocnemius"), ("warfrin", "warfarin"),
    ("M72.2", "plantar-fasciitis"), ("m72.2", "plantar-fasciitis"), ("PLANTAR-FASCIITIS", "plantar-fasciitis"),
    ("heel spur syndrome", "plantar-fasciitis"), ("deep-tissue-massage", "deep-tissue-massage"),
])  # fmt: skip
def test_search_puts_what_was_meant_first(names: Names, text: str, slug: str) -> None:
    assert names.search(text)[0].slug == slug


def test_search_tells_by_which_name_it_found(names: Names) -> None:
    hit = names.search("heel spur syndrome")[0]
    assert (hit.type, fold(hit.matched)) == ("Condition", "heel spur syndrome")
    assert hit.label == "Plantar fasciitis (plantar heel pain)"
    assert hit.score > 100


def test_search_gives_each_entity_once_likest_first(names: Names) -> None:
    hits = names.search("shoulder", limit=20)
    assert len(hits) == len({hit.slug for hit in hits})
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(names.search("shoulder", limit=3)) == 3


def test_search_keeps_to_the_classes_asked_for(names: Names) -> None:
    assert {hit.type for hit in names.search("massage", classes=["Technique"])} == {"Technique"}


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_search_takes_any_text(engine: Engine, text: str) -> None:
    assert len(engine.names.search(text, limit=5)) <= 5


@pytest.mark.parametrize("text", ["", "   ", "--", "qqqqzzzzxxxx"])
def test_search_for_nothing_finds_nothing(names: Names, text: str) -> None:
    assert names.search(text) == []


def test_nearest_is_empty_where_nothing_is_near() -> None:
    assert nearest("qqqq", ["plantar-fasciitis"]) == []
    assert nearest("", ["plantar-fasciitis"]) == []


@pytest.mark.parametrize("cls", KINDS)
def test_every_name_finds_its_bearer(engine: Engine, names: Names, cls: str) -> None:
    """Of many, some; the index leaves out no name that is written as it stands."""
    for node in engine.knowledge.of_class(cls)[::7]:
        name = node.one("dcterms:title") if cls == "Source" else node.label
        found = names.search(name, 20)
        assert found[0].score >= 100, name
        bearers = {hit.slug for hit in found if hit.score >= 95} | {hit.slug for hit in names.search(name, 60, [cls])}
        assert node.slug in bearers, name


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_name_with_one_letter_wrong_is_still_found(engine: Engine, names: Names, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from([n for n in engine.knowledge.of_class("Condition") if len(fold(n.label)) >= 10]))
    name = fold(node.label)
    at = data.draw(st.integers(1, len(name) - 1))
    assert node.slug in {hit.slug for hit in names.search(name[:at] + name[at + 1 :], 10)}


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_searched(names: Names, text: str) -> None:
    hits = names.search(text, 5)
    assert len(hits) <= 5
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert names.search(text, 5) == hits


def test_a_search_can_be_kept_to_classes(names: Names) -> None:
    assert {hit.type for hit in names.search("pain", 20, ["Hazard", "RedFlag"])} <= {"Hazard", "RedFlag"}


@pytest.mark.parametrize(("cls", "word"), [("BodyRegion", "body region"), ("Condition", "condition"), ("RedFlag", "red flag")])
def test_a_class_is_named_in_words(names: Names, cls: str, word: str) -> None:
    with pytest.raises(UnknownName, match=f"There is no {word} 'sholder'"):
        names.resolve("sholder", cls)


@pytest.mark.parametrize(("text", "first"), [
    ("plantar-fas", "plantar-fasciitis"), ("frozen shoulder", "adhesive-capsulitis"), ("Coumadin", "warfarin"),
])  # fmt: skip
def test_completion_finds_slugs_by_their_beginning_and_by_any_name(names: Names, text: str, first: str) -> None:
    assert names.complete(text)[0] == first


@given(st.text(max_size=30), st.integers(1, 20))
def test_completion_gives_slugs_of_the_graph_each_once(names: Names, text: str, limit: int) -> None:
    found = names.complete(text, limit)
    assert len(found) == len(set(found)) <= limit
    assert all(slug in names._knowledge for slug in found)


@given(st.data())
def test_every_slug_completes_itself(names: Names, engine: Engine, data: st.DataObject) -> None:
    slug = data.draw(st.sampled_from([node.slug for node in engine.knowledge if "://" not in node.slug]))
    assert slug in names.complete(slug)
