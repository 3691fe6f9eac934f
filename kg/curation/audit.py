"""What a built graph lacks beyond what shapes see: gaps, collisions, figures that contradict their direction.

Each finding is an error, which must be mended, or advice, and says what mends it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from kg.curation.tables import MIRRORS
from kg.graph.index import KINDS, fold
from kg.graph.knowledge import Knowledge, Node

ERROR, ADVICE = "error", "advice"
_STATEMENTS = ("EffectClaim", "RefutedEffectClaim", "ImpairmentProfile", "Relief", "TissueInvolvement", "HazardOccurrence", "Dose")
_DEFINED = ("Condition", "Impairment", "PhysiologicalEffect", "Technique", "Hazard", "EffectClaim", "Relief")
_INTERVAL = re.compile(r"(MD|SMD|WMD|RR|OR|HR)\s*(-?\d+(?:\.\d+)?)\s*\(95% CI\s*(-?\d+(?:\.\d+)?)\s*to\s*(-?\d+(?:\.\d+)?)\)")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something to mend: how grave, of which individual, what is wrong, what mends it."""

    level: str
    slug: str
    fault: str
    mend: str

    def __str__(self) -> str:
        return f"{self.level}: {self.slug}: {self.fault} {self.mend}"


def audit(knowledge: Knowledge) -> list[Finding]:
    """All findings of a graph, errors before advice."""
    checks = (_conditions, _effects, _hazards, _adaptations, _times, _bases, _definitions, _labels, _sources, _figures, _unreachable)
    return sorted((finding for check in checks for finding in check(knowledge)), key=lambda f: (f.level != ERROR, f))


def _conditions(knowledge: Knowledge) -> Iterator[Finding]:
    resembling = {slug for node in knowledge.of_class("Resemblance") for slug in node.all("resemblanceOf")}
    matches = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch")
    for node in knowledge.of_class("Condition"):
        if not node.all("affects"):
            yield Finding(ERROR, node.slug, "affects no tissue.", "Add a pal:TissueInvolvement.")
        if not node.all("hasImpairment"):
            yield Finding(ERROR, node.slug, "has no impairment.", "Add a pal:ImpairmentProfile.")
        if node.slug not in resembling and not node.all("resembledBy"):
            yield Finding(ADVICE, node.slug, "resembles nothing.", "Add a pal:Resemblance with what tells them apart.")
        if not any(node.all(match) for match in matches):
            yield Finding(ADVICE, node.slug, "has no code of another terminology.", "Import a table of condition codes that maps it.")
        if not node.all("prognosis"):
            yield Finding(ADVICE, node.slug, "has no prognosis.", "Say in words how it usually goes on: pal:prognosis.")


def _effects(knowledge: Knowledge) -> Iterator[Finding]:
    for node in knowledge.of_class("PhysiologicalEffect"):
        if not node.all("relieves"):
            yield Finding(ERROR, node.slug, "relieves no impairment.", "Add a pal:Relief.")
        if not node.all("producedBy"):
            yield Finding(ADVICE, node.slug, "is produced by no technique.", "Add a pal:EffectClaim, or say in a note why none does.")
    for node in knowledge.of_class("Impairment"):
        if not node.all("relievedBy"):
            yield Finding(ERROR, node.slug, "is relieved by no effect.", "Add a pal:Relief.")
        if not node.all("impairmentOf"):
            yield Finding(ADVICE, node.slug, "belongs to no condition.", "Use it in a pal:ImpairmentProfile or drop it.")


def _hazards(knowledge: Knowledge) -> Iterator[Finding]:
    for node in knowledge.of_class("Hazard"):
        if not node.all("contraindicates"):
            yield Finding(ERROR, node.slug, "forbids and limits nothing.", "Add a pal:ContraindicationRule or a wider hazard.")


def _adaptations(knowledge: Knowledge) -> Iterator[Finding]:
    """A hazard that leaves something to do says how."""
    adapted = {hazard for node in knowledge.of_class("Adaptation") for hazard in node.all("forHazard")}
    outright = {"emergency-referral", "absolute"}
    milder = {node.one("ruleHazard") for node in knowledge.of_class("ContraindicationRule") if node.one("level") not in outright}
    for node in knowledge.of_class("Hazard"):
        own = {node.slug, *node.all("subHazardOf")}
        if own & milder and not own & adapted:
            yield Finding(ERROR, node.slug, "has rules that leave something to do, and no adaptation.", "Add a pal:Adaptation.")


def _times(knowledge: Knowledge) -> Iterator[Finding]:
    """Only what can be dated begins or ends with a date, and never an emergency."""
    for node in knowledge.of_class("ContraindicationRule"):
        if not node.all("liftsAfterDays") and not node.all("holdsFromDays"):
            continue
        hazard = knowledge[node.one("ruleHazard")]
        if not any(knowledge[own].one("dateMeans") for own in (hazard.slug, *hazard.all("subHazardOf"))):
            yield Finding(ERROR, node.slug, f"depends on a date, which {hazard.slug} does not take.", "Add pal:dateMeans to the hazard.")
        if node.one("level") == "emergency-referral":
            yield Finding(ERROR, node.slug, "is an emergency that ends with a date.", "Drop its days.")


def _bases(knowledge: Knowledge) -> Iterator[Finding]:
    for cls in _STATEMENTS:
        for node in knowledge.of_class(cls):
            if not node.all("basis"):
                yield Finding(ERROR, node.slug, "does not say on what it rests.", "Add pal:basis.")


def _definitions(knowledge: Knowledge) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for cls in _DEFINED:
        for node in knowledge.of_class(cls):
            text = fold(node.definition)
            if text and (other := seen.setdefault(text, node.slug)) != node.slug:
                yield Finding(ERROR, node.slug, f"has the definition of {other}.", "Say what sets it apart.")


def _labels(knowledge: Knowledge) -> Iterator[Finding]:
    for cls in ("Condition", "Technique", "Hazard", "AnatomicalStructure"):
        bearers: dict[str, set[str]] = defaultdict(set)
        preferred: dict[str, set[str]] = defaultdict(set)
        for node in knowledge.of_class(cls):
            preferred[fold(node.label)].add(node.slug)
            for label in (node.label, *node.all("skos:altLabel")):
                bearers[fold(label)].add(node.slug)
        for name, slugs in bearers.items():
            if len(slugs) > 1:
                level = ERROR if len(preferred[name]) > 1 else ADVICE
                first, *others = sorted(slugs)
                yield Finding(level, first, f"shares the name {name!r} with {', '.join(others)}.", "Let one of them bear it.")


def _sources(knowledge: Knowledge) -> Iterator[Finding]:
    for node in knowledge.of_class("Source"):
        for address in node.all("page"):
            if MIRRORS.search(address):
                yield Finding(ERROR, node.slug, f"links a copy, {address}.", "Link the publisher's own page, or none.")
    for prop in ("doi", "pmid"):
        seen: dict[str, str] = {}
        for node in knowledge.of_class("Source"):
            for value in node.all(prop):
                if (other := seen.setdefault(value.lower(), node.slug)) != node.slug:
                    yield Finding(ADVICE, node.slug, f"has the {prop.upper()} of {other}.", "Merge the two, or mend one identifier.")


def _figures(knowledge: Knowledge) -> Iterator[Finding]:
    """A sole interval that crosses no effect is no benefit."""
    for node in knowledge.of_class("StudyResult"):
        figures = _INTERVAL.findall(node.one("effectSize"))
        if node.one("result") == "benefit" and len(figures) == 1:
            measure, _, low, high = figures[0]
            none = 1.0 if measure in ("RR", "OR", "HR") else 0.0
            if float(low) < none < float(high):
                yield Finding(ADVICE, node.slug, f"is called a benefit, but its interval {low} to {high} crosses no effect.",
                              "Look it up again: no-difference, or a figure that lost its sign.")  # fmt: skip


def _unreachable(knowledge: Knowledge) -> Iterator[Finding]:
    """Individuals of the kinds that people look for to which nothing points and that point to nothing but their kind."""
    named = {value for node in knowledge for name, values in node.properties.items() if name != "rdf:type"
             for value in values if isinstance(value, str)}  # fmt: skip
    for cls in KINDS:
        if cls in ("AnatomicalStructure", "Source"):
            continue
        for node in knowledge.of_class(cls):
            if node.slug not in named and not _links(knowledge, node):
                yield Finding(ADVICE, node.slug, "is connected to nothing.", "Link it or drop it.")


def _links(knowledge: Knowledge, node: Node) -> bool:
    own = (values for name, values in node.properties.items() if name not in ("rdf:type", "basis"))
    return any(isinstance(value, str) and value in knowledge for values in own for value in values)


def weakest(knowledge: Knowledge) -> list[tuple[Node, dict[str, float]]]:
    """The conditions, those with the least to stand on first: direct statements, share of sourced facts, verified ones."""
    statements: dict[str, list[Node]] = defaultdict(list)
    for node in knowledge.of_class("TreatmentEvidence"):
        statements[node.one("evidenceCondition")].append(node)
    facts: dict[str, list[Node]] = defaultdict(list)
    for cls, prop in (("ImpairmentProfile", "profileOf"), ("TissueInvolvement", "involvementOf")):
        for node in knowledge.of_class(cls):
            facts[node.one(prop)].append(node)
    rows = []
    for node in knowledge.of_class("Condition"):
        own, about = statements[node.slug], facts[node.slug]
        rows.append((node, {
            "statements": float(len(own)),
            "techniques studied": float(len({n.one("evidenceTechnique") for n in own})),
            "verified": float(sum(bool(n.all("verifiedOn")) for n in own)),
            "sourced facts": sum(n.one("basis") == "sourced" for n in about) / max(len(about), 1),
        }))  # fmt: skip
    return sorted(rows, key=lambda row: (row[1]["statements"], row[1]["sourced facts"], row[0].slug))


def report_html(text: str) -> str:
    """The curation report, written in Markdown, as a page that stands alone."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(text)
    style = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{padding:.2rem .8rem;text-align:left}"
    head = f'<meta charset="utf-8"><title>Curation report</title><style>{style}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}</body></html>\n'


def report(knowledge: Knowledge) -> str:
    """The curation report as Markdown: counts, findings, and the conditions with the weakest entries first."""
    findings = audit(knowledge)
    lines = [
        "# Curation report", "",
        "Written by `python -m kg check --report`. The weakest entries come first: they are where work helps most.", "",
        f"Graph {knowledge.version.version}. {len(knowledge.of_class('Condition'))} conditions, "
        f"{len(knowledge.of_class('Technique'))} techniques, {len(knowledge.of_class('AnatomicalStructure'))} structures, "
        f"{len(knowledge.of_class('Hazard'))} hazards, {len(knowledge.of_class('TreatmentEvidence'))} statements of treatment evidence "
        f"({sum(bool(n.all('verifiedOn')) for n in knowledge.of_class('TreatmentEvidence'))} verified against their source), "
        f"{len(knowledge.of_class('Source'))} sources.", "",
        f"## Findings: {sum(f.level == ERROR for f in findings)} errors, {sum(f.level == ADVICE for f in findings)} pieces of advice", "",
        "| level | entry | fault | what mends it |", "| --- | --- | --- | --- |",
        *(f"| {f.level} | `{f.slug}` | {f.fault} | {f.mend} |" for f in findings), "",
        "## Conditions, the weakest first", "",
        "| condition | statements | techniques studied | verified | sourced facts |", "| --- | --: | --: | --: | --: |",
        *(f"| {node.label} | {row['statements']:.0f} | {row['techniques studied']:.0f} | {row['verified']:.0f} "
          f"| {row['sourced facts']:.0%} |"
          for node, row in weakest(knowledge)), "",
    ]  # fmt: skip
    return "\n".join(lines)
