"""The search box on every page: any entity by any name, as it is typed."""

from pathlib import Path

import streamlit as st

from explorer.parts import engine, kind_of, knowledge, label, name_of, page_of, short
from kg.graph.index import Hit

_KEY, _HITS = "search", 8
_HERE = Path(__file__).parent / "components"
_MARKUP = """<div class="pal-search"><label class="pal-hidden" for="pal-search-input">Search</label>
<input id="pal-search-input" type="search" role="combobox" aria-expanded="false" aria-controls="pal-search-list" aria-autocomplete="list"
 autocomplete="off" spellcheck="false" placeholder="Search: condition, technique, muscle, drug, source, code ...">
<ul id="pal-search-list" role="listbox" aria-label="Found" hidden></ul><div class="pal-hidden" role="status"></div></div>"""
_box = st.components.v2.component("palpate_search", html=_MARKUP, js=(_HERE / "search.js").read_text(), isolate_styles=False)


@st.fragment
def search_box() -> None:
    """Draw the box; it opens the page of the entity that is chosen, and that of any entity linked in a table."""
    text = str((st.session_state.get(_KEY) or {}).get("text") or "")
    hits = [_shown(hit) for hit in engine().names.search(text, _HITS)] if text.strip() else []
    _box(key=_KEY, data={"text": text, "hits": hits}, on_text_change=lambda: None)


def _shown(hit: Hit) -> dict[str, str]:
    """A hit as the box draws it: the name, its kind, and what tells it from others."""
    node = knowledge()[hit.slug]
    known = {hit.label.casefold(), hit.slug, node.one("dcterms:title").casefold()}
    found_by = hit.matched if hit.matched.casefold() not in known else ""
    context = found_by or ", ".join(label(slug) for slug in (*node.all("inRegion")[:2], *node.all("family"), *node.all("design")))
    return {"href": f"{page_of(hit.slug)}?id={hit.slug}", "name": short(name_of(hit.slug)), "kind": kind_of(hit.slug), "context": context}
