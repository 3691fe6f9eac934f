"""Drawings and tables of our own whose parts can be clicked."""

from pathlib import Path

import streamlit as st

_draw = st.components.v2.component(
    "palpate_clickable",
    html="<div class='pal pal-clickable'></div>",
    js=(Path(__file__).parent / "components" / "clickable.js").read_text(),
    isolate_styles=False,
)


def clickable(html: str, key: str) -> str | None:
    """Draw HTML that this code made; the `data-pick` of the part that was just chosen, else None.

    What comes from the graph must be escaped in it.
    """
    return _draw(key=key, data={"html": html}, on_picked_change=lambda: None).picked  # type: ignore[no-any-return]
