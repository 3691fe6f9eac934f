"""About: how the answers come about, how good the data is, what it cannot do, and how to cite it."""

import re
from pathlib import Path

import streamlit as st

from explorer.parts import cap, footer, knowledge, label, links, md, table
from kg.curation.audit import weakest

_ROOT = Path(__file__).resolve().parents[2]
_COUNTED = {
    "Condition": "conditions",
    "Technique": "techniques",
    "AnatomicalStructure": "anatomical structures",
    "Impairment": "impairments",
    "PhysiologicalEffect": "physiological effects",
    "EffectClaim": "effect claims",
    "TreatmentEvidence": "statements on treatment",
    "MechanismEvidence": "laboratory measurements",
    "Source": "sources",
    "Hazard": "hazards",
    "ContraindicationRule": "contraindications",
    "RedFlag": "red flags",
    "SeriousPathology": "serious pathologies",
    "OrthopedicTest": "orthopedic tests",
    "OutcomeMeasure": "outcome measures",
}


@st.cache_data(show_spinner=False)
def _page(name: str) -> str:
    """A page of the documentation as it reads here: links to other files lead nowhere in a browser and are left out."""
    text = (_ROOT / "docs" / name).read_text(encoding="utf-8")
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL).partition("\n")[2]
    return re.sub(r"\[([^\]]+)\]\((?!https?://)[^)]*\)", r"\1", text)


def numbers() -> None:
    """How much there is."""
    st.header("What is in it", anchor="content")
    table(["What", "How many"], [(cap(words), str(len(knowledge().of_class(cls)))) for cls, words in _COUNTED.items()], numbers=(1,))


def quality() -> None:
    """How well the data is founded, and where it is weakest."""
    st.header("How good the data is", anchor="quality")
    for cls, prop, words in (("Source", "read", "How much of each source was read"), ("EffectClaim", "basis", "On what effect claims rest"),
                             ("ContraindicationRule", "basis", "On what contraindications rest"),
                             ("TreatmentEvidence", "certainty", "Certainty that statements on treatment state")):  # fmt: skip
        _shares(cls, prop, words)
    rows = [(node.label, *(f"{value:.0%}" if name == "sourced facts" else f"{value:g}" for name, value in told.items()))
            for node, told in weakest(knowledge())[:15]]  # fmt: skip
    headers = ["Condition", *(cap(name) for name in weakest(knowledge())[0][1])]
    with st.expander("The conditions that need most work", icon=":material/construction:"):
        table(headers, rows, numbers=range(1, len(headers)))


def _shares(cls: str, prop: str, words: str) -> None:
    counts: dict[str, int] = {}
    for node in knowledge().of_class(cls):
        counts[node.one(prop)] = counts.get(node.one(prop), 0) + 1
    total = sum(counts.values())
    told = ", ".join(
        f"{label(slug) if slug else 'not stated'} {count} ({count / total:.0%})"
        for slug, count in sorted(counts.items(), key=lambda i: -i[1])
    )
    st.markdown(f"**{words}**: {md(told)}.")


def limits() -> None:
    """What it cannot do."""
    st.header("What it is not", anchor="limits")
    st.markdown(
        """
- It never diagnoses. It starts from a condition that somebody qualified has named.
- It is for trained people, and replaces neither an examination, a physician, nor the law of scope of practice where you work.
- It is not sure, and says so. Most evidence on massage is of low or very low certainty: intervals are wide and many techniques cannot be
  told apart. *Unknown* means that nobody near enough has looked; it does not mean *useless*.
- Its safety rules are as complete as their sources. That nothing is withheld does not prove that all is safe.
- The weights of the score stand in the ontology, each with how it was found. Take scores as an ordered summary.
"""
    )


def cite() -> None:
    """How to cite it, and under which license it is."""
    version = knowledge().version
    st.header("How to cite", anchor="cite")
    st.code(f"The Palpate contributors. Palpate: a technique-recommendation knowledge graph for orthopedic massage. "
            f"Version {version.version}, graph {version.sha256}. https://w3id.org/palpate/", language=None, wrap_lines=True)  # fmt: skip
    st.download_button("CITATION.cff", (_ROOT / "CITATION.cff").read_text(encoding="utf-8"), "CITATION.cff", "text/plain",
                       icon=":material/download:", on_click="ignore")  # fmt: skip
    st.markdown("The ontology is under CC BY 4.0, the code under Apache-2.0.")


def page() -> None:
    """Draw the page."""
    st.title("About Palpate", anchor=False)
    st.markdown(
        "Palpate ranks the techniques of orthopedic massage for a condition and a client. It says why each stands where it does, how sure "
        "that is, and what must not be done. It is a knowledge graph: every statement names its source, or says that it is textbook "
        "knowledge or reasoning."
    )
    limits()
    numbers()
    quality()
    st.header("How it works", anchor="method")
    st.markdown("**Mechanism makes a weak guess, studies correct it.** Safety is no part of the score: it comes before.")
    for title, name in (("The score, step by step", "method.md"), ("Safety", "safety.md"), ("The ontology", "ontology.md")):
        box = st.expander(title, key=f"doc-{name}", on_change="rerun")
        if box.open:
            with box:
                st.markdown(_page(name))
    links("entity", (node.slug for node in knowledge().of_class("TermScheme")), "Other terminologies")
    cite()
    footer()


page()
