"""Stored queries in the lab: each parameter can be filled in, and what is filled in cannot break out of its place."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kg
from kg.errors import PalpateError, UnknownName
from kg.reasoning.engine import Engine
from kg.serving.sparql.catalog import Parameter, StoredQuery, catalog, find, without_header


def filled(query: StoredQuery, values: dict[str, list[str]]) -> str:
    """The query as the lab shows it."""
    engine = kg.load()
    return without_header(query.bind(engine.names, engine.knowledge, values, prefixed=True))


def another(engine: Engine, parameter: Parameter) -> str:
    """A value that does not stand there: for an individual one of the same class."""
    if not parameter.individual:
        return "soleus"
    node = engine.knowledge[parameter.default[0]]
    return next(n.slug for cls in node.all("rdf:type") if "://" not in cls for n in engine.knowledge.of_class(cls)
                if n.slug not in parameter.default)  # fmt: skip


@pytest.mark.parametrize("name", catalog())
def test_filling_in_what_stands_there_changes_nothing(name: str) -> None:
    query = catalog()[name]
    assert query.title
    assert query.question
    stated = filled(query, {p.name: list(p.default) for p in query.parameters if len(p.default) == 1})
    assert stated == filled(query, {}) == without_header(query.text)
    assert "#+" not in stated


@pytest.mark.parametrize("name", [name for name, query in catalog().items() if query.parameters])
def test_every_parameter_changes_the_query_and_nothing_else(name: str, engine: Engine) -> None:
    query = catalog()[name]
    for parameter in query.parameters:
        assert not parameter.individual or parameter.default[0] in engine.knowledge
        value = another(engine, parameter)
        text = filled(query, {parameter.name: [value]})
        assert text != without_header(query.text)
        assert len(text.splitlines()) == len(without_header(query.text).splitlines())
        assert (f"pal:{value}" if parameter.individual else f'"{value}"') in text
        ox.Store().query(text)


@given(st.text(max_size=30) | st.sampled_from(["soleus", "pal:soleus", "soleus }", "Soleus muscle", "soleus\n"]))
def test_what_is_no_slug_is_refused(value: str) -> None:
    try:
        text = filled(find("conditions-of-tissue"), {"tissue": [value]})
    except PalpateError:
        return
    slug = kg.load().names.resolve(value, "AnatomicalStructure")
    assert f"pal:{slug} }}" in text
    ox.Store().query(text)


def test_an_unknown_parameter_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="tissue"):
        filled(find("conditions-of-tissue"), {"tisue": ["soleus"]})
