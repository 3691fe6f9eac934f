"""The editor for SPARQL: coloring, completion, Ctrl+Enter."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_MARKUP = """<div class="pal pal-editor"><label class="pal-hidden" for="pal-editor-area">SPARQL query</label>
<div class="stack"><pre aria-hidden="true"></pre><textarea id="pal-editor-area"
 spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"></textarea></div><div class="offers" aria-live="polite"></div>
<div class="bar"><button type="button" class="run">Run</button><span class="soft">Ctrl+Enter runs · Tab completes a term</span>
</div></div>"""
_edit = st.components.v2.component(
    "palpate_editor", html=_MARKUP, js=(Path(__file__).parent / "components" / "editor.js").read_text(), isolate_styles=False
)


def editor(text: str, terms: Sequence[str], key: str) -> str | None:
    """Edit a query; the text when somebody runs it, else None. Another `text` replaces what stands there."""
    edited = _edit(
        key=key, data={"text": text, "given": text, "terms": list(terms)}, on_text_change=lambda: None, on_run_change=lambda: None
    )
    return edited.run  # type: ignore[no-any-return]
