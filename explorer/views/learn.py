"""Learn: quizzes made from the graph, cases to walk through, and a deck of cards to take along."""

import re

import streamlit as st

from explorer import state
from explorer.parts import cite, engine, footer, knowledge, label, links, md, short, table
from kg.errors import PalpateError
from kg.learning import CONFIDENCE, KINDS, Answered, Question, Quiz, Session
from kg.learning.anki import deck
from kg.learning.questions import Step

_MODES = {"quiz": ":material/quiz: Quiz", "case": ":material/route: Case", "cards": ":material/style: Cards for Anki"}
_STARTING = ("technique", "contraindicated", "red-flag", "myth")
_ROUND, _CARDS, _COUNTS = 10, 120, range(20, 401, 20)
_SESSION, _SHOWN = "quiz-session", "quiz-shown"


@st.cache_resource(show_spinner=False)
def _quiz(version: str) -> Quiz:
    return Quiz(engine())


def quiz() -> Quiz:
    """The maker of questions for the graph."""
    return _quiz(knowledge().version.sha256)


def seed() -> int:
    """The number in the URL from which the questions follow, so that a link asks the same again."""
    stated = st.query_params.get("seed", "1")
    return int(stated) if re.fullmatch(r"[0-9]{1,8}", stated) else 1


def kinds() -> list[str]:
    """The kinds of questions that the URL asks for, with the widget that changes them."""
    chosen = state.all_of("kind", list(KINDS), _STARTING)
    state.keep("kinds", chosen)
    st.pills("What to ask", list(KINDS), selection_mode="multi", key="kinds", format_func=KINDS.__getitem__,
             on_change=lambda: state.put(kind=st.session_state["kinds"]))  # fmt: skip
    return chosen


# ---------------------------------------------------------------------------------------------------- quiz
def run_quiz() -> None:
    """One question after another, with what was not known coming back."""
    chosen = kinds()
    mark = (tuple(chosen), seed())
    if st.session_state.get("quiz-mark") != mark:
        st.session_state["quiz-mark"] = mark
        st.session_state[_SESSION] = Session(quiz().draw(chosen, _ROUND, seed()))
        st.session_state[_SHOWN] = None
    session: Session = st.session_state[_SESSION]
    shown: Answered | None = st.session_state[_SHOWN]
    if session.answers:
        progress(session)
    if shown:
        feedback(shown)
        st.button("Next", icon=":material/arrow_forward:", type="primary", on_click=_next, key="next")
    elif session.current:
        ask(session.current, len(session.answers))
    else:
        st.success("You know all of this round.", icon=":material/check_circle:")
    if session.answers and not shown:
        report(session)
    with st.container(horizontal=True):
        st.button("New questions", icon=":material/refresh:", key="new", on_click=lambda: state.put(seed=str(seed() + 1)))


def progress(session: Session) -> None:
    """How far the round is."""
    known = len({a.question.id for a in session.answers} - {q.id for q in session.queue})
    left = len({q.id for q in session.queue})
    st.progress(known / max(1, known + left), text=f"{known} known, {left} to go")


def ask(question: Question, turn: int) -> None:
    """A question, and how sure the answer is, before anything is shown."""
    mark = f"{turn}-{question.id}"
    with st.container(border=True, key="question"):
        st.caption(KINDS[question.kind])
        st.subheader(md(question.prompt), anchor=False)
        choice = st.radio("Your answer", range(len(question.choices)), index=None, key=f"choice-{mark}",
                          format_func=lambda i: md(question.choices[i].label))  # fmt: skip
        sure = st.segmented_control("How sure are you?", list(CONFIDENCE), key=f"sure-{mark}", format_func=CONFIDENCE.__getitem__)
        ready = choice is not None and sure is not None
        st.button("Check", type="primary", key="check", disabled=not ready, on_click=_answer, args=(choice, sure))
        if not ready:
            st.caption("Choose an answer and say how sure you are; then check it.")


def _answer(choice: int, sure: str) -> None:
    session: Session = st.session_state[_SESSION]
    after = session.answer(choice, sure)
    st.session_state[_SESSION], st.session_state[_SHOWN] = after, after.answers[-1]


def _next() -> None:
    st.session_state[_SHOWN] = None


def feedback(given: Answered) -> None:
    """Whether the answer was right, and why each choice is or is not."""
    with st.container(border=True, key="feedback"):
        st.caption(KINDS[given.question.kind])
        st.subheader(md(given.question.prompt), anchor=False)
        if given.right:
            st.success(
                "Right." if given.confidence != "guess" else "Right, though you guessed: it comes back.", icon=":material/check_circle:"
            )
        elif given.confidently_wrong:
            st.error("Wrong, and you were sure. This is the kind to remember.", icon=":material/priority_high:")
        else:
            st.warning("Not right. It comes back soon.", icon=":material/cancel:")
        solution(given.question, given.choice)


def solution(question: Question, chosen: int | None = None) -> None:
    """The choices with their reasons, the explanation and the sources."""
    lines = []
    for index, choice in enumerate(question.choices):
        icon = ":material/check:" if choice.right else ":material/close:"
        yours = " :gray[(your answer)]" if index == chosen else ""
        name = f"**{md(choice.label)}**" if choice.right else md(choice.label)
        lines.append(f"- {icon} {name}{yours}" + (f"  \n  :small[{md(choice.why)}]" if choice.why else ""))
    st.markdown("\n".join(lines))
    if question.explanation:
        st.markdown(md(question.explanation))
    links(None, question.about, "Read on")
    if question.sources:
        links("source", question.sources, "Sources")
    elif question.grounds:
        st.caption(f"Rests on: {md(question.grounds)}.")


def report(session: Session) -> None:
    """How sure the answers were against how often they were right, and the sure errors."""
    told = session.report()
    st.header("How well you know what you know", anchor="report")
    rows = [
        (CONFIDENCE[name], str(asked), str(right), f"{right / asked:.0%}" if asked else "")
        for name, (asked, right) in told.by_confidence.items()
    ]
    table(["You said", "Answers", "Right", "Share"], rows, numbers=(1, 2, 3))
    if told.confidently_wrong:
        st.subheader(":material/priority_high: Sure, and wrong", anchor=False)
        for given in {a.question.id: a for a in told.confidently_wrong}.values():
            st.markdown(f"- {md(given.question.prompt)}  \n  :small[You said {md(given.question.choices[given.choice].label)}; "
                        f"it is **{md(given.question.right.label)}**. {md(given.question.right.why)}]")  # fmt: skip


# ---------------------------------------------------------------------------------------------------- cases
def run_case() -> None:
    """A case, step by step; the next step opens when the one before is answered."""
    version = knowledge().version.sha256
    conditions, hazards = state.options(version, "Condition"), state.options(version, "Hazard")
    problems: list[PalpateError] = []
    condition = (state.choices("condition", "Condition", problems) or (_default("Condition"),))[0]
    hazard = (state.choices("hazard", "Hazard", problems) or (_default("Hazard"),))[0]
    for problem in problems:
        st.error(md(problem.message), icon=":material/search_off:")
    left, right = st.columns(2)
    with left:
        _choose("Condition", "condition", conditions, condition)
    with right:
        _choose("What the client mentions late", "hazard", hazards, hazard)
    steps = quiz().walk(condition, hazard, seed())
    if not steps:
        st.info("The graph holds too little on this condition for a case. Choose another.")
    for number, step in enumerate(steps, 1):
        if not _step(number, step, f"{condition}-{hazard}-{seed()}"):
            break
    st.button("The same case, other questions", icon=":material/refresh:", key="new-case", on_click=lambda: state.put(seed=str(seed() + 1)))
    st.page_link("views/find.py", label=f"The whole answer for {md(short(label(condition)))}", icon=":material/search:",
                 query_params={"condition": condition, "phase": "chronic", "hazard": hazard})  # fmt: skip


def _default(cls: str) -> str:
    """Somewhere to begin: the condition most studied, the hazard that withholds most."""
    if cls == "Condition":
        told = knowledge().group("TreatmentEvidence", "evidenceCondition")
        return max((n.slug for n in knowledge().of_class(cls) if n.one("inDepth")), key=lambda slug: (len(told.get((slug,), ())), slug))
    return max((n.slug for n in knowledge().of_class(cls) if n.all("skos:altLabel")), key=lambda slug: (_bars(slug), slug))


def _bars(hazard: str) -> int:
    barred = len(engine().gate.withheld_by(hazard))
    return barred if barred < len(quiz().facts.techniques) / 2 else 0


def _choose(words: str, name: str, options: dict[str, str], value: str) -> None:
    key = f"case-{name}"
    state.keep(key, value)
    st.selectbox(words, options, key=key, format_func=options.__getitem__, filter_mode="contains",
                 on_change=lambda: state.put(**{name: state.slug_of(st.session_state[key])}))  # fmt: skip


def _step(number: int, step: Step, case: str) -> bool:
    """One step; whether it has been answered."""
    question, key = step.question, f"case-{case}-{number}"
    with st.container(border=True, key=f"step-{number}"):
        st.subheader(f"{number}. {step.title}", anchor=False)
        st.markdown(md(step.story))
        choice = st.radio(md(question.prompt), range(len(question.choices)), index=None, key=key,
                          format_func=lambda i: md(question.choices[i].label))  # fmt: skip
        if choice is None:
            return False
        (st.success if question.choices[choice].right else st.warning)("Right." if question.choices[choice].right else "Not quite.")
        solution(question, choice)
    return True


# ---------------------------------------------------------------------------------------------------- cards
def run_cards() -> None:
    """A deck of cards for Anki."""
    chosen = kinds()
    st.markdown("A deck for [Anki](https://apps.ankiweb.net), which repeats each card when you are about to forget it. "
                "A card that you have learned stays learned when you import a newer deck.")  # fmt: skip
    count = int(state.one_of("cards", [str(number) for number in _COUNTS], str(_CARDS)))
    state.keep("cards", count)
    st.select_slider("Cards", _COUNTS, key="cards", on_change=lambda: state.put(cards=str(st.session_state["cards"])))

    def made() -> bytes:
        return deck(quiz().draw(chosen, count, seed()), "Palpate", lambda slug: ". ".join(filter(None, cite(slug)[:2])))

    st.download_button("Download the deck", made, "palpate.apkg", "application/octet-stream", icon=":material/download:", type="primary",
                       on_click="ignore")  # fmt: skip
    st.subheader("The first cards", anchor=False)
    for question in quiz().draw(chosen, 3, seed()):
        with st.expander(md(question.prompt)):
            solution(question)


def page() -> None:
    """Draw the page."""
    st.title("Learn", anchor=False)
    mode = state.one_of("mode", list(_MODES), "quiz")
    state.keep("mode", mode)
    st.segmented_control("How", list(_MODES), key="mode", format_func=_MODES.__getitem__, required=True, label_visibility="collapsed",
                         on_change=lambda: state.put(mode=st.session_state["mode"]))  # fmt: skip
    {"quiz": run_quiz, "case": run_case, "cards": run_cards}[mode]()
    footer()


page()
