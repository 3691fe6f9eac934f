"""The answer of a ranking: the techniques in their places, with bands, classes, certainty and reasons.

A technique that a hazard forbids is under `withheld` whatever its score. One outside a massage therapist's scope is
only ever under `discuss`. Under a referral that stops treatment nothing is recommended.
"""

import csv
import io
from dataclasses import dataclass
from typing import Any

from kg.graph.frame import Tabular
from kg.graph.knowledge import Knowledge, Node, Version
from kg.reasoning.adapt import ModificationPlan
from kg.reasoning.certainty import AGAINST, CONFLICTING, SUPPORTED, Certainty
from kg.reasoning.client import Client
from kg.reasoning.evidence import Observation
from kg.reasoning.explain import Rationale, link_dict
from kg.reasoning.mechanism import Need
from kg.reasoning.preferences import Preferences
from kg.reasoning.safety import LOCAL, Reason, Referral
from kg.reasoning.score import Score


@dataclass(frozen=True, slots=True)
class Entry:
    """One technique in its place: score, class, certainty, and everything that made them."""

    rank: int
    band: int
    technique: str
    label: str
    scope: str
    score: Score
    class_: str
    certainty: Certainty
    cautions: tuple[Reason, ...]
    rationale: tuple[Rationale, ...]

    def why(self, knowledge: Knowledge) -> str:
        """The reason in one or two sentences: evidence first, then the weightiest mechanism."""
        return f"{_evidence_sentence(self)} {_mechanism_sentence(self, knowledge)}".strip()


@dataclass(frozen=True, slots=True)
class Withheld:
    """One technique that the client must not get, with the reasons."""

    technique: str
    label: str
    level: str
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """One technique that is safe but does not fit what client or therapist prefer or have."""

    technique: str
    label: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking(Tabular):
    """The answer for one condition and client."""

    PARTS = ("recommended", "adjuncts", "discuss", "withheld", "set_aside")

    condition: str
    client: Client
    version: Version
    referral: Referral | None
    needs: tuple[Need, ...]
    recommended: tuple[Entry, ...]
    adjuncts: tuple[Entry, ...]
    withheld: tuple[Withheld, ...]
    discuss: tuple[Entry, ...]
    preferences: Preferences
    set_aside: tuple[SetAside, ...]
    parameters: dict[str, float]
    in_depth: bool
    knowledge: Knowledge
    modifications: ModificationPlan | None

    @property
    def nothing_left(self) -> str:
        """Why no massage technique is recommended, in a sentence; empty where one is, or where a referral stops treatment."""
        if self.recommended or (self.referral and self.referral.stops):
            return ""
        if any(self._is_massage(item.technique) for item in self.set_aside):
            return "No massage technique that is safe for this client fits what was preferred."
        if any(item.level == LOCAL for item in self.withheld if self._is_massage(item.technique)):
            return ("No massage technique is left at the site of the complaint. Those withheld at the site only may be used away "
                    "from it: see how the treatment is changed.")  # fmt: skip
        return "No massage technique is left for this client."

    def _is_massage(self, technique: str) -> bool:
        return self.knowledge[technique].one("scope") == "scope-massage"

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data, in the shape of the JSON contract."""
        node = self.knowledge[self.condition]
        statements, sources = self._cited()
        return {
            "condition": {"slug": node.slug, "label": node.label, "iri": node.iri, "in_depth": self.in_depth},
            "context": self.client.to_dict(),
            "graph": self.version.to_dict(),
            "referral": self.referral.to_dict() if self.referral else None,
            "recommended": [self._entry(entry) for entry in self.recommended],
            "adjuncts": [self._entry(entry) for entry in self.adjuncts],
            "withheld": [
                {"technique": w.technique, "label": w.label, "level": w.level, "because": [r.to_dict() for r in w.because]}
                for w in self.withheld
            ],
            "discuss": [self._entry(entry) for entry in self.discuss],
            "preferences": self.preferences.to_dict(),
            "set_aside": [{"technique": s.technique, "label": s.label, "because": list(s.because)} for s in self.set_aside],
            "modifications": self.modifications.to_dict() if self.modifications else None,
            "needs": [
                {"need": n.key, "profiles": list(n.profiles), "impairment": n.impairment, "label": self.knowledge.label(n.impairment),
                 "tissue": n.tissue or None, "reached_in": sorted(n.reached_in), "whole_person": n.whole_person, "weight": n.weight}
                for n in self.needs
            ],
            "statements": statements,
            "sources": sources,
            "parameters": self.parameters,
        }  # fmt: skip

    def to_csv(self) -> str:
        """The answer as CSV: a line for each technique, the withheld ones with their reasons."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["list", "rank", "band", "technique", "label", "score", "low", "high", "class", "certainty", "why", "cautions"])
        for name, entries in (("recommended", self.recommended), ("adjuncts", self.adjuncts), ("discuss", self.discuss)):
            for e in entries:
                cautions = "; ".join(f"{c.label}: {c.action}" for c in e.cautions)
                writer.writerow([name, e.rank, e.band, e.technique, e.label, f"{e.score.mean:.4f}", f"{e.score.low:.4f}",
                                 f"{e.score.high:.4f}", e.class_, e.certainty.level, e.why(self.knowledge), cautions])  # fmt: skip
        for w in self.withheld:
            reasons = "; ".join(f"{r.label}: {r.reason}" for r in w.because)
            writer.writerow(["withheld", "", "", w.technique, w.label, "", "", "", w.level, "", reasons, ""])
        return out.getvalue()

    def _entry(self, entry: Entry) -> dict[str, Any]:
        score = entry.score
        return {
            "rank": entry.rank,
            "band": entry.band,
            "technique": entry.technique,
            "label": entry.label,
            "score": score.mean,
            "interval": [score.low, score.high],
            "certainty": entry.certainty.level,
            "certainty_reason": entry.certainty.reason,
            "certainty_domains": [doubt.to_dict() for doubt in entry.certainty.doubts],
            "scope": entry.scope,
            "class": entry.class_,
            "why": entry.why(self.knowledge),
            "plausibility": score.plausibility,
            "tolerance": score.tolerance,
            "mechanism": score.mechanism_mean,
            "record": {"successes": score.record[0], "failures": score.record[1]},
            "doubt": score.doubt,
            "prior": {"mean": score.prior_mean, "observations": score.prior_observations},
            "posterior": {"alpha": score.alpha, "beta": score.beta},
            "evidence": [self._observation(o) for o in score.observations],
            "cautions": [reason.to_dict() for reason in entry.cautions],
            "dose": dose(self.knowledge, entry.technique),
            "claims": [link_dict(link) for link in dict.fromkeys(r.path.link for r in entry.rationale)],
            "rationale": [r.to_dict(self.knowledge) for r in entry.rationale],
        }

    def _observation(self, observation: Observation) -> dict[str, Any]:
        return {
            "statement": observation.statement,
            "direction": observation.direction,
            "weight": observation.successes + observation.failures,
            "source": observation.source,
            "cluster": observation.cluster,
            "steps": dict(zip(("general_condition", "special_condition", "general_technique"), observation.steps, strict=True)),
            "successes": observation.successes,
            "failures": observation.failures,
            "share": observation.share,
            "factors": dict(observation.factors),
        }

    def _cited(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The statements and sources that the answer names, each once."""
        entries = (*self.recommended, *self.adjuncts, *self.discuss)
        statements = {o.statement for entry in entries for o in entry.score.observations}
        sources = {source for slug in statements for source in self.knowledge[slug].all("dcterms:source")}
        reasons = [*(r for w in self.withheld for r in w.because), *(r for entry in entries for r in entry.cautions)]
        sources.update(source for reason in reasons for source in reason.sources)
        sources.update(self.modifications.sources if self.modifications else ())
        sources.update(source for reason in (self.referral.reasons if self.referral else ()) for source in reason.sources)
        return (
            {slug: statement_dict(self.knowledge[slug]) for slug in sorted(statements)},
            {slug: source_dict(self.knowledge[slug]) for slug in sorted(sources)},
        )


def statement_dict(statement: Node) -> dict[str, Any]:
    """A statement of treatment evidence as an answer cites it."""
    return {
        "condition": statement.one("evidenceCondition"), "technique": statement.one("evidenceTechnique"),
        "outcome": statement.one("outcome").removeprefix("outcome-"), "phase": statement.one("inPhase"),
        "comparator": statement.one("comparatorText") or None, "certainty": statement.one("certainty").removeprefix("certainty-") or None,
        "summary": statement.one("summary"), "effect": statement.one("effectSize") or None, "locator": statement.one("locator") or None,
    }  # fmt: skip


def source_dict(source: Node) -> dict[str, Any]:
    """A source as an answer cites it."""
    return {
        "slug": source.slug, "title": source.one("dcterms:title"), "author": source.one("dcterms:creator") or None,
        "year": int(source.number("year")) if "year" in source.properties else None, "kind": source.one("design"),
        "url": source.one("doi") or source.one("pmid") or source.one("pmcid") or source.one("page") or None,
    }  # fmt: skip


def dose(knowledge: Knowledge, technique: str) -> dict[str, Any]:
    """The usual dose of a technique; empty where the graph states none."""
    name = knowledge[technique].one("dose")
    if not name:
        return {}
    node = knowledge[name]
    low, high = node.properties.get("minutesLow"), node.properties.get("minutesHigh")
    return {
        "minutes": [float(low[0]), float(high[0])] if low and high else None,
        "repetitions": node.one("repetitions") or None,
        "frequency": node.one("frequency") or None,
        "pressure": node.one("pressureCue") or None,
        "basis": node.one("basis"),
        "sources": list(node.all("dcterms:source")),
    }


def _evidence_sentence(entry: Entry) -> str:
    speaking = [o for o in entry.score.observations if o.successes + o.failures > 0]
    sources = {o.source for o in speaking}
    if not speaking:
        return "No study speaks to it for this condition."
    count = f"{len(sources)} source{'s' if len(sources) > 1 else ''}"
    direct = any(o.direct for o in speaking)
    about = "" if direct else " on the more general technique or condition"
    word = {SUPPORTED: "speak for it", CONFLICTING: "disagree", AGAINST: "speak against it"}.get(entry.class_, "carry little weight")
    return f"{count}{about} {word if len(sources) > 1 else _singular(word)}."


def _singular(word: str) -> str:
    return {"speak for it": "speaks for it", "disagree": "has mixed results", "speak against it": "speaks against it"}.get(
        word, "carries little weight"
    )


def _mechanism_sentence(entry: Entry, knowledge: Knowledge) -> str:
    best = next((r for r in entry.rationale if r.path.relieves), None)
    return best.text(knowledge) if best else ""
