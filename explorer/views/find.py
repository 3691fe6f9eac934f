"""Find: the techniques for a condition and a client, ranked, explained, and with what is unsafe withheld."""

import json
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer import client, state
from explorer.adaptations import adaptations, date_boxes
from explorer.cards import card, caution_lines, legend, shared
from explorer.parts import (
    disagreement_md,
    engine,
    footer,
    knowledge,
    label,
    links,
    md,
    plural,
    referring,
    safety_grounds_md,
    short,
)
from explorer.state import View
from kg.reasoning.adapt import ADAPT
from kg.reasoning.rank import Entry, Ranking, Withheld
from kg.reasoning.safety import Reason

_FIRST = 10
_EXAMPLES = 8
_DOORS = (
    ("body_map", "accessibility", "Where does it hurt?", "Point at the body; see the conditions and muscles there."),
    ("learn", "school", "Learn", "Quizzes and cases from the graph, with reason and source for each answer."),
    ("evidence_map", "grid_on", "What has been studied?", "Conditions by techniques: for, against, and the gaps."),
    ("sparql", "terminal", "Ask the graph", "SPARQL, with stored queries to start from."),
)
"""Page, icon, name, and what it is for."""
_LEVELS = {"emergency-referral": "Stop: emergency", "absolute": "Not at all", "medical-clearance": "Not before a physician agrees",
           "local": "Not at the site"}  # fmt: skip


# ---------------------------------------------------------------------------------------------------- before a condition is chosen
def start(view: View) -> None:
    """What to do first, for a visitor without a condition."""
    st.title("Which techniques help, and which are unsafe?")
    st.markdown("Choose a condition. Palpate ranks the techniques of orthopedic massage for it, says why, and withholds what is unsafe.")
    conditions = state.options(knowledge().version.sha256, "Condition")
    st.selectbox("Condition", conditions, index=None, key="first-condition", format_func=conditions.__getitem__, filter_mode="contains",
                 placeholder="Name, synonym or ICD-10 code", label_visibility="collapsed", on_change=_chosen, args=(view,))  # fmt: skip
    last = state.last()
    if last and last.condition:
        st.page_link(
            "views/find.py",
            label=f"Back to your last client: {md(short(label(last.condition)))}",
            icon=":material/undo:",
            query_params=last.params(),
        )
    st.page_link("views/before.py", label="Not sure what it is, or whether it is safe? Start before the table", icon=":material/checklist:")
    st.markdown(":gray[The most studied]")
    with st.container(horizontal=True, gap="small"):
        for slug in _most_studied():
            st.page_link("views/find.py", label=short(label(slug)), query_params=replace(view, condition=slug).params())
    doors()


def doors() -> None:
    """The other ways in, for those who do not come with a condition."""
    st.space("xsmall")
    for column, (page, icon, words, more) in zip(st.columns(len(_DOORS), gap="small"), _DOORS, strict=True):
        with column.container(border=True, gap="xsmall", height="stretch"):
            st.page_link(f"views/{page}.py", label=f"**{words}**", icon=f":material/{icon}:")
            st.caption(more)


def _most_studied() -> list[str]:
    deep = [node.slug for node in knowledge().of_class("Condition") if node.one("inDepth")]
    return sorted(deep, key=lambda slug: -len(referring("TreatmentEvidence", "evidenceCondition", slug)))[:_EXAMPLES]


def _chosen(view: View) -> None:
    state.write(replace(view, condition=state.slug_of(st.session_state["first-condition"])))


# ---------------------------------------------------------------------------------------------------- the answer
def head(answer: Ranking) -> None:
    """The condition, the client as chips, and what is not known."""
    node = knowledge()[answer.condition]
    st.title(node.label, anchor=False)
    st.markdown(md(node.definition))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(" ".join(client.chips(answer.client)), width="content")
        st.page_link("views/condition.py", label="About this condition", icon=":material/menu_book:", query_params={"id": node.slug})
        view = View(answer.condition, answer.client.phase, answer.client.irritability, answer.client.hazards, answer.client.red_flags)
        st.page_link("views/plan.py", label="Plan sessions", icon=":material/event_note:", query_params=view.params())
        st.page_link("views/compare.py", label="Compare techniques", icon=":material/balance:", query_params=view.params())
        st.page_link("views/rationale.py", label="Why these", icon=":material/account_tree:", query_params=view.params())
    st.html("<div class='pal pal-phone'>To change the client, open the panel at the top left (»).</div>")
    if not answer.in_depth:
        st.info(
            "This condition is not curated in depth yet: tissues and impairments may be missing, so mechanism counts for little.",
            icon=":material/info:",
        )


def withheld_line(answer: Ranking) -> None:
    """How many techniques are withheld and for which hazards, with the way to the reasons."""
    hazards = dict.fromkeys(short(reason.label) for item in answer.withheld for reason in item.because)
    if hazards:
        count = plural(len(answer.withheld), "technique")
        st.warning(f"**{count} withheld** because of: {md(', '.join(hazards))}. [See which and why](#withheld)", icon=":material/block:")


def ranked(title: str, entries: Sequence[Entry], answer: Ranking, kind: str, first: int) -> None:
    """A list of techniques in their bands, the first few until all are asked for."""
    st.header(title, anchor=kind)
    if kind == "adjuncts":
        st.caption(md(knowledge()["scope-adjunct"].definition))
    common = shared(entries)
    if common:
        with st.container(border=True):
            st.markdown("  \n".join(["**With every technique of this list**", *caution_lines(common)]))
    whole = f"all-{kind}-{answer.condition}"
    everything = st.session_state.get(whole, False)
    band = 0
    for entry in entries if everything else entries[:first]:
        if entry.band != band and entries[-1].band > 1:
            band = entry.band
            st.markdown(f":gray[**Band {band}** · {_band_words(band)}]")
        card(entry, answer, common, f"{kind}-")
    if len(entries) > first and not everything:
        st.button(f"Show all {len(entries)}", icon=":material/expand_more:", key=f"more-{kind}", on_click=_show_all, args=(whole,))


def _show_all(whole: str) -> None:
    st.session_state[whole] = True


def _band_words(band: int) -> str:
    return "these cannot be told apart by the evidence" if band == 1 else "told apart from the band above, not from each other"


def withheld(items: Sequence[Withheld]) -> None:
    """The withheld techniques, by hazard, level and reason."""
    st.header("Withheld", anchor="withheld")
    groups: dict[tuple[str, str], dict[Reason, list[str]]] = {}
    for item in items:
        for reason in item.because:
            rule = replace(reason, where="")
            groups.setdefault((reason.hazard, reason.level), {}).setdefault(rule, []).append(item.technique)
    for (hazard, level), rules in groups.items():
        with st.container(border=True, gap="small", key=f"withheld-{hazard}-{level}"):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.page_link("views/hazard.py", label=f"**{md(label(hazard))}**", query_params={"id": hazard})
                st.markdown(f":red-badge[:material/block: {_LEVELS.get(level, level)}]", width="content")
            for reason, techniques in rules.items():
                _rule(reason, techniques)


def _rule(reason: Reason, techniques: Sequence[str]) -> None:
    circumstance = f" (if: {md(reason.circumstance)})" if reason.circumstance else ""
    grounds = safety_grounds_md(reason.sources, reason.basis, reason.sourcing)
    lines = [f"{md(reason.reason)}{circumstance}. **Instead:** {md(reason.action)}", f":small[:gray[{grounds}]]" if grounds else "",
             disagreement_md(reason.disagreement, reason.disputed_by)]  # fmt: skip
    st.markdown("  \n".join(filter(None, lines)))
    links("technique", techniques)


def discuss(answer: Ranking) -> None:
    """What is outside a massage therapist's scope, collapsed, and drawn when somebody opens it."""
    box = st.expander(
        f"Discuss with another profession ({len(answer.discuss)})", icon=":material/groups:", key="discuss", on_change="rerun"
    )
    if box.open:
        with box:
            st.caption("Outside a massage therapist's scope; never a recommendation.")
            for entry in answer.discuss:
                card(entry, answer, kind="discuss-")


def downloads(view: View) -> None:
    """The whole answer as files."""

    def rank() -> Ranking:
        return engine().rank(view.condition or "", view.client())

    with st.container(horizontal=True):
        st.download_button(
            "CSV", lambda: rank().to_csv(), f"palpate-{view.condition}.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
        st.download_button("JSON", lambda: json.dumps(rank().to_dict(), ensure_ascii=False, indent=1), f"palpate-{view.condition}.json",
                           "application/json", icon=":material/download:", on_click="ignore")  # fmt: skip


def questions(condition: str) -> None:
    """The questions that rule out what can look like the condition."""
    asked = [node for node in referring("RedFlagIndication", "mimics", condition) if node.one("question")]
    if asked:
        with st.expander(
            f"Before you start: {plural(len({n.one('question') for n in asked}), 'question')} on what can look like this",
            icon=":material/quiz:",
        ):
            by_pathology: dict[str, list[str]] = {}
            for node in asked:
                by_pathology.setdefault(node.one("pathology"), []).append(node.one("question"))
            st.markdown(
                "\n".join(
                    f"- **{md(label(pathology))}**: {md(' '.join(dict.fromkeys(texts)))}" for pathology, texts in by_pathology.items()
                )
            )


def answer_for(view: View) -> None:
    """The answer for a condition and a client."""
    answer = engine().rank(view.condition or "", view.client(), explain=False)
    head(answer)
    if answer.referral and answer.referral.stops:
        client.refer(answer.referral)
        return
    if answer.referral:
        client.review(answer.referral)
    withheld_line(answer)
    if answer.modifications:
        held = answer.modifications.decision != ADAPT
        with st.expander("How to change the treatment for this client", icon=":material/tune:", expanded=held):
            adaptations(answer.modifications)
    questions(answer.condition)
    if answer.recommended:
        legend()
        ranked("Techniques, best first", answer.recommended, answer, "recommended", _FIRST)
    else:
        st.info(answer.nothing_left, icon=":material/info:")
    if answer.adjuncts:
        ranked("Adjuncts", answer.adjuncts, answer, "adjuncts", 3)
    if answer.discuss:
        discuss(answer)
    if answer.withheld:
        withheld(answer.withheld)
    downloads(view)


def page() -> None:
    """Draw the page."""
    view = state.read()
    with st.sidebar:
        client.controls(view)
        if not view.problems:
            date_boxes(view.hazards, view.dates, view.on, "find")
    if not client.not_understood(view, "views/find.py"):
        if view.condition:
            state.remember(view)
            answer_for(view)
        else:
            start(view)
    footer()


page()
