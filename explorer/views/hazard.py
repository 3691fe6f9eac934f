"""Hazard: what one feature of a client forbids, why, and what to do instead."""

import streamlit as st

from explorer.entity import show
from explorer.parts import (
    cap,
    disagreement_md,
    engine,
    knowledge,
    label,
    labels,
    links,
    md,
    page_of,
    plural,
    referring,
    safety_grounds_md,
    short,
)
from kg.graph.knowledge import Node
from kg.reasoning.safety import LEVELS
from kg.reasoning.sourcing import sourcing

_COLORS = {"emergency-referral": "red", "absolute": "red", "medical-clearance": "orange", "local": "orange", "precaution": "gray"}


def draw(node: Node) -> None:
    """The sections of a hazard."""
    wider = [slug for slug in node.all("subHazardOf") if slug != node.slug]
    for note in node.all("skos:editorialNote"):
        st.caption(md(note))
    if node.one("assumedAtComplaint"):
        st.info("It is taken to sit where the complaint is, unless somebody says otherwise.", icon=":material/my_location:")
    links("hazard", wider, "Wider hazards, whose rules hold too")
    links("hazard", (n.slug for n in referring("Hazard", "subHazardOf", node.slug)), "Narrower hazards")
    rules = [rule for slug in (node.slug, *wider) for rule in referring("ContraindicationRule", "ruleHazard", slug)]
    withheld(node)
    st.header("Rules", anchor="rules")
    for level in LEVELS:
        for rule in (rule for rule in rules if rule.one("level") == level):
            _rule(rule, node.slug)
    brought(node)


def withheld(node: Node) -> None:
    """The techniques that it withholds wherever they would be applied."""
    names = engine().gate.withheld_by(node.slug)
    if names:
        st.header(f"{cap(plural(len(names), 'technique'))} withheld", anchor="withheld")
        links("technique", names)


def _rule(rule: Node, hazard: str) -> None:
    level, targets = rule.one("level"), rule.all("appliesTo")
    with st.container(border=True, gap="xsmall"):
        wider = f" · from {md(short(label(rule.one('ruleHazard'))))}" if rule.one("ruleHazard") != hazard else ""
        st.markdown(f":{_COLORS[level]}-badge[{md(cap(label(level)))}] :small[:gray[{md(knowledge()[level].definition)}{wider}]]")
        links("entity", (slug for slug in targets if page_of(slug) == "entity"), "Concerns")
        links("technique", (slug for slug in targets if page_of(slug) == "technique"), "Techniques")
        links("technique", rule.all("exceptTechnique"), "But not")
        circumstance = f"**If** {md(rule.one('circumstance'))}. " if rule.one("circumstance") else ""
        where = f" Always at: {md(labels(rule.all('atRegion')))}." if rule.all("atRegion") else ""
        sources, basis = rule.all("dcterms:source"), rule.one("basis")
        grounds = safety_grounds_md(sources, basis, sourcing(knowledge(), sources, basis))
        lines = [f"{circumstance}{md(rule.one('reason'))}. **Instead:** {md(rule.one('action'))}.{where}", f":small[:gray[{grounds}]]",
                 disagreement_md(rule.one("disagreement"), rule.all("disputedBy"))]  # fmt: skip
        st.markdown("  \n".join(filter(None, lines)))


def brought(node: Node) -> None:
    """The conditions that bring it themselves, and those of which it is a mimic."""
    occurrences = referring("HazardOccurrence", "occurrenceOf", node.slug)
    if occurrences:
        st.header("Conditions that bring it", anchor="conditions")
        links("condition", (n.one("broughtBy") for n in occurrences))
    if node.all("masqueradesAs"):
        st.header("Conditions that it can look like", anchor="looks-like")
        links("condition", node.all("masqueradesAs"))


def _alphabet() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for node in sorted(knowledge().of_class("Hazard"), key=lambda n: n.label.casefold()):
        groups.setdefault(node.label[:1].upper(), []).append(node.slug)
    return groups


show(
    "hazard", "Hazard", "hazard", "What each feature of a client, a site or a phase forbids, why, and what to do instead.", draw, _alphabet
)
