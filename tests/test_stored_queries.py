"""Stored queries: each parameter can be filled in, and what is filled in cannot break out of its place."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import PalpateError, UnknownName
from kg.reasoning.rank import Engine
from kg.serving.queries import stored


@pytest.mark.parametrize("name", stored())
def test_filling_in_what_stands_there_changes_nothing(name: str) -> None:
    query = stored()[name]
    assert query.title
    assert query.summary
    assert query.filled({p.name: p.default for p in query.parameters}) == query.filled({}) == query.text


@pytest.mark.parametrize("name", [name for name, query in stored().items() if query.parameters])
def test_every_parameter_changes_the_query_and_nothing_else(name: str, engine: Engine) -> None:
    query = stored()[name]
    for parameter in query.parameters:
        assert parameter.text or parameter.default in engine.knowledge
        filled = query.filled({parameter.name: "soleus"})
        assert filled != query.text
        assert len(filled.splitlines()) == len(query.text.splitlines())
        ox.Store().query(filled)


@given(st.text(max_size=30))
def test_what_is_no_slug_is_refused(value: str) -> None:
    query = stored()["conditions-of-tissue"]
    try:
        filled = query.filled({"tissue": value})
    except PalpateError:
        return
    assert f"pal:{value} }}" in filled
    ox.Store().query(filled)


def test_an_unknown_parameter_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="tissue"):
        stored()["conditions-of-tissue"].filled({"tisue": "soleus"})
