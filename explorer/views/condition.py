"""Condition: all that the graph says of one condition."""

from html import escape

import streamlit as st

from explorer.entity import bullets, by_value, codes, show, studies
from explorer.parts import (
    Html,
    engine,
    facts,
    grounds_html,
    grounds_md,
    knowledge,
    label,
    labels,
    link,
    links,
    md,
    name_html,
    plural,
    referring,
    table,
)
from kg.graph.knowledge import Node
from kg.reasoning.conditions import MOST
from kg.reasoning.safety import URGENCIES

_MARKS = {"salience-high": "●●●", "salience-moderate": "●●○", "salience-low": "●○○"}


def draw(node: Node) -> None:
    """The sections of a condition."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("views/find.py", label="**Rank techniques for it**", icon=":material/search:", query_params={"condition": node.slug})
        st.markdown(" ".join(f":gray-badge[{md(label(region))}]" for region in node.all("inRegion")), width="content")
    if not node.one("inDepth"):
        st.info("Not curated in depth yet: tissues, impairments and findings may be missing.", icon=":material/info:")
    for note in (*node.all("skos:scopeNote"), *node.all("skos:editorialNote")):
        st.caption(md(note))
    links("condition", _direct(node), "A kind of")
    links("condition", [n.slug for n in referring("Condition", "subtypeOf", node.slug)], "Kinds of it")
    clinic(node)
    pathologies(node)
    tissues(node)
    impairments(node)
    hazards(node)
    resemblances(node)
    evidence(node)
    rows = codes(node)
    if rows:
        st.header("Codes", anchor="codes")
        facts(rows)


def _direct(node: Node) -> list[str]:
    return [slug for slug in node.all("subtypeOf") if slug != node.slug]


def clinic(node: Node) -> None:
    """Findings, what makes it worse, how it goes on, and what is not known."""
    st.header("In the clinic", anchor="clinic")
    left, right = st.columns(2, gap="large")
    with left:
        if node.all("presentsWith"):
            st.subheader("Presents with", anchor=False)
            bullets(_finding(slug) for slug in node.all("presentsWith"))
    with right:
        if node.all("aggravatedBy"):
            st.subheader("Made worse by", anchor=False)
            bullets(map(md, node.all("aggravatedBy")))
        if node.one("prognosis"):
            st.subheader("Course", anchor=False)
            st.markdown(md(node.one("prognosis")))
    if node.one("notCovered"):
        st.info(f"**Not covered here.** {md(node.one('notCovered'))}", icon=":material/info:")
    if node.one("basis"):
        st.caption(f"This section rests on {md(label(node.one('basis')))}: {md(knowledge()[node.one('basis')].definition.lower())}")


def _finding(slug: str) -> str:
    node = knowledge()[slug]
    return md(node.label) + (f"  \n:small[:gray[Ask: {md(node.one('question'))}]]" if node.one("question") else "")


def pathologies(node: Node) -> None:
    """Serious diseases that can look like it, the most urgent first, with the questions to ask."""
    indications = referring("RedFlagIndication", "mimics", node.slug)
    if not indications:
        return
    st.header("Rule out first", anchor="red-flags")
    st.caption("Diseases that can look like this condition, with the question for each red flag.")
    ordered = sorted(indications, key=lambda n: (URGENCIES.index(_urgency(n)), n.one("pathology"), n.slug))
    diseases: dict[str, list[Node]] = {}
    for n in ordered:
        diseases.setdefault(n.one("pathology"), []).append(n)
    rows = [(Html(f"<b>{name_html(slug)}</b>"), label(found[0].one("urgency")), _flags(found)) for slug, found in diseases.items()]
    table(["Disease", "Urgency", "Red flags and what to ask"], rows, numbers=(1,))


def _flags(indications: list[Node]) -> Html:
    return Html("<ul>" + "".join(f"<li>{_flag(n)}</li>" for n in indications) + "</ul>")


def _urgency(indication: Node) -> str:
    return indication.one("urgency").removeprefix("urgency-")


def _flag(n: Node) -> Html:
    figures = {"sensitivity": "sensitivity {:g}%", "specificity": "specificity {:g}%", "lrPositive": "LR+ {:g}", "lrNegative": "LR− {:g}"}
    stated = ", ".join(words.format(n.number(prop)) for prop, words in figures.items() if prop in n.properties)
    note = f"<span class='note'>{name_html(n.one('redFlag'))}{'; ' if stated else ''}{escape(stated)}</span>"
    return Html(f"{escape(n.one('question'))}{note}<span class='note'>{grounds_html(n)}</span>")


def tissues(node: Node) -> None:
    """The tissues that it affects, by their role."""
    involved = referring("TissueInvolvement", "involvementOf", node.slug)
    if involved:
        st.header("Tissues", anchor="tissues")
        for role in ("role-primary", "role-secondary", "role-compensating"):
            members = [n for n in involved if n.one("role") == role]
            links("tissue", (n.one("involvedTissue") for n in members), label(role).capitalize())
        notes = {note: n for n in involved for note in n.all("skos:scopeNote")}
        if notes:
            bullets(f"{md(label(n.one('involvedTissue')))}: {md(note)}" for note, n in notes.items())


def impairments(node: Node) -> None:
    """Impairments and tissues against phases, with their salience."""
    profiles = referring("ImpairmentProfile", "profileOf", node.slug)
    if not profiles:
        return
    st.header("Impairments", anchor="impairments")
    st.caption("How much each matters in each phase: ●●● leading, ●●○ regular, ●○○ at times or of minor weight.")
    spots: dict[tuple[str, str], list[Node]] = {}
    for profile in profiles:
        spots.setdefault((profile.one("profileImpairment"), profile.one("impairedTissue")), []).append(profile)
    phases = [phase for phase in engine().gate.phases if any({phase, "any"} & set(p.all("inPhase")) for p in profiles)]
    rows = [_impairment_row(impairment, tissue, group, phases) for (impairment, tissue), group in spots.items()]
    rows.sort(key=lambda row: -sum(cell.count("●") for cell in row[2:]))
    table(["Impairment", "Tissue", *map(str.capitalize, phases)], rows, numbers=range(2, 2 + len(phases)))


def _impairment_row(impairment: str, tissue: str, group: list[Node], phases: list[str]) -> list[str]:
    marks = []
    for phase in phases:
        found = [_MARKS.get(p.one("salience"), "") for p in group if {phase, "any"} & set(p.all("inPhase"))]
        marks.append(max(found, key=lambda mark: mark.count("●"), default=""))
    notes = " ".join(dict.fromkeys(note for p in group for note in p.all("skos:scopeNote")))
    name = Html(f"{name_html(impairment)}<span class='note'>{escape(notes)}</span>")
    return [name, Html(name_html(tissue)), *marks]


def hazards(node: Node) -> None:
    """The hazards that the condition itself brings."""
    brought = referring("HazardOccurrence", "broughtBy", node.slug)
    if not brought:
        return
    st.header("Hazards that it brings", anchor="hazards")
    for n in brought:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                link("hazard", n.one("occurrenceOf"), icon=":material/warning:")
                st.markdown(f":gray-badge[{md(labels(n.all('inPhase')))}]", width="content")
            grounds = grounds_md(n.all("dcterms:source"), n.one("basis"))
            st.markdown("  \n".join(filter(None, (md(n.one("skos:scopeNote")), f":small[:gray[{grounds}]]" if grounds else ""))))


def resemblances(node: Node) -> None:
    """Conditions that look like it, and what tells them apart."""
    alike = referring("Resemblance", "resemblanceOf", node.slug)
    if not alike:
        return
    st.header("Looks like", anchor="looks-like")
    others = list(dict.fromkeys(other for n in alike for other in n.all("resemblanceOf") if other != node.slug))
    st.page_link("views/compare.py", label="**Compare with what resembles it**", icon=":material/balance:",
                 query_params={"of": "conditions", "condition": [node.slug, *others[: MOST - 1]]})  # fmt: skip
    for n in alike:
        for other in n.all("resemblanceOf"):
            if other != node.slug:
                with st.container(border=True, gap="xsmall"):
                    with st.container(horizontal=True, vertical_alignment="center"):
                        link("condition", other)
                        st.page_link("views/compare.py", label="Compare", icon=":material/balance:",
                                     query_params={"of": "conditions", "condition": [node.slug, other]})  # fmt: skip
                    st.markdown(md(n.one("distinction")))


def evidence(node: Node) -> None:
    """The statements about this condition, by technique."""
    statements = referring("TreatmentEvidence", "evidenceCondition", node.slug)
    st.header("Evidence", anchor="evidence")
    if not statements:
        st.caption(
            "No study of a technique for this very condition is in the graph. What is known of a more general one counts at a discount."
        )
        return
    sources = {source for n in statements for source in n.all("dcterms:source")}
    st.caption(f"{plural(len(statements), 'statement')} of {plural(len(sources), 'source')} about this very condition.")
    studies(statements, "evidenceTechnique", "technique")


show("condition", "Condition", "condition",
     "What each condition is, which tissues it affects and how, what to rule out, and what has been studied.",
     draw, lambda: by_value("Condition", "inRegion"))  # fmt: skip
