"""Rationale: why a technique may help a condition, as a flow, as a network, and in words."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer import client, state
from explorer.cards import claims, explained
from explorer.drawing import network, sankey
from explorer.parts import footer, knowledge, label, links, md, short, table
from explorer.state import View
from kg.errors import PalpateError
from kg.reasoning.explain import Rationale
from kg.reasoning.rank import Ranking

_FORMS = {"flow": ":material/waves: Flow", "network": ":material/hub: Network", "words": ":material/notes: In words"}
_BEST, _PATHS = 3, 24


def techniques(answer: Ranking, chosen: Sequence[str]) -> list[str]:
    """The techniques to explain: those chosen as far as they are not withheld, else the best ranked."""
    ranked = [entry.technique for entry in (*answer.recommended, *answer.adjuncts, *answer.discuss)]
    return [slug for slug in chosen if slug in ranked] or ranked[:_BEST]


def controls(answer: Ranking, shown: Sequence[str], form: str) -> str:
    """What to explain and in which form."""
    ranked = {entry.technique: f"{entry.rank}. {entry.label}" for entry in (*answer.recommended, *answer.adjuncts)}
    ranked |= {entry.technique: f"{entry.label} (discuss with another profession)" for entry in answer.discuss}
    state.keep("explained", list(shown))
    state.keep("form", form)
    left, right = st.columns([0.62, 0.38], vertical_alignment="bottom")
    left.multiselect("Techniques", ranked, key="explained", format_func=ranked.__getitem__, max_selections=4, select_all=False,
                     on_change=lambda: state.put(technique=st.session_state["explained"]))  # fmt: skip
    right.segmented_control("As", list(_FORMS), key="form", format_func=_FORMS.__getitem__, required=True,
                            on_change=lambda: state.put(form=st.session_state["form"]))  # fmt: skip
    return form


def meaning() -> None:
    """How to read the drawings."""
    st.caption(
        "Technique → effect → impairment → tissue. **Width** is strength: of the claim, of the relief, of the impairment in this "
        "condition. "
        "**Solid** was measured in a laboratory, **dashed** (paler in the flow) is taught only, **dotted** and **⇥** makes worse. "
        "A path is a reason to expect something, not a proof that it happens: the score weighs it against studies."
    )


def words(paths: Sequence[Rationale]) -> None:
    """The same paths as sentences, the weightiest first."""
    rows = [
        (
            r.text(knowledge()),
            f"{r.path.link.strength:.2f}",
            f"{r.path.relief_strength:.2f}",
            f"{r.need.weight:.0%}",
            f"{r.contribution:+.3f}",
        )
        for r in paths
    ]
    table(["Path", "Claim", "Relief", "Weight of the impairment", "Together"], rows, numbers=(1, 2, 3, 4))
    st.subheader("The claims behind them", anchor=False)
    claims(dict.fromkeys(r.path.link for r in paths))


def explain(view: View, chosen: Sequence[str], form: str) -> None:
    """The paths for a condition and a client."""
    answer = client.ranked(view)
    if answer is None:
        return
    barred = [slug for slug in chosen if slug in {item.technique for item in answer.withheld}]
    if barred:
        st.warning(
            f"Withheld for this client, so not explained as an option: {md(', '.join(map(label, barred)))}.", icon=":material/block:"
        )
    shown = techniques(answer, chosen)
    controls(answer, shown, form)
    entries = {entry.technique: entry for entry in (*answer.recommended, *answer.adjuncts, *answer.discuss)}
    paths = sorted((r for slug in shown for r in explained(entries[slug], answer).rationale), key=lambda r: -abs(r.contribution))
    if not paths:
        st.info("No effect of these techniques is known to reach an impairment of this condition.")
        return
    meaning()
    draw(paths[:_PATHS], form)
    if len(paths) > _PATHS:
        st.caption(f"The weightiest {_PATHS} of {len(paths)} paths.")
    st.header("On these paths", anchor="paths")
    links("technique", shown, "Techniques")
    links("effect", (r.path.link.effect for r in paths[:_PATHS]), "Effects")
    links("impairment", (r.path.impairment for r in paths[:_PATHS]), "Impairments")
    links("tissue", (r.need.tissue for r in paths[:_PATHS] if r.need.tissue), "Tissues")


def draw(paths: Sequence[Rationale], form: str) -> None:
    """The paths in the form that was asked for."""
    if form == "flow":
        settings = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}
        with st.container(key="flow"):
            st.plotly_chart(sankey(paths), width="stretch", key="sankey", config=settings)
        st.caption("The same in words: choose “In words” above. The camera at the drawing's corner saves it as SVG.")
    elif form == "network":
        network(paths, f"network-{'-'.join(sorted({r.path.link.technique for r in paths}))}")
    else:
        words(paths)


def start() -> None:
    """What to do first."""
    st.markdown("Choose a condition in the panel on the left, or here, to see by which effects techniques could reach its impairments.")
    shown = state.options(knowledge().version.sha256, "Condition")
    st.selectbox(
        "Condition",
        shown,
        index=None,
        key="first-explained",
        format_func=lambda option: short(shown[option]),
        filter_mode="contains",
        placeholder="Name, synonym or ICD-10 code",
        on_change=lambda: state.put(condition=state.slug_of(st.session_state["first-explained"])),
    )


def page() -> None:
    """Draw the page."""
    problems: list[PalpateError] = []
    chosen = state.choices("technique", "Technique", problems, 4)
    form = state.one_of("form", list(_FORMS), "flow")
    view = state.read(("technique", "form"))
    view = replace(view, problems=(*view.problems, *problems))
    with st.sidebar:
        client.controls(view, ("technique", "form"))
    st.title("Why may it help?", anchor=False)
    if not client.not_understood(view, "views/rationale.py"):
        if view.condition:
            explain(view, chosen, form)
        else:
            start()
    footer()


page()
