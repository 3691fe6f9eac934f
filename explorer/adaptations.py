"""How treatment is changed for a client, and the dates that such changes hang on."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from explorer import state
from explorer.parts import cap, cite_md, facts, knowledge, label, labels, md, short
from kg.reasoning.adapt import ADAPT, CLEAR, REFER, WITHHOLD, Instruction, Limit, ModificationPlan
from kg.reasoning.client import date_means

_DECISIONS = {
    REFER: ("red", "emergency", "Refer now: no hands-on work"),
    WITHHOLD: ("red", "block", "No hands-on work"),
    CLEAR: ("orange", "medical_services", "Not before a physician agrees; what follows holds after that"),
    ADAPT: ("green", "tune", "Treat, with these changes"),
}
"""Color, icon and words of what a plan comes to; icon and words say it without the color."""
_EARLIEST = date(1900, 1, 1)


# ---------------------------------------------------------------------------------------------------- dates
def date_boxes(hazards: Sequence[str], dates: Sequence[tuple[str, date]], on: date | None, key: str) -> None:
    """A box for the date of each hazard on which one of its rules depends, and one for the session where a date is given."""
    dated = [(slug, means) for slug in hazards if (means := date_means(knowledge(), slug))]
    if not dated:
        return
    session = on or date.today()
    held = {slug: max(day for name, day in dates if name == slug) for slug in {name for name, _ in dates}}
    for slug, means in dated:
        box = f"{key}-date-{slug}"
        state.keep(box, held.get(slug))
        st.date_input(
            f"{short(label(slug))}: date of {means}", value=None, key=box, min_value=min(_EARLIEST, held.get(slug, session)),
            max_value=session, format="YYYY-MM-DD", on_change=_dated, args=(slug, box, session),
            help="Leave it open if it is not known. Then the stricter rule holds.",
        )  # fmt: skip
    if held:
        state.keep(f"{key}-session", session)
        st.date_input("Date of the session", key=f"{key}-session", min_value=max(held.values()), on_change=_session, format="YYYY-MM-DD",
                      max_value=max(session, date.today() + timedelta(days=3650)), args=(f"{key}-session",))  # fmt: skip


def _dated(hazard: str, box: str, session: date) -> None:
    state.put_date(hazard, st.session_state[box], session)


def _session(box: str) -> None:
    st.query_params["on"] = st.session_state[box].isoformat()


# ---------------------------------------------------------------------------------------------------- the plan
def adaptations(plan: ModificationPlan) -> None:
    """What to change for all hazards together: the decision, the limits, and each instruction with what it rests on."""
    color, icon, words = _DECISIONS[plan.decision]
    with st.container(border=True, key="adaptations", gap="small"):
        st.markdown(f":{color}[:material/{icon}: **{words}**]")
        if plan.conflict:
            st.markdown(md(plan.conflict))
        _held(plan)
        minutes = f"at most {plan.minutes} ({labels(plan.minutes_hazards)})" if plan.minutes else ""
        facts([
            ("Position, possible", ", ".join(limit.label for limit in plan.positions_left) if plan.positions_avoided else ""),
            ("Position, not", "; ".join(map(_limit, plan.positions_avoided))),
            ("Pressure, at most", _limit(plan.pressure) if plan.pressure else ""),
            ("Leave out", "; ".join(map(_limit, plan.regions_avoided))),
            ("Minutes", minutes),
        ])  # fmt: skip
        if plan.instructions:
            st.markdown("\n".join(map(_instruction, plan.instructions)))


def _held(plan: ModificationPlan) -> None:
    """For each hazard what holds hands-on work back and what would lift it, and where work may go on."""
    lines = [f"- **{md(short(standing.label))}**: {md(text)}" for standing in plan.hazards
             for text in dict.fromkeys([*(f"{reason.reason}. {reason.action}" for reason in standing.held_by), standing.where])
             if text]  # fmt: skip
    if lines:
        st.markdown("\n".join(lines))


def _limit(limit: Limit) -> str:
    """A limit with the hazards that set it."""
    return f"{limit.label} ({', '.join(map(short, map(label, limit.hazards)))})"


def _instruction(instruction: Instruction) -> str:
    grounds = " · ".join(map(cite_md, instruction.sources)) or f"{label(instruction.basis)}, no source read"
    because = ", ".join(md(short(label(slug))) for slug in instruction.hazards)
    return f"- **{md(cap(instruction.label))}.** {md(instruction.text)} :gray[({because})]  \n  :small[:gray[{grounds}]]"
