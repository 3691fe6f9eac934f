"""Body map: regions of the body, drawn and listed, with the conditions and muscles in each."""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

import streamlit as st

from explorer import state
from explorer.clickable import clickable
from explorer.parts import cap, footer, knowledge, label, links, md, plural

_DRAWING = Path(__file__).parents[1] / "body.svg"


@cache
def _drawing() -> str:
    return _DRAWING.read_text(encoding="utf-8")


@st.cache_resource(show_spinner=False)
def _members(version: str, cls: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for node in knowledge().of_class(cls):
        for region in node.all("inRegion"):
            found.setdefault(region, []).append(node.slug)
    return {region: tuple(slugs) for region, slugs in found.items()}


def members(cls: str, region: str) -> tuple[str, ...]:
    """The individuals of a class that lie in a region or a part of it."""
    return _members(knowledge().version.sha256, cls).get(region, ())


def drawing(chosen: str) -> str:
    """The body with its regions as buttons; the chosen one, and all parts of it, marked."""
    within = {chosen, *(node.slug for node in knowledge().of_class("BodyRegion") if chosen in node.all("partOf"))} if chosen else set[str]()
    named: set[str] = set()

    def button(match: re.Match[str]) -> str:
        region = match[1]
        words = f"{cap(label(region))}: {plural(len(members('Condition', region)), 'condition')}"
        focus = "-1" if region in named else "0"  # both sides and views are one region: one stop of the keyboard
        named.add(region)
        return (f"<g data-region='{region}' data-pick='{region}' role='button' tabindex='{focus}' aria-label='{escape(words)}' "
                f"aria-pressed='{str(region in within).lower()}'><title>{escape(words)}</title>")  # fmt: skip

    return re.sub(r'<g data-region="([a-z-]+)">', button, _drawing())


def listing(chosen: str) -> None:
    """The same regions as a list, from the wide to the narrow."""
    regions = knowledge().of_class("BodyRegion")
    wide = [node for node in regions if not node.all("partOf")]
    for node in sorted(wide, key=lambda n: -len(members("Condition", n.slug))):
        parts = [n for n in regions if node.slug in n.all("partOf")]
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            for region in (node, *sorted(parts, key=lambda n: n.label)):
                count = len(members("Condition", region.slug))
                words = f"{cap(region.label) if region is node else region.label} ({count})"
                mark = ":material/check: " if region.slug == chosen else ""
                st.page_link("views/body_map.py", label=f"{mark}**{words}**" if region is node else f"{mark}{words}",
                             query_params={"region": region.slug})  # fmt: skip


def contents(region: str) -> None:
    """What lies in a region."""
    st.header(cap(label(region)), anchor="region")
    conditions = members("Condition", region)
    st.subheader(plural(len(conditions), "condition"), anchor=False)
    links("condition", conditions)
    if not conditions:
        st.caption("No condition of this graph lies here.")
    muscles = [slug for slug in members("Muscle", region) if knowledge()[slug].one("affectedBy")]
    others = [slug for slug in members("Muscle", region) if slug not in set(muscles)]
    if muscles:
        st.subheader(f"{plural(len(muscles), 'muscle')} that conditions affect", anchor=False)
        links("tissue", muscles)
    if others:
        box = st.expander(f"{plural(len(others), 'further muscle')}", key=f"muscles-{region}", on_change="rerun")
        if box.open:
            with box:
                links("tissue", others)
    st.page_link("views/evidence_map.py", label=f"Evidence map of this region: {md(label(region))}", icon=":material/grid_on:",
                 query_params={"region": region})  # fmt: skip


def page() -> None:
    """Draw the page."""
    regions = [node.slug for node in knowledge().of_class("BodyRegion")]
    st.title("Where does it hurt?", anchor=False)
    st.markdown("Choose a region on the drawing or in the list to see the conditions and muscles of this graph that lie there.")
    region = state.one_of("region", regions)
    left, right = st.columns([0.42, 0.58], gap="large")
    with left:
        picked = clickable(drawing(region), "body")
        if picked and picked != region:
            state.put(region=picked)
            st.rerun()
    with right:
        listing(region)
    if region:
        contents(region)
    footer()


page()
