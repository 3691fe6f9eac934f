"""Before the table: red flags, history, findings and tests, one screen at a time, then on to the ranking or to a physician."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from explorer import state, walk
from explorer.adaptations import adaptations, date_boxes
from explorer.parts import cap, engine, facts, footer, knowledge, label, md, plural, safety_grounds_md, short
from explorer.walk import NO, SKIPPED, STEPS, YES, Asked, Walk
from kg.documents.letter import as_markdown, as_pdf
from kg.errors import PalpateError, UnknownName
from kg.reasoning.assess import NEGATIVE, POSITIVE, Candidate, Hint
from kg.reasoning.client import IRRITABILITY
from kg.reasoning.safety import URGENCIES, Referral
from kg.reasoning.screen import OLDEST, Question, Screening

_SHOWN, _HINTS = 8, 3
_DEGREES = ("low", "moderate", "high")
_ANSWERS = ((YES, "Yes", ":material/check:", "Alt+Y"), (NO, "No", ":material/close:", "Alt+N"),
            (SKIPPED, "Not asked", ":material/skip_next:", "Alt+S"))  # fmt: skip
_RESULTS = ((POSITIVE, "Positive", ":material/add:", "Alt+Y"), (NEGATIVE, "Negative", ":material/remove:", "Alt+N"),
            (SKIPPED, "Not done", ":material/skip_next:", "Alt+S"))  # fmt: skip
_INTRODUCTION = ("Find out who should see a physician first, and what the findings are consistent with. "
                 "Your answers stand in the address of this page and are kept nowhere else.")  # fmt: skip
_CLIENT = ("region", "complaint", "age", "sex", "phase", "irritability", "hazards")


# ---------------------------------------------------------------------------------------------------- the frame
def steps(here: Walk) -> None:
    """The steps as buttons, which write the address; the current one is framed, underlined and named as such."""
    place = list(STEPS).index(here.step)
    st.markdown(f":gray[Step {place + 1} of {len(STEPS)}: **{STEPS[here.step]}**]")
    with st.container(horizontal=True, gap="small", key="walk-steps"):
        for number, (step, name) in enumerate(STEPS.items(), 1):
            with st.container(width="content", key="walk-here" if step == here.step else f"walk-at-{step}"):
                st.button(f"{number}. {name}", key=f"step-{step}", disabled=number > 1 and not here.place, on_click=walk.write,
                          args=(here.at(step),))  # fmt: skip


def client_line(screening: Screening) -> None:
    """Who and what this is about, in one line."""
    what = label(screening.complaint) if screening.complaint else cap(", ".join(map(label, screening.regions)))
    person = screening.person
    age = "age not stated" if person.age is None else f"{person.age} years"
    st.markdown(f"**{md(what or 'Complaint not stated')}** · {age} · {person.sex or 'sex not stated'}")


def onward(here: Walk, words: str, primary: bool = True) -> None:
    """The button to the next step."""
    kind: Any = "primary" if primary else "secondary"
    with st.container(key="walk-onward"):
        st.button(words, type=kind, icon=":material/arrow_forward:", icon_position="right", key=f"onward-{here.step}",
                  on_click=walk.write, args=(here.following(),), width="stretch")  # fmt: skip


# ---------------------------------------------------------------------------------------------------- 1 complaint
def complaint(here: Walk, screening: Screening) -> None:
    """Where it hurts, what it is called, who it is."""
    st.header("Where does it hurt?", anchor=False)
    version = knowledge().version.sha256
    regions, conditions = state.options(version, "BodyRegion"), state.options(version, "Condition")
    _keep(here)
    left, right = st.columns(2, gap="small")
    left.selectbox("Region", regions, index=None, key="before-region", format_func=lambda o: cap(regions.get(o, o)), filter_mode="contains",
                   placeholder="Shoulder, low back, calf ...", accept_new_options=True, on_change=_changed)  # fmt: skip
    right.selectbox("Complaint, if it has a name (optional)", conditions, index=None, key="before-complaint", filter_mode="contains",
                    format_func=lambda o: conditions.get(o, cap(label(o)) if o in knowledge() else o), accept_new_options=True,
                    placeholder="Name, synonym or ICD-10 code", on_change=_changed)  # fmt: skip
    left, right = st.columns(2, gap="small")
    left.number_input("Age in years (optional)", 0, OLDEST, None, 1, key="before-age", on_change=_changed)
    right.pills("Sex (optional)", [node.slug.removeprefix("sex-") for node in knowledge().of_class("Sex")], key="before-sex",
                format_func=str.capitalize, on_change=_changed, help="Some diseases occur, or show themselves, by sex.")  # fmt: skip
    if here.place:
        onward(here, f"On to {plural(len(screening.questions), 'red-flag question')}")
    else:
        st.info("Name a region or a complaint to go on.", icon=":material/arrow_upward:")


def _keep(here: Walk) -> None:
    """Set the widgets from the address."""
    for name in ("region", "complaint", "age", "sex", "phase", "irritability"):
        state.keep(f"before-{name}", getattr(here, name))
    state.keep("before-hazards", list(here.hazards))


def _changed() -> None:
    """Write what the widgets of this step hold into the address."""
    here, _ = walk.read()
    held = {name: st.session_state[f"before-{name}"] for name in _CLIENT if f"before-{name}" in st.session_state}
    for name in held.keys() & {"region", "complaint"}:
        held[name] = state.slug_of(held[name])
    if "hazards" in held:
        held["hazards"] = state.picked(held["hazards"])
    walk.write(replace(here, **held))


# ---------------------------------------------------------------------------------------------------- one question
def question(here: Walk, asked: Asked) -> None:
    """One question or test with three large answers."""
    with st.container(border=True, key="walk-question"):
        if asked.test:
            st.markdown(f":primary-badge[:material/front_hand: Test] **{md(asked.label)}**")
        elif asked.urgency:
            st.markdown(f":gray-badge[:material/flag: If yes: {asked.urgency.replace('-', ' ')}] :gray[{md(asked.why)}]")
        st.header(md(asked.text), anchor=False)
        if before := here.answer_to(asked.slug):
            st.markdown(f"Answer so far: **{before}**")
        if asked.signs:
            st.markdown(f"**Positive if:** {md('; '.join(asked.signs))}")
        with st.container(horizontal=True, gap="small", key="walk-answers"):
            for answer, words, icon, keys in _RESULTS if asked.test else _ANSWERS:
                st.button(words, icon=icon, key=f"answer-{answer}-{asked.slug}", shortcut=keys, width="stretch", on_click=walk.write,
                          args=(here.answered(asked.slug, answer),))  # fmt: skip


def by_name(here: Walk, words: str, classes: Sequence[str]) -> None:
    """A box to ask about something of one's own choice, by any name."""
    version = knowledge().version.sha256
    names = {option: shown for cls in classes for option, shown in state.options(version, cls).items()}
    state.keep("before-ask", here.ask)
    st.selectbox(words, names, index=None, key="before-ask", format_func=lambda o: names.get(o, o), filter_mode="contains",
                 placeholder="Type a few letters", on_change=_ask)  # fmt: skip


def _ask() -> None:
    here, _ = walk.read()
    walk.write(replace(here, ask=state.slug_of(st.session_state["before-ask"])))


def answers(here: Walk) -> None:
    """All answers so far, each with the way to change it."""
    rows = [*((slug, YES) for slug in here.present), *((slug, NO) for slug in here.absent), *here.tests,
            *((slug, SKIPPED) for slug in here.skip)]  # fmt: skip
    if not rows:
        return
    with st.expander(f"Answers so far ({len(rows)}); choose one to change it", icon=":material/edit:", key="walk-go-answers"):
        for slug, answer in rows:
            again = replace(here.at("questions" if knowledge()[slug].is_a("RedFlag") else "findings"), ask=slug)
            st.button(f"**{cap(answer)}**: {md(label(slug))}", key=f"change-{slug}", type="tertiary", on_click=walk.write, args=(again,),
                      wrap=True)  # fmt: skip


# ---------------------------------------------------------------------------------------------------- 2 red flags
def questions(here: Walk, screening: Screening) -> None:
    """The red-flag questions, the one that may change most first."""
    open_ = [q for q in screening.questions if q.finding not in here.skip]
    done = sum(knowledge()[slug].is_a("RedFlag") for slug in (*here.present, *here.absent))
    left = len(screening.questions) - len(open_)
    st.progress(done / max(done + len(screening.questions), 1),
                f"{done} answered · {left} put off · {len(open_)} still open, the gravest and likeliest first")  # fmt: skip
    asked = walk.first_open(here, [Asked.of_question(q) for q in screening.questions])
    if asked:
        question(here, asked)
    else:
        st.success("No red-flag question is open.", icon=":material/check:")
    onward(here, "Enough asked, on to the history" if open_ else "On to the history", primary=not open_)
    by_name(here, "Ask about something else, by name", ("RedFlag",))
    answers(here)
    not_asked(screening.questions)


def not_asked(open_: Sequence[Question]) -> None:
    """Which questions have not been asked, by urgency; nobody may take silence for a no."""
    if not open_:
        return
    with st.expander(f"Not asked: {plural(len(open_), 'question')} ({_counts(open_)})", icon=":material/help:"):
        st.markdown("What was not asked is not excluded.")
        for urgency in URGENCIES:
            if found := [q for q in open_ if q.urgency == urgency]:
                st.markdown(f"**{cap(urgency.replace('-', ' '))}**\n\n" + "\n".join(f"- {md(q.question)}" for q in found))


def _counts(open_: Sequence[Question]) -> str:
    count = Counter(q.urgency for q in open_)
    return ", ".join(f"{count[urgency]} {urgency.replace('-', ' ')}" for urgency in URGENCIES if count[urgency])


# ---------------------------------------------------------------------------------------------------- 3 history
def history(here: Walk, screening: Screening) -> None:
    """Phase, irritability, hazards with their dates, and how to change the treatment for them."""
    st.header("What else is known of the client?", anchor=False)
    _keep(here)
    hazards = state.options(knowledge().version.sha256, "Hazard")
    phases = engine().gate.phases
    st.multiselect("Diseases, medicines, implants, operations, pregnancy ...", hazards, key="before-hazards", filter_mode="contains",
                   format_func=hazards.__getitem__, placeholder="Any name, also of a medicine", select_all=False,
                   on_change=_changed)  # fmt: skip
    date_boxes(here.hazards, here.dates, here.on, "before")
    st.pills("Phase", phases, key="before-phase", on_change=_changed, format_func=str.capitalize, help=_help(phases))
    st.pills("Irritability", _DEGREES, key="before-irritability", on_change=_changed, format_func=str.capitalize,
             help=_help(IRRITABILITY + degree for degree in _DEGREES))  # fmt: skip
    st.subheader("How to change the treatment", anchor=False)
    modifications(here, screening)
    onward(here, "On to findings and tests")


def _help(slugs: Iterable[str]) -> str:
    lines = [f"**{cap(label(slug))}**: {knowledge()[slug].definition}" for slug in slugs]
    return "\n\n".join(["Leave it open if it is not known.", *lines])


def modifications(here: Walk, screening: Screening) -> None:
    """The plan for all hazards together, or that there is none."""
    plan = engine().adapter.plan(here.client(), screening.complaint)
    if plan:
        adaptations(plan)
    else:
        st.markdown("No hazard is stated, so nothing is changed for one. What was not asked is not excluded.")


# ---------------------------------------------------------------------------------------------------- 4 findings
def findings(here: Walk, screening: Screening) -> None:
    """The question or test that is expected to tell most, until enough is known."""
    assessment = here.assessment(screening)
    count = len(assessment.screening.answers.present | assessment.screening.answers.absent) + len(here.tests)
    st.markdown(f":gray[{plural(count, 'answer')} so far. The question or test that is expected to tell most comes first.]")
    asked = walk.first_open(here, [Asked.of_next(step) for step in assessment.next])
    if asked:
        question(here, asked)
    else:
        st.info("The best questions and tests were put off. Choose one by name, or go on.", icon=":material/info:")
    onward(here, "See what it is consistent with", primary=False)
    by_name(here, "Another finding or test, by name", ("Finding", "OrthopedicTest"))
    answers(here)


# ---------------------------------------------------------------------------------------------------- 5 result
def result(here: Walk, screening: Screening) -> None:
    """What the answers are consistent with, on to the ranking, and the summary."""
    assessment = here.assessment(screening)
    st.header("Consistent with", anchor=False)
    st.markdown(f"**Confidence: {assessment.confidence}** ({md(assessment.confidence_reason)}). "
                "These are conditions that the answers fit, by how well they fit; it is not certain that it is one of them.")  # fmt: skip
    if here.red_flags:
        st.warning("The ranking weighs the red flags that are there once more: two weak ones of one disease refer together.",
                   icon=":material/flag:")  # fmt: skip
    if screening.complaint:
        _ranking(here, screening.complaint, f"Rank techniques for the complaint as it was named: {short(label(screening.complaint))}")
    for candidate in assessment.differential[:_SHOWN]:
        _candidate(here, candidate)
    rest = sum(candidate.probability for candidate in assessment.differential[_SHOWN:])
    _bar("All others together", rest, f"{plural(len(assessment.differential) - _SHOWN, 'condition')}", other=True)
    _bar("None of these", assessment.other, "Something that this graph does not hold", other=True)
    summary(here, screening)


def _candidate(here: Walk, candidate: Candidate) -> None:
    hints = [*map(_hint, candidate.supporting[:_HINTS]), *map(_hint, candidate.against[:_HINTS])]
    left, right = st.columns([0.72, 0.28], gap="small", vertical_alignment="center")
    with left:
        _bar(candidate.label, candidate.probability, "; ".join(hints) or "No answer speaks for or against it")
    with right:
        _ranking(here, candidate.condition, f"Rank techniques for {short(candidate.label)}")


def _hint(hint: Hint) -> str:
    said = {"present": "", "absent": " (not there)"}.get(hint.answer, f" ({hint.answer})")
    return f"{'+' if hint.ratio > 1 else '−'} {hint.label}{said}"


def _bar(name: str, probability: float, words: str, other: bool = False) -> None:
    """A probability as figure and bar, with what it rests on."""
    percent = f"{probability:.0%}" if probability >= 0.005 or not probability else "<1%"
    st.html(
        f"<div class='pal'><div class='pal-bar{' other' if other else ''}'><b>{escape(percent)}</b>"
        f"<span class='rail' role='img' aria-label='Probability {escape(percent)}'><i style='width:{probability:.1%}'></i></span>"
        f"<span class='text'><strong>{escape(name)}</strong><br><span class='soft'>{escape(words)}</span></span></div></div>"
    )


def _ranking(here: Walk, condition: str, words: str) -> None:
    with st.container(key=f"walk-go-{condition}-{len(words)}"):
        st.page_link("views/find.py", label=md(words), icon=":material/arrow_forward:", query_params=here.view(condition).params())


def summary(here: Walk, screening: Screening) -> None:
    """All that was asked and found, for the file of the client."""
    st.header("Summary", anchor=False)
    said(here, screening)
    st.subheader("How to change the treatment", anchor=False)
    modifications(here, screening)
    printer()
    answers(here)
    not_asked(screening.questions)


def said(here: Walk, screening: Screening) -> None:
    """All answers, and how much was not asked; on paper with lines for names."""
    open_, referral = screening.questions, screening.referral
    dates = {slug: f" ({', '.join(day.isoformat() for name, day in here.dates if name == slug)})" for slug, _ in here.dates}
    st.html("<p class='pal-paper'>Client: ____________________ Date: ______________ Therapist: ____________________</p>")
    facts([
        ("There", "; ".join(map(label, here.present)) or "nothing"),
        ("Not there", "; ".join(map(label, here.absent)) or "nothing"),
        ("Tests", "; ".join(f"{label(test)}: {found}" for test, found in here.tests) or "none"),
        ("Hazards", "; ".join(label(slug) + dates.get(slug, "") for slug in here.client().hazards) or "none stated"),
        ("Phase", here.phase or "not stated"),
        ("Irritability", here.irritability or "not stated"),
        ("Red flags not asked", f"{plural(len(open_), 'question')} ({_counts(open_)})" if open_ else "none"),
        ("Referral", referral.urgency.replace("-", " ") if referral else "none called for by what was asked; that excludes nothing"),
    ])  # fmt: skip


def printer() -> None:
    """A button that prints the page; on paper only its content remains."""
    script = "for (const button of document.querySelectorAll('.pal-print')) button.onclick = () => window.print()"
    st.html(f"<button class='pal-print' type='button'>Print this page</button><script>{script}</script>", unsafe_allow_javascript=True)


# ---------------------------------------------------------------------------------------------------- a referral
def refer(here: Walk, screening: Screening, referral: Referral) -> None:
    """The walk ends: what to do now, what to say, why, and the letter."""
    urgency = knowledge()[f"urgency-{referral.urgency}"]
    with st.container(border=True, key="referral"):
        icon = "emergency" if referral.urgency == "emergency" else "medical_services"
        st.header(f":red[:material/{icon}: {cap(urgency.label)}: do not treat]", anchor=False)
        st.markdown(f"**{md(urgency.definition)}**")
        st.subheader("What to do now", anchor=False)
        st.markdown("\n".join(f"1. {md(text)}" for text in screening.do_now))
        _say(screening)
        st.subheader("Why", anchor=False)
        _reasons(screening)
    letter(screening)
    st.markdown("The walk ends here: no technique is shown until a physician has seen the client.")
    st.subheader("Summary", anchor=False)
    said(here, screening)
    printer()
    answers(here)
    not_asked(screening.questions)
    with st.container(key="walk-go-back"):
        st.button("A new client", icon=":material/restart_alt:", key="new", on_click=walk.write, args=(Walk(),))


def review(screening: Screening) -> None:
    """A referral that need not stop gentle treatment: said above every step."""
    with st.container(border=True, key="review"):
        st.subheader(":orange[:material/medical_services: A physician should see this client soon]", anchor=False)
        with st.expander("Why, what to say, and the letter"):
            st.markdown("\n".join(f"- {md(text)}" for text in screening.do_now))
            _say(screening)
            _reasons(screening)
            letter(screening)


def _say(screening: Screening) -> None:
    if screening.to_client:
        st.subheader("What to say to the client", anchor=False)
        st.html(f"<blockquote class='pal-say'>“{escape(screening.to_client)}”</blockquote>")


def _reasons(screening: Screening) -> None:
    lines = []
    for reason in screening.referral.reasons if screening.referral else ():
        excluded = f"; to be excluded: **{md(reason.pathology_label)}**" if reason.pathology_label else ""
        sources = f"  \n  :small[{safety_grounds_md(reason.sources, '', reason.sourcing)}]" if reason.sources else ""
        lines.append(f"- {md(reason.label)}{excluded} ({reason.urgency.replace('-', ' ')}){sources}")
    st.markdown("\n".join(lines))


def letter(screening: Screening) -> None:
    """The letter of referral as files; it holds no name."""
    st.markdown("**Letter of referral** for the physician; names and date are left open.")
    with st.container(horizontal=True, key="walk-letter"):
        st.download_button("PDF", lambda: as_pdf(screening), "letter-of-referral.pdf", "application/pdf", icon=":material/download:",
                           key="letter-pdf", on_click="ignore")  # fmt: skip
        st.download_button("Markdown", lambda: as_markdown(screening), "letter-of-referral.md", "text/markdown", icon=":material/download:",
                           key="letter-md", on_click="ignore")  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the page
def not_understood(here: Walk, problems: Sequence[PalpateError]) -> None:
    """Which words of the address are not understood, with the nearest names to choose; nothing is said before that."""
    for problem in problems:
        st.error(md(problem.message), icon=":material/error:")
        if isinstance(problem, UnknownName):
            with st.container(horizontal=True, gap="small", key=f"walk-meant-{problem.name}"):
                for name in problem.nearest:
                    corrected = {key: [name if value == problem.name else value for value in st.query_params.get_all(key)]
                                 for key in st.query_params}  # fmt: skip
                    shown = label(name) if name in knowledge() else name
                    st.button(md(cap(shown)), icon=":material/arrow_forward:", key=f"meant-{problem.name}-{name}",
                              on_click=st.query_params.from_dict, args=(corrected,))  # fmt: skip
    st.markdown("Nothing is said while a word of this address is not understood.")
    st.button("Go on without it", icon=":material/arrow_forward:", key="without", on_click=walk.write, args=(here,))


_DRAW = {"complaint": complaint, "questions": questions, "history": history, "findings": findings, "result": result}


def page() -> None:
    """Draw the page."""
    st.html(Path(__file__).parents[1] / "walk.css")
    here, problems = walk.read()
    st.title("Before the table", anchor=False)
    if problems:
        not_understood(here, problems)
    else:
        screening = here.screening()
        if not here.place:
            here = here.at("complaint")
        if screening.referral and screening.referral.stops:
            client_line(screening)
            if here.ask:
                question(here, Asked.of_slug(here.ask))
            refer(here, screening, screening.referral)
        else:
            if here.step == "complaint":
                st.markdown(_INTRODUCTION)
            steps(here)
            if here.step != "complaint":
                client_line(screening)
            if screening.referral:
                review(screening)
            _DRAW[here.step](here, screening)
    footer()


page()
