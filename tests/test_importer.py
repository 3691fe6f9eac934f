"""The import of tables: what rows become, that a second import changes nothing, and that a fault refuses a table whole."""

import csv
import io
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rdflib import Graph, URIRef
from rdflib.namespace import RDF, SKOS

from kg.curation.importer import Imported, Importer
from kg.curation.tables import TABLES
from kg.curation.turtle import PREFIXES, canonical, read
from kg.errors import TableError
from kg.graph.build import build
from kg.graph.terms import PAL, slug

ROOT = Path(__file__).parents[1]
FINDING = ("condition", "technique", "phase", "outcome", "direction", "comparator", "certainty", "grade_as_stated", "studies",
           "participants", "effect", "finding", "locator", "source")  # fmt: skip
KINDS: dict[str, tuple[tuple[str, ...], list[tuple[str, ...]]]] = {
    "conditions": (("slug", "label", "region"), [
        ("plantar-fasciitis", "Plantar fasciitis (plantar heel pain)", "foot"),
        ("calf-strain", "Calf strain", "leg"),
    ]),
    "techniques": (("slug", "label", "family"), [
        ("effleurage", "Effleurage", "classical-massage"),
        ("cross-fiber-friction", "Cross-fiber friction", "friction"),
        ("static-cupping", "Static cupping", "east-asian"),
    ]),
    "effects": (("slug", "label", "group"), [
        ("local-blood-flow", "Local blood flow", "circulatory"),
        ("range-of-motion", "Joint range of motion", "mechanical"),
    ]),
    "sources": (("source", "kind", "first_author", "year", "title", "journal", "doi", "pmid", "pmcid", "url", "read"), [
        ("pollack-2018-heelpain", "systematic-review", "Pollack Y", "2018", "Manual therapy for plantar heel pain", "Foot",
         "10.1016/j.foot.2017.08.001", "29331853", "", "https://pubmed.ncbi.nlm.nih.gov/29331853/", "abstract"),
        ("aaos-2021-massage", "guideline", "American Academy", "2021", "Management of Osteoarthritis", "AAOS", "", "", "",
         "https://www.orthoguidelines.org/guideline-detail?id=1650&tab=by_strength", "full-text"),
        ("lost-2001-mirror", "textbook", "Lost A", "", "A book seen elsewhere", "", "", "", "", "https://www.scribd.com/doc/1",
         "secondary"),
    ]),
    "findings": (FINDING, [
        ("plantar-fasciitis", "effleurage", "any", "pain", "benefit", "sham massage", "low", "", "2", "1,204",
         "MD -1.1 (95% CI -1.9 to -0.4)", "Less pain after four weeks.", "Table 2", "pollack-2018-heelpain"),
        ("calf-strain", "cross-fiber-friction", "chronic", "function", "mixed", "exercise alone", "", "", "", "", "",
         "Two trials disagree.", "abstract", "pollack-2018-heelpain,aaos-2021-massage"),
        ("plantar-fasciitis", "effleurage", "any", "pain", "recommended", "", "", "weak", "", "", "", "It may be tried.", "",
         "aaos-2021-massage"),
    ]),
    "mechanism findings": (("technique", "effect", "tissue", "population", "direction", "magnitude", "duration", "dose", "finding",
                            "locator", "source"), [
        ("effleurage", "local-blood-flow", "skin-scar", "healthy", "increases", "150 ± 49 units", "end of the massage", "2 x 6 min",
         "Skin blood flow rose.", "abstract", "pollack-2018-heelpain"),
        ("cross-fiber-friction", "range-of-motion", "any", "patient", "mixed", "", "", "", "It varied.", "", "pollack-2018-heelpain"),
    ]),
    "contraindications": (("hazard", "label", "level", "applies_to", "site", "circumstance", "reason", "action", "source"), [
        ("warfarin", "Warfarin", "absolute", "deep-pressure,cupping", "systemic", "", "It may bleed", "Stroke lightly",
         "aaos-2021-massage"),
        ("fracture-healing", "Fracture that heals", "local", "manual-traction,friction,effleurage,neck,prone-position", "regional",
         "Not yet united", "It may move", "Wait", "aaos-2021-massage"),
    ]),
    "red flags": (("finding", "label", "pathology", "pathology_label", "region", "mimics", "question", "urgency", "sensitivity",
                   "specificity", "lr_positive", "lr_negative", "source"), [
        ("calf-swelling", "Swelling of one calf", "deep-vein-thrombosis", "Deep vein thrombosis", "leg", "calf-strain,plantar-fasciitis",
         "Is one calf thicker than the other?", "emergency", "42.5", "80", "2.1", "0.7", "pollack-2018-heelpain"),
        ("night-pain", "Pain at night", "bone-tumor", "Tumor of bone", "", "", "Does it wake you?", "medical-review", "", "", "", "",
         "pollack-2018-heelpain"),
    ]),
    "structures": (("structure", "label", "kind", "region", "part_of", "uberon", "fma", "synonyms", "source"), [
        ("gastrocnemius-medial-head", "Medial head of gastrocnemius", "muscle-part", "leg", "gastrocnemius", "UBERON:0007647", "FMA:45956",
         "medial gastrocnemius|inner calf", "Uberon 2026"),
        ("gastrocnemius", "Gastrocnemius", "muscle", "leg", "", "UBERON:0001388", "FMA:22541", "", "Uberon 2026"),
    ]),
    "condition tissues": (("condition", "tissue", "role", "basis", "source"), [
        ("calf-strain", "gastrocnemius", "primary", "textbook-knowledge", "general anatomical knowledge"),
        ("plantar-fasciitis", "gastrocnemius", "secondary", "review of 2018, p. 3", "Pollack 2018"),
    ]),
    "condition codes": (("condition", "system", "code", "label", "match", "source"), [
        ("plantar-fasciitis", "icd10cm", "M72.2", "Plantar fascial fibromatosis", "exact", "ICD-10-CM 2026"),
        ("plantar-fasciitis", "mondo", "MONDO:0005482", "", "close", "Mondo 2026"),
    ]),
    "muscle relations": (("muscle", "relation", "target_label", "target", "source"), [
        ("gastrocnemius", "origin", "condyles of the femur", "", "myo-index (MIT)"),
        ("gastrocnemius", "part-of-group", "calf", "gastrocnemius-medial-head", "myo-index (MIT)"),
    ]),
    "tests": (("test", "label", "region", "procedure", "positive_sign", "condition", "sensitivity", "specificity", "lr_positive",
               "lr_negative", "participants", "reference_standard", "source"), [
        ("windlass", "Windlass test", "foot", "Standing, the toes are bent up.", "Pain under the heel", "plantar-fasciitis", "32", "100",
         "", "0.7", "22 feet", "clinical diagnosis", "pollack-2018-heelpain"),
        ("calf-squeeze", "Calf squeeze", "leg", "The calf is squeezed.", "Pain", "calf-strain", "", "", "", "", "", "",
         "pollack-2018-heelpain"),
    ]),
    "outcome measures": (("measure", "label", "conditions", "region", "range", "mcid", "mdc", "source"), [
        ("nprs", "Numeric pain rating scale", "plantar-fasciitis,calf-strain", "leg", "0-10, higher worse", "2", "",
         "pollack-2018-heelpain"),
        ("foot-function-index", "Foot Function Index", "plantar-fasciitis", "foot", "0-100", "6.5", "", "pollack-2018-heelpain"),
    ]),
    "decision rules": (("rule", "label", "target", "criterion", "points", "interpretation", "source"), [
        ("ottawa-ankle", "Ottawa ankle rule", "Ankle fracture", "Cannot bear weight", "", "Any one: X-ray", "pollack-2018-heelpain"),
        ("ottawa-ankle", "Ottawa ankle rule", "Ankle fracture", "Bone tenderness", "1", "Any one: X-ray", "pollack-2018-heelpain"),
    ]),
}  # fmt: skip
Maker = Callable[..., Path]


def write(folder: Path, kind: str, rows: list[tuple[str, ...]] | None = None, ending: str = "tsv", columns: tuple[str, ...] = ()) -> Path:
    """A table of a kind, with its own rows where none are given."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind.replace(' ', '-')}.{ending}"
    lines = [columns or KINDS[kind][0], *(KINDS[kind][1] if rows is None else rows)]
    if ending == "csv":
        out = io.StringIO(newline="")
        csv.writer(out).writerows(lines)
        path.write_text(out.getvalue(), encoding="utf-8", newline="")
    else:
        path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    return path


def changed(kind: str, row: int = 0, /, **cells: str) -> tuple[str, ...]:
    """A row of a kind with other cells."""
    columns, rows = KINDS[kind]
    return tuple(cells.get(column, cell) for column, cell in zip(columns, rows[row], strict=True))


def contents(ontology: Path) -> dict[str, bytes]:
    return {str(path.relative_to(ontology)): path.read_bytes() for path in ontology.rglob("*") if path.is_file()}


def imported(ontology: Path) -> dict[str, bytes]:
    """The files that imports wrote."""
    return {name: content for name, content in contents(ontology).items() if "/" in name}


def values(graph: Graph, subject: str, prop: str) -> set[str]:
    """What a graph says of a slug by a property; slugs for individuals."""
    prefix, _, local = prop.rpartition(":")
    predicate = URIRef({"": PAL, **PREFIXES}[prefix] + local)
    return {slug(str(value)) for value in graph.objects(URIRef(PAL + subject), predicate)}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, new_ontology: Maker) -> Path:
    """A small ontology into which every kind of table has been imported."""
    folder = tmp_path_factory.mktemp("filled")
    ontology = new_ontology(folder)
    for done in Importer(ontology).run(write(folder / "tables", kind) for kind in KINDS):
        assert (done.added, done.standing) == (done.rows, 0), done
    return ontology


@pytest.fixture(scope="module")
def facts(filled: Path) -> Graph:
    graph = Graph()
    for path in filled.rglob("*.ttl"):
        graph += read(path)
    return graph


@pytest.fixture(scope="module")
def importer(filled: Path) -> Importer:
    """An importer over the filled ontology, for tables that are refused."""
    return Importer(filled)


def refused(importer: Importer, path: Path) -> list[str]:
    """The faults of a refused table; nothing may be written."""
    before = contents(importer.ontology)
    with pytest.raises(TableError) as told:
        list(importer.run([path]))
    assert told.value.exit_status == 1
    assert contents(importer.ontology) == before
    return list(told.value.faults)


# ---------------------------------------------------------------------------------------------------- what rows become
def test_every_kind_of_table_has_a_row_here() -> None:
    assert {frozenset(columns) for columns, _ in KINDS.values()} == {table.columns for table in TABLES}


@pytest.mark.parametrize(("subject", "prop", "expected"), [
    ("plantar-fasciitis", "rdf:type", {"Condition"}),
    ("plantar-fasciitis", "inRegion", {"foot"}),
    ("cross-fiber-friction", "family", {"friction-family"}),
    ("range-of-motion", "skos:prefLabel", {"Joint range of motion"}),
    ("pollack-2018-heelpain", "doi", {"https://doi.org/10.1016/j.foot.2017.08.001"}),
    ("pollack-2018-heelpain", "pmid", {"https://pubmed.ncbi.nlm.nih.gov/29331853"}),
    ("pollack-2018-heelpain", "year", {"2018"}),
    ("pollack-2018-heelpain", "read", {"read-abstract"}),
    ("pollack-2018-heelpain", "page", set()),
    ("aaos-2021-massage", "page", {"https://www.orthoguidelines.org/guideline-detail?id=1650&tab=by_strength"}),
    ("lost-2001-mirror", "page", set()),
    ("gastrocnemius-medial-head", "rdf:type", {"MusclePart"}),
    ("gastrocnemius-medial-head", "partOf", {"gastrocnemius"}),
    ("gastrocnemius-medial-head", "skos:altLabel", {"medial gastrocnemius", "inner calf"}),
    ("gastrocnemius", "skos:exactMatch", {"http://purl.obolibrary.org/obo/UBERON_0001388", "http://purl.org/sig/ont/fma/fma22541"}),
    ("involvement-calf-strain-gastrocnemius", "basis", {"textbook-knowledge"}),
    ("involvement-calf-strain-gastrocnemius", "role", {"role-primary"}),
    ("involvement-plantar-fasciitis-gastrocnemius", "basis", {"sourced"}),
    ("involvement-plantar-fasciitis-gastrocnemius", "skos:editorialNote", {"review of 2018, p. 3"}),
    ("plantar-fasciitis", "skos:exactMatch", {"http://purl.bioontology.org/ontology/ICD10CM/M72.2"}),
    ("plantar-fasciitis", "skos:closeMatch", {"http://purl.obolibrary.org/obo/MONDO_0005482"}),
    ("http://purl.bioontology.org/ontology/ICD10CM/M72.2", "skos:notation", {"M72.2"}),
    ("calf-swelling", "rdf:type", {"RedFlag"}),
    ("deep-vein-thrombosis", "skos:prefLabel", {"Deep vein thrombosis"}),
    ("warfarin", "rdf:type", {"Hazard"}),
    ("gastrocnemius", "partOf", {"gastrocnemius-medial-head"}),
    ("windlass", "rdf:type", {"OrthopedicTest"}),
    ("windlass", "procedure", {"Standing, the toes are bent up."}),
    ("foot-function-index", "rdf:type", {"OutcomeMeasure"}),
    ("ottawa-ankle", "ruleTarget", {"Ankle fracture"}),
])  # fmt: skip
def test_cells_become_statements(facts: Graph, subject: str, prop: str, expected: set[str]) -> None:
    graph = facts
    if subject.startswith("http"):
        assert {str(v) for v in graph.objects(URIRef(subject), SKOS.notation)} == expected
    else:
        assert values(graph, subject, prop) == expected


def statement(facts: Graph, cls: str, prop: str, value: str) -> str:
    """The one individual of a class that has a value."""
    found = [slug(str(s)) for s in facts.subjects(RDF.type, URIRef(PAL + cls)) if value in values(facts, slug(str(s)), prop)]
    assert len(found) == 1
    return found[0]


def test_a_finding_becomes_a_statement_of_evidence(facts: Graph) -> None:
    result = statement(facts, "StudyResult", "result", "benefit")
    assert values(facts, result, "evidenceCondition") == {"plantar-fasciitis"}
    assert values(facts, result, "participants") == {"1204"}
    assert values(facts, result, "certainty") == {"certainty-low"}
    assert values(facts, result, "comparatorText") == {"sham massage"}
    assert values(facts, result, "comparator") == {"comparator-sham"}
    assert values(facts, statement(facts, "StudyResult", "result", "mixed-result"), "dcterms:source") == {
        "pollack-2018-heelpain", "aaos-2021-massage",
    }  # fmt: skip
    assert statement(facts, "RecommendationStatement", "result", "recommended").startswith("evidence-plantar-fasciitis-effleurage-")


def test_a_mechanism_finding_becomes_a_statement_of_evidence(facts: Graph) -> None:
    assert values(facts, statement(facts, "MechanismEvidence", "direction", "mixed-effect"), "tissueType") == {"any-tissue"}
    assert values(facts, statement(facts, "MechanismEvidence", "direction", "increases"), "population") == {"population-healthy"}


def test_a_red_flag_keeps_its_figures(facts: Graph) -> None:
    indication = statement(facts, "RedFlagIndication", "redFlag", "calf-swelling")
    assert values(facts, indication, "mimics") == {"calf-strain", "plantar-fasciitis"}
    assert [values(facts, indication, name) for name in ("sensitivity", "specificity", "lrNegative")] == [{"42.5"}, {"80.0"}, {"0.7"}]


def test_applies_to_reads_groups_families_techniques_positions_and_regions(facts: Graph) -> None:
    assert values(facts, statement(facts, "ContraindicationRule", "ruleHazard", "warfarin"), "appliesTo") == {
        "deep-pressure", "suction-techniques",
    }  # fmt: skip
    assert values(facts, statement(facts, "ContraindicationRule", "ruleHazard", "fracture-healing"), "appliesTo") == {
        "traction-techniques", "friction-family", "effleurage", "neck", "prone-position",
    }  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [
    ("sham massage", "sham"), ("Placebo ultrasound", "sham"), ("no treatment", "no-treatment"), ("waiting list", "no-treatment"),
    ("usual care", "usual-care"), ("exercise alone", "co-intervention-alone"), ("stretching", "active-treatment"),
])  # fmt: skip
def test_comparators_are_read_by_their_hidden_labels(importer: Importer, text: str, kind: str) -> None:
    assert importer.comparator(text) == f"{PAL}comparator-{kind}"


def test_comparators_are_read_as_whole_words(importer: Importer) -> None:
    assert importer.comparator("shamrock") is None


@pytest.mark.parametrize(("word", "group"), [
    ("cupping", "suction-techniques"), ("manual-traction", "traction-techniques"), ("deep-pressure", "deep-pressure"),
    ("friction", "friction-family"), ("static-cupping", "static-cupping"), ("low-back", "low-back"), ("supine-position", "supine-position"),
])  # fmt: skip
def test_names_of_applies_to(importer: Importer, word: str, group: str) -> None:
    assert importer.target(word) == URIRef(PAL + group)


def test_what_was_imported_builds_but_for_what_tables_do_not_say(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables lack pressure, dose and claims of techniques and definitions; nothing else is missing."""
    from kg.errors import GraphError

    monkeypatch.setenv("PALPATE_CACHE", str(tmp_path))
    with pytest.raises(GraphError) as told:
        build(filled)
    known = ("pal:contact", "pal:pressure", "pal:mechanicalAction", "pal:intensity", "pal:scope", "pal:dose", "skos:definition")
    assert not [fault for fault in told.value.faults if not any(word in fault for word in known)]


# ---------------------------------------------------------------------------------------------------- again and again
def test_slugs_are_the_same_each_time(filled: Path, tmp_path: Path, new_ontology: Maker) -> None:
    again = new_ontology(tmp_path)
    list(Importer(again).run(write(tmp_path / "tables", kind) for kind in KINDS))
    assert imported(again) == imported(filled)


def test_a_second_import_adds_nothing_and_leaves_every_byte(filled: Path, tmp_path: Path) -> None:
    before = contents(filled)
    for done in Importer(filled).run(write(tmp_path, kind) for kind in KINDS):
        assert (done.added, done.standing) == (0, done.rows)
    assert contents(filled) == before


def test_imported_files_are_canonical(filled: Path) -> None:
    for path in filled.rglob("*/*.ttl"):
        assert path.read_text(encoding="utf-8") == canonical(path)


def test_csv_and_tsv_say_the_same(filled: Path, tmp_path: Path, new_ontology: Maker) -> None:
    again = new_ontology(tmp_path)
    list(Importer(again).run(write(tmp_path / "tables", kind, ending="csv") for kind in KINDS))
    assert imported(again) == imported(filled)


def test_columns_may_stand_in_any_order_behind_a_byte_order_mark(tmp_path: Path, new_ontology: Maker) -> None:
    path = write(tmp_path, "conditions", [("foot", "Heel pain", "heel-pain")], columns=("region", "label", "slug"))
    path.write_text("\ufeff" + path.read_text(encoding="utf-8").replace("\n", "\r\n"), encoding="utf-8", newline="")
    done = list(Importer(new_ontology(tmp_path)).run([path]))
    assert [d.added for d in done] == [1]


def test_an_edit_by_hand_is_not_overwritten(tmp_path: Path, new_ontology: Maker) -> None:
    ontology = new_ontology(tmp_path)
    tables = [write(tmp_path / "tables", kind) for kind in ("conditions", "techniques", "sources", "findings")]
    list(Importer(ontology).run(tables))
    conditions, findings = ontology / "conditions" / "conditions.ttl", ontology / "evidence" / "findings.ttl"
    conditions.write_text("# by hand\n" + conditions.read_text().replace('"Calf strain"', '"Torn calf"'))
    findings.write_text(findings.read_text().replace("Less pain after four weeks.", "A little less pain."))
    before = contents(ontology)
    assert [done.added for done in Importer(ontology).run(tables)] == [0, 0, 0, 0]
    assert contents(ontology) == before
    more = write(tmp_path / "tables", "conditions", [*KINDS["conditions"][1], ("heel-spur", "Heel spur", "foot")])
    assert [done.added for done in Importer(ontology).run([more])] == [1]
    text = conditions.read_text(encoding="utf-8")
    assert text.startswith("# by hand\n")
    assert '"Torn calf"' in text
    assert '"Calf strain"' not in text
    assert "pal:heel-spur" in text


def test_a_new_code_is_added_where_others_of_the_condition_stand(tmp_path: Path, new_ontology: Maker) -> None:
    ontology = new_ontology(tmp_path)
    list(Importer(ontology).run([write(tmp_path / "tables", "conditions"), write(tmp_path / "tables", "condition codes")]))
    rows = [*KINDS["condition codes"][1], changed("condition codes", code="M72.9", match="broad")]
    assert [done.added for done in Importer(ontology).run([write(tmp_path / "tables", "condition codes", rows)])] == [1]
    assert "icd10cm:M72.9" in (ontology / "mappings" / "condition-codes.ttl").read_text()


def test_a_later_table_may_name_what_an_earlier_one_brings(tmp_path: Path, new_ontology: Maker) -> None:
    ontology = new_ontology(tmp_path)
    tables = [write(tmp_path / "tables", kind) for kind in ("conditions", "structures", "condition tissues")]
    assert [done.added for done in Importer(ontology).run(tables)] == [2, 2, 2]


def test_a_table_named_like_the_shapes_is_not_lost(tmp_path: Path, new_ontology: Maker) -> None:
    ontology, path = new_ontology(tmp_path), write(tmp_path, "conditions").rename(tmp_path / "shapes.tsv")
    list(Importer(ontology).run([path]))
    assert [done.standing for done in Importer(ontology).run([path])] == [2]


# ---------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(("kind", "cells", "says"), [
    ("conditions", {"slug": "Heel Pain"}, "slug: 'Heel Pain' is no slug"),
    ("conditions", {"slug": ""}, "slug is empty"),
    ("conditions", {"slug": "new-one", "label": ""}, "label is empty"),
    ("conditions", {"slug": "new-one", "region": "feet"}, "region: 'feet' is no BodyRegion of the ontology"),
    ("techniques", {"slug": "new-one", "family": "frictoin"}, "is no TechniqueFamily of the ontology; nearest: friction-family"),
    ("sources", {"kind": "trial"}, "kind: 'trial' is no StudyDesign"),
    ("sources", {"read": "skimmed"}, "read: 'read-skimmed' is no Reading"),
    ("sources", {"year": "2018a"}, "year: '2018a' is no number"),
    ("sources", {"year": "NaN"}, "year: 'NaN' is no number"),
    ("sources", {"year": "2018.5"}, "year: '2018.5' is no whole number"),
    ("sources", {"kind": "guideline", "doi": "", "pmid": "", "url": "see the <book>"}, "url: 'see the <book>' is no IRI"),
    ("findings", {"condition": "plantar-fascitis"}, "'plantar-fascitis' is no Condition of the ontology; nearest: plantar-fasciitis"),
    ("findings", {"technique": "plantar-fasciitis"}, "technique: 'plantar-fasciitis' is no Technique"),
    ("findings", {"phase": "late"}, "phase: 'late' is no Phase"),
    ("findings", {"direction": "good"}, "direction: 'good' is no ResultDirection"),
    ("findings", {"participants": "many"}, "participants: 'many' is no number"),
    ("findings", {"participants": "12,04"}, "participants: '12,04' is no number"),
    ("findings", {"source": ""}, "source is empty"),
    ("findings", {"source": " , "}, "source: ',' names nothing"),
    ("findings", {"source": "pollack-2018-heelpain,nobody-2020"}, "source: 'nobody-2020' is no Source"),
    ("findings", {"finding": ""}, "finding is empty"),
    ("mechanism findings", {"effect": "pain"}, "effect: 'pain' is no PhysiologicalEffect"),
    ("contraindications", {"applies_to": "heat,everything"}, "'everything' is no technique, family, group, position or region"),
    ("contraindications", {"applies_to": ","}, "applies_to: ',' names nothing"),
    ("contraindications", {"level": "forbidden"}, "level: 'forbidden' is no HazardLevel"),
    ("contraindications", {"hazard": "Warfarin!"}, "hazard: 'Warfarin!' is no slug"),
    ("contraindications", {"reason": ""}, "reason is empty"),
    ("red flags", {"urgency": "soon"}, "urgency: 'urgency-soon' is no Urgency"),
    ("red flags", {"sensitivity": "42,5"}, "sensitivity: '42,5' is no number"),
    ("red flags", {"lr_positive": "Infinity"}, "lr_positive: 'Infinity' is no number"),
    ("structures", {"structure": "new-one", "kind": "organ"}, "kind: 'organ' is no kind of structure; one of muscle, muscle-part"),
    ("structures", {"structure": "new-one", "part_of": "calf-strain"}, "part_of: 'calf-strain' is no AnatomicalStructure"),
    ("condition tissues", {"role": "main"}, "role: 'role-main' is no InvolvementRole"),
    ("condition codes", {"system": "icd9"}, "code: 'scheme-icd9' is no TermScheme"),
    ("condition codes", {"match": "exakt"}, "code: 'exakt' is no match; one of exact, close, broad, narrow"),
    ("condition codes", {"match": "a:b"}, "code: 'a:b' is no match"),
    ("condition codes", {"code": "M72 2"}, "is no IRI"),
    ("muscle relations", {"relation": "lies-on"}, "'lies-on' is no relation of a muscle; one of origin, insertion"),
    ("muscle relations", {"muscle": "calf"}, "'calf' is no AnatomicalStructure"),
    ("tests", {"region": "feet"}, "test: 'feet' is no BodyRegion"),
    ("outcome measures", {"measure": "N P"}, "measure: 'N P' is no slug"),
    ("decision rules", {"criterion": ""}, "criterion is empty"),
    ("condition codes", {"condition": "heel"}, "code: 'heel' is no Condition"),
])  # fmt: skip
@pytest.mark.parametrize("ending", ["tsv", "csv"])
def test_a_bad_cell_refuses_the_table(importer: Importer, tmp_path: Path, kind: str, cells: dict[str, str], says: str, ending: str) -> None:
    path = write(tmp_path, kind, [KINDS[kind][1][1], changed(kind, **cells)], ending)
    faults = refused(importer, path)
    assert len(faults) == 1
    assert faults[0].startswith(f"{path.name}:3: ")
    assert says in faults[0]


def test_all_faults_of_a_table_are_told_at_once(importer: Importer, tmp_path: Path) -> None:
    other = changed("findings", 1)
    rows = [changed("findings", phase="late", outcome="joy"), other, other, changed("findings", source="")]
    assert [fault.split(": ")[0] for fault in refused(importer, write(tmp_path, "findings", rows))] == [
        "findings.tsv:2", "findings.tsv:2", "findings.tsv:4", "findings.tsv:5",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_row_refuses_the_table(importer: Importer, tmp_path: Path, kind: str) -> None:
    row = KINDS[kind][1][0]
    path = write(tmp_path, kind, [row, row])
    assert refused(importer, path) == [f"{path.name}:3: repeats line 2"]


def test_a_slug_given_twice_refuses_the_table(importer: Importer, tmp_path: Path) -> None:
    path = write(tmp_path, "conditions", [("new-one", "One", "foot"), ("new-one", "Other", "leg")])
    assert refused(importer, path) == ["conditions.tsv:3: repeats line 2"]


@pytest.mark.parametrize(("text", "says"), [
    ("slug\tlabel\n", ":1: the header is of no known kind; nearest is conditions (missing: region; not known: none)"),
    ("slug\tlabel\tregion\tcolour\n", ":1: the header is of no known kind; nearest is conditions (missing: none; not known: colour)"),
    ("slug\tlabel\tregion\tregion\n", ":1: the header names region more than once"),
    ("", ":1: the header is of no known kind"),
    ("slug,label,region\nheel,Heel,foot\n", ":1: the header is of no known kind"),
    ("slug\tlabel\tregion\nheel\tHeel\n", ":2: 2 cells, the header has 3"),
    ("slug\tlabel\tregion\nheel\tHeel\tfoot\tleft\n", ":2: 4 cells, the header has 3"),
    ("slug\tlabel\tregion\nheel\tHeel\tfoot\n\n", ":3: 0 cells, the header has 3"),
    ("slug\tlabel\tregion\nheel\tHeel\x00\tfoot\n", ":2: a cell holds a line break or a control character"),
    ("slug\tlabel\tregion\nheel\tHeel\u2028bone\tfoot\n", ":2: a cell holds a line break or a control character"),
])  # fmt: skip
def test_a_table_of_another_shape_is_refused(importer: Importer, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "odd.tsv"
    path.write_text(text, encoding="utf-8")
    faults = refused(importer, path)
    assert faults[0].startswith(f"odd.tsv{says}")


def test_a_quoted_line_break_is_refused_and_lines_behind_it_are_counted_right(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text('slug,label,region\nheel,"Heel\nbone",foot\nheel-two,Heel,foot,left\n', encoding="utf-8")
    assert refused(importer, path) == [
        "odd.csv:2: a cell holds a line break or a control character", "odd.csv:4: 4 cells, the header has 3",
    ]  # fmt: skip


def test_a_quote_that_never_ends_is_refused(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text('slug,label,region\nheel,"Heel,foot\n', encoding="utf-8")
    assert refused(importer, path) == ["odd.csv:2: unexpected end of data"]


def test_what_is_no_text_is_refused(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "latin.tsv"
    path.write_bytes("slug\tlabel\tregion\nheel\tCafé\tfoot\n".encode("latin-1"))
    assert refused(importer, path) == [f"{path}: cannot be read as UTF-8 text (UnicodeDecodeError)"]
    assert refused(importer, tmp_path / "missing.tsv") == [f"{tmp_path / 'missing.tsv'}: cannot be read as UTF-8 text (FileNotFoundError)"]
    assert refused(importer, tmp_path) == [f"{tmp_path}: cannot be read as UTF-8 text (IsADirectoryError)"]


def test_the_command_tells_faults_in_lines_and_ends_with_1(filled: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "conditions", [("heel", "Heel", "feet")])
    done = subprocess.run([sys.executable, "-m", "kg", "import", str(path)], cwd=ROOT, env=os.environ | {"PALPATE_ONTOLOGY": str(filled)},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: conditions.tsv:2: region: 'feet' is no BodyRegion of the ontology")
    assert done.stdout == ""


# ---------------------------------------------------------------------------------------------------- whatever is in a cell
CELLS = st.one_of(
    st.text(max_size=12), st.sampled_from(sorted({cell for _, rows in KINDS.values() for row in rows for cell in row})),
    st.from_regex(r"[a-z]{1,3}(-[a-z0-9]{1,3}){0,2}", fullmatch=True),
    st.sampled_from(["sNaN", "-Infinity", "1e999999", "9" * 5000, "١٢", "{0}", "{slug}", "%s", "a:b", "://", "@en", *'<>"\\`|.,']),
).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))  # fmt: skip
NUMBER = itertools.count()


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[tuple[str, ...]], str]:
    """A table of any kind, a few of its cells replaced by anything."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    columns, rows = KINDS[kind]
    chosen = draw(st.lists(st.sampled_from(rows), min_size=1, max_size=2))
    mutated = [tuple(draw(st.one_of(st.just(cell), CELLS)) for cell in row) if draw(st.booleans()) else
               changed_at(row, draw(st.integers(0, len(columns) - 1)), draw(CELLS)) for row in chosen]  # fmt: skip
    return kind, mutated, draw(st.sampled_from(["tsv", "csv"]))


def changed_at(row: tuple[str, ...], index: int, cell: str) -> tuple[str, ...]:
    return (*row[:index], cell, *row[index + 1 :])


def attempt(importer: Importer, path: Path) -> tuple[Imported | None, tuple[str, ...]]:
    try:
        return next(importer.run([path])), ()
    except TableError as refusal:
        return None, refusal.faults


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(tables())
@example(("findings", [changed("findings", finding='ends with a backslash \\ and "quotes"')], "tsv"))
@example(("findings", [changed("findings", finding="'''\"\"\"")], "csv"))
@example(("sources", [changed("sources", source="new-2020", doi="10.1/a b<c>")], "tsv"))
def test_any_cell_is_taken_or_refused_whole(importer: Importer, tmp_path: Path, table: tuple[str, list[tuple[str, ...]], str]) -> None:
    kind, rows, ending = table
    path = write(tmp_path, kind, rows, ending).rename(tmp_path / f"any-{next(NUMBER)}.{ending}")
    before = contents(importer.ontology)
    done, faults = attempt(importer, path)
    if done is None:
        assert all(fault.startswith(f"{path.name}:") for fault in faults)
        assert contents(importer.ontology) == before
        return
    written = [importer.ontology / name for name in contents(importer.ontology).keys() - before.keys()]
    assert len(written) == (done.added > 0)
    for target in written:
        assert list(ox.parse(path=str(target), format=ox.RdfFormat.TURTLE))
        assert target.read_text(encoding="utf-8") == canonical(target)
        target.unlink()
