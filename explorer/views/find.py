"""Find: the techniques for a condition and a client, ranked, explained, and with what is unsafe withheld."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import streamlit as st

from explorer import state
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
from kg.reasoning.client import IRRITABILITY
from kg.reasoning.rank import Entry, Ranking, Withheld
from kg.reasoning.safety import Reason, Referral

_FIRST = 10
_DEGREES = ("low", "moderate", "high")
_EXAMPLES = 8
_LEVELS = {"emergency-referral": "Stop: emergency", "absolute": "Not at all", "medical-clearance": "Not before a physician agrees",
           "local": "Not at the site"}  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the client
def controls(view: View) -> None:
    """The widgets of the sidebar, set from the URL."""
    version = knowledge().version.sha256
    conditions, hazards, flags = (state.options(version, cls) for cls in ("Condition", "Hazard", "RedFlag"))
    state.keep("condition", view.condition)
    state.keep("phase", view.phase)
    state.keep("irritability", view.irritability)
    state.keep("hazards", list(view.hazards))
    state.keep("red-flags", list(view.red_flags))
    st.selectbox("Condition", conditions, index=None, key="condition", format_func=conditions.__getitem__, filter_mode="contains",
                 placeholder="Name, synonym or ICD-10 code", on_change=_changed)  # fmt: skip
    phases = engine().gate.phases
    st.pills("Phase", phases, key="phase", on_change=_changed, help=_help(phases), format_func=str.capitalize)
    st.pills("Irritability", _DEGREES, key="irritability", on_change=_changed, format_func=str.capitalize,
             help=_help(IRRITABILITY + degree for degree in _DEGREES))  # fmt: skip
    st.multiselect("Hazards of the client", hazards, key="hazards", format_func=hazards.__getitem__, filter_mode="contains",
                   placeholder="Medicine, disease, implant ...", select_all=False, on_change=_changed)  # fmt: skip
    ordered = _nearest_flags(view.condition, flags)
    st.multiselect("Red flags found", ordered, key="red-flags", format_func=flags.__getitem__, filter_mode="contains",
                   placeholder="Fever, night pain, saddle numbness ...", select_all=False, on_change=_changed,
                   help="Those of diseases that can look like the condition come first.")  # fmt: skip
    if view.params():
        st.button("New client", icon=":material/restart_alt:", on_click=state.write, args=(View(),), width="stretch")


def _help(slugs: Iterable[str]) -> str:
    nodes = [knowledge()[slug] for slug in slugs]
    return "Leave it open if you do not know.\n\n" + "\n\n".join(f"**{node.label.capitalize()}**: {node.definition}" for node in nodes)


def _nearest_flags(condition: str | None, flags: dict[str, str]) -> list[str]:
    """All options for red flags, those of diseases that mimic the condition first."""
    near = {node.one("redFlag") for node in referring("RedFlagIndication", "mimics", condition or "")}
    return sorted(flags, key=lambda option: state.slug_of(option) not in near)


def _changed() -> None:
    """Write what the widgets hold into the URL."""
    held = st.session_state
    state.rewrite(View(state.slug_of(held["condition"]), held["phase"], held["irritability"], state.picked(held["hazards"]),
                       state.picked(held["red-flags"])))  # fmt: skip


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
    st.markdown(":gray[The most studied]")
    with st.container(horizontal=True, gap="small"):
        for slug in _most_studied():
            st.page_link("views/find.py", label=short(label(slug)), query_params=replace(view, condition=slug).params())


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
        st.markdown(" ".join(_chips(answer)), width="content")
        st.page_link("views/condition.py", label="About this condition", icon=":material/menu_book:", query_params={"id": node.slug})
    st.html("<div class='pal pal-phone'>To change the client, open the panel at the top left (»).</div>")
    if not answer.in_depth:
        st.info(
            "This condition is not curated in depth yet: tissues and impairments may be missing, so mechanism counts for little.",
            icon=":material/info:",
        )


def _chips(answer: Ranking) -> list[str]:
    client = answer.client
    phase = f":primary-badge[{client.phase.capitalize()}]" if client.phase else ":gray-badge[Phase not stated]"
    degree = f":primary-badge[Irritability {client.irritability}]" if client.irritability else ":gray-badge[Irritability not stated]"
    hazards = [f":orange-badge[:material/warning: {md(short(label(slug)))}]" for slug in client.hazards]
    flags = [f":red-badge[:material/flag: {md(label(slug))}]" for slug in client.red_flags]
    return [phase, degree, *(hazards or [":gray-badge[No hazard stated]"]), *flags]


def refer(answer: Ranking, referral: Referral) -> None:
    """A referral that stops treatment: it stands alone."""
    urgency = knowledge()[f"urgency-{referral.urgency}"]
    with st.container(border=True, key="referral"):
        icon = "emergency" if referral.urgency == "emergency" else "medical_services"
        st.header(f":red[:material/{icon}: {urgency.label.capitalize()}: do not treat]", anchor=False)
        st.markdown(f"**{md(referral.action)}**")
        _referral_reasons(referral)
        st.markdown("No technique is shown until a physician has seen the client.")


def review(referral: Referral) -> None:
    """A referral that need not stop gentle treatment: a warning above the list."""
    with st.container(border=True, key="review"):
        st.subheader(":orange[:material/medical_services: A physician should see this client soon]", anchor=False)
        st.markdown(md(knowledge()[f"urgency-{referral.urgency}"].definition))
        _referral_reasons(referral)


def _referral_reasons(referral: Referral) -> None:
    lines = []
    for reason in referral.reasons:
        suspected = f" may point to **{md(reason.pathology_label.lower())}**" if reason.pathology_label else " is an emergency"
        sources = f"  \n  :small[{safety_grounds_md(reason.sources, '', reason.sourcing)}]" if reason.sources else ""
        lines.append(f"- {md(reason.label)}{suspected} ({reason.urgency.replace('-', ' ')}){sources}")
    st.markdown("\n".join(lines))


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
        refer(answer, answer.referral)
        return
    if answer.referral:
        review(answer.referral)
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
        st.info("No massage technique is left for this client.")
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
        controls(view)
        if not view.problems:
            date_boxes(view.hazards, view.dates, view.on, "find")
    for problem in view.problems:
        st.error(md(problem.message), icon=":material/error:")
    if view.problems:
        st.markdown(
            "Nothing is ranked while a word of this address is not understood. Choose what was meant in the panel on the left, "
            "then go on without the word."
        )
        st.page_link("views/find.py", label="Go on without it", icon=":material/arrow_forward:", query_params=view.params())
    elif not view.condition:
        start(view)
    else:
        state.remember(view)
        answer_for(view)
    footer()


page()
