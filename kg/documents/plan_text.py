"""A plan in words: what its documents share, and the plan as Markdown.

All documents take a plan as plain data, as `Plan.to_dict` gives it and as a person may have edited it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg.reasoning.plan.follow import follow

Data = Mapping[str, Any]
FOOT = "A decision aid for trained people; it does not diagnose and does not replace an examination."
_BASES = {
    "protocol": "published protocols for this condition",
    "protocol-of-family": "published protocols for related conditions",
    "expert-reasoning": "reasoning; no published protocol of the condition or its family is in the graph",
}
_CLASSES = {
    "supported": "supported", "mechanism-only": "mechanism only", "conflicting": "conflicting", "against": "against", "unknown": "no study",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """Sessions that follow each other with the same steps."""

    numbers: tuple[int, ...]
    weeks: tuple[int, int]
    session: Data


def blocks(plan: Data) -> list[Block]:
    """The sessions of a plan, runs of the same content as one."""
    found: list[list[Data]] = []
    for session in plan["sessions"]:
        if found and _content(found[-1][-1]) == _content(session):
            found[-1].append(session)
        else:
            found.append([session])
    return [Block(tuple(s["number"] for s in run), (run[0]["week"], run[-1]["week"]), run[0]) for run in found]


def _content(session: Data) -> tuple[Any, ...]:
    return session["phase"], session["minutes"], [(s["technique"], s["minutes"]) for s in session["steps"]]


def span(numbers: Sequence[int]) -> str:
    """`3` or `3 to 7`."""
    return str(numbers[0]) if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"


def heading(plan: Data, block: Block) -> str:
    """What stands over a block of sessions."""
    phase = phase_name(plan, block.session["phase"])
    many = "Sessions" if len(block.numbers) > 1 else "Session"
    weeks = "weeks" if block.weeks[0] != block.weeks[1] else "week"
    return f"{many} {span(block.numbers)}: {phase} ({weeks} {span(block.weeks)}, {block.session['minutes']:g} minutes)"


def phase_name(plan: Data, slug: str) -> str:
    return next((str(p["name"]) for p in plan["phases"] if p["phase"] == slug), slug)


def client_line(plan: Data, labels: Mapping[str, str]) -> str:
    """The client as understood, in one line."""
    c = plan["context"]
    parts = [f"{c['phase']} phase" if c.get("phase") else "phase not stated",
             f"{c['irritability']} irritability" if c.get("irritability") else "irritability not stated"]  # fmt: skip
    return ", ".join([*parts, *(labels.get(slug, slug) for slug in (*(c.get("hazards") or ()), *(c.get("red_flags") or ())))])


def frame_line(plan: Data) -> str:
    """How many sessions, how often, and on what that rests."""
    course = plan["course"]
    count, weeks = course["sessions"], course["weeks"]
    named = sorted({source_name(plan, s) for p in course["protocols"] for s in p["sources"]})
    rests = _BASES[course["basis"]] + (f" ({'; '.join(named)})" if named else "")
    from_ = "Number of sessions as asked; spacing from" if "sessions" in course.get("asked", ()) else "Number and spacing from"
    return (f"{count} session{'s' if count > 1 else ''} over {weeks} week{'s' if weeks > 1 else ''}, at first "
            f"{course['per_week']:g} a week, later farther apart. {from_} {rests}.")  # fmt: skip


def source_name(plan: Data, slug: str) -> str:
    """`Author year`, or the title where no author is known."""
    source = plan.get("sources", {}).get(slug)
    if not source:
        return slug
    year = f" {source['year']}" if source.get("year") else ""
    return f"{source['author']}{year}" if source.get("author") else f"{source['title'][:60]}{year}"


def evidence_line(step: Data) -> str:
    """Class and certainty of a step's technique, in words."""
    e = step.get("evidence") or {}
    return f"{_CLASSES.get(e['class'], e['class'])}, certainty {e['certainty'].replace('-', ' ')}" if e else ""


def cautions(step: Data) -> list[str]:
    """What to take care of in a step, each once."""
    return list(dict.fromkeys(f"{c['label']}: {c.get('where') or c['action']}" for c in step.get("cautions", ())))


def tissue_names(step: Data, labels: Mapping[str, str]) -> str:
    return ", ".join(labels.get(t, t.replace("-", " ")).lower() for t in step.get("tissues", ()))


def withheld_lines(plan: Data) -> list[str]:
    """What is withheld, grouped by the first reason."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for held in plan.get("withheld", ()):
        first = held["because"][0]
        grouped.setdefault((first["label"], held["level"], first["reason"]), []).append(held["label"])
    return [f"{label} ({level}): {reason.rstrip('.')}. Not: {', '.join(names)}." for (label, level, reason), names in grouped.items()]


def markdown(plan: Data, labels: Mapping[str, str]) -> str:
    """The whole plan as Markdown."""
    lines = [f"# Treatment plan: {plan['condition']['label']}", "", f"Client: {client_line(plan, labels)}."]
    if plan.get("referral"):
        reasons = "; ".join(r["label"] for r in plan["referral"]["reasons"])
        lines += ["", f"**Refer ({plan['referral']['urgency']}): {reasons}. {plan['referral']['action']}**"]
    if plan.get("note"):
        lines += ["", plan["note"]]
    if plan["sessions"]:
        lines += ["", frame_line(plan), *([plan["replan"]] if plan.get("replan") else [])]
        lines += _goals(plan) + _phases(plan) + _sessions(plan, labels) + _home(plan)
    lines += _stops(plan)
    if plan.get("maintenance"):
        m = plan["maintenance"]
        lines += ["", "## Afterward", "", f"{m['times']} more, every {m['every_weeks']:g} weeks. {m['reason']}"]
    if held := withheld_lines(plan):
        lines += ["", "## Withheld", "", *(f"- {line}" for line in held)]
    if plan.get("sources"):
        lines += ["", "## Sources", "", *(f"- {_cite(s)}" for s in plan["sources"].values())]
    return "\n".join([*lines, "", f"Graph {plan['graph']['version']} {plan['graph']['sha256'][:12]}. {FOOT}", ""])


def _goals(plan: Data) -> list[str]:
    numbers = ("baseline", "target", "mcid", "mdc")
    rows = [f"| {g['label']} | {g['text']} | {' | '.join(_number(g[name]) for name in numbers)} |" for g in plan["goals"]]
    progress = [f"- {p.label}: {', '.join(f'{s:g} at session {n}' for n, s in p.scores)}. {p.verdict.replace('-', ' ').capitalize()}."
                for p in follow(plan)]  # fmt: skip
    return ["", "## Goals", "", "| for | goal | first score | target | smallest change that matters | smallest change beyond error |",
            "| --- | --- | --: | --: | --: | --: |", *rows, *(["", "So far:", "", *progress] if progress else [])]  # fmt: skip


def _phases(plan: Data) -> list[str]:
    lines = ["", "## Phases"]
    for p in plan["phases"]:
        lines += ["", f"**{p['name']}** (sessions {span(p['sessions'])}). {p['aim']}", "", "Go on when:", "",
                  *(f"- {c}" for c in p["progress_when"]), "", "Go back when:", "", *(f"- {c}" for c in p["regress_when"])]  # fmt: skip
    return lines


def _sessions(plan: Data, labels: Mapping[str, str]) -> list[str]:
    lines = ["", "## Sessions"]
    for block in blocks(plan):
        lines += ["", f"### {heading(plan, block)}", ""]
        for step in block.session["steps"]:
            named = tissue_names(step, labels)
            where = f", {named}" if named else ""
            lines.append(f"{step['order']}. **{step['label']}**, {step['minutes']:g} minutes{where}. {step['intent']} "
                         f"Discomfort at most {step['dose']['discomfort_most']} of 10. Evidence: {evidence_line(step)}.")  # fmt: skip
            if step.get("why_here"):
                lines.append(f"   Why here: {step['why_here']}")
            lines += [f"   Care: {care}" for care in cautions(step)]
        if measured := block.session["reassess"]:
            lines += ["", f"Measure: {', '.join(_measure(plan, m) for m in measured)}."]
    return lines


def _home(plan: Data) -> list[str]:
    lines, seen = ["", "## At home"], set[str]()
    for session in plan["sessions"]:
        fresh = [item for item in session["home_care"] if item["item"] not in seen]
        seen.update(item["item"] for item in fresh)
        if fresh:
            lines += ["", f"From session {session['number']}:", "",
                      *(f"- **{i['label']}.** {i['instruction']} {i['dose']}. {i['progression']} {i['stop']}" for i in fresh)]  # fmt: skip
    return lines if seen else []


def _stops(plan: Data) -> list[str]:
    lines = ["", "## Stop, and refer, when", ""]
    for stop in plan["stop_and_refer_when"]:
        by = f" (session {stop['by_session']})" if stop.get("by_session") else ""
        urgency = f"**{stop['urgency']}**: " if stop.get("urgency") else ""
        lines.append(f"- {urgency}{stop['text']}{by}{' Ask: ' + stop['question'] if stop.get('question') else ''}")
    return lines


def _measure(plan: Data, slug: str) -> str:
    return next((g["measure_label"] for g in plan["goals"] if g["measure"] == slug), slug)


def _cite(source: Data) -> str:
    parts = [source.get("author"), str(source["year"]) if source.get("year") else None, source["title"], source.get("url")]
    return ". ".join(part for part in parts if part)


def _number(value: Any) -> str:
    return "" if value is None else f"{value:g}"
