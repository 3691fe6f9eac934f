"""SPARQL as a library: an answer is a `Table` of plain values, or a truth value.

>>> from kg.graph.knowledge import load
>>> run(load(), "SELECT ?label { pal:foot skos:prefLabel ?label }").rows
(('foot',),)
>>> run(load(), "ASK { pal:foot a pal:BodyRegion }")
True
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.errors import PalpateError
from kg.graph import remote
from kg.graph.knowledge import Knowledge
from kg.graph.serialize import PREFIXES
from kg.graph.terms import PAL

if TYPE_CHECKING:
    import pandas
    import pyoxigraph as ox

Value = str | int | float | bool | None
_XSD = "http://www.w3.org/2001/XMLSchema#"
_PARSERS: Mapping[str, Callable[[str], Value]] = {
    _XSD + "integer": int, _XSD + "decimal": float, _XSD + "double": float, _XSD + "float": float,
    _XSD + "boolean": lambda text: text in ("true", "1"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under named columns: IRIs and texts as `str`, numbers and booleans as such, None where nothing is bound.

    The triples of a CONSTRUCT or DESCRIBE stand under `subject`, `predicate` and `object`.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows]}

    def to_frame(self) -> "pandas.DataFrame":
        """The same as a data frame of pandas."""
        import pandas

        return pandas.DataFrame(list(self.rows), columns=list(self.columns))


def run(knowledge: Knowledge, query: str) -> Table | bool:
    """The answer to a query; the prefixes of the ontology need not be declared.

    Raises:
        PalpateError: where the query is malformed or cannot be run.
    """
    if url := remote.address():
        return _table(remote.evaluate(url, "".join(f"PREFIX {name}: <{namespace}> " for name, namespace in PREFIXES.items()) + query))
    union = not remote.names_graphs(query)
    try:
        results = knowledge.store.query(query, base_iri=PAL, use_default_graph_as_union=union, prefixes=PREFIXES)
    except (SyntaxError, ValueError, RuntimeError) as error:
        raise PalpateError(f"The query is malformed: {' '.join(str(error).split())[:300]}") from None
    return _table(results)


def _table(results: Any) -> Table | bool:
    import pyoxigraph as ox

    if isinstance(results, ox.QueryBoolean):
        return bool(results)
    if not isinstance(results, ox.QuerySolutions):
        return _triples(results)
    columns = tuple(variable.value for variable in results.variables)
    try:
        return Table(columns, tuple(tuple(_value(solution[name]) for name in columns) for solution in results))
    except (OSError, RuntimeError, SyntaxError) as error:
        raise PalpateError(f"The query cannot be run: {error}") from None


def _triples(triples: Any) -> Table:
    rows = tuple(tuple(_value(term) for term in (t.subject, t.predicate, t.object)) for t in triples)
    return Table(("subject", "predicate", "object"), rows)


def _value(term: "ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | None") -> Value:
    import pyoxigraph as ox

    if term is None:
        return None
    if not isinstance(term, ox.Literal):
        return term.value if isinstance(term, ox.NamedNode) else str(term)
    parser = _PARSERS.get(term.datatype.value)
    try:
        return parser(term.value) if parser else term.value
    except ValueError:  # a literal whose text is none of its datatype
        return term.value
