"""Effect: a quantity of the body, which techniques move it and how surely, and which impairments that relieves."""

from html import escape

import streamlit as st

from explorer.cards import ARROWS
from explorer.entity import by_value, codes, show
from explorer.parts import Html, engine, facts, folded_sources, grounds_html, knowledge, label, md, name_html, referring, short, table
from kg.graph.knowledge import Node


def draw(node: Node) -> None:
    """The sections of an effect."""
    for note in (*node.all("skos:scopeNote"), *node.all("skos:editorialNote")):
        st.caption(md(note))
    techniques(node)
    refuted(node)
    reliefs(node)
    measurements(node)
    rows = codes(node)
    if rows:
        st.header("Codes", anchor="codes")
        facts(rows)


def techniques(node: Node) -> None:
    """The techniques that are held to move it, the strongest first."""
    own = [link for link in engine().model.mechanism.links if link.effect == node.slug and not link.steps]
    st.header("Techniques held to change it", anchor="techniques")
    if not own:
        st.caption("No technique of this graph is held to change it.")
        return
    st.caption("Strength from 0 to 1: what is taught, corrected by laboratory evidence.")
    rows = []
    for link in sorted(own, key=lambda link: (-link.strength, link.technique)):
        claim = knowledge()[link.claim]
        name = Html(f"{name_html(link.technique)} {ARROWS[link.direction]}<span class='note'>{escape(claim.definition)}</span>")
        laboratory = f"{link.successes:.1f} for, {link.failures:.1f} against" if link.evidence else "none"
        sources = dict.fromkeys((*claim.all("dcterms:source"), *(o.source for o in link.evidence)))
        grounds = Html(escape(label(claim.one("basis"))) + folded_sources(sources))
        rows.append((name, label(link.tissue), f"{link.strength:.2f}", laboratory, grounds))
    table(["Technique", "Tissue", "Strength", "Laboratory", "Rests on"], rows, numbers=(2, 3))


def refuted(node: Node) -> None:
    """Claims about it that measurements contradict."""
    claims = referring("RefutedEffectClaim", "refutedEffect", node.slug)
    if claims:
        st.header("Often taught, but measurements contradict it", anchor="refuted")
        table(
            ["Technique", "Tissue", "What was found", "Source"],
            [
                (
                    Html(f"<s>{name_html(n.one('refutedTechnique'))} {ARROWS.get(n.one('direction'), '')}</s>"),
                    label(n.one("tissueType")),
                    n.definition,
                    Html(grounds_html(n)),
                )
                for n in claims
            ],
        )


def reliefs(node: Node) -> None:
    """The impairments that a change of it relieves."""
    found = referring("Relief", "reliefEffect", node.slug)
    if found:
        st.header("Relieves", anchor="relieves")
        table(
            ["Impairment", "By", "Strength", "Why", "Rests on"],
            [
                (
                    Html(name_html(n.one("reliefImpairment"))),
                    f"{ARROWS.get(n.one('direction'), '')} {label(n.one('direction'))}",
                    label(n.one("strength")),
                    n.definition,
                    Html(grounds_html(n)),
                )
                for n in found
            ],
        )


def measurements(node: Node) -> None:
    """What was measured of it, under which technique."""
    measured = referring("MechanismEvidence", "evidenceEffect", node.slug)
    if measured:
        st.header("Measured", anchor="measured")
        table(["Under", "Change", "Finding", "In", "Source"], [_measurement(n) for n in measured])


def _measurement(n: Node) -> tuple[str, ...]:
    figures = "; ".join(filter(None, (n.one("magnitude"), n.one("duration"), n.one("locator"))))
    where = ", ".join(label(slug) for slug in (n.one("population"), n.one("tissueType")) if slug)
    finding = Html(f"{escape(n.one('summary'))}<span class='note'>{escape(figures)}</span>")
    change = f"{ARROWS.get(n.one('direction'), '')} {label(n.one('direction'))}"
    return (
        Html(name_html(n.one("evidenceTechnique"), short(label(n.one("evidenceTechnique"))))),
        change,
        finding,
        where,
        Html(grounds_html(n)),
    )


show(
    "effect",
    "PhysiologicalEffect",
    "effect",
    "The quantities of the body that techniques are held to change, how well that is known, and what it relieves.",
    draw,
    lambda: {"All effects": [n.slug for n in knowledge().of_class("PhysiologicalEffect")], **by_value("PhysiologicalEffect", "relieves")},
)
