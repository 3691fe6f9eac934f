"""Conditions side by side, as a page draws them: a column for each condition, what all share first."""

import json
from collections.abc import Sequence
from html import escape

import streamlit as st

from explorer.parts import Html, grounds_md, label, link, md, name_html, short, table
from kg.reasoning.conditions import Row, SideBySide

_TEXTS = ("definition", "region", "caseload", "prognosis", "evidence", "not-covered")
_LISTS = {"finding": "Presents with", "aggravating": "Made worse by"}
_TABLES = (
    ("tissue", "Tissues", "The role of each tissue: primary, secondary or compensating."),
    ("impairment", "Impairments", "How much each matters, in which phase and in which tissue."),
    ("test", "Tests", "How well a test tells the condition in studies."),
    ("hazard", "Hazards that they bring", ""),
)
"""Aspect, heading, and what its cells say."""


def draw(found: SideBySide) -> None:
    """All sections of a comparison but its techniques."""
    with st.container(horizontal=True, gap="small"):
        for slug in found.conditions:
            link("condition", slug, icon=":material/personal_injury:")
    apart(found)
    st.header("At a glance", anchor="glance")
    texts = {aspect: found.of(aspect)[0] for aspect in _TEXTS}
    lists = [(heading, [_listed(found.of(aspect), i) for i in range(len(found.conditions))]) for aspect, heading in _LISTS.items()]
    rows = [(row.label, [cell.text for cell in row.cells]) for row in texts.values()]
    _table(found, [(Html(f"<b>{escape(name)}</b>"), *cells) for name, cells in (*rows[:3], *lists, *rows[3:]) if any(cells)])
    for aspect, heading, words in _TABLES:
        _section(found, aspect, heading, words)
    pathologies(found)


def apart(found: SideBySide) -> None:
    """What tells each pair apart, or that the graph does not say that they look alike."""
    st.header("What tells them apart", anchor="apart")
    for distinction in found.distinctions:
        with st.container(border=True, gap="xsmall"):
            grounds = grounds_md(distinction.sources, distinction.basis)
            lines = (f"**{md(_pair(distinction.conditions))}**", md(distinction.text), f":small[:gray[{grounds}]]" if grounds else "")
            st.markdown("  \n".join(filter(None, lines)))
    for pair in found.undistinguished:
        st.caption(f"{md(_pair(pair))}: the graph does not say that these two look alike; the tables below show where they differ.")


def _pair(conditions: Sequence[str]) -> str:
    return " or ".join(short(label(slug)) for slug in conditions)


def _listed(rows: Sequence[Row], place: int) -> Html:
    """What one condition has of an aspect, as a list; what all have bears a note."""
    held = [row for row in rows if row.cells[place].holds]
    return Html("<ul>" + "".join(f"<li>{_named(row)}</li>" for row in held) + "</ul>") if held else Html("")


def _named(row: Row) -> str:
    """The name of a row as a link, and whether all conditions have it."""
    name = name_html(row.slug) if row.slug else escape(row.label)
    return name + ("<span class='note'>in all of them</span>" if row.shared else "")


def _table(found: SideBySide, rows: Sequence[Sequence[str]]) -> None:
    table(["", *(short(label(slug)) for slug in found.conditions)], rows, even=True, save=False)


def _section(found: SideBySide, aspect: str, heading: str, words: str) -> None:
    rows = found.of(aspect)
    if rows:
        st.header(heading, anchor=f"of-{aspect}")
        if words:
            st.caption(words)
        _table(found, [(Html(_named(row)), *(cell.text for cell in row.cells)) for row in rows])


def pathologies(found: SideBySide) -> None:
    """Serious diseases that can look like one of the conditions, with what to ask."""
    rows = found.of("pathology")
    if rows:
        st.header("Rule out first", anchor="red-flags")
        st.caption("Diseases that can look like one of these conditions, how soon a physician must see them, and what to ask.")
        table(["Disease", *(short(label(slug)) for slug in found.conditions), "Ask"],
              [(Html(_named(row)), *(cell.text for cell in row.cells), row.note) for row in rows], save=False)  # fmt: skip


def techniques(found: SideBySide) -> None:
    """The best techniques of each condition, and where they stand in the others."""
    rows = found.of("technique")
    if not rows:
        return
    st.header("Techniques", anchor="techniques")
    st.caption("The five best ranked for each condition and this client, and where each stands in the others. "
               "In bold: among the best five there.")  # fmt: skip
    _table(found, [(Html(_named(row)), *(_standing(cell.text, cell.holds) for cell in row.cells)) for row in rows])


def _standing(text: str, best: bool) -> Html:
    first, _, rest = escape(text).partition(", ")
    head = f"<b>{first}</b>" if best else f"<span class='{'against' if text.startswith('withheld') else 'soft'}'>{first}</span>"
    return Html(head + (f"<span class='note'>{rest}</span>" if rest else ""))


def downloads(found: SideBySide) -> None:
    """The whole comparison as files."""
    name = "palpate-" + "-or-".join(found.conditions)
    with st.container(horizontal=True):
        st.download_button("CSV", found.to_csv, f"{name}.csv", "text/csv", icon=":material/download:", on_click="ignore")
        st.download_button("JSON", lambda: json.dumps(found.to_dict(), ensure_ascii=False, indent=1), f"{name}.json",
                           "application/json", icon=":material/download:", on_click="ignore")  # fmt: skip
