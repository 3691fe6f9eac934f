"""Evidence map: conditions by techniques, what direct studies and guidelines say, how surely, and where nobody has looked."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from explorer import state
from explorer.clickable import clickable
from explorer.entity import studies
from explorer.parts import cap, engine, footer, knowledge, label, link, md, plural, save_csv, short
from kg.errors import PalpateError
from kg.reasoning.evidence_map import AGAINST, FOR, MIXED, OPEN, VERDICTS, Cell, EvidenceMap

SIGNS = {FOR: "+", MIXED: "±", AGAINST: "−", OPEN: "?"}
_ROWS, _COLUMNS = 25, 30
_CERTAINTY = {"certainty-high": 4, "certainty-moderate": 3, "certainty-low": 2, "certainty-very-low": 1}


@st.cache_resource(show_spinner=False)
def _found(version: str) -> EvidenceMap:
    return EvidenceMap(engine().model)


def found() -> EvidenceMap:
    """The map of the graph, made once."""
    return _found(knowledge().version.sha256)


def controls() -> tuple[str, str, str, bool]:
    """The filters: region, family, what the evidence says, and whether all rows and columns are wanted; all in the URL."""
    regions = {"": "All regions", **{n.slug: cap(n.label) for n in knowledge().of_class("BodyRegion")}}
    families = {"": "All families", **{n.slug: cap(n.label) for n in knowledge().of_class("TechniqueFamily")}}
    verdicts = {"": "Anything", **{name: f"{SIGNS[name]} {name}" for name in VERDICTS}}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        chosen = [_filter(name, words, options) for name, words, options in
                  (("region", "Region", regions), ("family", "Techniques", families), ("says", "Evidence says", verdicts))]  # fmt: skip
        whole = st.query_params.get("all") == "yes"
        state.keep("map-all", whole)
        st.toggle("Gaps too", key="map-all", help="Every condition and technique of the filter, also those without any study.",
                  on_change=lambda: state.put(all="yes" if st.session_state["map-all"] else None))  # fmt: skip
    return chosen[0], chosen[1], chosen[2], whole


def _filter(name: str, words: str, options: dict[str, str]) -> str:
    value, key = state.one_of(name, list(options)), f"map-{name}"
    state.keep(key, value)
    st.selectbox(
        words, options, key=key, format_func=options.__getitem__, width=220, on_change=lambda: state.put(**{name: st.session_state[key]})
    )
    return value


def matrix(conditions: Sequence[str], techniques: Sequence[str], says: str) -> str:
    """The matrix as HTML; a cell that has evidence is a button."""
    head = "".join(f"<th scope='col'><span>{escape(short(label(slug)))}</span></th>" for slug in techniques)
    body = "".join(
        f"<tr><th scope='row'>{escape(short(label(condition)))}</th>{''.join(_cell(condition, slug, says) for slug in techniques)}</tr>"
        for condition in conditions
    )
    frame = "<div class='pal-map' tabindex='0' role='region' aria-label='Evidence map'>"
    return f"{frame}<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(condition: str, technique: str, says: str) -> str:
    cell = found().cells.get((condition, technique))
    if cell is None or (says and cell.verdict != says):
        return "<td></td>"
    words = (
        f"{short(label(technique))} in {short(label(condition))}: {cell.verdict}, {plural(cell.statements, 'statement')}, {certainty(cell)}"
    )
    dots = "•" * _CERTAINTY.get(cell.certainty or "", 0)
    return (f"<td><button type='button' class='{cell.verdict}' data-pick='{escape(condition)} {escape(technique)}' title='{escape(words)}' "
            f"aria-label='{escape(words)}'><b>{SIGNS[cell.verdict]}</b>{cell.statements}<i>{dots}</i></button></td>")  # fmt: skip


def certainty(cell: Cell) -> str:
    """The certainty of a cell in words."""
    return f"certainty up to {label(cell.certainty)}" if cell.certainty else "certainty not stated"


def legend() -> None:
    """How to read a cell."""
    st.caption(
        "**+** for, **±** mixed, **−** against or no better than nothing, **?** inconclusive; the number counts statements; dots are the "
        "best certainty that a source states, from • very low to •••• high; an empty cell is a gap: nobody in this graph has looked. "
        "Choose a cell to read its statements."
    )


def detail(condition: str, technique: str) -> None:
    """The statements of one cell."""
    cell = found().cells.get((condition, technique))
    st.header(f"{short(label(technique))} in {short(label(condition))}", anchor="cell")
    with st.container(horizontal=True, gap="small"):
        link("condition", condition)
        link("technique", technique)
        st.page_link("views/find.py", label="Rank techniques for it", icon=":material/search:", query_params={"condition": condition})
    if cell is None:
        st.info("No statement on this very pair: a gap. What is known of more general ones counts at a discount in a ranking.")
        return
    st.markdown(
        f"**{SIGNS[cell.verdict]} {cap(cell.verdict)}** · {plural(cell.statements, 'statement')} of {plural(cell.sources, 'source')} · "
        f"{certainty(cell)}"
    )
    studies([knowledge()[slug] for slug in cell.slugs], "evidenceTechnique", "technique", opened=True)


def _within(region: str, family: str) -> tuple[list[str], list[str]]:
    conditions = [n.slug for n in knowledge().of_class("Condition") if not region or region in n.all("inRegion")]
    techniques = [n.slug for n in knowledge().of_class("Technique") if not family or n.one("family") == family]
    return found().most_studied(0, conditions), found().most_studied(1, techniques)


def page() -> None:
    """Draw the page."""
    st.title("Evidence map", anchor=False)
    st.markdown("What direct studies and guidelines say of each technique in each condition, and where nobody has looked.")
    region, family, says, whole = controls()
    conditions, techniques = _within(region, family)
    pairs = {pair for pair, cell in found().cells.items() if not says or cell.verdict == says}
    if not whole:
        rows, columns = {c for c, _ in pairs}, {t for _, t in pairs}
        conditions = [slug for slug in conditions if slug in rows][:_ROWS]
        shown = {t for c, t in pairs if c in set(conditions)}
        techniques = [slug for slug in techniques if slug in columns & shown][:_COLUMNS]
    held = [(c, t) for c in conditions for t in techniques if (c, t) in pairs]
    possible = len(conditions) * len(techniques)
    if not held:
        st.info("No evidence fits this filter.")
    else:
        st.markdown(
            f"**{plural(len(held), 'pair')}** of {possible} have evidence; {possible - len(held)} are gaps. "
            f":gray[{len(conditions)} conditions, "
            f"{len(techniques)} techniques, the most studied first.]"
        )
        legend()
        chosen = clickable(matrix(conditions, techniques, says), "evidence-map")
        if chosen:
            condition, _, technique = chosen.partition(" ")
            state.put(condition=condition, technique=technique)
        cells = [found().cells[pair] for pair in held]
        save_csv(
            ["condition", "technique", "verdict", "certainty", "statements", "sources", "studies"],
            [
                (
                    label(c.condition),
                    label(c.technique),
                    c.verdict,
                    label(c.certainty) if c.certainty else "",
                    c.statements,
                    c.sources,
                    c.studies,
                )
                for c in cells
            ],
            "palpate-evidence-map",
        )
    problems: list[PalpateError] = []
    at = state.choices("condition", "Condition", problems), state.choices("technique", "Technique", problems)
    for problem in problems:
        st.error(md(problem.message), icon=":material/search_off:")
    if at[0] and at[1]:
        detail(at[0][0], at[1][0])
    footer()


page()
