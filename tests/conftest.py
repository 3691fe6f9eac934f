"""What several test modules share: the query layer over the real graph, built once."""

import pytest

import kg
from kg.reasoning.rank import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The query layer over the ontology of this repository."""
    return kg.load()
