"""Source: one study, review, guideline or page, how much of it was read, and every statement that rests on it."""

from html import escape
from itertools import groupby

import streamlit as st

from explorer.cards import result_html
from explorer.entity import show
from explorer.parts import Html, facts, kind_of, knowledge, label, links, md, name_html, name_of, plural, referring, short, table
from kg.graph.knowledge import Node
from kg.reasoning.rank import source_dict


def draw(node: Node) -> None:
    """The sections of a source."""
    stated = source_dict(node)
    address = str(stated["url"] or "")
    facts(
        [
            ("Author", node.one("dcterms:creator")),
            ("Year", str(node.properties.get("year", ("",))[0])),
            ("Published in", node.one("journal")),
            ("Kind", label(node.one("design"))),
            ("Read", label(node.one("read"))),
            ("DOI", node.one("doi")),
            ("PubMed", " ".join(filter(None, (node.one("pmid"), node.one("pmcid"))))),
            (
                "Address",
                Html(f"<a href='{escape(address)}' target='_blank'>{escape(address)}</a>") if address.startswith("https://") else address,
            ),
        ]
    )
    links("source", node.all("restsOn"), "Rests on")
    links("source", (n.slug for n in referring("Source", "restsOn", node.slug)), "Its studies count in")
    treatment(node)
    others(node)


def treatment(node: Node) -> None:
    """What it says of techniques in conditions."""
    statements = referring("TreatmentEvidence", "dcterms:source", node.slug)
    if statements:
        st.header("On treatment", anchor="treatment")
        table(["Technique", "Condition", "Result", "Finding"], [_statement(n) for n in statements])


def _short(slug: str) -> Html:
    return Html(name_html(slug, short(label(slug))))


def _statement(n: Node) -> tuple[str, ...]:
    figures = "; ".join(filter(None, (label(n.one("outcome")), n.one("effectSize"), n.one("locator"))))
    finding = Html(f"{escape(n.one('summary'))}<span class='note'>{escape(figures)}</span>")
    return _short(n.one("evidenceTechnique")), _short(n.one("evidenceCondition")), result_html(n.one("result")), finding


def others(node: Node) -> None:
    """All other statements that rest on it, by their kind."""
    found = [n for cls in ("EvidenceStatement", "EffectClaim", "RefutedEffectClaim", "Relief", "ContraindicationRule", "HazardOccurrence",
                           "RedFlagIndication", "MeasureInterpretation", "DecisionRule", "Resemblance", "Dose", "ImpairmentProfile")
             for n in referring(cls, "dcterms:source", node.slug) if not n.is_a("TreatmentEvidence")]  # fmt: skip
    if not found:
        return
    st.header("Rests on it", anchor="statements")
    ordered = sorted(found, key=lambda n: (kind_of(n.slug), name_of(n.slug)))
    for kind, nodes in groupby(ordered, key=lambda n: kind_of(n.slug)):
        members = list(nodes)
        st.subheader(f"{plural(len(members), 'statement')}: {md(kind)}", anchor=False)
        links("entity", (n.slug for n in members))


def _by_design() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for node in sorted(knowledge().of_class("Source"), key=lambda n: name_of(n.slug)):
        groups.setdefault(label(node.one("design")), []).append(node.slug)
    return dict(sorted(groups.items()))


show("source", "Source", "source",
     "Every study, review, guideline and page that was read: what it is, how much of it was read, and what rests on it.",
     draw, _by_design)  # fmt: skip
