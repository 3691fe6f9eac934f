"""A plan on paper: two pages at most for the therapist, one in large type for the client."""

import json
import re
from collections.abc import Mapping
from typing import Any

from kg.documents.pdf import TEMPLATES, fonts, pdf
from kg.documents.plan_text import (
    FOOT,
    Data,
    blocks,
    cautions,
    client_line,
    evidence_line,
    frame_line,
    heading,
    source_name,
    span,
    tissue_names,
    withheld_lines,
)
from kg.reasoning.plan.follow import follow

_SIZES = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5)
"""Sizes of type in points that are tried until the pages are few enough."""
_CLIENT_SIZES = (15.0, 14.0, 13.0, 12.0)
"""The same for the client; type smaller than the last is not large."""
_FLAGS = (14, 10, 6, 4)
"""How many red flags are printed, the most urgent first; fewer where the smallest type does not fit."""


def therapist(plan: Data, labels: Mapping[str, str]) -> bytes:
    """The plan for the therapist: goals, phases, each kind of session, when to stop; two pages at most."""
    for flags in _FLAGS:
        data = _therapist(plan, labels, flags)
        for size in _SIZES:
            if pages("plan", data | {"size": size}) <= 2:
                return pdf("plan", data | {"size": size})
    return pdf("plan", _therapist(plan, labels, 0) | {"size": _SIZES[-1]})


def client(plan: Data) -> bytes:
    """What the client takes home: what to do, how often, when to call; one page, in plain words."""
    data = _client(plan)
    for full in (True, False):
        for size in _CLIENT_SIZES:
            if pages("plan-client", data | {"size": size, "full": full}) == 1:
                return pdf("plan-client", data | {"size": size, "full": full})
    return pdf("plan-client", data | {"size": _CLIENT_SIZES[-1] - 2, "full": False, "later": []})


def pages(template: str, data: Mapping[str, Any]) -> int:
    """How many pages a template fills with some data."""
    import typst

    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    found = typst.query(str(TEMPLATES / f"{template}.typ"), "<pages>", field="value", one=True, root=str(TEMPLATES),
                        sys_inputs={"data": text}, font_paths=fonts())  # fmt: skip
    return int(json.loads(found))


def _therapist(plan: Data, labels: Mapping[str, str], flags: int) -> dict[str, Any]:
    stops = plan["stop_and_refer_when"]
    rules = [s["text"] + (f" (session {s['by_session']})" if s.get("by_session") else "") for s in stops if not s.get("red_flag")]
    red = [s for s in stops if s.get("red_flag")]
    return {
        "title": plan["condition"]["label"], "client": client_line(plan, labels), "note": plan.get("note") or "",
        "referral": _referral(plan), "frame": frame_line(plan) if plan["sessions"] else "", "replan": plan.get("replan") or "",
        "goals": [{"label": g["label"], "text": g["text"], "baseline": g["baseline"], "target": g["target"], "mcid": g["mcid"],
                   "mdc": g["mdc"]} for g in plan["goals"]],
        "phases": [{"name": p["name"], "sessions": span(p["sessions"]), "aim": p["aim"], "progress": p["progress_when"],
                    "regress": p["regress_when"]} for p in plan["phases"]],
        "sessions": [
            {"heading": heading(plan, block), "home": [i["label"] for i in block.session["home_care"]],
             "steps": [_step(step, labels) for step in block.session["steps"]]}
            for block in blocks(plan)
        ],
        "care": _care(plan), "measured": _measured(plan), "progress": [p.to_dict() for p in follow(plan)],
        "rules": rules, "flags": [f"{s['urgency'].capitalize()}: {s['text']}" for s in red[:flags]], "flags_left": max(len(red) - flags, 0),
        "withheld": [line if len(line) < 260 else line[:257] + "..." for line in withheld_lines(plan)][:8],
        "maintenance": plan["maintenance"] and f"{plan['maintenance']['times']} more, every {plan['maintenance']['every_weeks']:g} weeks. "
                       + plan["maintenance"]["reason"],
        "sources": sorted({source_name(plan, s) for b in blocks(plan) for step in b.session["steps"] for s in step["sources"]})[:30],
        "graph": f"{plan['graph']['version']} {plan['graph']['sha256'][:12]}", "foot": FOOT,
    }  # fmt: skip


def _step(step: Data, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"order": step["order"], "label": step["label"], "where": tissue_names(step, labels), "minutes": step["minutes"],
            "discomfort": step["dose"]["discomfort_most"], "intent": step["intent"], "evidence": evidence_line(step)}  # fmt: skip


def _care(plan: Data) -> list[str]:
    """Each caution of the plan once, with the techniques that it is about."""
    found: dict[str, list[str]] = {}
    for session in plan["sessions"]:
        for step in session["steps"]:
            for care in cautions(step):
                names = found.setdefault(care, [])
                if step["label"] not in names:
                    names.append(step["label"])
    return [f"{care} ({', '.join(names)})" for care, names in found.items()]


def _measured(plan: Data) -> str:
    full = max((len(s["reassess"]) for s in plan["sessions"]), default=0)
    all_ = [str(s["number"]) for s in plan["sessions"] if full and len(s["reassess"]) == full]
    short = [str(s["number"]) for s in plan["sessions"] if 0 < len(s["reassess"]) < full]
    return (f"All measures at session {', '.join(all_)}" + (f"; the first one at {', '.join(short)}." if short else ".")) if all_ else ""


def _referral(plan: Data) -> str:
    if not plan.get("referral"):
        return ""
    return f"{'; '.join(r['label'] for r in plan['referral']['reasons'])}. {plan['referral']['action']}"


def _client(plan: Data) -> dict[str, Any]:
    """The home care of the first phase and what is new in each later one, in the client's words."""
    parts: list[dict[str, Any]] = []
    seen: set[str] = set()
    for session in plan["sessions"]:
        fresh = [item for item in session["home_care"] if item["item"] not in seen]
        seen.update(item["item"] for item in fresh)
        if fresh:
            parts.append({"from": session["number"],
                          "items": [{"label": i["label"], "how": i["instruction"], "dose": i["dose"], "stop": i["stop"]} for i in fresh]})
    first, later = parts[:1], parts[1:]
    return {
        "title": re.sub(r" \([^)]*\)$", "", plan["condition"]["label"]), "referral": _referral(plan), "sessions": len(plan["sessions"]),
        "weeks": plan["course"]["weeks"] if plan.get("course") else 0, "first": first[0]["items"] if first else [],
        "later": later, "advice": plan.get("advice", []), "call": [s["plain"] for s in plan["stop_and_refer_when"] if s.get("plain")],
    }  # fmt: skip
