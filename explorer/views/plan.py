"""Plan: sessions that build on each other for a condition and a client, to be changed, followed and taken along."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

import kg
from explorer import client, sessions, state
from explorer.cards import CLASSES
from explorer.parts import cap, cite_html, folded_sources, footer, knowledge, label, link, md, plural, short
from explorer.sessions import PARAMETERS, Question, Work
from kg.documents.plan import FORMATS, export
from kg.documents.plan_text import Block, blocks, frame_line, span, tissue_names, withheld_lines
from kg.reasoning.plan.edit import alternatives, drop, move, record, retime, swap
from kg.reasoning.plan.follow import Progress, follow
from kg.reasoning.plan.planner import MINUTES, SESSIONS

Data = Mapping[str, Any]
_STYLE = Path(__file__).parents[1] / "plan.css"
_LARGEST = 4
"""Megabytes of a file that may be opened."""
_FILES = (
    ("pdf", "For the therapist", "picture_as_pdf", "The plan with goals, steps and rules, on two pages at most."),
    ("client-pdf", "For the client", "home", "What to do at home and when to call, on one page in large type."),
    ("markdown", "Text", "description", "The whole plan as Markdown, with reasons and evidence."),
    ("ics", "Calendar", "calendar_month", "The sessions as an iCalendar file; it needs the day of the first session."),
    ("fhir", "FHIR", "local_hospital", "A FHIR R4 bundle; it names no person."),
    ("json", "JSON", "data_object", "All of it, with your changes and scores, to be opened here again."),
)
"""Format, name, icon and what it is."""
_VERDICTS = {
    "met": ("green", "The smallest change that matters is reached."), "on-course": ("green", "On the expected course."),
    "behind": ("orange", "Behind the expected course."), "worse": ("red", "Worse by as much as matters: see when to stop."),
    "unclear": ("gray", "Too little to tell yet."),
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the question
def start(question: Question) -> None:
    """What to do first, where no condition is chosen."""
    st.title("Plan sessions that build on each other", anchor=False)
    st.markdown("Choose a condition. Palpate plans sessions from what it ranks as safe and useful for the client, and says why.")
    conditions = state.options(knowledge().version.sha256, "Condition")
    st.selectbox("Condition", conditions, index=None, key="first-condition", format_func=conditions.__getitem__, filter_mode="contains",
                 placeholder="Name, synonym or ICD-10 code", label_visibility="collapsed", on_change=_chosen, args=(question,))  # fmt: skip
    last = state.last()
    if last and last.condition:
        st.page_link("views/plan.py", label=f"Plan for your last client: {md(short(label(last.condition)))}", icon=":material/undo:",
                     query_params=last.params())  # fmt: skip
    opener(question)


def _chosen(question: Question) -> None:
    view = replace(question.view, condition=state.slug_of(st.session_state["first-condition"]))
    st.query_params.from_dict(replace(question, view=view).params())


def asked(question: Question, work: Work) -> None:
    """How many sessions, how long, and from which day."""
    course = work.plan["course"] or {}
    state.keep("plan-sessions", question.sessions)
    state.keep("plan-minutes", None if question.minutes is None else round(question.minutes))
    state.keep("plan-start", question.start)
    with st.container(key="asked"):
        left, middle, right = st.columns(3)
        left.number_input("Sessions", *SESSIONS, None, 1, key="plan-sessions", on_change=_asked, args=(question,),
                          placeholder=f"{course.get('sessions', '')}, as planned")  # fmt: skip
        middle.number_input("Minutes of one session", *MINUTES, None, 5, key="plan-minutes", on_change=_asked, args=(question,),
                            placeholder=f"{work.plan['context']['minutes']:g}, as planned")  # fmt: skip
        right.date_input("Day of the first session", None, key="plan-start", on_change=_asked, args=(question,), format="YYYY-MM-DD")


def _asked(question: Question) -> None:
    held = st.session_state
    st.query_params.from_dict(
        replace(question, sessions=held["plan-sessions"], minutes=held["plan-minutes"], start=held["plan-start"]).params()
    )


# ---------------------------------------------------------------------------------------------------- the course
def head(question: Question) -> None:
    """The condition, the client, and the way back to the ranking."""
    node = knowledge()[question.view.condition or ""]
    st.title(f"Plan: {node.label}", anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(" ".join(client.chips(sessions.made(question).client)), width="content")
        st.page_link("views/find.py", label="Ranking of techniques", icon=":material/search:", query_params=question.view.params())
    st.html("<div class='pal pal-phone'>To change the client, open the panel at the top left (»).</div>")


def course(question: Question, plan: Data) -> None:
    """The phases and sessions on a line of weeks."""
    st.markdown(md(frame_line(plan)))
    for words in filter(None, (plan["note"], plan["replan"])):
        st.info(md(words), icon=":material/info:")
    last = plan["sessions"][-1]["day"]
    whole = max(last, 1) * 1.08
    by_number = {session["number"]: session for session in plan["sessions"]}
    rows = []
    for part in plan["phases"]:
        first, end = part["sessions"]
        own = [session for number, session in by_number.items() if first <= number <= end]
        if not own:
            continue
        left, right = own[0]["day"] / whole, (own[-1]["day"] + 0.04 * max(last, 1)) / whole
        dots = "".join(
            f"<span class='dot' style='left:calc({s['day'] / whole:.2%} + 0.5rem)' title='{escape(_when(s, question.start))}'></span>"
            for s in own)  # fmt: skip
        rows.append(
            f"<div class='row'><div class='name'><b>{escape(part['name'])}</b> <span class='soft'>{_many(first, end)}</span></div>"
            f"<div class='line' role='img' aria-label='{escape(part['name'])}: {_many(first, end)}, {escape(_span(own))}'>"
            f"<span class='band' style='left:{left:.2%};width:calc({max(right - left, 0.01):.2%} + 0.35rem)'></span>{dots}</div></div>"
        )  # fmt: skip
    weeks = last // 7 + 1
    step = max(1, -(-weeks // 6))
    marks = "".join(f"<span style='left:{7 * week / whole:.2%}'>{'Week ' if not week else ''}{week + 1}</span>"
                    for week in range(0, weeks, step))  # fmt: skip
    axis = f"<div class='row axis'><div class='name'></div><div class='weeks'>{marks}</div></div>"
    st.html(f"<div class='pal plan-course'>{''.join(rows)}{axis}</div>")


def _many(first: int, end: int) -> str:
    return f"session {first}" if first == end else f"sessions {first} to {end}"


def _span(own: Sequence[Data]) -> str:
    weeks = [session["week"] for session in own]
    return f"week {span(weeks)}" if weeks[0] == weeks[-1] else f"weeks {span(weeks)}"


def _when(session: Data, first: date | None) -> str:
    day = f", {date.fromordinal(first.toordinal() + int(session['day'])):%a %Y-%m-%d}" if first else f", day {session['day'] + 1:g}"
    return f"Session {session['number']}{day}"


# ---------------------------------------------------------------------------------------------------- files
def downloads(question: Question, plan: dict[str, Any]) -> None:
    """The plan as files."""
    with st.container(horizontal=True, gap="small", key="files"):
        for format, name, icon, words in _FILES:
            media, extension = FORMATS[format]
            lacking = format == "ics" and question.start is None
            st.download_button(
                name, partial(_file, plan, format, question.start), f"palpate-{plan['condition']['slug']}-{format}.{extension}", media,
                key=f"file-{format}", help=words, icon=f":material/{icon}:", on_click="ignore", disabled=lacking,
            )  # fmt: skip


def _file(plan: dict[str, Any], format: str, first: date | None) -> bytes:
    return export(kg.planner(), plan, format, first).content


def opener(question: Question) -> None:
    """A saved plan, opened again."""
    with st.expander("Open a saved plan", icon=":material/upload_file:"):
        st.caption("The JSON file of a plan. It is checked anew, and kept only in this browser session.")
        st.file_uploader("JSON file", "json", key="plan-file", max_upload_size=_LARGEST, label_visibility="collapsed",
                         on_change=_opened, args=(question.start,))  # fmt: skip
    if (refused := sessions.refused_file()) and st.session_state.get("plan-file"):
        st.error("**The file was not opened.**\n\n" + "\n".join(f"- {md(why)}" for why in refused), icon=":material/block:")


def _opened(first: date | None) -> None:
    if file := st.session_state["plan-file"]:
        sessions.load(file.getvalue(), first)


# ---------------------------------------------------------------------------------------------------- goals
def goals(question: Question, plan: Data) -> None:
    """What is to be reached, with a place for the first score of each measure."""
    st.header("Goals", anchor="goals")
    scores = {s["measure"]: s["score"] for s in plan["scores"] if s["session"] == 1}
    for goal in plan["goals"]:
        with st.container(border=True, gap="xsmall"):
            left, right = st.columns([0.7, 0.3], gap="medium", vertical_alignment="center")
            numbers = [f"smallest change that matters {goal['mcid']:g}" if goal["mcid"] is not None else "",
                       f"smallest change beyond error {goal['mdc']:g}" if goal["mdc"] is not None else "",
                       f"target {goal['target']:g}" if goal["target"] is not None else ""]  # fmt: skip
            aims = ", ".join([goal["label"], *(label(slug) for slug in goal["also"] if slug in knowledge())])
            left.markdown(f"**{md(goal['text'])}**  \n:gray[For: {md(aims.lower())}. {md(cap('; '.join(filter(None, numbers))))}]")
            left.html(f"<div class='pal'>{folded_sources(s for s in goal['sources'] if s in knowledge())}</div>")
            key = f"first-{goal['measure']}"
            state.keep(key, scores.get(goal["measure"], goal["baseline"]))
            right.number_input("First score", 0.0, None, None, 0.5, "%.1f", key=key, placeholder="not measured yet", on_change=_first,
                               args=(question.key, goal["measure"]))  # fmt: skip


def _first(key: str, measure: str) -> None:
    score = st.session_state[f"first-{measure}"]
    sessions.change(key, "goals", lambda plan: record(plan, measure, 1, score))


# ---------------------------------------------------------------------------------------------------- sessions
def all_sessions(question: Question, work: Work) -> None:
    """The sessions by phase; sessions that follow each other with the same steps as one."""
    st.header("Sessions", anchor="sessions")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Each change is checked at once, and refused with its reason where it is unsafe.", width="stretch")
        st.button("Undo", icon=":material/undo:", key="undo", on_click=sessions.undo, args=(question.key,), disabled=not work.past)
    phases = {part["phase"]: part for part in work.plan["phases"]}
    shown = None
    for block in blocks(work.plan):
        slug = block.session["phase"]
        if slug != shown and slug in phases:
            shown = slug
            _phase(phases[slug])
        _block(question, work, block)


def _phase(part: Data) -> None:
    st.subheader(md(part["name"]), anchor=False)
    st.markdown(md(part["aim"]))
    lists = "".join(f"<details><summary>{title}</summary><ul>{''.join(f'<li>{escape(c)}</li>' for c in part[key])}</ul></details>"
                    for title, key in (("Go on when", "progress_when"), ("Go back when", "regress_when")))  # fmt: skip
    st.html(f"<div class='pal plan-criteria'>{lists}</div>")


def _block(question: Question, work: Work, block: Block) -> None:
    session, place = block.session, f"block-{block.numbers[0]}"
    many = "Sessions" if len(block.numbers) > 1 else "Session"
    weeks = f"{'weeks' if block.weeks[0] != block.weeks[1] else 'week'} {span(block.weeks)}"
    with st.container(border=True, gap="small", key=place):
        st.markdown(f"**{many} {span(block.numbers)}** :gray[· {weeks} · {session['minutes']:g} minutes, talk included]")
        if work.refused[0] == place:
            st.error("**Not changed.** " + "  \n".join(md(why) for why in work.refused[1]), icon=":material/block:")
        for step in session["steps"]:
            _step(question, work.plan, block, step, place)
        measured = [goal["measure_label"] for goal in work.plan["goals"] if goal["measure"] in session["reassess"]]
        lines = [f":material/straighten: **Measure:** {md(', '.join(measured))}." if measured else "",
                 f":material/home: **At home:** {md(', '.join(i['label'] for i in session['home_care']))}." if session["home_care"] else ""]
        st.markdown("  \n".join(filter(None, lines)))


def _step(question: Question, plan: Data, block: Block, step: Data, place: str) -> None:
    order = step["order"]
    before = sum(other["technique"] == step["technique"] for other in block.session["steps"][: order - 1])
    name = f"{place}-{step['technique']}" + (f"-{before + 1}" if before else "")  # calming work may come again to integrate
    color, icon, words = CLASSES.get(step["evidence"]["class"], ("gray", "help", str(step["evidence"]["class"])))
    role = md(kg.planner().facts.roles[step["role"]].label) if step["role"] in kg.planner().facts.roles else md(step["role"])
    edit = partial(_edit, question.key, place, block.numbers, order)
    with st.container(gap="xsmall", key=f"step-{name}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            link("technique", step["technique"], f"{order}. {step['label']}")
            st.markdown(f":primary-badge[{step['minutes']:g} min] :gray-badge[{role}] :{color}-badge[:material/{icon}: {words}]",
                        width="content")  # fmt: skip
            with st.container(horizontal=True, gap="xsmall", width="content"):
                st.button("Earlier", icon=":material/arrow_upward:", key=f"up-{name}", type="tertiary", disabled=order == 1,
                          on_click=edit, args=(move, order - 1))  # fmt: skip
                st.button("Later", icon=":material/arrow_downward:", key=f"down-{name}", type="tertiary",
                          disabled=order == len(block.session["steps"]), on_click=edit, args=(move, order + 1))  # fmt: skip
                box = st.popover("Change", icon=":material/tune:", key=f"open-{name}", type="tertiary", on_change="rerun")
                if box.open:
                    with box:
                        _changes(plan, block, step, name, edit)
        st.html(_step_html(step))


def _edit(key: str, place: str, numbers: Sequence[int], order: int, change: Any, *arguments: Any) -> None:
    sessions.change(key, place, lambda plan: change(kg.planner(), plan, numbers, order, *arguments))


def _changes(plan: Data, block: Block, step: Data, name: str, edit: Any) -> None:
    """What can be done with a step: other minutes, another technique, none."""
    if len(block.numbers) > 1:
        st.caption(f"Changes sessions {span(block.numbers)}, which are alike.")
    state.keep(f"minutes-{name}", float(step["minutes"]))
    st.number_input("Minutes", 0.5, float(MINUTES[1]), None, 0.5, "%.1f", key=f"minutes-{name}", on_change=_retimed,
                    args=(edit, f"minutes-{name}"))  # fmt: skip
    found = alternatives(kg.planner(), plan, block.numbers[0], step["order"])
    aim = step["serves"][0]["label"].lower() if step["serves"] else "the same"
    st.markdown(f"**Instead, for {md(aim)}**" if found else ":gray[Nothing else that this client may have serves this within the session.]")
    for other in found:
        evidence = f"{CLASSES[other.class_][2].lower()}, {other.role.label.lower()}"
        st.button(f"{md(other.label)} :gray[{evidence}, {other.minutes:g} min]", key=f"swap-{name}-{other.technique}", on_click=edit,
                  args=(swap, other.technique), width="stretch")  # fmt: skip
    techniques = state.options(knowledge().version.sha256, "Technique")
    st.selectbox("Any other technique", techniques, index=None, key=f"other-{name}", format_func=techniques.__getitem__,
                 filter_mode="contains", placeholder="Name", on_change=_swapped, args=(edit, f"other-{name}"))  # fmt: skip
    st.button("Leave this step out", icon=":material/delete:", key=f"drop-{name}", on_click=edit, args=(drop,), width="stretch")


def _retimed(edit: Any, key: str) -> None:
    if st.session_state[key] is not None:
        edit(retime, st.session_state[key])


def _swapped(edit: Any, key: str) -> None:
    if slug := state.slug_of(st.session_state[key]):
        edit(swap, slug)


def _step_html(step: Data) -> str:
    """Where, what for, how much, why here, on what evidence, and with what care."""
    dose, evidence = step["dose"], step["evidence"]
    where = tissue_names(step, {t: label(t) for t in step["tissues"] if t in knowledge()})
    against = ", ".join(label(t).lower() for t in step["antagonists"] if t in knowledge())
    opposed = f" <span class='soft'>(against: {escape(against)})</span>" if against else ""
    serves = "; ".join(dict.fromkeys(s["label"].lower() for s in step["serves"]))
    texts = "".join(f"<li>{escape(s['text'])}</li>" for s in step["serves"])
    most = f"discomfort at most {dose['discomfort_most']:g} of 10" if dose["discomfort_most"] is not None else ""
    doses = "; ".join(part.rstrip(".;, ") for part in (dose["repetitions"], dose["pressure"], most) if part)
    low, high = evidence["interval"]
    lines = [
        f"<div><span class='soft'>On</span> {escape(where)}{opposed}</div>" if where else "",
        f"<div><span class='soft'>For</span> {escape(serves)}</div>" if serves else "",
        f"<div><span class='soft'>Dose</span> {escape(doses)}.</div>",
        f"<div><span class='soft'>Why here</span> {escape(step['why_here'])}</div>" if step["why_here"] else "",
        *(f"<div class='care'>⚠ <b>{escape(about)}</b>: {escape('; '.join(cares))}</div>" for about, cares in _cares(step).items()),
        f"<details><summary>By which path, on what evidence</summary><ul>{texts}</ul>"
        f"<div class='soft'>Certainty {escape(evidence['certainty'].replace('-', ' '))}; score {evidence['score']:.2f}, "
        f"90% interval {low:.2f} to {high:.2f}</div>{_cited(step['sources'])}</details>",
    ]  # fmt: skip
    return f"<div class='pal plan-step'>{''.join(lines)}</div>"


def _cares(step: Data) -> dict[str, list[str]]:
    """What to take care of in a step, by that which asks for it."""
    found: dict[str, list[str]] = {}
    for about, care in dict.fromkeys((c["label"], c.get("where") or c["action"]) for c in step["cautions"]):
        found.setdefault(short(about), []).append(care)
    return found


def _cited(slugs: Sequence[str]) -> str:
    items = "".join(f"<li>{cite_html(slug)}</li>" for slug in slugs if slug in knowledge())
    return f"<ul>{items}</ul>" if items else "<div class='soft'>No study speaks to it.</div>"


# ---------------------------------------------------------------------------------------------------- home care
def home(plan: Data) -> None:
    """What the client does at home, from when on, in the client's words."""
    seen: set[str] = set()
    groups = []
    for session in plan["sessions"]:
        if fresh := [item for item in session["home_care"] if item["item"] not in seen]:
            seen.update(item["item"] for item in fresh)
            groups.append((session["number"], fresh))
    if not groups:
        return
    st.header("At home", anchor="home")
    most = kg.planner().facts["plan-home-items-most"]
    st.caption(f"At most {most:g} at a time: the line at the foot of each session names what holds from "
               "then on. What is new is told here.")  # fmt: skip
    for number, items in groups:
        st.markdown(f":gray[**From session {number}**]")
        cards = "".join(
            f"<div class='item'><b>{escape(i['label'])}</b><p>{escape(i['instruction'])}</p><p><span class='soft'>How much:</span> "
            f"{escape(i['dose'])}</p><p><span class='soft'>Then:</span> {escape(i['progression'])}</p>"
            f"<p><span class='soft'>Stop:</span> {escape(i['stop'])}</p></div>" for i in items)  # fmt: skip
        st.html(f"<div class='pal plan-home'>{cards}</div>")
    if plan["advice"]:
        st.markdown(" ".join(md(words) for words in plan["advice"]))


# ---------------------------------------------------------------------------------------------------- follow-up
def follow_up(question: Question, work: Work) -> None:
    """Scores by session, against the expected course."""
    plan = work.plan
    if not plan["goals"]:
        return
    st.header("Follow-up", anchor="follow-up")
    st.caption("Scores stay in this browser session and in the JSON that you save. No server keeps them.")
    measures = {goal["measure"]: goal["measure_label"] for goal in plan["goals"]}
    with st.form("score", border=True):
        left, middle, right = st.columns([0.5, 0.25, 0.25])
        left.selectbox("Measure", measures, key="score-measure", format_func=measures.__getitem__)
        middle.selectbox("Session", [s["number"] for s in plan["sessions"]], key="score-session")
        right.number_input("Score", 0.0, None, None, 0.5, "%.1f", key="score-value", placeholder="number")
        st.form_submit_button("Put in", icon=":material/add:", on_click=_scored, args=(question.key,))
    if work.refused[0] == "score":
        st.error("  \n".join(md(why) for why in work.refused[1]), icon=":material/block:")
    for progress in follow(plan):
        _progress(question, plan, progress)
    if plan["expected"]:
        cited = [s for s in plan["expected"]["sources"] if s in knowledge()]
        st.html(f"<div class='pal'><span class='soft'>Expected course: {escape(plan['expected']['summary'])}</span> "
                f"{folded_sources(cited)}</div>")  # fmt: skip


def _scored(key: str) -> None:
    held = st.session_state
    measure, session, score = held["score-measure"], held["score-session"], held["score-value"]
    if score is not None:
        sessions.change(key, "score", lambda plan: record(plan, measure, session, score))


def _unscored(key: str, measure: str, session: int) -> None:
    sessions.change(key, "score", lambda plan: record(plan, measure, session, None))


def _progress(question: Question, plan: Data, progress: Progress) -> None:
    color, words = _VERDICTS[progress.verdict]
    with st.container(border=True, gap="xsmall", key=f"progress-{progress.measure}"):
        st.markdown(f"**{md(progress.label)}**  \n:{color}-badge[{words}]")
        goal = next(goal for goal in plan["goals"] if goal["measure"] == progress.measure)
        st.altair_chart(_chart(goal, progress), width="stretch")
        if goal["mcid"]:
            st.caption(f"Gray: less than {goal['mcid']:g} from the first score, a change too small to matter.")
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            for session, score in progress.scores:
                st.button(f"Session {session}: {score:g}", icon=":material/close:", key=f"unscore-{progress.measure}-{session}",
                          type="tertiary", help="Take this score out", on_click=_unscored,
                          args=(question.key, progress.measure, session))  # fmt: skip


def _chart(goal: Data, progress: Progress) -> Any:
    """Scores and the expected course by session; the band is a change too small to matter."""
    import altair as alt

    x = alt.X("session:Q", title="Session", axis=alt.Axis(tickMinStep=1, format="d", grid=False))
    y = alt.Y("score:Q", title="Score", scale=alt.Scale(zero=False, nice=True))
    start, layers = progress.scores[0][1], []
    last = progress.expected[-1][0] if progress.expected else max(progress.scores[-1][0], 2)
    if goal["mcid"]:
        band = [{"session": n, "score": start - goal["mcid"], "upper": start + goal["mcid"]} for n in (1, last)]
        layers.append(alt.Chart(alt.Data(values=band)).mark_area(opacity=0.12, color="#6b8589").encode(x=x, y=y, y2="upper:Q"))
    lines = [{"session": n, "score": s, "line": "Scores"} for n, s in progress.scores]
    lines += [{"session": n, "score": s, "line": "Expected"} for n, s in progress.expected]
    both = alt.Chart(alt.Data(values=lines)).encode(
        x=x, y=y,
        color=alt.Color("line:N", title=None, scale=alt.Scale(domain=["Scores", "Expected"], range=["#0e8a84", "#b0793a"]),
                        legend=alt.Legend(orient="top", symbolType="stroke")),
        strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=["Scores", "Expected"], range=[[1, 0], [5, 4]]), legend=None),
    )  # fmt: skip
    points = both.transform_filter("datum.line == 'Scores'").mark_point(filled=True, size=70)
    told = "; ".join(f"session {n}: {s:g}" for n, s in progress.scores)
    return alt.layer(*layers, both.mark_line(strokeWidth=2), points).properties(
        height=220, description=f"{progress.label}. {told}. {_VERDICTS[progress.verdict][1]}")  # fmt: skip


# ---------------------------------------------------------------------------------------------------- limits
def limits(plan: Data) -> None:
    """When to measure, when to stop, what comes after, what is withheld."""
    if plan["sessions"]:
        st.header("Reassess", anchor="reassess")
        full = max(len(s["reassess"]) for s in plan["sessions"])
        times = [str(s["number"]) for s in plan["sessions"] if full and len(s["reassess"]) == full]
        short_ = [str(s["number"]) for s in plan["sessions"] if 0 < len(s["reassess"]) < full]
        first = plan["goals"][0]["measure_label"] if plan["goals"] else ""
        between = f" {md(first)} alone at {', '.join(short_)}." if short_ else ""
        st.markdown(f"All measures at session {', '.join(times)}.{between}" if times else "No session of this plan has a measure.")
    st.header("Stop, and refer, when", anchor="stop")
    rules = [s for s in plan["stop_and_refer_when"] if not s["red_flag"]]
    flags = [s for s in plan["stop_and_refer_when"] if s["red_flag"]]
    due = [f" (session {s['by_session']})" if s["by_session"] else "" for s in rules]
    items = "".join(f"<li>{escape(s['text'])}{by}</li>" for s, by in zip(rules, due, strict=True))
    st.html(f"<div class='pal plan-stop'><ul>{items}</ul></div>")
    if flags:
        rows = "".join(
            f"<li><span class='urgency'>{escape(cap(s['urgency'].replace('-', ' ')))}:</span> {escape(s['text'])} "
            f"<span class='soft'>{escape(s['question'] or '')}</span></li>" for s in flags)  # fmt: skip
        with st.expander(f"{plural(len(flags), 'red flag')} of what looks like this condition", icon=":material/flag:"):
            st.html(f"<div class='pal plan-stop'><ul>{rows}</ul></div>")
    if plan["maintenance"]:
        m = plan["maintenance"]
        st.header("Afterward", anchor="afterward")
        st.markdown(f"{m['times']:g} more, every {m['every_weeks']:g} weeks. {md(m['reason'])}")
        st.html(f"<div class='pal'>{folded_sources(s for s in m['sources'] if s in knowledge())}</div>")
    if held := withheld_lines(plan):
        st.header("Withheld", anchor="withheld")
        st.markdown("\n".join(f"- {md(line)}" for line in held))


# ---------------------------------------------------------------------------------------------------- the page
def answer_for(question: Question) -> None:
    """The plan for what was asked, or the referral alone."""
    plan = sessions.made(question)
    head(question)
    if plan.referral and plan.referral.stops:
        client.refer(plan.referral)
        return
    if plan.referral:
        client.review(plan.referral)
    work = sessions.work(question)
    asked(question, work)
    if not work.plan["sessions"]:
        st.info(md(work.plan["note"] or "Nothing can be planned for this client."), icon=":material/info:")
        opener(question)
        limits(work.plan)
        return
    course(question, work.plan)
    downloads(question, work.plan)
    opener(question)
    goals(question, work.plan)
    all_sessions(question, work)
    home(work.plan)
    follow_up(question, work)
    limits(work.plan)


def page() -> None:
    """Draw the page."""
    question = sessions.asked()
    st.html(_STYLE)
    with st.sidebar:
        client.controls(question.view, PARAMETERS)
    if not client.not_understood(question.view, "views/plan.py"):
        if question.view.condition:
            state.remember(question.view)
            answer_for(question)
        else:
            start(question)
    footer()


page()
