"""The kinds of fact tables and what each of their columns says, as data; kg.curation.importer turns rows into Turtle.

A kind is known by its header. A column is a `Cell`: the property it states, how its text becomes a value, and which
class of individuals it must name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

Row = dict[str, str]


@dataclass(frozen=True)
class Cell:
    """How one column becomes statements: `property`, and `kind` ref, refs, text, label, integer, decimal, iri, or
    one of those that kg.curation.importer treats each in its own way.

    A `ref` names an individual: its slug is `prefix` + cell (or what `words` puts for the cell); it must be of `cls`.
    """

    property: str
    kind: str = "text"
    cls: str = ""
    prefix: str = ""
    words: dict[str, str] = field(default_factory=dict)
    needed: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of table: where its rows go, what slug and class a row's individual gets, and its columns.

    `unique`: a slug stands in one row only. `numbered`: the slug gets a hash of the row behind it. Neither: a row adds
    to individuals that stand already.
    """

    name: str
    folder: str
    slug: Callable[[Row], str]
    cls: Callable[[Row], str]
    cells: dict[str, Cell]
    ignored: tuple[str, ...] = ()
    unique: bool = True
    numbered: bool = False

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(self.cells) | frozenset(self.ignored)


CLASS_OF_KIND = {
    "muscle": "Muscle", "muscle-part": "MusclePart", "tendon": "Tendon", "ligament": "Ligament", "fascia": "Fascia",
    "retinaculum": "Retinaculum", "joint-capsule": "JointCapsule", "joint": "Joint", "bursa": "Bursa", "nerve": "Nerve",
    "bone": "Bone", "meniscus-or-labrum": "MeniscusOrLabrum", "skin": "Skin", "lymph-vessel": "LymphVessel",
    "fat-pad": "FatPad",
}  # fmt: skip
MUSCLE_RELATIONS = {
    "origin": ("hasOrigin", "originText"), "insertion": ("hasInsertion", "insertionText"),
    "innervated-by": ("innervatedBy", ""), "action": ("", "muscleAction"), "part-of-group": ("partOf", "groupText"),
}  # fmt: skip
"""For each relation of a muscle the property that names a structure, and the one that says it in words."""
MIRRORS = re.compile(
    r"scribd|slideshare|studylib|docslib|yumpu|scilit|metajournal|researcher\.life|ouci\.|archive\.|proxy|netlify\.app", re.IGNORECASE
)
"""Addresses of copies, which no source links: the resolver of its DOI or PubMed record, or the publisher's own page, else none."""
RECOMMENDATIONS = ("recommended", "not-recommended")
SOURCE = Cell("dcterms:source", "refs", "Source", needed=True)
LABEL = Cell("skos:prefLabel", "label", needed=True)

TABLES = (
    Table("conditions", "conditions", lambda r: r["slug"], lambda r: "Condition",
          {"slug": Cell("", "slug"), "label": LABEL, "region": Cell("inRegion", "ref", "BodyRegion", needed=True)}),
    Table("techniques", "techniques", lambda r: r["slug"], lambda r: "Technique",
          {"slug": Cell("", "slug"), "label": LABEL, "family": Cell("family", "family", "TechniqueFamily", needed=True)}),
    Table("effects", "effects", lambda r: r["slug"], lambda r: "PhysiologicalEffect",
          {"slug": Cell("", "slug"), "label": LABEL}, ignored=("group",)),
    Table("sources", "evidence", lambda r: r["source"], lambda r: "Source",
          {"source": Cell("", "slug"), "kind": Cell("design", "ref", "StudyDesign", needed=True),
           "first_author": Cell("dcterms:creator"), "year": Cell("year", "integer"), "title": Cell("dcterms:title", needed=True),
           "journal": Cell("journal"), "doi": Cell("doi", "iri", prefix="https://doi.org/"),
           "pmid": Cell("pmid", "iri", prefix="https://pubmed.ncbi.nlm.nih.gov/"),
           "pmcid": Cell("pmcid", "iri", prefix="https://pmc.ncbi.nlm.nih.gov/articles/"),
           "url": Cell("page", "page"), "read": Cell("read", "ref", "Reading", "read-", needed=True)}),
    Table("findings", "evidence", lambda r: f"evidence-{r['condition']}-{r['technique']}",
          lambda r: "RecommendationStatement" if r["direction"] in RECOMMENDATIONS else "StudyResult",
          {"condition": Cell("evidenceCondition", "ref", "Condition", needed=True),
           "technique": Cell("evidenceTechnique", "ref", "Technique", needed=True),
           "phase": Cell("inPhase", "ref", "Phase", needed=True),
           "outcome": Cell("outcome", "ref", "Outcome", "outcome-", needed=True),
           "direction": Cell("result", "ref", "ResultDirection", words={"mixed": "mixed-result"}, needed=True),
           "comparator": Cell("comparatorText", "comparator"),
           "certainty": Cell("certainty", "ref", "Certainty", "certainty-"), "grade_as_stated": Cell("gradeAsStated"),
           "studies": Cell("studies", "integer"), "participants": Cell("participants", "integer"),
           "effect": Cell("effectSize"), "finding": Cell("summary", needed=True), "locator": Cell("locator"),
           "source": SOURCE}, unique=False, numbered=True),
    Table("mechanism findings", "evidence", lambda r: f"mechanism-{r['technique']}-{r['effect']}", lambda r: "MechanismEvidence",
          {"technique": Cell("evidenceTechnique", "ref", "Technique", needed=True),
           "effect": Cell("evidenceEffect", "ref", "PhysiologicalEffect", needed=True),
           "tissue": Cell("tissueType", "ref", "TissueType", words={"any": "any-tissue"}, needed=True),
           "population": Cell("population", "ref", "Population", "population-"),
           "direction": Cell("direction", "ref", "EffectDirection", words={"mixed": "mixed-effect"}, needed=True),
           "magnitude": Cell("magnitude"), "duration": Cell("duration"), "dose": Cell("doseAsApplied"),
           "finding": Cell("summary", needed=True), "locator": Cell("locator"), "source": SOURCE}, unique=False, numbered=True),
    Table("contraindications", "safety", lambda r: f"rule-{r['hazard']}-{r['level']}", lambda r: "ContraindicationRule",
          {"hazard": Cell("ruleHazard", "hazard", needed=True), "label": Cell("", "skip"),
           "level": Cell("level", "ref", "HazardLevel", needed=True), "applies_to": Cell("appliesTo", "targets", needed=True),
           "site": Cell("extent", "ref", "Extent", "extent-", needed=True), "circumstance": Cell("circumstance"),
           "reason": Cell("reason", needed=True), "action": Cell("action", needed=True), "source": SOURCE}, unique=False, numbered=True),
    Table("red flags", "safety", lambda r: f"indication-{r['finding']}-{r['pathology']}", lambda r: "RedFlagIndication",
          {"finding": Cell("redFlag", "red-flag", needed=True), "label": Cell("", "skip"),
           "pathology": Cell("pathology", "pathology", needed=True), "pathology_label": Cell("", "skip"),
           "region": Cell("inRegion", "ref", "BodyRegion"), "mimics": Cell("mimics", "refs", "Condition"),
           "question": Cell("question", needed=True), "urgency": Cell("urgency", "ref", "Urgency", "urgency-", needed=True),
           "sensitivity": Cell("sensitivity", "decimal"), "specificity": Cell("specificity", "decimal"),
           "lr_positive": Cell("lrPositive", "decimal"), "lr_negative": Cell("lrNegative", "decimal"), "source": SOURCE},
          unique=False, numbered=True),
    Table("structures", "tissues", lambda r: r["structure"], lambda r: CLASS_OF_KIND.get(r["kind"], ""),
          {"structure": Cell("", "slug"), "label": LABEL, "kind": Cell("", "tissue-class", needed=True),
           "region": Cell("inRegion", "ref", "BodyRegion", needed=True), "part_of": Cell("partOf", "ref", "AnatomicalStructure"),
           "uberon": Cell("skos:exactMatch", "obo"), "fma": Cell("skos:exactMatch", "obo"),
           "synonyms": Cell("skos:altLabel", "labels"), "source": Cell("prov:wasDerivedFrom")}),
    Table("condition tissues", "conditions", lambda r: f"involvement-{r['condition']}-{r['tissue']}", lambda r: "TissueInvolvement",
          {"condition": Cell("involvementOf", "ref", "Condition", needed=True),
           "tissue": Cell("involvedTissue", "ref", "AnatomicalStructure", needed=True),
           "role": Cell("role", "ref", "InvolvementRole", "role-", needed=True),
           "basis": Cell("basis", "basis", needed=True), "source": Cell("prov:wasDerivedFrom")}),
    Table("condition codes", "mappings", lambda r: r["condition"], lambda r: "",
          {"condition": Cell("", "slug"), "system": Cell("", "skip"), "code": Cell("skos:{match}Match", "code", needed=True),
           "label": Cell("", "skip"), "match": Cell("", "skip"), "source": Cell("", "skip")}, unique=False),
    Table("muscle relations", "tissues", lambda r: r["muscle"], lambda r: "",
          {"muscle": Cell("", "slug"), "relation": Cell("", "skip"), "target_label": Cell("", "muscle-relation", needed=True),
           "target": Cell("", "skip"), "source": Cell("", "skip")}, unique=False),
    Table("tests", "assessment", lambda r: f"accuracy-{r['test']}-{r['condition']}", lambda r: "DiagnosticEvidence",
          {"test": Cell("ofTest", "test", needed=True), "label": Cell("", "skip"), "region": Cell("", "skip"),
           "procedure": Cell("", "skip"), "positive_sign": Cell("positiveSign", needed=True),
           "condition": Cell("evidenceCondition", "ref", "Condition", needed=True),
           "sensitivity": Cell("sensitivity", "decimal"), "specificity": Cell("specificity", "decimal"),
           "lr_positive": Cell("lrPositive", "decimal"), "lr_negative": Cell("lrNegative", "decimal"),
           "participants": Cell("participants", "leading-integer"), "reference_standard": Cell("referenceStandard"),
           "source": SOURCE}, unique=False, numbered=True),
    Table("outcome measures", "assessment", lambda r: f"interpretation-{r['measure']}", lambda r: "MeasureInterpretation",
          {"measure": Cell("ofMeasure", "measure", needed=True), "label": Cell("", "skip"),
           "conditions": Cell("measuredIn", "refs", "Condition"), "region": Cell("inRegion", "ref", "BodyRegion"),
           "range": Cell("scaleRange"), "mcid": Cell("minimalImportantDifference"), "mdc": Cell("minimalDetectableChange"),
           "source": SOURCE}, unique=False, numbered=True),
    Table("decision rules", "safety", lambda r: f"criterion-{r['rule']}", lambda r: "RuleCriterion",
          {"rule": Cell("ofRule", "decision-rule", needed=True), "label": Cell("", "skip"), "target": Cell("", "skip"),
           "criterion": Cell("criterion", needed=True), "points": Cell("points"), "interpretation": Cell("interpretation"),
           "source": SOURCE}, unique=False, numbered=True),
)  # fmt: skip
