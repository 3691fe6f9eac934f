"""Shared parts of the pages: the engine, links, sources, tables, and the frame of a page about one entity."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Literal

import streamlit as st

import kg
from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.rank import Engine, source_dict
from kg.reasoning.sourcing import sourcing_label

Page = Literal["find", "condition", "technique", "tissue", "hazard"]
ICONS: Mapping[str, str] = {"condition": ":material/personal_injury:", "technique": ":material/front_hand:",
                            "tissue": ":material/accessibility_new:", "hazard": ":material/warning:"}  # fmt: skip
DISCLAIMER = "A decision aid for trained people. It does not diagnose."
_UNREAD = ("textbook-knowledge", "expert-reasoning")


@st.cache_resource(show_spinner="Loading the knowledge graph")
def engine() -> Engine:
    """The query layer, loaded once for all sessions."""
    return kg.load()


def knowledge() -> Knowledge:
    """The graph that the engine answers from."""
    return engine().knowledge


@st.cache_resource(show_spinner=False)
def _referring(version: str, cls: str, prop: str) -> dict[str, list[Node]]:
    index: dict[str, list[Node]] = {}
    for node in knowledge().of_class(cls):
        for value in node.all(prop):
            index.setdefault(value, []).append(node)
    return index


def referring(cls: str, prop: str, slug: str) -> list[Node]:
    """The individuals of a class that point to `slug` by a property."""
    return _referring(knowledge().version.sha256, cls, prop).get(slug, [])


# ---------------------------------------------------------------------------------------------------- text
def md(text: str) -> str:
    """Text as it stands, within Markdown."""
    return re.sub(r"([\\`*_\[\]$~<>:#|])", r"\\\1", text)


def cap(text: str) -> str:
    """Text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def short(label: str) -> str:
    """A label without what it adds in brackets at its end."""
    return re.sub(r"\s*\([^()]*\)$", "", label)


def label(slug: str) -> str:
    """The label of a slug."""
    return knowledge().label(slug)


def labels(slugs: Iterable[str], separator: str = ", ") -> str:
    """The labels of slugs, in one line."""
    return separator.join(label(slug) for slug in slugs)


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# ---------------------------------------------------------------------------------------------------- links
def link(page: Page, slug: str, text: str | None = None, icon: str | None = None) -> None:
    """A link to the page of an entity, within this session."""
    st.page_link(f"views/{page}.py", label=md(text or label(slug)), icon=icon, query_params={"id": slug})


def links(page: Page, slugs: Iterable[str], caption: str = "") -> None:
    """Links to entities, side by side, in the order of their labels."""
    ordered = sorted(dict.fromkeys(slugs), key=lambda slug: label(slug).casefold())
    if not ordered:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if caption:
            st.markdown(f":gray[{md(caption)}]", width="content")
        for slug in ordered:
            link(page, slug)


def page_of(slug: str) -> Page | None:
    """The page that shows an entity, where there is one."""
    node = knowledge()[slug]
    pages: dict[str, Page] = {"Condition": "condition", "Technique": "technique", "AnatomicalStructure": "tissue", "Hazard": "hazard"}
    return next((page for cls, page in pages.items() if node.is_a(cls)), None)


# ---------------------------------------------------------------------------------------------------- sources
def cite(slug: str) -> tuple[str, str, str]:
    """Author (else publisher) and year, title, and address of a source."""
    source = source_dict(knowledge()[slug])
    who = f"{source['author'] or knowledge()[slug].one('journal', 'No author')} {source['year'] or '(undated)'}"
    return who, str(source["title"]), str(source["url"] or "")


def cite_html(slug: str) -> str:
    """A source as HTML: author, year and title, with its link."""
    who, title, url = cite(slug)
    text = f"{escape(who)}. <span class='soft'>{escape(title)}</span>"
    return f'<a href="{escape(url)}" target="_blank">{text}</a>' if url.startswith("https://") else text


def cite_md(slug: str) -> str:
    """A source as Markdown: author, year and title, with its link."""
    who, title, url = cite(slug)
    return f"[{md(who)}]({url}). {md(title)}" if url.startswith("https://") else f"{md(who)}. {md(title)}"


def folded_sources(slugs: Iterable[str]) -> str:
    """Sources as HTML behind their number, where a table would drown in them."""
    cited = [f"<li>{cite_html(slug)}</li>" for slug in slugs]
    return f"<details><summary>{plural(len(cited), 'source')}</summary><ul>{''.join(cited)}</ul></details>" if cited else ""


def grounds_html(node: Node) -> str:
    """On what a statement rests: its sources, or that none was read for it."""
    sources = [cite_html(slug) for slug in node.all("dcterms:source")]
    basis = node.one("basis")
    if basis in _UNREAD:
        sources.append(f"<span class='soft'>{escape(label(basis))}, no source read</span>")
    return "<br>".join(sources)


def grounds_md(sources: Sequence[str], basis: str = "") -> str:
    """The same as a line of Markdown."""
    parts = [cite_md(slug) for slug in sources]
    if basis in _UNREAD:
        parts.append(f"{label(basis)}, no source read")
    return " · ".join(parts)


def safety_grounds_md(sources: Sequence[str], basis: str, grade: str) -> str:
    """On what a rule of safety rests, and before that how well it is sourced, as a line of Markdown."""
    words = f"**Sourcing** {md(sourcing_label(knowledge(), grade))}" if sources and grade else ""
    return " · ".join(filter(None, (words, grounds_md(sources, basis))))


def disagreement_md(text: str, sources: Sequence[str]) -> str:
    """What other sources say against a rule that acts all the same, as a line of Markdown; empty where none does."""
    cited = " · ".join(cite_md(slug) for slug in sources)
    return f":material/compare_arrows: **Sources disagree; the stricter acts.** {md(text)}. :small[:gray[{cited}]]" if text else ""


# ---------------------------------------------------------------------------------------------------- tables
class Html(str):
    """Text that is HTML already and is not escaped again."""


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> None:
    """A table of text; on a phone each row stands as a block with the headers as labels."""
    right = set(numbers)
    kind = [" class='number'" if i in right else "" for i in range(len(headers))]
    head = "".join(f"<th{kind[i]}>{escape(name)}</th>" for i, name in enumerate(headers))
    body = "".join(
        "<tr>" + "".join(f"<td{kind[i]} data-label='{escape(headers[i])}'>{_cell(value)}</td>" for i, value in enumerate(row)) + "</tr>"
        for row in rows
    )
    st.html(f"<div class='pal'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")


def _cell(value: str) -> str:
    return value if isinstance(value, Html) else escape(value)


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Names and values that are stated, as a table of two columns."""
    rows = [(Html(f"<span class='soft'>{escape(name)}</span>"), value) for name, value in pairs if value]
    if rows:
        body = "".join(f"<tr><td class='name'>{_cell(name)}</td><td>{_cell(value)}</td></tr>" for name, value in rows)
        st.html(f"<div class='pal facts'><table><tbody>{body}</tbody></table></div>")


# ---------------------------------------------------------------------------------------------------- the frame of a page
def footer() -> None:
    """Which graph answers, and what this is."""
    version = knowledge().version
    st.divider()
    st.caption(f"Palpate graph {version.version}, {version.sha256[:12]}. {DISCLAIMER}")
