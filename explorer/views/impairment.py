"""Impairment: what is wrong with a tissue, in which conditions, and what relieves it."""

from html import escape

import streamlit as st

from explorer.cards import ARROWS
from explorer.entity import by_value, codes, show
from explorer.parts import Html, engine, facts, grounds_html, knowledge, label, links, md, name_html, plural, referring, table
from kg.graph.knowledge import Node

_MARKS = {"salience-high": "●●● leading", "salience-moderate": "●●○ regular", "salience-low": "●○○ minor"}


def draw(node: Node) -> None:
    """The sections of an impairment."""
    for note in (*node.all("skos:scopeNote"), *node.all("skos:editorialNote")):
        st.caption(md(note))
    if node.all("tissueType"):
        st.markdown(" ".join(f":gray-badge[{md(label(slug))}]" for slug in node.all("tissueType")))
    effects(node)
    techniques(node)
    conditions(node)
    rows = codes(node)
    if rows:
        st.header("Codes", anchor="codes")
        facts(rows)


def effects(node: Node) -> None:
    """The changes that relieve it."""
    found = referring("Relief", "reliefImpairment", node.slug)
    st.header("What relieves it", anchor="relief")
    if not found:
        st.caption("No effect of this graph relieves it: manual work does not reach it.")
        return
    table(
        ["Effect", "Strength", "Why", "Rests on"],
        [(Html(f"{name_html(n.one('reliefEffect'))} {ARROWS.get(n.one('direction'), '')}"), label(n.one("strength")), n.definition,
          Html(grounds_html(n))) for n in found],
    )  # fmt: skip


def techniques(node: Node) -> None:
    """The techniques whose effects relieve it, by the strongest path of each."""
    best: dict[str, tuple[float, str]] = {}
    for path in engine().model.mechanism.paths.paths:
        if path.impairment == node.slug and path.relieves:
            best[path.link.technique] = max(best.get(path.link.technique, (0.0, "")), (path.strength, path.link.effect))
    usable = {slug: found for slug, found in best.items() if not knowledge()[slug].one("unspecified")}
    if usable:
        st.header("Techniques that could", anchor="techniques")
        st.caption(
            "By mechanism alone: the strongest path of each, claim times relief, from 0 to 1. It is no proof that the client gets better."
        )
        ordered = sorted(usable.items(), key=lambda item: (-item[1][0], label(item[0])))
        rows = [(_technique(slug), f"{strength:.2f}", Html(name_html(effect))) for slug, (strength, effect) in ordered]
        table(["Technique", "Strength", "By its effect on"], rows, numbers=(1,))


def _technique(slug: str) -> Html:
    """A technique with a word on what is outside a massage therapist's scope."""
    outside = knowledge()[slug].one("scope") == "scope-referral-only"
    return Html(name_html(slug) + (f"<span class='note'>{escape(label('scope-referral-only'))}</span>" if outside else ""))


def conditions(node: Node) -> None:
    """The conditions that show it, where it leads first."""
    profiles = referring("ImpairmentProfile", "profileImpairment", node.slug)
    spots: dict[str, set[str]] = {}
    for profile in profiles:
        spots.setdefault(profile.one("salience"), set()).add(profile.one("profileOf"))
    st.header(f"In {plural(len({p.one('profileOf') for p in profiles}), 'condition')}", anchor="conditions")
    told: set[str] = set()
    for salience, words in _MARKS.items():
        members = spots.get(salience, set()) - told
        told |= members
        links("condition", members, words)


show(
    "impairment",
    "Impairment",
    "impairment",
    "What can be wrong with a tissue, in which conditions it is, and which effects and techniques relieve it.",
    draw,
    lambda: {"All impairments": [n.slug for n in knowledge().of_class("Impairment")], **by_value("Impairment", "tissueType")},
)
