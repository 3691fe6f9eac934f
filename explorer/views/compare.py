"""Compare: two to four techniques for one condition and client, or two to four conditions, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import streamlit as st

from explorer import client, side_by_side, state
from explorer.cards import CLASSES, explained, legend, score_html
from explorer.parts import (
    Html,
    cap,
    cite_html,
    engine,
    footer,
    knowledge,
    label,
    labels,
    link,
    md,
    plural,
    referring,
    short,
    table,
)
from explorer.state import View
from kg.errors import PalpateError
from kg.reasoning.conditions import MOST, SideBySide, compare_conditions
from kg.reasoning.rank import Entry, Ranking, Withheld, dose

_MOST = 4
_DEFAULT = 3
_OF = {"techniques": "Techniques for one condition", "conditions": "Conditions"}
_PARAMETERS = ("of", "technique")
_PROPERTIES = {
    "family": "Family",
    "pressure": "Pressure",
    "depth": "Depth",
    "intensity": "Intensity",
    "position": "Positions",
    "training": "Training",
    "thumbLoad": "Load on the thumb",
    "wristLoad": "Load on the wrist",
    "backLoad": "Load on the back",
}


def place(answer: Ranking, technique: str) -> Entry | Withheld | None:
    """Where a technique stands in an answer; None where it is not judged (a parent of others)."""
    listed = (*answer.recommended, *answer.adjuncts, *answer.discuss, *answer.withheld)
    return next((item for item in listed if item.technique == technique), None)


def pick(chosen: Sequence[str]) -> None:
    """The box for the techniques."""
    shown = state.options(knowledge().version.sha256, "Technique")
    state.keep("compared", list(chosen))
    st.multiselect(
        "Techniques to compare",
        shown,
        key="compared",
        format_func=shown.__getitem__,
        filter_mode="contains",
        max_selections=_MOST,
        placeholder="Two to four techniques",
        select_all=False,
        on_change=lambda: state.put(technique=state.picked(st.session_state["compared"])),
    )


def columns(answer: Ranking, chosen: Sequence[str]) -> None:
    """The comparison: a column for each technique, a row for each thing to weigh."""
    items = [place(answer, slug) for slug in chosen]
    entries = [explained(item, answer) if isinstance(item, Entry) else item for item in items]
    with st.container(horizontal=True, gap="small"):
        for slug in chosen:
            link("technique", slug, icon=":material/front_hand:")
    rows = [
        ("For this client", [_standing(answer, item) for item in entries]),
        (
            "Score",
            [
                Html(score_html(i.score, i.class_ == "unknown")) if isinstance(i, Entry) else "none: safety comes before score"
                for i in entries
            ],
        ),
        ("Why", [i.why(answer.knowledge) if isinstance(i, Entry) else "" for i in entries]),
        ("Evidence", [_evidence(i) if isinstance(i, Entry) else "" for i in entries]),
        ("Mechanism covers", [f"{i.score.plausibility:.0%} of the impairments" if isinstance(i, Entry) else "" for i in entries]),
        ("Certainty", [f"{i.certainty.level.replace('-', ' ')}: {i.certainty.reason}" if isinstance(i, Entry) else "" for i in entries]),
        ("Care", [_care(i) for i in entries]),
        ("Minutes for an area", [_minutes(slug) for slug in chosen]),
        *((words, [cap(labels(knowledge()[slug].all(prop))) for slug in chosen]) for prop, words in _PROPERTIES.items()),
    ]
    shown = [(Html(f"<b>{escape(name)}</b>"), *cells) for name, cells in rows if any(cells)]
    table(["", *(short(label(slug)) for slug in chosen)], shown, even=True)


def _standing(answer: Ranking, item: Entry | Withheld | None) -> Html:
    if item is None:
        return Html("<span class='soft'>A parent of other techniques, not ranked itself</span>")
    if isinstance(item, Withheld):
        return Html(f"<b class='against'>⊘ Withheld</b><span class='note'>{escape(knowledge()[item.level].definition)}</span>")
    lists = {"Recommended": answer.recommended, "Adjunct": answer.adjuncts, "Discuss with another profession": answer.discuss}
    kind, entries = next((name, found) for name, found in lists.items() if any(e.technique == item.technique for e in found))
    words = CLASSES[item.class_][2]
    return Html(f"<b>{kind}</b>, {item.rank} of {len(entries)}, band {item.band}<span class='note'>{escape(words)}</span>")


def _evidence(entry: Entry) -> Html:
    speaking = [o for o in entry.score.observations if o.successes + o.failures > 0]
    sources = dict.fromkeys(o.source for o in speaking)
    if not sources:
        return Html("<span class='soft'>No study or guideline in this graph speaks to it: unknown.</span>")
    cited = "".join(f"<li>{cite_html(slug)}</li>" for slug in sources)
    return Html(f"{entry.score.successes:.1f} for, {entry.score.failures:.1f} against"
                f"<details><summary>{plural(len(sources), 'source')}</summary><ul>{cited}</ul></details>")  # fmt: skip


def _care(item: Entry | Withheld | None) -> Html:
    if item is None:
        return Html("")
    reasons = item.cautions if isinstance(item, Entry) else item.because
    lines = dict.fromkeys(
        f"<b>{escape(short(r.label))}</b>: {escape(r.reason if isinstance(item, Withheld) else r.action)}" for r in reasons
    )
    return Html("<br>".join(lines) or "none stated")


def _minutes(technique: str) -> str:
    stated = dose(knowledge(), technique)
    minutes = stated["minutes"] if stated else None
    return f"{minutes[0]:g} to {minutes[1]:g}" if minutes else ""


def start() -> None:
    """What to do first."""
    st.markdown(
        "Choose a condition in the panel on the left, or here. The three best ranked techniques come first; put others beside them."
    )
    shown = state.options(knowledge().version.sha256, "Condition")
    st.selectbox(
        "Condition",
        shown,
        index=None,
        key="first-compared",
        format_func=shown.__getitem__,
        filter_mode="contains",
        placeholder="Name, synonym or ICD-10 code",
        on_change=lambda: state.put(condition=state.slug_of(st.session_state["first-compared"])),
    )


# ---------------------------------------------------------------------------------------------------- conditions
def conditions(view: View, chosen: Sequence[str]) -> None:
    """The chosen conditions side by side, once there are two."""
    pick_conditions(chosen)
    if len(chosen) < 2:
        st.markdown("Choose two to four conditions, to see what they share and what tells them apart.")
        return
    if len(chosen) > MOST:
        st.error(f"Compare 2 to {MOST} conditions; {len(chosen)} were given.", icon=":material/error:")
        return
    found = _compared(knowledge().version.sha256, tuple(chosen), str(replace(view, condition=None)), view)
    st.markdown(" ".join(client.chips(found.client)))
    if client.referred(found.referral):
        return
    side_by_side.draw(found)
    side_by_side.techniques(found)
    side_by_side.downloads(found)


@st.cache_resource(show_spinner=False, max_entries=64)
def _compared(version: str, chosen: Sequence[str], key: str, _view: View) -> SideBySide:
    return compare_conditions(engine(), chosen, _view.client())


def pick_conditions(chosen: Sequence[str]) -> None:
    """The box for the conditions, and links that put beside them what looks like one of them."""
    shown = state.options(knowledge().version.sha256, "Condition")
    state.keep("compared-conditions", list(chosen))
    st.multiselect("Conditions to compare", shown, key="compared-conditions", format_func=shown.__getitem__, filter_mode="contains",
                   max_selections=max(MOST, len(chosen)), placeholder="Two to four conditions", select_all=False,
                   on_change=lambda: state.put(condition=state.picked(st.session_state["compared-conditions"])))  # fmt: skip
    alike = {other for slug in chosen for node in referring("Resemblance", "resemblanceOf", slug) for other in node.all("resemblanceOf")}
    if alike.difference(chosen) and len(chosen) < MOST:
        params = {name: st.query_params.get_all(name) for name in st.query_params}
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            st.markdown(":gray[Looks alike; put beside]", width="content")
            for slug in sorted(alike.difference(chosen), key=lambda slug: label(slug).casefold()):
                st.page_link("views/compare.py", label=md(short(label(slug))), query_params=params | {"condition": [*chosen, slug]})


# ---------------------------------------------------------------------------------------------------- the page
def page() -> None:
    """Draw the page."""
    problems: list[PalpateError] = []
    of = state.one_of("of", list(_OF), "techniques")
    both = of == "conditions"
    chosen = state.choices("condition", "Condition", problems, None) if both else state.choices("technique", "Technique", problems, _MOST)
    view = state.read(_PARAMETERS, several=both)
    view = replace(view, problems=tuple({str(problem): problem for problem in (*view.problems, *problems)}.values()))
    with st.sidebar:
        client.controls(view, ("of", "condition") if both else _PARAMETERS, condition=not both)
    st.title(f"Compare {of}", anchor=False)
    state.keep("compare-of", of)
    st.segmented_control("Compare", list(_OF), key="compare-of", format_func=_OF.__getitem__, required=True, label_visibility="collapsed",
                         on_change=lambda: state.put(of=st.session_state["compare-of"], technique=None,
                                                     condition=st.query_params.get("condition")))  # fmt: skip
    if not client.not_understood(view, "views/compare.py", {"of": of, "condition": list(chosen)} if both else {}):
        if both:
            conditions(view, chosen)
        elif view.condition:
            compare(view, chosen)
        else:
            start()
    footer()


def compare(view: View, chosen: Sequence[str]) -> None:
    """The answer for a condition and a client, for the chosen techniques, else for the best ranked."""
    answer = client.ranked(view)
    if answer is None:
        return
    chosen = chosen or [entry.technique for entry in answer.recommended[:_DEFAULT]]
    pick(chosen)
    legend()
    columns(answer, chosen)


page()
