"""Technique: all that the graph says of one technique."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from explorer.cards import ARROWS, claims, dose_facts
from explorer.entity import by_value, show, studies
from explorer.parts import Html, cap, engine, facts, grounds_html, knowledge, label, labels, links, md, name_html, plural, referring, table
from kg.graph.knowledge import Node
from kg.reasoning.safety import LEVELS
from kg.reasoning.sourcing import sourcing, sourcing_label

_INGREDIENTS = {
    "family": "Family",
    "pressure": "Pressure",
    "depth": "Depth",
    "strokeSpeed": "Speed",
    "strokeDirection": "Direction",
    "contact": "Contact",
    "mechanicalAction": "Action",
    "thermalAction": "Heat or cold",
    "intensity": "Intensity",
    "actsOn": "Acts on",
    "appliedAt": "Applied at",
}
_PRACTICE = {"position": "Positions of the client", "training": "Training", "scope": "Scope of practice", "thumbLoad": "Load on the thumb",
             "wristLoad": "Load on the wrist", "backLoad": "Load on the back"}  # fmt: skip
_LEVEL_ICONS = {
    "emergency-referral": "emergency",
    "absolute": "block",
    "medical-clearance": "medical_services",
    "local": "location_off",
    "precaution": "warning",
}


def draw(node: Node) -> None:
    """The sections of a technique."""
    if node.one("unspecified"):
        st.info(
            "A parent for evidence that names no single technique. It is never recommended itself; its evidence passes down at a discount.",
            icon=":material/info:",
        )
    if node.one("scope") == "scope-referral-only":
        st.warning("Outside a massage therapist's scope: only to be discussed with another profession.", icon=":material/groups:")
    for note in (*node.all("skos:scopeNote"), *node.all("skos:editorialNote")):
        st.caption(md(note))
    links("technique", node.all("variantOf"), "A kind of")
    links("technique", [n.slug for n in referring("Technique", "variantOf", node.slug)], "Kinds of it")
    how(node)
    effects(node)
    laboratory(node)
    studied(node)
    hazards(node)


def how(node: Node) -> None:
    """How it is done: ingredients, procedure, dose, and what it asks of the therapist."""
    st.header("How it is done", anchor="how")
    if node.one("procedure"):
        st.markdown(md(node.one("procedure")))
    for title, prop in (("It is right when", "cue"), ("Common errors", "commonError")):
        if node.all(prop):
            st.markdown(f"**{title}**\n\n" + "\n".join(f"- {md(text)}" for text in node.all(prop)))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Ingredients", anchor=False)
        facts((name, cap(labels(node.all(prop)))) for prop, name in _INGREDIENTS.items())
    with right:
        st.subheader("Dose", anchor=False)
        dose_facts(node.slug)
        st.subheader("Practice", anchor=False)
        facts([*((name, cap(labels(node.all(prop)))) for prop, name in _PRACTICE.items()), ("Equipment", cap(node.one("equipment")))])
    if node.one("basis"):
        st.caption(f"This description rests on {md(label(node.one('basis')))}.")


def effects(node: Node) -> None:
    """The effects that it is held to have, with their strength, and those that measurements contradict."""
    st.header("Effects", anchor="effects")
    links = engine().model.mechanism.links
    own = sorted((link for link in links if link.technique == node.slug), key=lambda link: (-link.strength, link.effect))
    if own:
        st.caption(
            "Strength from 0 to 1: what is taught, corrected by laboratory evidence; less where a more general technique passes it down."
        )
        claims(own)
    else:
        stated = referring("EffectClaim", "claimTechnique", node.slug)
        table(
            ["Effect", "Tissue", "Rests on"],
            [(_effect(n, "claimEffect"), label(n.one("tissueType")), Html(grounds_html(n))) for n in stated],
        )
    refuted = referring("RefutedEffectClaim", "refutedTechnique", node.slug)
    if refuted:
        st.subheader(":material/cancel: Often taught, but measurements contradict it", anchor=False)
        table(
            ["Effect", "Tissue", "Source"],
            [(_effect(n, "refutedEffect", True), label(n.one("tissueType")), Html(grounds_html(n))) for n in refuted],
        )


def _effect(n: Node, prop: str, struck: bool = False) -> Html:
    name = f"{name_html(n.one(prop))} {ARROWS.get(n.one('direction'), '')}"
    return Html((f"<s>{name}</s>" if struck else name) + f"<span class='note'>{escape(n.definition)}</span>")


def laboratory(node: Node) -> None:
    """What was measured under it."""
    measured = referring("MechanismEvidence", "evidenceTechnique", node.slug)
    if measured:
        st.header("Laboratory evidence", anchor="laboratory")
        with st.expander(plural(len(measured), "measurement")):
            table(
                ["Measured", "Finding", "In", "Source"], [_measurement(n) for n in sorted(measured, key=lambda n: n.one("evidenceEffect"))]
            )


def _measurement(n: Node) -> list[str]:
    figures = "; ".join(filter(None, (n.one("magnitude"), n.one("duration"), n.one("doseAsApplied"), n.one("locator"))))
    measured = f"{name_html(n.one('evidenceEffect'))} {ARROWS.get(n.one('direction'), '')}"
    return [
        Html(f"{measured}<span class='note'>{escape(label(n.one('direction')))}</span>"),
        Html(f"{escape(n.one('summary'))}<span class='note'>{escape(figures)}</span>"),
        ", ".join(filter(None, (label(n.one("population")) if n.one("population") else "", label(n.one("tissueType"))))),
        Html(grounds_html(n)),
    ]


def studied(node: Node) -> None:
    """The conditions in which it was studied."""
    statements = referring("TreatmentEvidence", "evidenceTechnique", node.slug)
    st.header("Studied in", anchor="studied")
    if statements:
        studies(statements, "evidenceCondition", "condition")
    else:
        st.caption("No study of this very technique is in the graph. What is known of a more general technique counts at a discount.")


def hazards(node: Node) -> None:
    """The hazards under which it must not be used, or only with care."""
    rules = [knowledge()[slug] for slug in engine().gate.rules_on(node.slug)]
    if not rules:
        return
    st.header("Hazards", anchor="hazards")
    st.caption(
        "Rules that name this technique, its family or a group to which it belongs. Rules on regions and positions of the body come on top."
    )
    for level in LEVELS:
        members = [rule for rule in rules if rule.one("level") == level]
        if members:
            _level(level, members)


def _level(level: str, rules: Sequence[Node]) -> None:
    definition = knowledge()[level].definition
    with st.expander(f":material/{_LEVEL_ICONS[level]}: **{cap(label(level))}** ({len(rules)}) · {md(definition)}"):
        ordered = sorted(rules, key=lambda rule: label(rule.one("ruleHazard")))
        table(["Hazard", "Reason", "Instead", "Source"],
              [(Html(name_html(r.one("ruleHazard"))), _reason(r), r.one("action"), _grounds(r)) for r in ordered])  # fmt: skip


def _reason(rule: Node) -> Html:
    circumstance = f"<span class='note'>If: {escape(rule.one('circumstance'))}</span>" if rule.one("circumstance") else ""
    other = rule.one("disagreement")
    disagreement = f"<span class='note'>Sources disagree; the stricter acts. {escape(other)}.</span>" if other else ""
    return Html(escape(rule.one("reason")) + circumstance + disagreement)


def _grounds(rule: Node) -> Html:
    sources = rule.all("dcterms:source")
    words = sourcing_label(knowledge(), sourcing(knowledge(), sources)) if sources else ""
    return Html((f"<b>{escape(cap(words))}</b><br>" if words else "") + grounds_html(rule))


show("technique", "Technique", "technique",
     "How each technique is done, what it does to tissue and how well that is known, and when it must not be used.",
     draw, lambda: by_value("Technique", "family"))  # fmt: skip
