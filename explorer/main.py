"""The explorer's entry: page settings, style, the search box, and navigation."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `streamlit run explorer/main.py` knows only this folder
    sys.path.insert(0, str(ROOT))


def run() -> None:
    """Draw the page that the address names, in the frame of all pages."""
    import streamlit as st

    from explorer.search import search_box

    explorer = ROOT / "explorer"
    st.set_page_config(page_title="Palpate", page_icon=str(explorer / "icon.svg"), layout="wide")
    st.logo(str(explorer / "logo.svg"), size="large")
    st.html(explorer / "style.css")
    page = st.navigation(
        {
            "Decide": [
                st.Page("views/before.py", title="Before the table", icon=":material/checklist:"),
                st.Page("views/find.py", title="Find", icon=":material/search:", default=True),
                st.Page("views/plan.py", title="Plan", icon=":material/event_note:"),
                st.Page("views/compare.py", title="Compare", icon=":material/balance:"),
                st.Page("views/evidence_map.py", title="Evidence map", icon=":material/grid_on:"),
                st.Page("views/body_map.py", title="Body map", icon=":material/accessibility:"),
            ],
            "Explore": [
                st.Page("views/condition.py", title="Condition", icon=":material/personal_injury:"),
                st.Page("views/technique.py", title="Technique", icon=":material/front_hand:"),
                st.Page("views/tissue.py", title="Tissue", icon=":material/accessibility_new:"),
                st.Page("views/impairment.py", title="Impairment", icon=":material/trending_down:"),
                st.Page("views/effect.py", title="Effect", icon=":material/bolt:"),
                st.Page("views/hazard.py", title="Hazard", icon=":material/warning:"),
                st.Page("views/source.py", title="Source", icon=":material/article:"),
                st.Page("views/entity.py", title="Everything else", icon=":material/hub:"),
            ],
            "Learn": [
                st.Page("views/rationale.py", title="Rationale", icon=":material/account_tree:"),
                st.Page("views/learn.py", title="Quiz and cases", icon=":material/school:"),
            ],
            "Data": [
                st.Page("views/sparql.py", title="SPARQL lab", icon=":material/terminal:", url_path="lab"),
                st.Page("views/about.py", title="About", icon=":material/info:"),
            ],
        },
        position="top",
    )
    search_box()
    page.run()


if __name__ == "__main__":  # a process that starts while a page runs reads this file as its main module, and must draw nothing
    run()
