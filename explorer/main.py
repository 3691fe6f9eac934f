"""The explorer's entry: page settings, style and navigation."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `streamlit run explorer/main.py` knows only this folder
    sys.path.insert(0, str(ROOT))

ICON, LOGO = str(ROOT / "explorer" / "icon.svg"), str(ROOT / "explorer" / "logo.svg")

st.set_page_config(page_title="Palpate", page_icon=ICON, layout="wide")
st.logo(LOGO, size="large")
st.html(ROOT / "explorer" / "style.css")
st.navigation(
    [
        st.Page("views/before.py", title="Before the table", icon=":material/checklist:"),
        st.Page("views/find.py", title="Find", icon=":material/search:", default=True),
        st.Page("views/condition.py", title="Condition", icon=":material/personal_injury:"),
        st.Page("views/technique.py", title="Technique", icon=":material/front_hand:"),
        st.Page("views/tissue.py", title="Tissue", icon=":material/accessibility_new:"),
        st.Page("views/hazard.py", title="Hazard", icon=":material/warning:"),
    ],
    position="top",
).run()
