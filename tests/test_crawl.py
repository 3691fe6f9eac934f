"""No page of an entity fails and no link is dead: every entity by what its page is made of, and each kind of page as it is drawn."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from kg.graph import entity
from kg.reasoning.engine import Engine
from tests.crawl import ROOT, VIEWS, anchors, entities, faults, page_of, shapes

SHARES = 4
"""The sample is drawn in parts, so that they run side by side."""


def test_every_entity_has_a_page_and_a_name_and_leads_only_to_entities(engine: Engine) -> None:
    from explorer import parts

    knowledge = engine.knowledge
    slugs = entities(knowledge)
    assert len(slugs) > 10_000
    for slug in slugs:
        assert parts.page_of(slug) == page_of(knowledge, slug)
        assert parts.name_of(slug)
        assert parts.kind_of(slug)
        about = entity.of(knowledge, slug)
        assert about.outgoing, slug
        ends = [s.value for s in (*about.outgoing, *about.incoming) if s.is_entity and not s.property.endswith("#versionIRI")]
        assert [end for end in ends if "://" not in end and end not in knowledge] == [], slug


def links(at: AppTest) -> Iterator[str]:
    """The addresses of all links of a page to pages, by links and from its tables."""
    for link in at.get("page_link"):
        yield f"{link.proto.page}?{link.proto.query_string}"
    for element in at.get("html"):
        yield from anchors(element.proto.body)


@pytest.mark.parametrize("share", range(SHARES))
def test_each_kind_of_entity_is_drawn_with_all_its_statements(share: int, engine: Engine) -> None:
    """One of each combination of classes, properties, and properties that point to it; the page is the one to which links lead."""
    knowledge = engine.knowledge
    at = AppTest.from_file(str(ROOT / "explorer" / "main.py"), default_timeout=120).run()
    seen = set[str]()
    for slug in shapes(knowledge)[share::SHARES]:
        at.switch_page(f"views/{page_of(knowledge, slug)}.py")
        at.query_params.clear()
        at.query_params["id"] = slug
        at.session_state["everything"] = True
        at.run()
        assert not at.exception, (slug, at.exception[0].message)
        assert at.title, slug
        assert {"turtle", "json"} <= {button.key for button in at.get("download_button")}, slug
        assert knowledge[slug].iri in [code.value for code in at.code]
        found = set(links(at)) - seen
        assert faults(knowledge, found) == [], slug
        seen |= found
    assert {address.partition("?")[0] for address in seen} <= VIEWS.keys()
    assert len(seen) > 1000


@pytest.mark.parametrize("address", ["nopage?id=plantar-fasciitis", "condition?id=nothing-of-this-name", "technique?id=plantar-fasciitis"])
def test_a_dead_link_is_found(address: str, engine: Engine) -> None:
    assert faults(engine.knowledge, [address, "condition?id=plantar-fasciitis", "?condition=plantar-fasciitis"]) == [address]
