"""Tissue: where one structure lies, what suffers in it, and which techniques act on its kind."""

from html import escape

import streamlit as st

from explorer.entity import by_value, codes, show
from explorer.parts import Html, facts, knowledge, label, links, md, name_html, referring, short, table
from kg.graph.knowledge import Node

_GENERAL = {"AnatomicalStructure", "SoftTissue"}
_NEIGHBORS = {"partOf": "Part of", "attachesTo": "Attaches to", "innervatedBy": "Innervated by", "innervates": "Innervates"}


def draw(node: Node) -> None:
    """The sections of a structure."""
    kinds = [label(cls) for cls in node.all("rdf:type") if cls not in _GENERAL]
    st.markdown(" ".join(f":gray-badge[{md(name)}]" for name in (*kinds, *map(label, node.all("inRegion")))))
    for prop, words in _NEIGHBORS.items():
        links("tissue", (slug for slug in node.all(prop) if slug != node.slug), words)
    links("tissue", (slug for slug in node.all("hasPart") if slug != node.slug), "Parts")
    muscle(node)
    conditions(node)
    impairments(node)
    techniques(node)
    rows = codes(node)
    if rows or node.one("skos:altLabel"):
        st.header("Codes", anchor="codes")
        facts([*rows, ("Term from", "; ".join(node.all("http://www.w3.org/ns/prov#wasDerivedFrom")))])


def muscle(node: Node) -> None:
    """What a muscle does, from where to where it runs, against what it works, and where its pain is said to be felt."""
    stated = [
        ("Actions", "; ".join(node.all("muscleAction"))),
        ("Origin", "; ".join(node.all("originText"))),
        ("Insertion", "; ".join(node.all("insertionText"))),
        ("Referral zone", node.one("referralZone")),
    ]
    if any(value for _, value in stated):
        st.header("As a muscle", anchor="muscle")
        facts(stated)
        if node.one("referralZone"):
            st.caption(f"Referral zone: {label(node.one('referralBasis'))}.")
    links("tissue", (slug for slug in node.all("antagonistOf") if slug != node.slug), "Antagonists, from opposite actions")


def conditions(node: Node) -> None:
    """The conditions that affect it, by its role in them."""
    involved = referring("TissueInvolvement", "involvedTissue", node.slug)
    st.header("Conditions that affect it", anchor="conditions")
    if not involved:
        st.caption("No condition of this graph names this structure itself.")
    for role in ("role-primary", "role-secondary", "role-compensating"):
        members = [n.one("involvementOf") for n in involved if n.one("role") == role]
        links("condition", members, f"{label(role).capitalize()}: {knowledge()[role].definition.rstrip('.').lower()}")


def impairments(node: Node) -> None:
    """Its impairments, with the conditions that show them."""
    profiles = referring("ImpairmentProfile", "impairedTissue", node.slug)
    if not profiles:
        return
    st.header("Impairments", anchor="impairments")
    spots: dict[str, set[str]] = {}
    for profile in profiles:
        spots.setdefault(profile.one("profileImpairment"), set()).add(profile.one("profileOf"))
    rows = [
        (_impairment(slug), Html(", ".join(name_html(c, short(label(c))) for c in sorted(found, key=label))))
        for slug, found in sorted(spots.items(), key=lambda item: -len(item[1]))
    ]
    table(["Impairment", "In"], rows)


def _impairment(slug: str) -> Html:
    return Html(f"<b>{name_html(slug)}</b><span class='note'>{escape(knowledge()[slug].definition)}</span>")


def techniques(node: Node) -> None:
    """The techniques that act on tissue of its kind."""
    kind = node.one("hasTissueType")
    acting = [n.slug for n in referring("Technique", "actsOn", kind) if not n.one("unspecified")] if kind else []
    if acting:
        st.header("Techniques that act on its kind of tissue", anchor="techniques")
        st.caption(f"Kind of tissue: {md(label(kind))}.")
        links("technique", acting)


show("tissue", "AnatomicalStructure", "tissue",
     "Where each structure lies, which conditions affect it, and which techniques act on its kind.",
     draw, lambda: by_value("AnatomicalStructure", "inRegion", lambda node: bool(node.one("affectedBy"))))  # fmt: skip
