"""A letter of referral from a screening, as Markdown or PDF.

It tells a physician what was found, what was asked and not there, what was not asked, which disease is to be excluded,
and why. It names no disease as found, holds no personal data, and leaves the lines for names and signature empty.
"""

from collections.abc import Iterable
from typing import Any

from kg.documents.pdf import pdf
from kg.errors import PalpateError
from kg.reasoning.rank import source_dict
from kg.reasoning.screen import Screening

TITLE = "Letter of referral"
_OPEN = 6
"""How many questions that were not asked are listed for each disease to be excluded."""


def letter(screening: Screening) -> dict[str, Any]:
    """The content of the letter as plain data.

    Raises:
        PalpateError: where nothing calls for a referral.
    """
    referral, knowledge = screening.referral, screening.knowledge
    if referral is None:
        raise PalpateError("Nothing that was found calls for a referral, so there is no letter to write.")
    reasons: dict[tuple[str, str], dict[str, Any]] = {}
    for reason in referral.reasons:
        key = (reason.pathology or reason.slug, reason.urgency)
        found = reasons.setdefault(key, {"exclude": reason.pathology_label or reason.label, "urgency": reason.urgency, "because": []})
        if reason.label not in found["because"]:
            found["because"].append(reason.label)
    open_ = {suspicion.pathology: suspicion.not_asked[:_OPEN] for suspicion in screening.suspected}
    wanted = list(dict.fromkeys(slug for (path, _) in reasons for slug in open_.get(path, ())))
    sources = sorted({source for reason in referral.reasons for source in reason.sources})
    return {
        "title": TITLE,
        "urgency": referral.urgency.replace("-", " "),
        "meaning": knowledge[f"urgency-{referral.urgency}"].definition,
        "complaint": knowledge.label(screening.complaint) if screening.complaint else None,
        "regions": [knowledge.label(region) for region in screening.regions],
        "age": screening.person.age,
        "sex": screening.person.sex,
        "exclude": list(reasons.values()),
        "words": {s.label: s.words for s in screening.suspected},
        "found": _labels(screening, screening.answers.present),
        "absent": _labels(screening, screening.answers.absent),
        "not_asked": [knowledge.label(slug) for slug in wanted],
        "rules": [
            {"label": rule.label, "points": f"{rule.points:g}", "reading": rule.reading,
             "met": list(rule.met), "missing": list(rule.missing)}
            for rule in screening.rules if rule.reading
        ],
        "advised": list(screening.do_now),
        "sources": [_source(source_dict(knowledge[slug])) for slug in sources],
        "graph": f"Palpate {screening.version.version}, graph {screening.version.sha256[:12]}",
        "note": "A massage therapist wrote this letter with the help of Palpate. It does not diagnose: it names what is to be excluded.",
        "lines": ["Date", "To", "Client", "Therapist", "Signature"],
    }  # fmt: skip


def as_markdown(screening: Screening) -> str:
    """The letter as Markdown."""
    data = letter(screening)
    parts = [
        f"# {data['title']}",
        f"**Urgency: {data['urgency']}.** {data['meaning']}",
        "\n\n".join(f"{line}: ______________________" for line in data["lines"][:4]),
    ]
    parts.append(f"**Complaint, as it was named.** {_complaint(data)}")
    parts.append("## To be excluded\n\n" + _bullets(
        f"**{row['exclude']}**" + (f" (suspicion {data['words'][row['exclude']]})" if row["exclude"] in data["words"] else "")
        + f": {'; '.join(row['because'])}" for row in data["exclude"]))  # fmt: skip
    for title, rows in (("Found", data["found"]), ("Asked about and not there", data["absent"]), ("Not asked", data["not_asked"])):
        if rows:
            parts.append(f"## {title}\n\n{_bullets(rows)}")
    if data["rules"]:
        parts.append("## Decision rules\n\n" + _bullets(
            f"{rule['label']}: {rule['reading']} ({rule['points']} points; met: {'; '.join(rule['met']) or 'none'}; "
            f"open: {'; '.join(rule['missing']) or 'none'})" for rule in data["rules"]))  # fmt: skip
    parts.append(f"## What was advised\n\n{_bullets(data['advised'])}")
    parts.append("## Sources\n\n" + _bullets(f"{s['text']}" + (f" <{s['url']}>" if s["url"] else "") for s in data["sources"]))
    parts.append(f"{data['lines'][4]}: ______________________")
    parts.append(f"*{data['note']} {data['graph']}.*")
    return "\n\n".join(parts) + "\n"


def as_pdf(screening: Screening) -> bytes:
    """The letter as a PDF of one page or two."""
    data = letter(screening)
    return pdf("letter", data | {"about": _complaint(data)})


def _complaint(data: dict[str, Any]) -> str:
    """The complaint and the person in one line."""
    what = data["complaint"] or (f"Complaint in the region: {', '.join(data['regions'])}" if data["regions"] else "Region not stated")
    who = [str(data["age"]) + " years" if data["age"] is not None else "age not stated", data["sex"] or "sex not stated"]
    return f"{what}; {', '.join(who)}."


def _labels(screening: Screening, slugs: Iterable[str]) -> list[str]:
    return sorted(screening.knowledge.label(slug) for slug in slugs)


def _source(source: dict[str, Any]) -> dict[str, Any]:
    """A source as one line and its address."""
    title = source["title"] or source["slug"]
    return {"text": ", ".join(str(part) for part in (source["author"], title, source["year"]) if part), "url": source["url"]}


def _bullets(rows: Iterable[str]) -> str:
    return "\n".join(f"- {row}" for row in rows)
