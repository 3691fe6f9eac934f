"""The editor for SPARQL: coloring, completion, Ctrl+Enter."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

_MARKUP = """<div class="pal pal-editor"><label class="pal-hidden" for="pal-editor-area">SPARQL query</label>
<div class="stack"><pre aria-hidden="true"></pre><textarea id="pal-editor-area"
 spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"></textarea></div><div class="offers" aria-live="polite"></div>
<div class="bar"><button type="button" class="run">Run</button><span class="soft">Ctrl+Enter runs · Tab completes a term, Alt+↓ marks
 the next</span></div></div>"""
_edit = st.components.v2.component(
    "palpate_editor", html=_MARKUP, js=(Path(__file__).parent / "components" / "editor.js").read_text(), isolate_styles=False
)


def editor(text: str, complete: Callable[[str], Sequence[tuple[str, str]]], key: str) -> str | None:
    """Edit a query; the text when somebody runs it, else None. Another `text` replaces what stands there.

    Args:
        text: what stands there first.
        complete: for the word before the caret, the terms that complete it, each with its name in words or an empty one.
        key: the widget's key.
    """
    word = str((st.session_state.get(key) or {}).get("word") or "")
    data = {"text": text, "word": word, "offers": list(complete(word)) if word else []}
    return _edit(key=key, data=data, on_word_change=lambda: None, on_run_change=lambda: None).run  # type: ignore[no-any-return]
