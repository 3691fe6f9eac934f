"""The frame of a page about one entity: the box to pick one, the way back to the client, and what to do with an unknown name."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby

import streamlit as st

from explorer import state
from explorer.cards import result_html
from explorer.parts import (
    Html,
    Page,
    cap,
    cite_html,
    engine,
    footer,
    kind_of,
    knowledge,
    label,
    link,
    links,
    md,
    name_of,
    plural,
    short,
    table,
)  # fmt: skip
from kg.errors import PalpateError, UnknownName
from kg.graph import entity as entities
from kg.graph.knowledge import Node, short_name
from kg.graph.terms import iri

_FIRST_LINKS = 24
_MATCHES = {"skos:exactMatch": "", "skos:closeMatch": "close to ", "skos:broadMatch": "falls under ", "skos:narrowMatch": "wider than "}


def show(
    page: Page, cls: str, noun: str, intro: str, draw: Callable[[Node], None], groups: Callable[[], Mapping[str, Sequence[str]]]
) -> None:
    """Draw the page of the entity that the URL names, or the list of all where it names none.

    Args:
        page: the page, for links to it.
        cls: the class of the entities that it shows.
        noun: what one of them is called.
        intro: what the page is for, in a sentence.
        draw: draws the sections of an entity.
        groups: all entities by a heading, for the list.
    """
    back()
    asked = st.query_params.get("id", "")
    slug, problem = _resolve(asked, cls)
    if problem:
        _pick(page, cls, noun, slug)
        unknown(page, problem, asked, cls)
    elif slug:
        titled(knowledge()[slug], draw)
    else:
        st.title(cap(noun) + "s", anchor=False)
        st.markdown(intro)
        _pick(page, cls, noun, slug)
        _browse(page, groups())
    footer()


def titled(node: Node, draw: Callable[[Node], None]) -> None:
    """The page of an entity: kind, name, definition, sections, and what the graph holds of it, to read and to take along."""
    st.html(f"<div class='pal pal-kind'>{escape(cap(kind_of(node.slug)))}</div>")
    st.title(node.one("dcterms:title") or name_of(node.slug), anchor=False)
    if node.definition:
        st.markdown(md(node.definition))
    if node.all("skos:altLabel"):
        st.caption(f"Also called: {md(', '.join(node.all('skos:altLabel')))}")
    draw(node)
    in_graph(node)


def _resolve(asked: str, cls: str) -> tuple[str | None, PalpateError | None]:
    try:
        return (engine().names.resolve(asked, cls) if asked else None), None
    except PalpateError as error:
        return None, error


def _pick(page: Page, cls: str, noun: str, slug: str | None) -> None:
    shown, key = state.options(knowledge().version.sha256, cls), f"pick-{page}"
    state.keep(key, slug)
    st.selectbox(f"Look up a {noun}", shown, index=None, key=key, format_func=shown.__getitem__, filter_mode="contains",
                 placeholder=f"Look up a {noun} by any of its names", label_visibility="collapsed",
                 on_change=_picked, args=(key,))  # fmt: skip


def _picked(key: str) -> None:
    chosen = state.slug_of(st.session_state[key])
    st.query_params.from_dict({"id": chosen} if chosen else {})


def unknown(page: Page, problem: PalpateError, asked: str, cls: str) -> None:
    """That the graph does not hold a name, with links to the nearest."""
    st.error(md(problem.message), icon=":material/search_off:")
    nearest = problem.nearest if isinstance(problem, UnknownName) else ()
    links(page, nearest or [hit.slug for hit in engine().names.search(asked, 5, (cls,))], "Nearest names")


def back() -> None:
    """The way back to the client that was last seen on Find."""
    last = state.last()
    if last and last.condition:
        about = ", ".join(filter(None, (short(label(last.condition)), last.phase, *(short(label(slug)) for slug in last.hazards))))
        st.page_link("views/find.py", label=f"Back to {md(about)}", icon=":material/arrow_back:", query_params=last.params())


def _browse(page: Page, groups: Mapping[str, Sequence[str]]) -> None:
    for heading, slugs in groups.items():
        box = st.expander(f"{md(cap(heading))} ({len(slugs)})", key=f"browse-{page}-{heading}", on_change="rerun")
        if box.open:
            with box:
                links(page, slugs)


def by_value(cls: str, prop: str, keep: Callable[[Node], bool] = lambda node: True) -> dict[str, list[str]]:
    """The individuals of a class under the labels of a property's values."""
    groups: dict[str, list[str]] = {}
    for node in filter(keep, knowledge().of_class(cls)):
        for value in node.all(prop):
            groups.setdefault(label(value), []).append(node.slug)
    return dict(sorted(groups.items()))


# ---------------------------------------------------------------------------------------------------- sections that pages share
def in_graph(node: Node) -> None:
    """The identifier of an entity, its Turtle and JSON, its sources, and every statement of it and about it."""
    st.header("In the graph", anchor="graph")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.code(node.iri, language=None, width="content", wrap_lines=True)
        st.download_button("Turtle", lambda: entities.turtle(knowledge(), node.slug), f"{node.slug}.ttl", "text/turtle",
                           icon=":material/download:", on_click="ignore", key="turtle")  # fmt: skip
        st.download_button("JSON", lambda: json.dumps(entities.of(knowledge(), node.slug).to_dict(), ensure_ascii=False, indent=1),
                           f"{node.slug}.json", "application/json", icon=":material/download:", on_click="ignore", key="json")  # fmt: skip
    everything = st.expander("Every statement, in both directions", icon=":material/hub:", key="everything", on_change="rerun")
    if everything.open:
        with everything:
            _statements(node)


def _statements(node: Node) -> None:
    about = entities.of(knowledge(), node.slug)
    st.subheader("What it states", anchor=False)
    for prop, inferred, found in _grouped(about.outgoing):
        caption = f"{_words(prop)}{' (inferred)' if inferred else ''}"
        inside = [fact.value for fact in found if fact.is_entity and fact.value in knowledge()]
        outside = [fact for fact in found if not (fact.is_entity and fact.value in knowledge())]
        _many(inside, caption, f"out-{prop}-{inferred}")
        if outside:
            st.markdown(f":gray[{md(caption)}]  " + " · ".join(_literal(fact.value) for fact in outside))
    if about.incoming:
        st.subheader("What states it", anchor=False)
    for prop, inferred, found in _grouped(about.incoming):
        subjects = [fact.value for fact in found if fact.value in knowledge()]
        _many(subjects, f"{_words(prop)}, stated by{' (inferred)' if inferred else ''}", f"in-{prop}-{inferred}")


def _grouped(statements: Iterable[entities.Statement]) -> Iterator[tuple[str, bool, list[entities.Statement]]]:
    """The statements by their property, those that are stated before those that are inferred."""
    ordered = sorted(statements, key=lambda s: (short_name(iri(s.property)), s.inferred, s.value))
    for (prop, inferred), found in groupby(ordered, key=lambda s: (short_name(iri(s.property)), s.inferred)):
        yield prop, inferred, list(found)


def _many(slugs: Sequence[str], caption: str, key: str) -> None:
    """Links to entities, the first few of many until all are asked for."""
    everything = len(slugs) <= _FIRST_LINKS or st.toggle(f"All {len(slugs)}: {md(caption)}", key=key)
    links(None, slugs if everything else slugs[:_FIRST_LINKS], caption)


def _words(prop: str) -> str:
    """The name of a property as people read it."""
    return label(prop) if prop in knowledge() and label(prop) != prop else prop.rpartition("#")[2].rpartition(":")[2]


def _literal(value: str) -> str:
    return f"<{value}>" if value.startswith(("https://", "http://")) else md(value)


def studies(statements: Sequence[Node], about: str, page: Page, opened: bool = False) -> None:
    """Statements of treatment evidence grouped by what they are about, the most studied first."""
    ordered = sorted(statements, key=lambda node: (node.one(about), node.one("result"), node.slug))
    groups = [(slug, list(nodes)) for slug, nodes in groupby(ordered, key=lambda node: node.one(about))]
    for slug, nodes in sorted(groups, key=lambda group: (-len(group[1]), group[0])):
        with st.expander(f"**{md(label(slug))}** · {_tally(nodes)}", expanded=opened):
            link(page, slug, f"To the page of {short(label(slug))}", ":material/arrow_forward:")
            table(["Result", "Outcome", "Finding", "Source"], [_study_row(node, result_html(node.one("result"))) for node in nodes])


def _tally(nodes: Sequence[Node]) -> str:
    counts: dict[str, int] = {}
    for node in nodes:
        counts[node.one("result")] = counts.get(node.one("result"), 0) + 1
    return f"{plural(len(nodes), 'statement')}: " + ", ".join(
        f"{count} {label(result)}" for result, count in sorted(counts.items(), key=lambda i: -i[1])
    )


def _study_row(node: Node, result: Html) -> list[str]:
    against = f" against {node.one('comparatorText')}" if node.one("comparatorText") else ""
    phase = node.one("inPhase", "any")
    outcome = label(node.one("outcome")) + against + (f", {label(phase)}" if phase != "any" else "")
    numbers = [node.one("effectSize"), node.one("gradeAsStated"), _count(node, "studies"), _count(node, "participants"),
               f"certainty {label(node.one('certainty'))}" if node.one("certainty") else "", node.one("locator")]  # fmt: skip
    finding = Html(f"{escape(node.one('summary'))}<span class='note'>{escape('; '.join(filter(None, numbers)))}</span>")
    return [result, outcome, finding, Html("<br>".join(map(cite_html, node.all("dcterms:source"))))]


def _count(node: Node, prop: str) -> str:
    return f"{int(node.number(prop))} {prop}" if prop in node.properties else ""


def codes(node: Node) -> list[tuple[str, str]]:
    """The codes of an entity in other terminologies: kind of match and terminology, and the terms."""
    rows: dict[str, list[str]] = {}
    for prop, words in _MATCHES.items():
        for term in node.all(prop):
            scheme, html = _term(term)
            rows.setdefault(scheme, []).append(words + html)
    return [(scheme, Html("<br>".join(terms))) for scheme, terms in sorted(rows.items())]


def _term(iri: str) -> tuple[str, str]:
    """The terminology and the HTML of a term; read from its IRI where the graph holds nothing more of it."""
    if iri in knowledge():
        node = knowledge()[iri]
        scheme, text = label(node.one("skos:inScheme")), " ".join(filter(None, (node.one("skos:notation"), node.one("skos:prefLabel"))))
    else:
        text = iri.rpartition("/")[2]
        scheme = text.rstrip("0123456789").rstrip("_").upper()
    return scheme, f'<a href="{escape(iri)}" target="_blank">{escape(text)}</a>' if iri.startswith(("http://", "https://")) else escape(
        text
    )


def bullets(lines: Iterable[str]) -> None:
    """A list of Markdown lines."""
    st.markdown("\n".join(f"- {line}" for line in lines))
