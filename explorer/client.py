"""The client: the widgets of the sidebar, the client in badges, and when a physician comes first."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import streamlit as st

from explorer import state
from explorer.parts import engine, knowledge, label, md, referring, safety_grounds_md, short
from explorer.state import View
from kg.reasoning.client import IRRITABILITY, Client
from kg.reasoning.rank import Ranking
from kg.reasoning.safety import Referral

_DEGREES = ("low", "moderate", "high")
_KEPT = "kept-parameters"


def controls(view: View, keep: Sequence[str] = (), condition: bool = True) -> None:
    """The widgets of the sidebar, set from the URL.

    Args:
        view: what the URL states.
        keep: further parameters of the page, which stay when the client changes.
        condition: whether the condition is chosen here.
    """
    st.session_state[_KEPT] = tuple(keep)
    version = knowledge().version.sha256
    conditions, hazards, flags = (state.options(version, cls) for cls in ("Condition", "Hazard", "RedFlag"))
    state.keep("phase", view.phase)
    state.keep("irritability", view.irritability)
    state.keep("hazards", list(view.hazards))
    state.keep("red-flags", list(view.red_flags))
    if condition:
        state.keep("condition", view.condition)
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
                   placeholder="Fever, night pain ...", select_all=False, on_change=_changed,
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
    kept = {name: st.query_params.get_all(name) for name in held[_KEPT]}
    state.rewrite(View(state.slug_of(held.get("condition")), held["phase"], held["irritability"], state.picked(held["hazards"]),
                       state.picked(held["red-flags"])), kept)  # fmt: skip


def not_understood(view: View, page: str, further: Mapping[str, str | list[str]] = MappingProxyType({})) -> bool:
    """Whether a word of the address was not understood; then it says which, and nothing may be ranked.

    Args:
        view: what the URL states.
        page: the page, to go on without the word.
        further: parameters of the page, which stay.
    """
    for problem in view.problems:
        st.error(md(problem.message), icon=":material/error:")
    if view.problems:
        st.markdown(
            "Nothing is ranked while a word of this address is not understood. Choose what was meant in the panel on the left, "
            "then go on without the word."
        )
        st.page_link(page, label="Go on without it", icon=":material/arrow_forward:", query_params=view.params() | dict(further))
    return bool(view.problems)


# ---------------------------------------------------------------------------------------------------- the client in an answer
def chips(client: Client) -> list[str]:
    """A client as badges, with what is not known."""
    phase = f":primary-badge[{client.phase.capitalize()}]" if client.phase else ":gray-badge[Phase not stated]"
    degree = f":primary-badge[Irritability {client.irritability}]" if client.irritability else ":gray-badge[Irritability not stated]"
    hazards = [f":orange-badge[:material/warning: {md(short(label(slug)))}]" for slug in client.hazards]
    flags = [f":red-badge[:material/flag: {md(label(slug))}]" for slug in client.red_flags]
    return [phase, degree, *(hazards or [":gray-badge[No hazard stated]"]), *flags]


def ranked(view: View) -> Ranking | None:
    """The answer for the client of a page beside Find, under a head that says for whom; None where a physician comes first."""
    state.remember(view)
    answer = engine().rank(view.condition or "", view.client(), explain=False)
    st.markdown(f"for **{md(label(answer.condition))}**")
    st.markdown(" ".join(chips(answer.client)))
    return None if referred(answer.referral) else answer


def referred(referral: Referral | None) -> bool:
    """Whether a physician comes first; a referral is drawn, one that need not stop treatment too."""
    if referral and referral.stops:
        refer(referral)
        return True
    if referral:
        review(referral)
    return False


def refer(referral: Referral) -> None:
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
