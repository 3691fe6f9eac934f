"""Paths from technique to tissue as drawings: a flow, and a network to move about in.

Width is strength. A solid line was measured, a dashed one is taught only, a dotted one makes worse; color only repeats it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.cards import ARROWS
from explorer.parts import label, short
from kg.reasoning.explain import Rationale

_KINDS = ("technique", "effect", "impairment", "tissue")
_LIGHT = {"technique": "#0b6b6b", "effect": "#3a6ea5", "impairment": "#8a5a00", "tissue": "#6b4f86", "good": "#2f7f7f", "bad": "#a3431b",
          "ink": "#14262b", "ground": "#ffffff"}  # fmt: skip
_DARK = {"technique": "#5acdc3", "effect": "#8ab6e8", "impairment": "#e0b35a", "tissue": "#c3a5dd", "good": "#5acdc3", "bad": "#f2a477",
         "ink": "#e6efef", "ground": "#0e1117"}  # fmt: skip
_SHAPES = {"technique": "round-rectangle", "effect": "ellipse", "impairment": "diamond", "tissue": "hexagon"}


@dataclass(frozen=True, slots=True)
class Edge:
    """A line of a drawing between two nodes, each (kind, name)."""

    start: tuple[str, str]
    end: tuple[str, str]
    strength: float
    weight: float
    style: str


def colors() -> dict[str, str]:
    """The colors for the theme in which the page stands."""
    return _DARK if st.context.theme.type == "dark" else _LIGHT


def edges(rationales: Sequence[Rationale]) -> list[Edge]:
    """The lines of some paths, each once: strength of the strongest, and the weight of all paths that run along it."""
    found: dict[tuple[tuple[str, str], tuple[str, str]], Edge] = {}
    for r in rationales:
        link, weight = r.path.link, abs(r.contribution)
        spot = label(r.path.impairment) if r.path.relieves else f"⇥ {label(r.path.impairment)} (worse)"
        effect = ("effect", f"{label(link.effect)} {ARROWS[link.direction]}")
        stops: list[tuple[str, str]] = [("technique", short(label(link.technique))), effect, ("impairment", spot)]
        steps = [
            (link.strength, "measured" if link.evidence else "taught"),
            (r.path.relief_strength, "relieves" if r.path.relieves else "worsens"),
        ]
        if r.need.tissue:
            stops.append(("tissue", label(r.need.tissue)))
            steps.append((r.need.weight, "sits in"))
        for (start, end), (strength, style) in zip(pairwise(stops), steps, strict=True):
            old = found.get((start, end))
            found[start, end] = Edge(start, end, max(strength, old.strength if old else 0), weight + (old.weight if old else 0), style)
    return list(found.values())


def sankey(rationales: Sequence[Rationale]) -> go.Figure:
    """The paths as a flow: how much of what the mechanism could do runs along which effect into which impairment."""
    lines, paint = edges(rationales), colors()
    nodes = list(dict.fromkeys(node for edge in lines for node in (edge.start, edge.end)))
    place = {node: index for index, node in enumerate(nodes)}
    bad = [edge.style == "worsens" or "⇥" in edge.start[1] for edge in lines]
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": [name for _, name in nodes],
                "color": [paint[kind] for kind, _ in nodes],
                "pad": 14,
                "align": "left",
                "thickness": 14,
                "line": {"width": 0},
            },
            link={
                "source": [place[e.start] for e in lines],
                "target": [place[e.end] for e in lines],
                "value": [max(e.weight, 1e-4) for e in lines],
                "label": [f"{e.style}, strength {e.strength:.2f}" for e in lines],
                "color": [
                    _faded(paint["bad" if worse else "good"], 0.35 if e.style != "taught" else 0.2)
                    for e, worse in zip(lines, bad, strict=True)
                ],
            },
            textfont={"color": paint["ink"], "size": 13},
        )
    )
    rows = max(sum(kind == wanted for kind, _ in nodes) for wanted in _KINDS)
    figure.update_layout(height=max(280, 34 * rows + 60), margin={"l": 4, "r": 4, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)")
    return figure


def _faded(color: str, opacity: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def network(rationales: Sequence[Rationale], key: str) -> None:
    """The paths as a network that can be moved, zoomed and saved."""
    from streamlit_cytoscape import EdgeStyle, NodeStyle, streamlit_cytoscape

    lines, paint = edges(rationales), colors()
    nodes = list(dict.fromkeys(node for edge in lines for node in (edge.start, edge.end)))
    names = {node: f"n{index}" for index, node in enumerate(nodes)}
    elements: dict[str, Any] = {
        "nodes": [
            {"data": {"id": names[node], "label": node[0], "name": node[1]}, "position": spot} for node, spot in _spots(nodes).items()
        ],
        "edges": [
            {
                "data": {
                    "id": f"e{index}",
                    "source": names[edge.start],
                    "target": names[edge.end],
                    "label": edge.style,
                    "strength": round(edge.strength, 2),
                }
            }
            for index, edge in enumerate(lines)
        ],
    }
    text = _lettering(paint)
    node_styles = [
        NodeStyle(kind, paint[kind], "name", custom_styles={**text, "shape": _SHAPES[kind], "width": 26, "height": 26}) for kind in _KINDS
    ]
    dashes = {"measured": "solid", "taught": "dashed", "relieves": "solid", "worsens": "dotted", "sits in": "solid"}
    width = {"width": "mapData(strength, 0, 1, 1, 9)", "font-size": 9, "color": paint["ink"]}
    edge_styles = [
        EdgeStyle(style, paint["bad" if style == "worsens" else "good"], directed=True, custom_styles={**width, "line-style": dash})
        for style, dash in dashes.items()
    ]
    streamlit_cytoscape(elements, layout={"name": "preset", "fit": True, "padding": 24},
                        node_styles=node_styles, edge_styles=edge_styles, height=560, key=key)  # fmt: skip


def _lettering(paint: Mapping[str, str]) -> dict[str, Any]:
    """How a name stands under its node."""
    return {
        "color": paint["ink"],
        "font-size": 11,
        "text-wrap": "wrap",
        "text-max-width": 110,
        "text-valign": "bottom",
        "text-background-color": paint["ground"],
        "text-background-opacity": 0.8,
        "text-background-padding": 2,
    }


def _spots(nodes: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, float]]:
    """A column for each kind of node, each centered."""
    found = {}
    for column, kind in enumerate(_KINDS):
        members = [node for node in nodes if node[0] == kind]
        found |= {node: {"x": 260.0 * column, "y": 72.0 * (row - len(members) / 2)} for row, node in enumerate(members)}
    return found


def pairs_network(pairs: Sequence[tuple[str, str]], kinds: tuple[str, str], key: str) -> None:
    """Lines between names of two kinds, as a network that can be moved, zoomed and saved."""
    from streamlit_cytoscape import EdgeStyle, NodeStyle, streamlit_cytoscape

    paint = colors()
    nodes = list(dict.fromkeys((kind, pair[side]) for side, kind in enumerate(kinds) for pair in pairs))
    names = {node: f"n{index}" for index, node in enumerate(nodes)}
    elements: dict[str, Any] = {
        "nodes": [{"data": {"id": names[node], "label": node[0], "name": node[1]}} for node in nodes],
        "edges": [{"data": {"id": f"e{index}", "source": names[kinds[0], start], "target": names[kinds[1], end], "label": "line"}}
                  for index, (start, end) in enumerate(pairs)],
    }  # fmt: skip
    text = _lettering(paint)
    styles = [NodeStyle(kind, paint[color], "name", custom_styles={**text, "shape": shape, "width": 22, "height": 22})
              for kind, color, shape in zip(kinds, ("technique", "effect"), ("round-rectangle", "ellipse"), strict=True)]  # fmt: skip
    streamlit_cytoscape(
        elements, layout="cose", node_styles=styles, edge_styles=[EdgeStyle("line", paint["good"], directed=True)], height=560, key=key
    )
