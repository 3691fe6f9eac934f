"""The competency questions of queries/: each parses, runs in time, says what it answers, and gives the answer that was checked.

`EXPECTED` holds for every query what a person found in the Turtle, or what a second reading of the Turtle computes, which
shares nothing with the store. `python -m tests.test_queries` writes queries/README.md anew.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pyoxigraph as ox
import pytest

import kg
from kg.graph.files import turtle_files
from kg.graph.terms import ONTOLOGY_DIR, PAL, RDF
from kg.reasoning.engine import Engine

QUERIES = Path(__file__).parents[1] / "queries"
README = QUERIES / "README.md"
TAGS = {"student", "therapist", "researcher", "curator"}

Value = str | float | bool | None
Row = dict[str, Value]
Rows = list[Row]


# ---------------------------------------------------------------------------------------------------- the files
@dataclass(frozen=True)
class Query:
    """One file of queries/."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def header(self) -> dict[str, str]:
        """The `#+` lines at the head, which are YAML for grlc."""
        return dict(re.findall(r"^#\+ (\w+): (.+)$", self.text, re.MULTILINE))

    @property
    def tags(self) -> list[str]:
        return re.findall(r"\w+", self.header["tags"])

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"# parameter: (.+)$", self.text, re.MULTILINE)

    def rows(self, default: str = "", other: str = "") -> Rows:
        """The answer, where given with another individual in the place of the default one."""
        text = self.text.replace(f"pal:{default} }}", f"pal:{other} }}") if default else self.text
        results = kg.load().knowledge.store.query(text, use_default_graph_as_union=True)
        names = [variable.value for variable in results.variables]  # type: ignore[union-attr]
        return [{name: _value(solution[name]) for name in names} for solution in results]  # type: ignore[union-attr]


def _value(term: ox.NamedNode | ox.Literal | None) -> Value:
    if not isinstance(term, ox.Literal):
        return term.value.removeprefix(PAL) if term else None
    kind = term.datatype.value.rpartition("#")[2]
    return float(term.value) if kind in ("decimal", "integer", "double") else term.value == "true" if kind == "boolean" else term.value


ALL = {path.stem: Query(path) for path in sorted(QUERIES.glob("*.rq"))}
_rows = cache(lambda name: ALL[name].rows())


# ---------------------------------------------------------------------------------------------------- a second reading of the Turtle
Node = dict[str, list[str]]


@cache
def stated() -> dict[str, Node]:
    """What the Turtle files state of each individual: property -> values, IRIs without the namespace."""
    found: dict[str, Node] = defaultdict(lambda: defaultdict(list))
    for path in turtle_files(ONTOLOGY_DIR):
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE):
            if isinstance(quad.subject, ox.NamedNode):
                name = quad.predicate.value.removeprefix(PAL).removeprefix(RDF)
                found[quad.subject.value.removeprefix(PAL)][name].append(str(getattr(quad.object, "value", "")).removeprefix(PAL))
    return found


def of(*classes: str) -> Iterator[tuple[str, Node]]:
    """The individuals of one of the classes as stated."""
    return ((name, node) for name, node in stated().items() if set(classes) & set(node.get("type", ())))


def one(node: Node, name: str) -> str:
    return next(iter(node.get(name, ())), "")


def treatments() -> list[Node]:
    return [node for _, node in of("StudyResult", "RecommendationStatement")]


def pairs(*results: str) -> set[tuple[str, str]]:
    """(technique, condition) of the treatment statements with one of these results, of all without."""
    return {(one(n, "evidenceTechnique"), one(n, "evidenceCondition")) for n in treatments() if not results or one(n, "result") in results}


def helped() -> dict[str, set[str]]:
    """Technique -> impairments that an effect of its own relieves."""
    reliefs = defaultdict(set)
    for _, relief in of("Relief"):
        reliefs[one(relief, "reliefEffect"), one(relief, "direction")].add(one(relief, "reliefImpairment"))
    found: dict[str, set[str]] = defaultdict(set)
    for _, claim in of("EffectClaim"):
        found[one(claim, "claimTechnique")] |= reliefs[one(claim, "claimEffect"), one(claim, "direction")]
    return found


def impaired() -> dict[str, set[str]]:
    """Condition -> its impairments."""
    found: dict[str, set[str]] = defaultdict(set)
    for _, profile in of("ImpairmentProfile"):
        found[one(profile, "profileOf")].add(one(profile, "profileImpairment"))
    return found


def named_techniques() -> dict[str, Node]:
    return {name: node for name, node in of("Technique") if "unspecified" not in node}


def column(rows: Rows, *names: str) -> set[tuple[Value, ...]]:
    return {tuple(row[name] for name in names) for row in rows}


def values(rows: Rows, name: str) -> set[Value]:
    return {row[name] for row in rows}


def total(rows: Rows, name: str) -> float:
    return sum(float(row[name] or 0) for row in rows)


def withheld(engine: Engine, hazard: str, condition: str = "adhesive-capsulitis") -> set[str]:
    return {w.technique for w in engine.rank(condition, engine.client("chronic", None, [hazard]), explain=False).withheld}


# ---------------------------------------------------------------------------------------------------- properties of answers
def _benefit_without_mechanism(rows: Rows) -> bool:
    reach, needs = helped(), impaired()
    deep = {name for name, node in of("Condition") if one(node, "inDepth") == "true"}
    return column(rows, "technique", "condition") == {(t, c) for t, c in pairs("benefit") if c in deep and not reach[t] & needs[c]}


def _claims_never_measured(rows: Rows) -> bool:
    measured = {(one(n, "evidenceTechnique"), one(n, "evidenceEffect")) for _, n in of("MechanismEvidence")}
    claims = [(one(n, "claimTechnique"), one(n, "claimEffect")) for _, n in of("EffectClaim")]
    every, missing = Counter(t for t, _ in claims), Counter(pair[0] for pair in claims if pair not in measured)
    return column(rows, "technique", "claims", "unmeasured") == {(t, every[t], n) for t, n in missing.items()}


def _like_impairments(rows: Rows) -> bool:
    needs = impaired()
    return all(row["shared"] == len(needs["adhesive-capsulitis"] & needs[str(row["other"])]) for row in rows)


def _without_evidence(rows: Rows, kind: str = "Condition") -> bool:
    known = {one(node, f"evidence{kind}") for node in treatments()}
    everything = named_techniques() if kind == "Technique" else dict(of("Condition"))
    return values(rows, kind.lower()) == set(everything) - known


def _textbook_only(rows: Rows) -> bool:
    sourced = {one(n, p) for p in ("profileOf", "involvementOf") for _, n in of("ImpairmentProfile", "TissueInvolvement")
               if one(n, "basis") == "sourced"}  # fmt: skip
    return values(rows, "condition") == {name for name, _ in of("Condition")} - sourced - {condition for _, condition in pairs()}


def _curation(rows: Rows) -> bool:
    profiles = Counter(one(node, "profileOf") for _, node in of("ImpairmentProfile"))
    statements = Counter(one(node, "evidenceCondition") for node in treatments())
    expected = {(name, profiles[name], len(node.get("presentsWith", ())), statements[name]) for name, node in of("Condition")}
    return column(rows, "condition", "profiles", "findings", "statements") == expected


def _gaps(rows: Rows) -> bool:
    studied = {technique for technique, condition in pairs() if condition == "plantar-fasciitis"}
    reach, needs = helped(), impaired()["plantar-fasciitis"]
    return bool(studied) and all(row["technique"] not in studied and reach[str(row["technique"])] & needs for row in rows)


def _forbidden(rows: Rows) -> bool:
    return values(rows, "technique") <= withheld(kg.load(), "deep-vein-thrombosis")


def _forbidding_hazards(rows: Rows) -> bool:
    return all("cupping" in withheld(kg.load(), str(hazard)) for hazard in values(rows, "hazard"))


def _left(rows: Rows) -> bool:
    """Nothing that is left under a hazard is withheld by the safety gate, whichever hazard is put in."""
    others = ("pregnancy", "osteoporosis", "abdominal-aortic-aneurysm", "deep-vein-thrombosis", "impaired-sensation", "varicose-veins")
    answers = {"anticoagulants": rows, **{h: ALL["techniques-left-under-hazard"].rows("anticoagulants", h) for h in others}}
    return all(not values(answer, "technique") & withheld(kg.load(), hazard) for hazard, answer in answers.items())


def _mostly_without_benefit(rows: Rows) -> bool:
    results = defaultdict(list)
    for _, node in of("StudyResult"):
        results[one(node, "evidenceTechnique")].append(one(node, "result") in ("no-difference", "harm"))
    return values(rows, "technique") == {technique for technique, bad in results.items() if sum(bad) * 2 > len(bad)}


def _why(rows: Rows) -> bool:
    """Every path by which the ranking explains itself is among the paths of the query."""
    engine = kg.load()
    answer = engine.rank("plantar-fasciitis")
    entry = next(e for e in answer.recommended if e.technique == "deep-transverse-friction")
    label = engine.knowledge.label
    paths = {(label(r.path.link.effect), label(r.path.impairment), label(r.need.tissue) if r.need.tissue else None)
             for r in entry.rationale if r.path.relieves}  # fmt: skip
    return bool(paths) and paths <= column(rows, "effectLabel", "impairmentLabel", "tissueLabel")


def _mapped(rows: Rows) -> bool:
    codes = {name for name, node in stated().items() if "scheme-icd10cm" in str(node.get("http://www.w3.org/2004/02/skos/core#inScheme"))}
    matched = {name for name, node in of("Condition") for prop, terms in node.items() if prop.endswith("Match") and codes & set(terms)}
    return {row["scheme"]: row["mapped"] for row in rows}["scheme-icd10cm"] == len(matched)


def _reasoned_rules(rows: Rows) -> bool:
    return values(rows, "rule") == {name for name, node in of("ContraindicationRule") if one(node, "basis") == "expert-reasoning"}


def _unsourced_hazards(rows: Rows) -> bool:
    sourced = {one(n, "ruleHazard"): True for _, n in of("ContraindicationRule") if "http://purl.org/dc/terms/source" in n}
    return values(rows, "hazard") == {one(n, "ruleHazard") for _, n in of("ContraindicationRule")} - set(sourced)


def _recommended_only(rows: Rows) -> bool:
    studied = {(one(n, "evidenceTechnique"), one(n, "evidenceCondition")) for _, n in of("StudyResult")}
    return column(rows, "technique", "condition") == pairs("recommended") - studied


def _sparing(rows: Rows) -> bool:
    return values(rows, "technique") == {name for name, node in named_techniques().items()
                                         if one(node, "thumbLoad") == "load-low" and one(node, "scope") == "scope-massage"}  # fmt: skip


def _positions(rows: Rows) -> bool:
    asked = {"side-lying-position", "seated-position"}
    return values(rows, "technique") == {name for name, node in named_techniques().items()
                                         if asked & set(node["position"]) and one(node, "scope") == "scope-massage"}  # fmt: skip


def _sources_used(rows: Rows) -> bool:
    uses = Counter(source for node in stated().values() for source in node.get("http://purl.org/dc/terms/source", ()))
    return [row["uses"] for row in rows] == [count for _, count in uses.most_common(len(rows))]


def _second_hand(rows: Rows) -> bool:
    return values(rows, "source") == {name for name, node in of("Source") if one(node, "read") == "read-secondary"}


def _asserted(rows: Rows) -> bool:
    triples = {(row["property"], row["graph"]): row["triples"] for row in rows}
    claims = len(list(of("EffectClaim")))
    return triples["claimTechnique", "graph/asserted"] == claims and triples["technique", "graph/inferred"] > claims  # type: ignore[operator]


# ---------------------------------------------------------------------------------------------------- what was checked
@dataclass(frozen=True)
class Expected:
    """What an answer must hold: rows that are in it, rows that are not, and a property of the whole."""

    has: tuple[Row, ...] = ()
    lacks: tuple[Row, ...] = ()
    holds: Callable[[Rows], bool] = lambda rows: True


def has(*rows: Row, lacks: tuple[Row, ...] = (), holds: Callable[[Rows], bool] = lambda rows: True) -> Expected:
    return Expected(rows, lacks, holds)


EXPECTED: dict[str, Expected] = {
    "adaptations-under-hazard": has(
        {"named": "passive-motion", "levelLabel": "precaution", "action": "Stay within comfortable mid-range"},
        holds=lambda rows: values(rows, "levelLabel") <= {"precaution", "local"}),
    "antagonists-of-muscle": has(
        {"antagonist": "brachialis", "movementLabel": "elbow extension", "oppositeLabel": "elbow flexion"},
        {"antagonist": "biceps-brachii"}, lacks=({"antagonist": "triceps-brachii"}, {"antagonist": "anconeus"})),
    "asserted-and-inferred": has(
        {"property": "contraindicates", "graph": "graph/inferred"}, lacks=({"property": "contraindicates", "graph": "graph/asserted"},),
        holds=_asserted),
    "benefit-without-mechanism": has(holds=_benefit_without_mechanism),
    "claims-never-measured": has(holds=_claims_never_measured),
    "claims-that-measurements-question": has(
        {"claim": "claim-classical-massage-blood-pressure", "claimed": "decreases", "measured": "no change",
         "source": "hinds-2004-bloodflow"},
        lacks=({"claim": "claim-classical-massage-cortisol", "source": "rapaport-2010-swedish"},)),
    "condition-families": has(
        {"general": "tendinopathy", "condition": "achilles-tendinopathy"},
        {"general": "shoulder-pain", "condition": "calcific-shoulder-tendinopathy"},
        lacks=({"general": "achilles-tendinopathy"},)),
    "conditions-by-icd10": has(
        {"condition": "adhesive-capsulitis", "match": "exact", "code": "M75.00"},
        holds=lambda rows: all(str(row["code"]).startswith("M75") for row in rows)),
    "conditions-of-tissue": has(
        {"condition": "iliotibial-band-syndrome", "partLabel": "Vastus lateralis", "role": "secondary"},
        {"condition": "delayed-onset-muscle-soreness", "partLabel": "Quadriceps femoris", "role": "primary"},
        lacks=({"condition": "carpal-tunnel-syndrome"},)),
    "conditions-that-look-alike": has(
        {"other": "cervical-radiculopathy"}, {"other": "guyon-canal-syndrome"}, {"other": "pronator-teres-syndrome"},
        lacks=({"other": "carpal-tunnel-syndrome"}, {"other": "plantar-fasciitis"})),
    "conditions-with-like-impairments": has(lacks=({"other": "adhesive-capsulitis"},), holds=_like_impairments),
    "conditions-without-evidence": has(holds=_without_evidence),
    "conditions-without-exact-match": has({"condition": "achilles-tendinopathy"}, lacks=({"condition": "adhesive-capsulitis"},)),
    "curation-of-conditions": has(holds=_curation),
    "decision-rules": has({"rule": "ahcpr-low-back", "criterion": "Cauda equina: saddle anesthesia"}),
    "doses": has(
        {"technique": "classical-massage", "minutesLow": 10.0, "minutesHigh": 20.0, "frequency": "1 to 2 sessions a week"},
        lacks=({"technique": "massage-unspecified"}, {"technique": "dry-needling"})),
    "effects-of-technique": has(
        {"effect": "pain-intensity", "change": "decreases", "tissueLabel": "fascia", "basis": "sourced", "source": "wu-2021-mfr"},
        lacks=({"effect": "pain-intensity", "change": "increases"},)),
    "emergencies-by-region": has(
        {"redFlag": "gca-jaw-claudication", "pathologyLabel": "Giant cell arteritis"}, lacks=({"redFlag": "aaa-pulsatile-mass"},)),
    "evidence-against-mechanism": has(
        {"technique": "classical-massage", "conditionLabel": "Knee osteoarthritis", "outcome": "function", "result": "no difference",
         "comparator": "usual care", "source": "perlman-2012-dose"},
        holds=lambda rows: not values(rows, "result") & {"benefit", "recommended"} and all(row["effectsExpected"] for row in rows)),
    "evidence-for-technique-in-condition": has(
        {"source": "wu-2021-mfr", "outcome": "pain", "result": "benefit", "design": "meta-analysis", "year": 2021.0},
        holds=lambda rows: values(rows, "statement") == {
            name for name, node in of("StudyResult", "RecommendationStatement")
            if one(node, "evidenceTechnique") == "myofascial-release" and one(node, "evidenceCondition") == "chronic-low-back-pain"}),
    "evidence-gaps-of-condition": has(
        {"technique": "petrissage"}, lacks=({"technique": "intraoral-massage"}, {"technique": "dry-needling"}), holds=_gaps),
    "evidence-passed-down": has(
        {"aboutCondition": "Acute non-specific low back pain", "result": "recommended", "source": "george-2021-lowback"},
        holds=lambda rows: all("petrissage-" not in str(row["statement"]) for row in rows)),
    "findings-of-condition": has(
        {"finding": "finding-first-step-heel-pain"},
        holds=lambda rows: values(rows, "finding") == set(stated()["plantar-fasciitis"]["presentsWith"])),
    "gentle-techniques-for-irritable-tissue": has(
        {"technique": "effleurage", "intensityLabel": "gentle", "shareOfBenefit": 1.0},
        {"technique": "deep-transverse-friction", "intensityLabel": "strong"}, lacks=({"technique": "dry-needling"},),
        holds=lambda rows: all((row["shareOfBenefit"] == 1.0) == (row["intensityLabel"] == "gentle") for row in rows)),
    "guidelines-that-disagree": has(
        {"special": "massage-unspecified", "condition": "lumbar-radiculopathy", "for": "nice-2016-ng59", "against": "kngf-2021-lowback"}),
    "harms-reported": has({"technique": "kinesiology-taping", "outcome": "adverse event", "source": "gatt-2017-tape"}),
    "hazards-of-condition": has(
        {"hazard": "impaired-sensation", "phase": "chronic"}, {"hazard": "postoperative-healing", "phase": "postoperative"},
        lacks=({"hazard": "impaired-sensation", "phase": "acute"},)),
    "hazards-that-bar-a-position": has(
        {"hazard": "pregnancy", "levelLabel": "absolute"}, {"hazard": "abdominal-surgery-recent", "levelLabel": "medical clearance"}),
    "hazards-that-forbid-technique": has(
        {"hazard": "cancer-active", "levelLabel": "absolute", "namedAs": "suction"}, {"hazard": "deep-vein-thrombosis"},
        holds=_forbidding_hazards),
    "hazards-that-inherit": has(
        {"hazard": "abdominal-aortic-aneurysm", "widerLabel": "Aneurysm, diagnosed or suspected"}, {"hazard": "deep-vein-thrombosis"},
        lacks=({"hazard": "pregnancy"},)),
    "hazards-without-source": has(lacks=({"hazard": "pregnancy"},), holds=_unsourced_hazards),
    "impairments-of-condition": has(
        {"impairment": "nerve-compression", "tissueLabel": "Median nerve", "salience": "high"},
        {"impairment": "edema", "tissueLabel": "Flexor retinaculum of wrist", "phases": "postoperative"}),
    "impairments-relieved-by-effect": has(
        {"impairment": "hypertonicity", "change": "decreases", "strength": "strong"},
        lacks=({"impairment": "hypertonicity", "change": "increases"},)),
    "mapping-coverage": has(holds=_mapped),
    "measurements-of-technique": has(
        {"effectLabel": "Local blood flow", "change": "no change", "population": "patients", "source": "moraska-2018-lactate"}),
    "most-certain-findings": has(
        {"technique": "cupping", "result": "benefit", "certaintyLabel": "high", "source": "zhang-2024-cupping"},
        holds=lambda rows: values(rows, "certaintyLabel") == {"high", "moderate"}),
    "muscles-attached-to-structure": has(
        {"muscle": "levator-scapulae", "end": "insertion"}, {"muscle": "coracobrachialis", "end": "origin"},
        lacks=({"muscle": "levator-scapulae", "end": "origin"},)),
    "muscles-of-nerve": has(
        {"muscle": "flexor-pollicis-longus", "nerves": "Anterior interosseous nerve"}, {"muscle": "abductor-pollicis-brevis"},
        lacks=({"muscle": "flexor-carpi-ulnaris"},)),
    "nerves-of-condition": has(
        {"nerve": "radial-nerve", "muscle": "brachioradialis"}, {"nerve": "deep-branch-of-radial-nerve", "muscle": "supinator"}),
    "not-covered-of-condition": has(
        {"condition": "carpal-tunnel-syndrome"},
        holds=lambda rows: values(rows, "prognosis") == set(stated()["carpal-tunnel-syndrome"]["prognosis"])),
    "outcome-measures-of-condition": has({"measure": "bctq-sss", "importantDifference": "1.05", "source": "jht-2020-ctq"}),
    "outcomes-of-condition": has(
        {"outcome": "outcome-pain", "result": "benefit"},
        holds=lambda rows: total(rows, "statements") == sum(
            one(node, "evidenceCondition") == "mechanical-neck-pain" for _, node in of("StudyResult"))),
    "reasoned-groups": has(
        {"group": "deep-pressure", "technique": "deep-transverse-friction"}, {"group": "cold", "technique": "cryotherapy"},
        {"group": "heat", "technique": "superficial-heat"}, {"group": "suction-techniques", "technique": "cupping"},
        lacks=({"group": "any-massage", "technique": "superficial-heat"}, {"group": "deep-pressure", "technique": "effleurage"})),
    "presentations-of-condition": has(
        {"finding": "finding-pain-under-heel", "aspect": "place", "frequency": "typical", "share": 0.75},
        {"finding": "finding-tingling-or-numbness", "frequency": "seldom", "share": 0.02},
        lacks=({"finding": "finding-pain-at-jaw-or-cheek"},),
        holds=lambda rows: [row["share"] for row in rows] == sorted((row["share"] for row in rows), reverse=True)),
    "pretest-of-pathologies": has(
        {"pathology": "acute-coronary-syndrome", "probability": 0.036, "source": "bosner-2009-chestpain"},
        {"pathology": "stroke", "probability": 0.001, "counted": "rare"},
        holds=lambda rows: len(rows) == len(kg.load().knowledge.of_class("SeriousPathology"))),
    "recommendations-for-condition": has(
        {"technique": "traction-unspecified", "advice": "not recommended", "source": "who-2023-lowback"},
        {"technique": "massage-unspecified", "advice": "recommended", "source": "who-2023-lowback"}),
    "recommendations-on-technique": has(
        {"condition": "lumbar-radiculopathy", "advice": "not recommended", "source": "kngf-2021-lowback"},
        {"condition": "chronic-low-back-pain", "advice": "recommended", "source": "who-2023-lowback"}),
    "recommended-without-study": has(holds=_recommended_only),
    "red-flags-with-likelihood-ratios": has(
        {"redFlag": "aad-pressure-difference", "lrPositive": 5.7, "sensitivity": 31.0, "source": "klompas-2002-aorticdissection"},
        lacks=({"redFlag": "aaa-renal-colic-mimic"},)),
    "refuted-claims": has(
        {"technique": "classical-massage", "effectLabel": "Local blood flow", "tissueLabel": "blood vessel",
         "source": "hinds-2004-bloodflow"},
        {"technique": "ischemic-compression", "effectLabel": "Local blood flow", "source": "moraska-2018-lactate"},
        holds=lambda rows: values(rows, "technique") == {one(node, "refutedTechnique") for _, node in of("RefutedEffectClaim")}),
    "results-against-sham": has(
        {"technique": "connective-tissue-massage", "outcome": "pain", "result": "benefit", "source": "celenay-2019-ctm"},
        lacks=({"conditionLabel": "Plantar fasciitis (plantar heel pain)"},)),
    "rules-by-expert-reasoning": has(holds=_reasoned_rules),
    "serious-pathologies-like-condition": has(
        {"pathology": "abdominal-aortic-aneurysm", "redFlag": "aaa-pulsatile-mass", "urgencyLabel": "emergency",
         "question": "Do you feel a strong beat in your belly?"},
        holds=lambda rows: [row["urgencyLabel"] for row in rows] == sorted(
            (row["urgencyLabel"] for row in rows), key=lambda word: ("emergency", "urgent", "medical review").index(str(word)))),
    "sources-read-second-hand": has(holds=_second_hand),
    "sources-used-most": has(holds=_sources_used),
    "statements-by-certainty": has({"label": "not stated"}, holds=lambda rows: total(rows, "statements") == len(treatments())),
    "statements-by-design": has(
        {"design": "rct"}, {"design": "guideline"},
        holds=lambda rows: all(row["statements"] == sum(total([row], name) for name in ("for", "against", "unclear")) for row in rows)),
    "statements-by-result": has(
        holds=lambda rows: {row["result"]: row["statements"] for row in rows} == Counter(one(node, "result") for node in treatments())),
    "statements-by-year": has(holds=lambda rows: 0 < total(rows, "statements") <= len(treatments())),
    "studies-by-family": has(
        {"family": "joint-family"}, {"family": "friction-family", "techniques": 2.0},
        holds=lambda rows: total(rows, "statements") == len(treatments())),
    "studies-that-disagree": has({"technique": "massage-unspecified", "condition": "mechanical-neck-pain", "outcome": "pain"}),
    "technique-variants": has(
        {"general": "classical-massage", "technique": "petrissage"},
        lacks=({"general": "manual-therapy-unspecified", "technique": "petrissage"},)),
    "techniques-by-ingredients": has(
        {"technique": "compression-broadening"},
        holds=lambda rows: values(rows, "technique") == {
            name for name, node in of("Technique") if "shearing" in node.get("mechanicalAction", ())}),
    "techniques-for-impaired-muscle": has(
        {"technique": "ischemic-compression", "change": "decreases", "effectLabel": "Trigger point sensitivity", "measuredSo": True,
         "claimStrength": "moderate", "reliefStrength": "strong", "basis": "sourced", "measuredOtherwise": False},
        {"technique": "intraoral-massage", "onlyAt": "mouth"}),
    "techniques-for-sore-thumbs": has({"technique": "effleurage"}, lacks=({"technique": "ischemic-compression"},), holds=_sparing),
    "techniques-forbidden-by-hazard": has(
        {"technique": "petrissage", "levelLabel": "absolute", "namedAs": "any massage", "ruleOf": "Deep vein thrombosis"},
        {"technique": "petrissage", "ruleOf": "Known thrombus or embolus, or any disorder with likely clots"},
        {"technique": "active-isolated-stretching", "namedAs": "stretching"}, holds=_forbidden),
    "techniques-in-position": has({"technique": "classical-massage"}, holds=_positions),
    "techniques-left-under-hazard": has(
        {"technique": "effleurage"}, lacks=({"technique": "deep-tissue-massage"}, {"technique": "cupping"}), holds=_left),
    "techniques-mostly-without-benefit": has(holds=_mostly_without_benefit),
    "techniques-that-may-aggravate": has(
        {"technique": "iastm", "impairmentLabel": "Ligament laxity and instability", "tissueLabel": "Anterior talofibular ligament"}),
    "techniques-to-refer-for": has(
        {"technique": "dry-needling", "condition": "mechanical-neck-pain"},
        holds=lambda rows: all(one(stated()[str(name)], "scope") == "scope-referral-only" for name in values(rows, "technique"))),
    "techniques-without-evidence": has(holds=lambda rows: _without_evidence(rows, "Technique")),
    "tests-for-condition": has(
        {"test": "katz-hand-diagram", "sensitivity": 64.0, "specificity": 73.0, "lrPositive": 2.4, "source": "crd-2000-carpaltunnel"}),
    "textbook-only-conditions": has(holds=_textbook_only),
    "tissues-of-condition": has(
        {"tissue": "descending-part-of-trapezius", "role": "primary", "how": "stated"},
        {"tissue": "trapezius", "how": "a part of it is affected"}),
    "weights-of-score": has(
        holds=lambda rows: column(rows, "word", "value") == {
            (name, float(node["value"][0])) for name, node in stated().items() if "value" in node}),
    "what-was-inferred-of": has(
        {"property": "inGroup", "value": "deep-pressure"}, {"property": "doesNotProduce", "value": "muscle-strength"},
        lacks=({"property": "pressure"},)),
    "why-technique-helps-condition": has(
        {"impairmentLabel": "Myofascial trigger points", "tissueLabel": "Soleus", "change": "increases",
         "effectLabel": "Pressure pain threshold"}, holds=_why),
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the tests
def test_every_query_has_an_expectation() -> None:
    assert EXPECTED.keys() == ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_the_header_says_what_is_answered(name: str) -> None:
    query = ALL[name]
    assert query.header.keys() == {"title", "summary", "tags", "endpoint_in_url"}
    assert query.header["endpoint_in_url"] == "False"
    assert not [value for value in query.header.values() if ": " in value or " #" in value], "YAML would read it otherwise"
    assert re.fullmatch(r"[A-Z].+[?]", query.header["summary"])
    assert query.tags
    assert set(query.tags) <= TAGS


@pytest.mark.parametrize("name", ALL)
def test_the_query_is_easy_to_edit(name: str) -> None:
    """Parameters stand in a VALUES line, every prefix is used, the order is stated, every name is one of the graph."""
    text, store = ALL[name].text, kg.load().knowledge.store
    assert all(re.match(r" *VALUES .+\}  # parameter: ", line) for line in text.splitlines() if "# parameter:" in line)
    assert all(len(re.findall(rf"(?<!\w){prefix}:", text)) > 1 for prefix in re.findall(r"^PREFIX (\w+):", text, re.MULTILINE))
    assert "ORDER BY" in text
    names = {ox.NamedNode(PAL + local) for local in re.findall(r"\bpal:([\w-]+)", text)}
    assert not [node for node in names if next(store.quads_for_pattern(node, None, None, None), None) is None]


@pytest.mark.parametrize("name", ALL)
def test_the_query_has_an_answer(name: str) -> None:
    assert ALL[name].rows()


@pytest.mark.parametrize("name", ALL)
def test_the_answer_is_the_one_that_was_checked(name: str) -> None:
    rows, expected = _rows(name), EXPECTED[name]
    assert not [wanted for wanted in expected.has if not any(wanted.items() <= row.items() for row in rows)]
    assert not [row for row in rows for unwanted in expected.lacks if unwanted.items() <= row.items()]
    assert expected.holds(rows)


# ---------------------------------------------------------------------------------------------------- queries/README.md
def readme() -> str:
    """The page over all queries, one line for each."""
    lines = [f"| [{q.header['title']}]({q.path.name}) | {q.header['summary']} | {', '.join(q.tags)} | {', '.join(q.parameters)} |"
             for q in sorted(ALL.values(), key=lambda query: query.header["title"])]  # fmt: skip
    return "\n".join([
        "# Questions to the graph", "",
        "Each file holds one question in SPARQL, with its title, the question in plain words and whom it serves in a",
        "[grlc](https://github.com/CLARIAH/grlc) header of `#+` lines. They are examples to learn from and the competency questions of the",
        "ontology at once: the tests run each of them and compare its answer with what was checked in the Turtle.", "",
        "Run one with `python -m kg query queries/doses.rq`, or paste it into the editor of the SPARQL endpoint. Where a line ends in",
        "`# parameter: ...`, put another individual in the place of the one in braces. The default graph is the union of what was written",
        "by hand, `<https://w3id.org/palpate/graph/asserted>`, and what follows from it, `<https://w3id.org/palpate/graph/inferred>`.",
        "", "| Query | Question | For | Parameters |", "|---|---|---|---|", *lines, "",
    ])  # fmt: skip


def test_the_readme_names_every_query() -> None:
    assert README.read_text(encoding="utf-8") == readme(), "queries/README.md is stale; mend it with: python -m tests.test_queries"


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")
