"""SPARQL lab: ask the graph in SPARQL, starting from stored queries; the answer as table, chart or graph, and to take along."""

import asyncio
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from explorer import state
from explorer.drawing import pairs_network
from explorer.editor import editor
from explorer.parts import engine, footer, knowledge, label, links, md, name_of, plural, short
from kg.errors import PalpateError
from kg.graph.index import KINDS
from kg.graph.serialize import PREFIXES
from kg.graph.terms import PAL
from kg.serving.sparql import Answer, Endpoint, Formats, Query, QueryError
from kg.serving.sparql.catalog import Parameter, StoredQuery, catalog, without_header
from kg.serving.sparql.limits import from_environment

_EMPTY = """PREFIX pal: <https://w3id.org/palpate/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>

SELECT ?technique ?label
WHERE {
  ?technique a pal:Technique ; skos:prefLabel ?label .
}
ORDER BY ?label
LIMIT 20
"""
_VIEWS = {"table": ":material/table: Table", "chart": ":material/bar_chart: Chart", "graph": ":material/hub: Graph"}
_ROWS, _BARS, _LINES = 5000, 40, 60
_TABLE, _GRAPH = "application/sparql-results+json", "text/turtle"
_SECONDS = 30.0
_OFFERED = 6


@st.cache_resource(show_spinner=False)
def _terms(version: str) -> list[str]:
    """The vocabulary: classes, properties, prefixes."""
    own = [f"pal:{n.slug}" for n in knowledge() if n.is_a("http://www.w3.org/2002/07/owl#Class") or
           n.is_a("http://www.w3.org/2002/07/owl#ObjectProperty") or n.is_a("http://www.w3.org/2002/07/owl#DatatypeProperty")]  # fmt: skip
    others = ["skos:prefLabel", "skos:altLabel", "skos:definition", "skos:exactMatch", "skos:closeMatch", "dcterms:source", "dcterms:title",
              "dcterms:creator", "rdfs:subClassOf"]  # fmt: skip
    return sorted(term for term in own if "//" not in term) + others + [f"PREFIX {name}: <{iri}>" for name, iri in PREFIXES.items()]


def completions(word: str) -> list[tuple[str, str]]:
    """What completes a word, with or without its prefix: terms of the vocabulary, then individuals by slug or name, with their names."""
    prefix, colon, local = word.casefold().rpartition(":")
    begun = [term for term in _terms(knowledge().version.sha256) if _begins(term.casefold(), prefix + colon, local)][:_OFFERED]
    slugs = engine().names.complete(local, _OFFERED) if len(local) > 1 and prefix in ("", "pal") else []
    found = dict.fromkeys(begun, "") | {f"pal:{slug}": name_of(slug) for slug in slugs if f"pal:{slug}" not in begun}
    return [] if list(found) == [word] else [(term, short(name)) for term, name in found.items()][: 2 * _OFFERED]


def _begins(term: str, prefix: str, local: str) -> bool:
    return term.startswith(prefix + local) or (not prefix and len(local) > 1 and term.rpartition(":")[2].startswith(local))


@st.fragment
def edit(text: str) -> None:
    """The editor; a query that is run goes into the URL, from where the page answers it."""
    ran = editor(text, completions, "editor")
    if ran is not None and ran.strip():
        state.put(query=ran)
        st.rerun()


# ---------------------------------------------------------------------------------------------------- the query
def chosen_query() -> tuple[StoredQuery | None, dict[str, str], str]:
    """The stored query that the URL names, what fills it in, and the text to edit: that of the URL, else the stored one."""
    query = catalog().get(state.one_of("example", list(catalog())))
    values = _values(query) if query else {}
    text = _filled(query, values) if query else _EMPTY
    return query, values, st.query_params.get("query", "") or text


def _filled(query: StoredQuery, values: Mapping[str, str]) -> str:
    given = {name: [value] for name, value in values.items()}
    return without_header(query.bind(engine().names, knowledge(), given, prefixed=True))


def _parameters(query: StoredQuery) -> list[Parameter]:
    """What can be filled in with one value; a list of values stays as it stands."""
    return [parameter for parameter in query.parameters if len(parameter.default) == 1]


def _values(query: StoredQuery) -> dict[str, str]:
    """What the URL puts in for each parameter; what the graph does not hold is told, and the stated one stays."""
    values = {}
    for parameter in _parameters(query):
        values[parameter.name] = st.query_params.get(_name(parameter), "") or parameter.default[0]
        try:
            _filled(query, {parameter.name: values[parameter.name]})
        except PalpateError as error:
            st.error(md(error.message), icon=":material/search_off:")
            values[parameter.name] = parameter.default[0]
    return values


def _name(parameter: Parameter) -> str:
    return f"with-{parameter.name}"


def _words(parameter: Parameter) -> str:
    return parameter.name.replace("-", " ").capitalize()


def examples(query: StoredQuery | None, values: Mapping[str, str]) -> None:
    """The box for a stored query, and one for each thing to fill in."""
    options = {"": "Your own query", **{name: q.title for name, q in sorted(catalog().items(), key=lambda item: item[1].title)}}
    state.keep("example", query.name if query else "")
    st.selectbox(
        "Start from a stored query",
        options,
        key="example",
        format_func=options.__getitem__,
        filter_mode="contains",
        on_change=lambda: st.query_params.from_dict({"example": st.session_state["example"]} if st.session_state["example"] else {}),
    )
    if query is None:
        return
    st.markdown(md(query.question))
    if _parameters(query):
        with st.container(horizontal=True, gap="small"):
            for parameter in _parameters(query):
                _fill(parameter, values[parameter.name])


def _fill(parameter: Parameter, value: str) -> None:
    """The widget for one thing to fill in: a box of all individuals of its kind, or a field for text."""
    key = f"fill-{parameter.name}"
    state.keep(key, value)

    def changed() -> None:
        state.put(**{_name(parameter): state.slug_of(st.session_state[key]), "query": None})

    if not parameter.individual:
        st.text_input(_words(parameter), key=key, on_change=changed, width=280)
        return
    node = knowledge()[parameter.default[0]]
    cls = next((cls for cls in KINDS if node.is_a(cls)), node.one("rdf:type"))
    shown = state.options(knowledge().version.sha256, cls)
    st.selectbox(
        _words(parameter), shown, key=key, format_func=shown.__getitem__, filter_mode="contains", on_change=changed, width=280
    )


# ---------------------------------------------------------------------------------------------------- the answer
@st.cache_data(show_spinner="Asking", max_entries=200)
def ask(version: str, text: str, table: str, graph: str) -> tuple[Answer, float]:
    """The answer under the limits of `/sparql`, and the seconds that it took.

    Raises:
        QueryError: where the query is refused, malformed, or past a limit.
    """
    start = time.perf_counter()
    workers, loop = _workers()
    answer = asyncio.run_coroutine_threadsafe(workers.query(Query(text), Formats(table, graph), _SECONDS), loop).result()
    return answer, time.perf_counter() - start


@st.cache_resource(show_spinner=False)
def _workers() -> tuple[Endpoint, asyncio.AbstractEventLoop]:
    """Workers for the lab, and the loop that they are asked on: pages run in threads, and a pool belongs to one loop."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return Endpoint(knowledge().path, replace(from_environment(), workers=2)), loop


def answered(text: str, query: StoredQuery | None) -> None:
    """The answer to a query in the form that was asked for."""
    version = knowledge().version.sha256
    try:
        answer, seconds = ask(version, text, _TABLE, _GRAPH)
    except QueryError as error:
        fault(error, text)
        return
    name = query.name if query else "palpate-query"
    if answer.media_type == _GRAPH:
        _triples(answer, text, name, seconds)
        return
    body = json.loads(answer.body)
    if "boolean" in body:
        st.metric("Answer", "yes" if body["boolean"] else "no")
        return
    headers: list[str] = body["head"]["vars"]
    rows: list[dict[str, Any]] = body["results"]["bindings"]
    st.markdown(f"**{plural(len(rows), 'row')}** in {seconds:.2f} seconds")
    if not rows:
        st.info("No row fits. Are the terms spelled as in the graph? The search box above finds them.", icon=":material/search_off:")
        return
    _draw(headers, rows)
    _downloads(text, name, {"CSV": ("text/csv", "csv"), "JSON": (_TABLE, "json"), "TSV": ("text/tab-separated-values", "tsv")})
    entities = [
        slug
        for slug in dict.fromkeys(b["value"].removeprefix(PAL) for row in rows[:_LINES] for b in row.values() if b["type"] == "uri")
        if slug in knowledge()
    ]
    if entities:
        with st.expander(f"Open {plural(len(entities[:_BARS]), 'entity').replace('entitys', 'entities')} of the first rows"):
            links(None, entities[:_BARS])


def _draw(headers: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    form = state.one_of("as", list(_VIEWS), "table")
    state.keep("as", form)
    st.segmented_control("Show as", list(_VIEWS), key="as", format_func=_VIEWS.__getitem__, required=True,
                         on_change=lambda: state.put(**{"as": st.session_state["as"]}))  # fmt: skip
    if form == "chart":
        _chart(headers, rows)
    elif form == "graph":
        _graph(headers, rows)
    else:
        if len(rows) > _ROWS:
            st.caption(f"The first {_ROWS} rows; the downloads have all.")
        st.dataframe([{name: _value(row.get(name)) for name in headers} for row in rows[:_ROWS]], hide_index=True, width="stretch")


def _value(binding: Mapping[str, Any] | None) -> str | float | None:
    """A cell: a number as number, an IRI of this graph by its slug."""
    if binding is None:
        return None
    value = str(binding["value"])
    if binding["type"] == "uri":
        return f"pal:{value.removeprefix(PAL)}" if value.startswith(PAL) else value
    if binding.get("datatype", "").rpartition("#")[2] in ("integer", "decimal", "double"):
        return float(value)
    return value


def _chart(headers: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Bars of the last column of numbers by the first label, else the first column of words."""
    cells = [{name: _value(row.get(name)) for name in headers} for row in rows]
    numbers = [name for name in headers if any(isinstance(c[name], float) for c in cells)]
    words = [name for name in headers if name not in numbers]
    if not numbers or not words:
        st.info("A chart needs a column of numbers and one of words: SELECT ?label (COUNT(?x) AS ?n) ... GROUP BY ?label")
        return
    by = next((name for name in words if "label" in name.casefold()), words[0])
    bars = [{by: _name_of(c[by]), numbers[-1]: c[numbers[-1]]} for c in cells[:_BARS]]
    st.bar_chart(bars, x=by, y=numbers[-1], horizontal=True, sort=False)
    if len(cells) > _BARS:
        st.caption(f"The first {_BARS} rows.")


def _graph(headers: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """The first two columns of individuals as lines between them."""
    linked = [name for name in headers if any(row.get(name, {}).get("type") == "uri" for row in rows)]
    if len(linked) < 2:
        st.info("A graph needs two columns of individuals, such as ?technique and ?effect.")
        return
    start, end = linked[:2]
    found = [(_name_of(_value(row[start])), _name_of(_value(row[end]))) for row in rows if start in row and end in row]
    pairs_network(list(dict.fromkeys(found))[:_LINES], (start, end), "lab-graph")
    if len(set(found)) > _LINES:
        st.caption(f"The first {_LINES} lines.")


def _name_of(value: object) -> str:
    return label(str(value).removeprefix("pal:")) if str(value).startswith("pal:") else str(value)


def _triples(answer: Answer, text: str, name: str, seconds: float) -> None:
    st.markdown(f"A graph, in {seconds:.2f} seconds")
    shown = answer.body.decode()
    st.code(shown[:20_000], language="turtle")
    if len(shown) > 20_000:
        st.caption("The beginning; the downloads have all.")
    _downloads(
        text, name, {"Turtle": (_GRAPH, "ttl"), "JSON-LD": ("application/ld+json", "jsonld"), "N-Triples": ("application/n-triples", "nt")}
    )


def _downloads(text: str, name: str, forms: Mapping[str, tuple[str, str]]) -> None:
    version = knowledge().version.sha256
    with st.container(horizontal=True):
        for words, (media, suffix) in forms.items():
            st.download_button(words, lambda media=media: ask(version, text, media, media)[0].body, f"{name}.{suffix}", media,
                               icon=":material/download:", on_click="ignore", key=f"save-{suffix}")  # fmt: skip


def fault(error: QueryError, text: str) -> None:
    """What is wrong with a query, with the line where it stands."""
    st.error(md(error.message.partition("\n")[0]), icon=":material/error:")
    if {"line", "column"} <= set(error.extra):
        number, column = error.extra["line"], error.extra["column"]
        lines = text.splitlines()
        if 0 < number <= len(lines):
            st.code(f"{number:>4} | {lines[number - 1]}\n       {' ' * (column - 1)}^", language=None)


def elsewhere(text: str) -> None:
    """The same query with curl and in Python, and the limits."""
    base = (st.context.url or "http://127.0.0.1:8501/").split("/lab")[0].rstrip("/")
    with st.expander("The same from elsewhere", icon=":material/code:"):
        st.code(f"curl -H 'Accept: text/csv' '{base}/sparql?{urlencode({'query': text})}'", language="bash", wrap_lines=True)
        quoted = text.strip().replace('"""', "'''")
        st.code(
            f'import kg\n\nquery = """{quoted}"""\nfor row in kg.load().knowledge.rdflib.query(query):\n    print(*row)', language="python"
        )
    limits = _workers()[0].limits
    st.caption(
        f"Limits: {limits.seconds:g} seconds, {limits.bytes // 2**20} MiB of answer, {limits.query_length:,} characters of query; "
        "reading only, "
        "and no SERVICE. Past a limit you get an error, never part of the rows. A query without GRAPH sees stated and inferred triples."
    )


def page() -> None:
    """Draw the page."""
    st.title("SPARQL lab", anchor=False)
    st.markdown("Ask the graph anything. Start from a stored query, fill it in, change it.")
    query, values, text = chosen_query()
    examples(query, values)
    edit(text)
    if query or st.query_params.get("query"):
        try:
            answered(text, query)
        except PalpateError as error:
            st.error(md(error.message), icon=":material/error:")
    elsewhere(text)
    footer()


page()
