"""The explorer's pages, run headless: real content for many entities, safety before score, and no traceback for a wrong address."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from kg.reasoning.conditions import compare_conditions
from kg.reasoning.engine import Engine
from tests.crawl import VIEWS, anchors

MAIN = str(Path(__file__).parents[1] / "explorer" / "main.py")
STOPS = "urgency-emergency"


def opened(page: str = "", **params: str | list[str]) -> AppTest:
    """A page of the explorer, opened by its address."""
    at = AppTest.from_file(MAIN, default_timeout=120)
    if page:
        at.run()
        at.switch_page(f"views/{page}.py")
    for name, value in params.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def links(at: AppTest) -> list[str]:
    """The labels of all links to pages, as they are read."""
    html = " ".join(element.proto.body for element in at.get("html"))
    written = [unescape(name) for name in re.findall(r'data-entity="[^"]+">([^<]+)</a>', html)]
    return [link.proto.label.replace("\\", "") for link in at.get("page_link")] + written


def words(at: AppTest) -> str:
    """All text of a page."""
    html = " ".join(element.proto.body for element in at.get("html"))
    plain = " ".join(
        element.value
        for kind in (at.title, at.header, at.subheader, at.markdown, at.caption, at.info, at.warning, at.error)
        for element in kind
    )
    return f"{plain} {html} {' '.join(links(at))}".replace("\\", "")


def flag(engine: Engine, urgency: str) -> tuple[str, str]:
    """A red flag that refers by itself, whose only indications have an urgency, and a condition that its disease mimics."""
    found: dict[str, list[str]] = {}
    for node in engine.knowledge.of_class("RedFlagIndication"):
        found.setdefault(node.one("redFlag"), []).append(node.one("urgency"))
    sole = next(node for node in engine.knowledge.of_class("RedFlagIndication")
                if set(found[node.one("redFlag")]) == {urgency} and node.all("mimics") and not node.one("flagStrength"))  # fmt: skip
    return sole.one("redFlag"), sole.one("mimics")


# ---------------------------------------------------------------------------------------------------- Find
def test_first_visit_asks_for_a_condition() -> None:
    at = opened()
    assert "Which techniques help" in at.title[0].value
    assert "It does not diagnose" in words(at)
    at.selectbox(key="first-condition").set_value("plantar-fasciitis").run()
    assert at.query_params["condition"] == "plantar-fasciitis"
    assert at.title[0].value.startswith("Plantar fasciitis")


def test_ranking_is_that_of_the_engine(engine: Engine) -> None:
    at = opened(condition="plantar-fasciitis", phase="chronic")
    answer = engine.rank("plantar-fasciitis", engine.client("chronic"))
    shown = links(at)
    for entry in answer.recommended[:10]:
        assert f"{entry.rank}. {entry.label}" in shown
    eleventh = f"{answer.recommended[10].rank}. {answer.recommended[10].label}"
    assert eleventh not in shown
    at.button(key="more-recommended").click().run()
    assert eleventh in links(at)


def test_under_warfarin_nothing_withheld_is_recommended(engine: Engine) -> None:
    at = opened(condition="plantar-fasciitis", phase="chronic", hazard="warfarin")
    at.button(key="more-recommended").click().run()
    at.button(key="more-adjuncts").click().run()
    answer = engine.rank("plantar-fasciitis", engine.client("chronic", hazards=["warfarin"]))
    ranked = {label.partition(". ")[2] for label in links(at) if label.partition(". ")[0].isdigit()}
    withheld = {item.label for item in answer.withheld}
    assert "Deep tissue massage" in withheld
    assert ranked
    assert not ranked & withheld
    assert f"**{len(withheld)} techniques withheld**" in at.warning[0].value
    assert withheld <= set(links(at))


def test_controls_write_the_address_by_any_name() -> None:
    at = opened(condition="plantar-fasciitis")
    option = next(o for o in at.multiselect(key="hazards").options if o.startswith("Coumadin"))
    assert "Warfarin" in option
    at.multiselect(key="hazards").set_value(["warfarin|Coumadin"]).run()
    assert at.query_params["hazard"] == "warfarin"
    assert at.multiselect(key="hazards").value == ["warfarin"]
    at.selectbox(key="condition").set_value("plantar-fasciitis|policeman's heel").run()
    assert at.query_params["condition"] == "plantar-fasciitis"


def test_address_reproduces_the_view() -> None:
    at = opened(condition="heel spur syndrome", phase="acute", irritability="high", hazard=["pregnancy", "Coumadin"])
    assert at.selectbox(key="condition").value == "plantar-fasciitis"
    assert at.session_state["phase"] == "acute"
    assert at.session_state["irritability"] == "high"
    assert set(at.multiselect(key="hazards").value) == {"pregnancy", "warfarin"}


def test_emergency_replaces_everything(engine: Engine) -> None:
    red_flag, condition = flag(engine, STOPS)
    at = opened(condition=condition, red_flag=red_flag)
    text = words(at)
    assert "do not treat" in text
    assert "Call an ambulance" in text
    assert engine.knowledge.label(red_flag) in text
    assert not [label for label in links(at) if label.partition(". ")[0].isdigit()]
    assert "Withheld" not in [header.value for header in at.header]
    assert not at.get("download_button")


def test_urgent_referral_replaces_everything(engine: Engine) -> None:
    red_flag, condition = flag(engine, "urgency-urgent")
    at = opened(condition=condition, red_flag=red_flag)
    assert "Have a physician see the client today or tomorrow" in words(at)
    assert not [label for label in links(at) if label.partition(". ")[0].isdigit()]


def test_medical_review_stands_above_the_list(engine: Engine) -> None:
    red_flag, condition = flag(engine, "urgency-medical-review")
    at = opened(condition=condition, red_flag=red_flag)
    assert "A physician should see this client soon" in at.subheader[0].value
    assert [label for label in links(at) if label.startswith("1. ")]


def test_red_flags_of_mimics_come_first(engine: Engine) -> None:
    _, condition = flag(engine, STOPS)
    near = {
        engine.knowledge.label(n.one("redFlag")) for n in engine.knowledge.of_class("RedFlagIndication") if condition in n.all("mimics")
    }
    at = opened(condition=condition)
    first = at.multiselect(key="red-flags").options[: len(near)]
    assert near == set(first)


def test_details_show_dose_mechanism_evidence_and_arithmetic(engine: Engine) -> None:
    at = opened(condition="plantar-fasciitis", phase="chronic")
    first = engine.rank("plantar-fasciitis", engine.client("chronic")).recommended[0]
    at.session_state[f"open-{first.technique}"] = True
    at.run()
    assert not at.exception
    assert [tab.label for tab in at.tabs] == ["Dose", "Mechanism", f"Evidence ({len(first.score.observations)})", "Arithmetic"]
    text = words(at)
    assert f"Beta({first.score.alpha:.2f}, {first.score.beta:.2f})" in text
    for observation in first.score.observations:
        assert engine.knowledge[observation.statement].one("locator") in text


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"condition": "plantar facitis"}, "Did you mean: plantar-fasciitis"),
        ({"condition": "plantar-fasciitis", "hazard": "warfarine"}, "There is no hazard 'warfarine'"),
        ({"condition": "plantar-fasciitis", "phase": "old"}, "There is no phase 'old'"),
        ({"condition": "plantar-fasciitis", "red_flag": "nonsense"}, "There is no red flag 'nonsense'"),
    ],
)
def test_a_word_not_understood_stops_the_ranking(params: dict[str, str], message: str) -> None:
    at = opened(**params)
    assert message in at.error[0].value.replace("\\", "")
    assert not [label for label in links(at) if label.startswith("1. ")]


@pytest.mark.parametrize("condition", ["low-back-pain", "mechanical-neck-pain", "fibromyalgia", "carpal-tunnel-syndrome", "burn-scar"])
def test_find_draws_many_conditions(condition: str, engine: Engine) -> None:
    at = opened(condition=condition, irritability="high")
    assert at.title[0].value == engine.knowledge.label(condition)
    assert [label for label in links(at) if label.startswith("1. ")]


# ---------------------------------------------------------------------------------------------------- pages of entities
@pytest.mark.parametrize(
    ("page", "slug", "expected"),
    [
        (
            "condition",
            "plantar-fasciitis",
            ["Plantar aponeurosis", "Reduced load tolerance", "M72.2", "Tarsal tunnel syndrome", "Myofascial release", "Not covered"],
        ),
        ("condition", "low-back-pain", ["Rule out first", "emergency", "Cauda equina", "Chronic non-specific low back pain"]),
        ("condition", "carpal-tunnel-syndrome", ["Impairments", "Evidence", "Made worse by"]),
        ("technique", "deep-tissue-massage", ["Compression broadening", "Prone", "Additional course", "Anticoagulant medicine", "Effects"]),
        ("technique", "ice-massage", ["measurements contradict it", "Two trials found no change in soreness"]),
        ("technique", "spinal-manipulation", ["Outside a massage therapist's scope"]),
        ("technique", "massage-unspecified", ["never recommended itself", "Crane 2012"]),
        (
            "tissue",
            "gastrocnemius",
            ["Triceps surae", "Plantar fasciitis", "UBERON", "fma22541", "Techniques that act on its kind of tissue"],
        ),
        ("tissue", "plantar-aponeurosis", ["Achilles tendinopathy", "plantar fascia"]),
        ("hazard", "anticoagulants", ["warfarin", "Deep tissue massage", "Must not be used", "expert reasoning, no source read"]),
        ("hazard", "pregnancy", ["Instead", "Rules", "But not", "Sourcing"]),
        ("hazard", "menstruation", ["weak: web pages only"]),
        ("hazard", "autonomic-dysreflexia-attack", ["Sourcing** guideline"]),
        ("hazard", "psychosis", ["Sources disagree; the stricter acts", "schizophrenia"]),
    ],
)
def test_page_shows_what_the_graph_says(page: str, slug: str, expected: list[str], engine: Engine) -> None:
    at = opened(page, id=slug)
    assert at.title[0].value == engine.knowledge.label(slug)
    text = words(at) + " ".join(expander.label for expander in at.expander)
    for word in expected:
        assert word in text, word
    assert "It does not diagnose" in text


@pytest.mark.parametrize(
    ("page", "cls"), [("condition", "Condition"), ("technique", "Technique"), ("hazard", "Hazard"), ("tissue", "AnatomicalStructure")]
)
def test_every_tenth_entity_has_a_page(page: str, cls: str, engine: Engine) -> None:
    at = opened(page)
    for node in engine.knowledge.of_class(cls)[:: 40 if cls == "AnatomicalStructure" else 10]:
        at.query_params["id"] = node.slug
        at.run()
        assert not at.exception, (node.slug, at.exception[0].message)
        assert at.title[0].value == node.label


@pytest.mark.parametrize(
    ("page", "name", "nearest"),
    [
        ("condition", "plantar-facitis", "Plantar fasciitis (plantar heel pain)"),
        ("technique", "deep-tisue-massage", "Deep tissue massage"),
        ("tissue", "gastrocnemis", "Gastrocnemius"),
        ("hazard", "pregnant women", "Pregnancy"),
    ],
)
def test_unknown_name_leads_to_the_nearest(page: str, name: str, nearest: str) -> None:
    at = opened(page, id=name)
    assert name in at.error[0].value.replace("\\", "")
    assert nearest in links(at)
    assert not at.title


def test_page_without_a_name_lists_all(engine: Engine) -> None:
    at = opened("technique")
    assert at.title[0].value == "Techniques"
    at.selectbox(key="pick-technique").set_value("ice-massage").run()
    assert at.query_params["id"] == "ice-massage"
    assert at.title[0].value == engine.knowledge.label("ice-massage")


def test_other_pages_lead_back_to_the_client() -> None:
    at = opened(condition="plantar-fasciitis", phase="chronic", hazard="warfarin")
    at.switch_page("views/technique.py")
    at.query_params.clear()
    at.query_params["id"] = "ice-massage"
    at.run()
    assert "Back to Plantar fasciitis, chronic, Warfarin" in links(at)


@pytest.mark.parametrize("params", [{"hazards": "warfarin"}, {"phase": ["acute", "chronic"]}, {"condition": ["plantar-fasciitis", "gout"]}])
def test_a_parameter_that_says_nothing_or_too_much_stops_the_ranking(params: dict[str, str | list[str]]) -> None:
    at = opened(**{"condition": "plantar-fasciitis", **params})
    assert not at.exception
    assert "Techniques, best first" not in words(at)


def test_an_urgent_referral_says_what_to_do_whatever_else_is_withheld() -> None:
    at = opened(condition="rheumatoid-arthritis", phase="acute", red_flag="aaa-profile", hazard="anticoagulants")
    assert "Have a physician see the client today or tomorrow" in words(at)


def test_a_hazard_that_was_not_understood_is_not_lost_by_the_next_choice() -> None:
    at = opened(condition="plantar-fasciitis", hazard="warfrin")
    assert "Techniques, best first" not in words(at)
    at.get("button_group")[0].set_value("acute").run()
    assert "acute" in at.query_params["phase"]
    assert "warfrin" in at.query_params["hazard"]
    assert "Techniques, best first" not in words(at)


def test_a_muscle_shows_what_it_does_and_what_works_against_it() -> None:
    at = opened("tissue", id="gastrocnemius")
    assert "ankle plantar flexion" in words(at)
    assert "Referral zone" in words(at)
    assert any("Tibialis anterior" in name for name in links(at))


# ---------------------------------------------------------------------------------------------------- links
def test_no_link_is_dead(engine: Engine) -> None:
    """A walk from all pages along their links, breadth first; each page is opened up to a dozen times."""
    at = opened()
    queue, opened_of, seen = [(view, "") for view in VIEWS.values()], dict[str, int](), set[tuple[str, str]]()
    while queue:
        page, query = queue.pop(0)
        if (page, query) in seen or opened_of.get(page, 0) >= 12:
            continue
        seen.add((page, query))
        opened_of[page] = opened_of.get(page, 0) + 1
        at.switch_page(f"views/{page}.py")
        at.query_params.clear()
        for name, values in parse_qs(query).items():
            at.query_params[name] = values
        at.run()
        assert not at.exception, (page, query, at.exception[0].message)
        assert not at.error, (page, query, at.error[0].value)
        for link in at.get("page_link"):
            queue.append((VIEWS[link.proto.page], link.proto.query_string))
        for element in at.get("html"):
            queue += [(VIEWS[name], rest) for name, _, rest in (address.partition("?") for address in anchors(element.proto.body))]
    assert opened_of.keys() == set(VIEWS.values())


# ---------------------------------------------------------------------------------------------------- pages that compare, explain, map
def test_compare_shows_the_best_three_and_never_a_score_of_what_is_withheld(engine: Engine) -> None:
    at = opened("compare", condition="plantar-fasciitis", hazard="warfarin")
    answer = engine.rank("plantar-fasciitis", engine.client(hazards=["warfarin"]))
    assert at.multiselect(key="compared").value == [entry.technique for entry in answer.recommended[:3]]
    at = opened("compare", condition="plantar-fasciitis", hazard="warfarin", technique=["deep-tissue-massage", "effleurage"])
    body = next(element.proto.body for element in at.get("html") if "pal-columns" in element.proto.body)
    assert body.count("pal-score") == 1
    assert "Withheld" in body


def compared(*conditions: str, **params: str | list[str]) -> AppTest:
    return opened("compare", of="conditions", condition=list(conditions), **params)


def test_conditions_stand_side_by_side_with_what_tells_them_apart(engine: Engine) -> None:
    at = compared("plantar-fasciitis", "tarsal tunnel syndrome", hazard="warfarin")
    found = compare_conditions(engine, ["plantar-fasciitis", "tarsal-tunnel-syndrome"], engine.client(hazards=["warfarin"]))
    text = unescape(words(at))
    assert all(d.text in text for d in found.distinctions)
    assert all(row.label in text for row in found.rows)
    assert "diagnos" not in text.casefold().replace("it does not diagnose", "")
    assert at.title[0].value == "Compare conditions"
    assert not [box for box in at.selectbox if box.key == "condition"]


@pytest.mark.parametrize(("conditions", "params", "told"), [
    (("plantar facitis", "tarsal-tunnel-syndrome"), {}, "Did you mean: plantar-fasciitis"),
    (("plantar-fasciitis", "tarsal tunel"), {}, "tarsal-tunnel-syndrome"),
    (("plantar-fasciitis", "tarsal-tunnel-syndrome"), {"hazard": "warfrin"}, "There is no hazard"),
    (("plantar-fasciitis", "low-back-pain", "fibromyalgia", "pes-planus", "metatarsalgia"), {}, "Compare 2 to 4 conditions; 5"),
])  # fmt: skip
def test_conditions_that_cannot_be_compared_are_told(conditions: tuple[str, ...], params: dict[str, str], told: str) -> None:
    at = compared(*conditions, **params)
    assert told in at.error[0].value.replace("\\", "")
    assert len(at.error) == 1
    assert "What tells them apart" not in words(at)


def test_conditions_are_not_compared_where_a_physician_comes_first(engine: Engine) -> None:
    red_flag, condition = flag(engine, STOPS)
    at = compared(condition, next(n.slug for n in engine.knowledge.of_class("Condition") if n.slug != condition), red_flag=red_flag)
    assert "do not treat" in words(at)
    assert "Techniques" not in [header.value for header in at.header]


def test_one_condition_is_not_compared_and_leads_to_what_looks_like_it(engine: Engine) -> None:
    at = compared("plantar-fasciitis")
    assert "What tells them apart" not in words(at)
    assert {"Tarsal tunnel syndrome", "Achilles tendinopathy"} <= set(links(at))
    at.multiselect(key="compared-conditions").set_value(["plantar-fasciitis", "tarsal-tunnel-syndrome"]).run()
    assert at.query_params["condition"] == ["plantar-fasciitis", "tarsal-tunnel-syndrome"]
    assert "What tells them apart" in words(at)


@pytest.mark.parametrize("page", ["compare", "rationale"])
def test_pages_that_rank_stop_at_what_they_do_not_understand_and_at_an_emergency(page: str, engine: Engine) -> None:
    at = opened(page, condition="plantar-fasciitis", hazard="warfrin")
    assert "There is no hazard" in at.error[0].value
    assert "aria-label='Score" not in words(at)
    at = opened(page, condition="plantar-fasciitis", technique="deep-tisue-massage")
    assert "deep-tissue-massage" in at.error[0].value.replace("\\", "")
    red_flag, condition = flag(engine, STOPS)
    at = opened(page, condition=condition, red_flag=red_flag)
    assert "do not treat" in words(at)
    assert "aria-label='Score" not in words(at)


def test_rationale_in_words_says_what_the_score_was_made_of(engine: Engine) -> None:
    at = opened("rationale", condition="plantar-fasciitis", phase="chronic", technique="myofascial-release", form="words")
    best = engine.explainer.rationale("plantar-fasciitis", "chronic", "myofascial-release")[0]
    assert best.text(engine.knowledge) in unescape(words(at))


def test_rationale_explains_nothing_that_is_withheld() -> None:
    at = opened("rationale", condition="plantar-fasciitis", hazard="warfarin", technique="deep-tissue-massage", form="words")
    assert "Withheld for this client" in at.warning[0].value
    assert "Deep tissue massage lowers" not in words(at)


def test_evidence_map_opens_a_cell_and_names_a_gap(engine: Engine) -> None:
    at = opened("evidence_map", condition="plantar-fasciitis", technique="myofascial-release")
    assert "Myofascial release in Plantar fasciitis" in [header.value for header in at.header]
    assert "For" in words(at)
    at = opened("evidence_map", condition="plantar-fasciitis", technique="abdominal-massage")
    assert "a gap" in at.info[0].value
    at = opened("evidence_map", says="against", region="knee")
    assert not at.exception


def test_body_map_draws_every_region_that_a_condition_needs(engine: Engine) -> None:
    drawn = set(re.findall(r'data-region="([a-z-]+)"', (Path(MAIN).parent / "body.svg").read_text(encoding="utf-8")))
    regions = {node.slug: set(node.all("partOf")) for node in engine.knowledge.of_class("BodyRegion")}
    assert drawn <= regions.keys()
    needed = {region for node in engine.knowledge.of_class("Condition") for region in node.all("inRegion")} - {"general"}
    covered = drawn.union(*(regions[region] for region in drawn))
    assert needed <= covered
    at = opened("body_map", region="shoulder")
    assert "Adhesive capsulitis (frozen shoulder)" in links(at)
    assert "Did you mean\\: shoulder" in opened("body_map", region="shoulders").error[0].value


# ---------------------------------------------------------------------------------------------------- Learn
def test_quiz_asks_how_sure_before_it_tells() -> None:
    at = opened("learn", kind="nerve", seed="4")
    question = at.session_state["quiz-session"].current
    assert at.button(key="check").disabled
    wrong = next(i for i, choice in enumerate(question.choices) if not choice.right)
    at.radio[0].set_value(wrong).run()
    assert at.button(key="check").disabled
    at.get("button_group")[-1].set_value("sure").run()
    assert question.explanation not in words(at)
    at.button(key="check").click().run()
    assert "you were sure" in at.error[0].value
    assert question.explanation in words(at)
    at.button(key="next").click().run()
    assert "Sure, and wrong" in " ".join(sub.value for sub in at.subheader)
    assert question in at.session_state["quiz-session"].queue


def test_a_case_opens_step_by_step_and_ends_with_what_is_unsafe() -> None:
    at = opened("learn", mode="case", condition="plantar-fasciitis", hazard="warfarin")
    assert len(at.radio) == 1
    for count in (2, 3, 4):
        at.radio[-1].set_value(0).run()
        assert len(at.radio) == count
    assert "Which technique must be withheld?" in at.radio[-1].label


def test_cards_are_offered() -> None:
    at = opened("learn", mode="cards")
    assert "Download the deck" in [button.label for button in at.get("download_button")]


# ---------------------------------------------------------------------------------------------------- SPARQL lab, About
def test_a_stored_query_is_filled_in_from_the_address() -> None:
    at = opened("sparql", **{"example": "conditions-of-tissue", "with-tissue": "soleus"})
    assert "pal:plantar-fasciitis" in list(at.dataframe[0].value["condition"])
    assert any("pal:soleus" in code.value for code in at.code)


@pytest.mark.parametrize(("query", "told"), [
    ("SELECT ?x WHERE {\n  ?x a\n}", "malformed"), ("SELECT * { SERVICE <http://x.test/> { ?s ?p ?o } }", "SERVICE is refused"),
    ("DELETE WHERE { ?s ?p ?o }", "malformed"),
])  # fmt: skip
def test_a_faulty_query_is_told_with_its_line(query: str, told: str) -> None:
    at = opened("sparql", query=query)
    assert told in at.error[0].value
    if query.startswith("SELECT ?x"):
        assert any("3 | }" in code.value for code in at.code)


@pytest.mark.parametrize("form", ["table", "chart", "graph"])
def test_an_answer_shows_in_each_form(form: str) -> None:
    at = opened("sparql", **{"example": "sources-used-most", "as": form})
    assert not at.error


def test_about_tells_limits_numbers_and_how_to_cite(engine: Engine) -> None:
    at = opened("about")
    text = words(at) + " ".join(code.value for code in at.code)
    assert "never diagnoses" in text
    assert engine.knowledge.version.sha256 in text
    assert str(len(engine.knowledge.of_class("Condition"))) in text


def test_names_of_entities_that_are_html_stay_text() -> None:
    at = opened("entity", id="<img src=x onerror=alert(1)>")
    assert "<img" not in " ".join(element.proto.body for element in at.get("html"))


@pytest.mark.parametrize(("page", "params", "near"), [
    ("evidence_map", {"region": "kne"}, "knee"), ("learn", {"kind": "mith"}, "myth"), ("learn", {"mode": "quizz"}, "quiz"),
    ("sparql", {"example": "conditions-of-tisue"}, "conditions-of-tissue"), ("rationale", {"form": "flw"}, "flow"),
    ("sparql", {"example": "conditions-of-tissue", "with-tissue": "soleous"}, "soleus"), ("learn", {"mode": "cards", "cards": "33"}, "20"),
    ("learn", {"mode": "case", "condition": "plantar facitis"}, "plantar-fasciitis"),
])  # fmt: skip
def test_a_choice_in_the_address_that_there_is_not_is_told_with_the_nearest(page: str, params: dict[str, str], near: str) -> None:
    at = opened(page, **params)
    assert near in " ".join(error.value for error in at.error).replace("\\", "")
