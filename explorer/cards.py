"""How a ranked technique is drawn: the score with its interval, the class, cautions, and on demand all that made them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from math import prod

import streamlit as st

from explorer.parts import (
    Html,
    cite_html,
    disagreement_md,
    engine,
    facts,
    folded_sources,
    knowledge,
    label,
    md,
    name_html,
    plural,
    short,
    table,
)
from kg.reasoning.certainty import AGAINST, CONFLICTING, MECHANISM, SUPPORTED, UNKNOWN
from kg.reasoning.evidence import Observation
from kg.reasoning.explain import Rationale
from kg.reasoning.mechanism import Link
from kg.reasoning.rank import Entry, Ranking, dose
from kg.reasoning.safety import Reason
from kg.reasoning.score import Score
from kg.reasoning.sourcing import sourcing_label

CLASSES: Mapping[str, tuple[str, str, str]] = {
    SUPPORTED: ("green", "check_circle", "Supported"),
    MECHANISM: ("blue", "account_tree", "Mechanism only"),
    CONFLICTING: ("orange", "compare_arrows", "Conflicting"),
    AGAINST: ("red", "block", "Evidence against"),
    UNKNOWN: ("gray", "help", "Unknown"),
}
"""Color, icon and words of each class; the icon and the words say it without the color."""
RESULTS: Mapping[str, tuple[str, str]] = {
    "benefit": ("+", "for"), "recommended": ("+", "for"), "harm": ("−", "against"), "not-recommended": ("−", "against"),
    "no-difference": ("=", ""), "mixed-result": ("±", ""), "insufficient": ("?", ""),
}  # fmt: skip
ARROWS = {"increases": "↑", "decreases": "↓", "no-change": "=", "mixed-effect": "↕"}
_PATHS = 8


# ---------------------------------------------------------------------------------------------------- score
def score_html(score: Score, unknown: bool = False) -> str:
    """The score as a dot on a line from 0 to 1 with its 90% interval, and in figures."""
    words = f"Score {score.mean:.2f}, 90% interval {score.low:.2f} to {score.high:.2f}"
    return (
        f"<div class='pal'><div class='pal-score{' unknown' if unknown else ''}' role='img' aria-label='{words}' title='{words}'>"
        f"<div class='pal-track'><span class='half'></span>"
        f"<span class='range' style='left:{score.low:.1%};width:{score.high - score.low:.1%}'></span>"
        f"<span class='dot' style='left:{score.mean:.1%}'></span></div>"
        f"<span class='figure'><b>{score.mean:.2f}</b> <span class='soft'>{score.low:.2f}–{score.high:.2f}</span></span>"
        f"</div></div>"
    )


def legend() -> None:
    """What the score, the line and the two kinds of support mean."""
    st.caption(
        "**Score** ●: the share of success to expect of it in studies of this condition, "
        "from mechanism and evidence together; the bar is its 90% interval, the tick marks one half.",
        help="**Evidence** is counted in observations: what the studies and guidelines are worth after their design, certainty, size "
        "and fit to the client. **Mechanism** is the share of the condition's impairments that the effects of the technique relieve. "
        "Open a technique for its arithmetic.",
    )


def _head(entry: Entry) -> str:
    """Name, class and score of an entry: one piece of HTML, since each element of its own costs the browser time."""
    color, icon, words = CLASSES[entry.class_]
    return (
        f"<div class='pal pal-head'><div class='name'>{name_html(entry.technique, f'{entry.rank}. {entry.label}')} "
        f"<span class='pal-class {color}'><span class='icon' aria-hidden='true'>{icon}</span> {words}</span></div>"
        f"{score_html(entry.score, entry.class_ == UNKNOWN)}</div>"
    )


def support(entry: Entry) -> str:
    """Evidence, mechanism and certainty of an entry, told apart, as Markdown."""
    score = entry.score
    sources = {o.source for o in score.observations if o.successes + o.failures > 0}
    evidence = f"{score.successes:.1f} for, {score.failures:.1f} against ({plural(len(sources), 'source')})" if sources else "none"
    certainty = entry.certainty.level.replace("-", " ")
    return f"**Evidence** {evidence} · **Mechanism** covers {score.plausibility:.0%} of the impairments · **Certainty** {certainty}"


# ---------------------------------------------------------------------------------------------------- cautions
def caution_lines(reasons: Iterable[Reason]) -> list[str]:
    """One line of Markdown for each hazard and action, with how well each is sourced, and a further one where sources disagree."""
    grouped: dict[tuple[str, str, str], list[Reason]] = {}
    for reason in reasons:
        grouped.setdefault((reason.label, reason.action, reason.circumstance), []).append(reason)
    return [_caution_line(*key, members) for key, members in grouped.items()]


def _caution_line(hazard: str, action: str, circumstance: str, reasons: Sequence[Reason]) -> str:
    places = "; ".join(dict.fromkeys(reason.where for reason in reasons if reason.where))
    grades = "; ".join(dict.fromkeys(sourcing_label(knowledge(), reason.sourcing) for reason in reasons if reason.sourcing))
    line = f":orange[:material/warning:] **{md(short(hazard))}**{f' ({md(circumstance)})' if circumstance else ''}: {md(action)}"
    line += (f" :gray[({md(places)})]" if places else "") + (f" :small[:gray[Sourcing: {md(grades)}]]" if grades else "")
    others = dict.fromkeys((reason.disagreement, reason.disputed_by) for reason in reasons if reason.disagreement)
    return "  \n".join([line, *(disagreement_md(text, sources) for text, sources in others)])


def shared(entries: Sequence[Entry]) -> tuple[Reason, ...]:
    """The cautions that every entry of a list carries."""
    if len(entries) < 2:
        return ()
    common = set(entries[0].cautions).intersection(*(entry.cautions for entry in entries[1:]))
    return tuple(reason for reason in entries[0].cautions if reason in common)


# ---------------------------------------------------------------------------------------------------- one technique
def card(entry: Entry, answer: Ranking, common: Sequence[Reason] = (), kind: str = "") -> None:
    """One ranked technique: name, score, class, support, cautions, and its details on demand."""
    entry = explained(entry, answer)
    with st.container(border=True, gap="xsmall", key=f"card-{kind}{entry.technique}"):
        st.html(_head(entry))
        own = [reason for reason in entry.cautions if reason not in common]
        text = [support(entry), md(entry.why(answer.knowledge)), *caution_lines(own)]
        st.markdown("  \n".join(text))
        details(entry, answer)


def explained(entry: Entry, answer: Ranking) -> Entry:
    """The entry with its rationale, which a ranking made without explanations lacks."""
    return replace(entry, rationale=_rationale(answer.version.sha256, answer.condition, answer.client.phase, entry.technique))


@st.cache_resource(show_spinner=False, max_entries=10_000)
def _rationale(version: str, condition: str, phase: str | None, technique: str) -> tuple[Rationale, ...]:
    return tuple(engine().explainer.rationale(condition, phase, technique))


@st.fragment
def details(entry: Entry, answer: Ranking) -> None:
    """Dose, mechanism, evidence and arithmetic of an entry; nothing is made before somebody asks."""
    box = st.expander("Dose, mechanism, evidence, arithmetic", type="compact", key=f"open-{entry.technique}", on_change="rerun")
    if not box.open:
        return
    with box:
        count = len(entry.score.observations)
        tabs = st.tabs(["Dose", "Mechanism", f"Evidence ({count})", "Arithmetic"])
        with tabs[0]:
            dose_facts(entry.technique)
        with tabs[1]:
            mechanism(entry)
        with tabs[2]:
            evidence(entry.score.observations)
        with tabs[3]:
            arithmetic(entry, answer.parameters)


# ---------------------------------------------------------------------------------------------------- dose
def dose_facts(technique: str) -> None:
    """The usual dose of a technique, and on what it rests."""
    stated = dose(knowledge(), technique)
    if not stated:
        st.caption("The graph states no dose for this technique.")
        return
    minutes = stated["minutes"]
    sources = "<br>".join(cite_html(slug) for slug in stated["sources"])
    facts([
        ("Minutes for an area", f"{minutes[0]:g} to {minutes[1]:g}" if minutes else ""),
        ("Repetitions", stated["repetitions"] or ""),
        ("How often", stated["frequency"] or ""),
        ("Pressure", stated["pressure"] or ""),
        ("Rests on", Html(sources) if sources else label(stated["basis"]) + ", no source read" if stated["basis"] else ""),
    ])  # fmt: skip


# ---------------------------------------------------------------------------------------------------- mechanism
def mechanism(entry: Entry) -> None:
    """The weightiest paths from the technique to the impairments, a drawing of them, and the claims that they use."""
    if not entry.rationale:
        st.caption("No effect of this technique is known to reach an impairment of this condition.")
        return
    shown = entry.rationale[:_PATHS]
    st.html("<div class='pal'>" + "".join(map(_path_html, shown)) + "</div>")
    if len(entry.rationale) > _PATHS:
        st.caption(f"The weightiest {_PATHS} of {len(entry.rationale)} paths; the JSON has all of them.")
    if st.toggle("Draw these paths as a graph", key=f"draw-{entry.technique}"):
        st.graphviz_chart(_dot(shown), width="stretch")
    st.markdown("**The claims behind these paths**")
    claims(dict.fromkeys(rationale.path.link for rationale in shown))


def _path_html(rationale: Rationale) -> str:
    link_, need = rationale.path.link, rationale.need
    kind = "" if link_.tissue == "any-tissue" else f" ({label(link_.tissue)})"
    steps = [
        f"{label(link_.effect)} {ARROWS[link_.direction]}{kind}",
        label(rationale.path.impairment),
        *([label(need.tissue)] if need.tissue else []),
    ]
    arrow = " → " if rationale.path.relieves else " ⇥ worsens "
    chips = [f"<span class='chip{'' if rationale.path.relieves else ' bad'}'>{escape(step)}</span>" for step in steps]
    words = f"strength {rationale.strength:.2f}, weight of the impairment {need.weight:.0%}"
    return f"<div class='pal-path'>{chips[0]}{arrow}{' in '.join(chips[1:])} <span class='strength'>{words}</span></div>"


def claims(links: Iterable[Link]) -> None:
    """Effect claims with their strength before and after laboratory evidence, and on what they rest."""
    table(
        ["Effect", "Tissue", "Strength", "Taught", "Laboratory", "Rests on"],
        [_claim_row(link_) for link_ in links],
        numbers=(1, 2, 3, 4),
    )


def _claim_row(link_: Link) -> list[str]:
    node = knowledge()[link_.claim]
    passed = f"<span class='note'>passed down from {escape(short(label(node.one('claimTechnique'))))}</span>" if link_.steps else ""
    effect = f"{name_html(link_.effect)} {ARROWS[link_.direction]}{passed}<span class='note'>{escape(node.definition)}</span>"
    laboratory = f"{link_.successes:.1f} for, {link_.failures:.1f} against" if link_.evidence else "none"
    grounds = label(node.one("basis")) if node.one("basis") else ""
    sources = dict.fromkeys((*node.all("dcterms:source"), *(o.source for o in link_.evidence)))
    return [Html(effect), label(link_.tissue), f"{link_.strength:.2f}", f"{link_.prior:.2f}", laboratory,
            Html(escape(grounds) + folded_sources(sources))]  # fmt: skip


def _dot(rationales: Sequence[Rationale]) -> str:
    """The paths in Graphviz's language."""
    lines = ["digraph { rankdir=LR; bgcolor=transparent; nodesep=0.15; ranksep=0.5;",
             'node [shape=box style="rounded,filled" fillcolor="#e3efef" color="#0b6b6b" fontcolor="#14262b" fontsize=11];',
             'edge [color="#6b8589" arrowsize=0.7];']  # fmt: skip
    edges: dict[tuple[str, str], tuple[float, bool]] = {}
    for r in rationales:
        spot = label(r.path.impairment) + (f"\\n{label(r.need.tissue)}" if r.need.tissue else "")
        effect = f"{label(r.path.link.effect)} {ARROWS[r.path.link.direction]}"
        edges[short(label(r.path.link.technique)), effect] = (r.path.link.strength, True)
        edges[effect, spot] = (r.path.relief_strength, r.path.relieves)
        edges[spot, short(label(r.condition))] = (r.need.weight, True)
    for (start, end), (strength, good) in edges.items():
        style = "" if good else ' style=dashed color="#a3431b"'
        lines.append(f"{_quoted(start)} -> {_quoted(end)} [penwidth={0.6 + 4 * strength:.2f}{style}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"'


# ---------------------------------------------------------------------------------------------------- evidence
def result_html(direction: str) -> Html:
    """The direction of a result as sign and word."""
    sign, kind = RESULTS.get(direction, ("?", ""))
    return Html(f"<span class='level {kind}'><b>{sign}</b> {escape(label(direction))}</span>")


def evidence(observations: Sequence[Observation]) -> None:
    """The statements that count for an entry, the weightiest first."""
    if not observations:
        st.caption("No study or guideline in this graph speaks to it: unknown, which is not the same as ineffective.")
        return
    table(
        ["Result", "Outcome", "Finding", "Counts", "Source"],
        [_evidence_row(o) for o in observations],
        numbers=(3,),
    )


def _evidence_row(o: Observation) -> list[str]:
    node = knowledge()[o.statement]
    against = f" against {node.one('comparatorText')}" if node.one("comparatorText") else ""
    about = []
    up, down, general = o.steps
    if general:
        about.append(short(label(o.about_technique)))
    if up or down:
        about.append(short(label(o.about_condition)))
    indirect = f"<span class='note'>Indirect, about: {escape(', '.join(about))}</span>" if about else ""
    figures = " ".join(filter(None, (node.one("effectSize"), f"({node.one('locator')})" if node.one("locator") else "")))
    finding = f"{escape(node.one('summary'))}<span class='note'>{escape(figures)}</span>{indirect}"
    counts = ", ".join(f"{count:.2f} {word}" for count, word in ((o.successes, "for"), (o.failures, "against")) if count) or "nothing"
    return [result_html(o.direction), label(node.one("outcome")) + against, Html(finding), counts, Html(cite_html(o.source))]


# ---------------------------------------------------------------------------------------------------- arithmetic
def arithmetic(entry: Entry, parameters: Mapping[str, float]) -> None:
    """Every step from the prior to the posterior, with the factors of each statement."""
    s, low, high = entry.score, parameters["prior-mean-low"], parameters["prior-mean-high"]
    alpha, beta = s.prior_mean * s.prior_observations, (1 - s.prior_mean) * s.prior_observations
    facts([
        ("Mechanism", f"{low:g} + {high - low:g} × coverage {s.plausibility:.3f} × tolerance {s.tolerance:g} = {s.mechanism_mean:.3f}"),
        ("Record elsewhere", f"{s.record[0]:.1f} for, {s.record[1]:.1f} against; moves the prior mean to {s.prior_mean:.3f}"),
        ("Prior", f"{s.prior_observations:g} pseudo-observations: {alpha:.2f} for, {beta:.2f} against"),
        ("Evidence adds", f"{s.successes:.2f} for, {s.failures:.2f} against"),
        ("Posterior", f"Beta({alpha:.2f} + {s.successes:.2f}, {beta:.2f} + {s.failures:.2f}) = Beta({s.alpha:.2f}, {s.beta:.2f})"),
        ("Score", f"{s.alpha:.2f} / ({s.alpha:.2f} + {s.beta:.2f}) = {s.mean:.3f}; central 90%: {s.low:.3f} to {s.high:.3f}"),
        ("Certainty", f"{entry.certainty.level.replace('-', ' ')}: {entry.certainty.reason}"),
    ])  # fmt: skip
    if s.observations:
        st.dataframe([_factors(o) for o in s.observations], hide_index=True, height="content")
        st.caption("Weight is the product of the factors. Statements that rest on the same studies share the weight of the strongest.")


def _factors(o: Observation) -> dict[str, object]:
    source = knowledge()[o.source]
    return {
        "Source": " ".join(filter(None, (source.one("dcterms:creator"), str(source.properties.get("year", ("",))[0])))),
        "Result": label(o.direction),
        "For": round(o.successes, 3),
        "Against": round(o.failures, 3),
        "Weight": round(prod(o.factors.values()), 3),
        "Share for": o.share,
        **{name.capitalize(): round(value, 3) for name, value in o.factors.items()},
    }
