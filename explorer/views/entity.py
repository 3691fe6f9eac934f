"""Everything else: any individual or class of the graph by its slug: tests, measures, findings, red flags, statements, terms."""

import streamlit as st

from explorer import state
from explorer.entity import back, titled, unknown
from explorer.parts import Html, facts, footer, grounds_html, knowledge, label, links, name_html, referring, table
from kg.errors import UnknownName
from kg.graph.index import KINDS
from kg.graph.knowledge import Node
from kg.graph.names import nearest

_KINDS = {
    "OrthopedicTest": "Orthopedic tests",
    "OutcomeMeasure": "Outcome measures",
    "RedFlag": "Red flags",
    "SeriousPathology": "Serious pathologies",
    "DecisionRule": "Decision rules",
    "Finding": "Findings",
    "Outcome": "Outcomes",
    "JointAction": "Joint actions",
    "BodyRegion": "Body regions",
    "TechniqueGroup": "Groups of techniques",
    "ScoringParameter": "Numbers of the score",
    "http://www.w3.org/2002/07/owl#Class": "Classes",
    "http://www.w3.org/2002/07/owl#ObjectProperty": "Properties that link",
    "http://www.w3.org/2002/07/owl#DatatypeProperty": "Properties that hold values",
}
_TEXTS = {
    "summary": "Finding",
    "question": "Question to ask",
    "procedure": "Procedure",
    "positiveSign": "Positive when",
    "reason": "Reason",
    "action": "Instead",
    "circumstance": "If",
    "distinction": "What tells them apart",
    "effectSize": "Figures",
    "magnitude": "Magnitude",
    "locator": "Where in the source",
    "minimalImportantDifference": "Minimal important difference",
    "referenceStandard": "Reference standard",
    "ruleTarget": "Decides on",
    "skos:scopeNote": "Note",
}
_NUMBERS = {"sensitivity": "Sensitivity, %", "specificity": "Specificity, %", "lrPositive": "LR+", "lrNegative": "LR−", "value": "Value",
            "studies": "Studies", "participants": "Participants"}  # fmt: skip


def draw(node: Node) -> None:
    """What a reader wants first of any entity: texts, figures, and the statements that tell how good a test or measure is."""
    facts([
        *((words, Html("<br>".join(map(_escaped, node.all(prop))))) for prop, words in _TEXTS.items() if node.all(prop)),
        *((words, f"{node.number(prop):g}") for prop, words in _NUMBERS.items() if prop in node.properties),
        ("Rests on", Html(grounds_html(node))),
    ])  # fmt: skip
    accuracy(node)
    interpretations(node)
    indications(node)
    links("source", node.all("dcterms:source"), "Sources")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def accuracy(node: Node) -> None:
    """How well a test tells conditions."""
    found = referring("DiagnosticEvidence", "ofTest", node.slug)
    if found:
        st.header("How well it tells", anchor="accuracy")
        rows = [
            (
                Html(name_html(n.one("evidenceCondition"))),
                *(f"{n.number(p):g}" if p in n.properties else "" for p in list(_NUMBERS)[:4]),
                n.one("positiveSign"),
                Html(grounds_html(n)),
            )
            for n in found
        ]
        table(["Condition", "Sensitivity", "Specificity", "LR+", "LR−", "Positive when", "Source"], rows, numbers=(1, 2, 3, 4))


def interpretations(node: Node) -> None:
    """What a change of a measure means."""
    found = referring("MeasureInterpretation", "ofMeasure", node.slug)
    if found:
        st.header("What a change means", anchor="interpretation")
        rows = [
            (
                Html(name_html(n.one("measuredIn"))) if n.one("measuredIn") else "any",
                n.one("minimalImportantDifference"),
                Html(grounds_html(n)),
            )
            for n in found
        ]
        table(["In", "Minimal important difference", "Source"], rows)


def indications(node: Node) -> None:
    """What a red flag points to, or which red flags point to a pathology."""
    found = [*referring("RedFlagIndication", "redFlag", node.slug), *referring("RedFlagIndication", "pathology", node.slug)]
    if found:
        st.header("Red flag and disease", anchor="indications")
        rows = [
            (
                Html(name_html(n.one("redFlag"))),
                Html(name_html(n.one("pathology"))),
                label(n.one("urgency")),
                n.one("question"),
                Html(grounds_html(n)),
            )
            for n in found
        ]
        table(["Red flag", "May point to", "Urgency", "Question", "Source"], rows)
        links("condition", (slug for n in found for slug in n.all("mimics")), "Can look like")


def listing() -> None:
    """All kinds, to browse."""
    st.title("Everything else", anchor=False)
    st.markdown("Tests, outcome measures, red flags, pathologies, findings, and the vocabulary itself.")
    version = knowledge().version.sha256
    for cls, heading in _KINDS.items():
        members = knowledge().of_class(cls)
        box = st.expander(f"{heading} ({len(members)})", key=f"kind-{cls}", on_change="rerun")
        if box.open:
            with box:
                if cls in KINDS:
                    shown = state.options(version, cls)
                    st.selectbox("Look up", shown, index=None, key=f"pick-{cls}", format_func=shown.__getitem__, filter_mode="contains",
                                 placeholder=f"Look up one of the {heading.lower()}", on_change=_picked, args=(f"pick-{cls}",))  # fmt: skip
                links("entity", (node.slug for node in members[:300]))


def _picked(key: str) -> None:
    chosen = state.slug_of(st.session_state[key])
    st.query_params.from_dict({"id": chosen} if chosen else {})


def page() -> None:
    """Draw the page."""
    back()
    asked = st.query_params.get("id", "").strip().removeprefix("https://w3id.org/palpate/").removeprefix("pal:")
    if not asked:
        listing()
    elif asked in knowledge():
        titled(knowledge()[asked], draw)
    else:
        slugs = nearest(asked, (node.slug for node in knowledge()))
        unknown("entity", UnknownName("entity", asked, slugs), asked, "")
    footer()


page()
