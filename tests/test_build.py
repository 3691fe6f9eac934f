"""The build: what is inferred, what is refused and how that is told, and what a stop at any moment leaves behind."""

import ast
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import GraphError
from kg.graph.build import assert_files, build, cached, write
from kg.graph.files import index_of
from kg.graph.knowledge import Knowledge, load
from kg.graph.terms import ASSERTED, INFERRED, RDF, iri, slug

ROOT = Path(__file__).parents[1]
PREFIXES = """PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX pal: <https://w3id.org/palpate/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>

"""
SMALL = (
    PREFIXES
    + """
pal:stroke-in-general a pal:Technique ;
    skos:prefLabel "Stroke"@en ; skos:definition "Any stroke."@en ; pal:unspecified true ;
    pal:family pal:classical-massage-family ; pal:pressure pal:pressure-moderate ; pal:contact pal:contact-hands ;
    pal:mechanicalAction pal:stroking ; pal:intensity pal:intensity-gentle ; pal:scope pal:scope-massage .

pal:long-stroke a pal:Technique ;
    skos:prefLabel "Long stroke"@en ; skos:definition "A light stroke."@en ; pal:variantOf pal:stroke-in-general ;
    pal:dose pal:dose-short ; pal:family pal:classical-massage-family ; pal:pressure pal:pressure-light ;
    pal:contact pal:contact-hands ; pal:mechanicalAction pal:stroking ; pal:intensity pal:intensity-gentle ; pal:scope pal:scope-massage .

pal:deep-stroke a pal:Technique ;
    skos:prefLabel "Deep stroke"@en ; skos:definition "A deep stroke."@en ; pal:variantOf pal:long-stroke ; pal:depth pal:depth-deep ;
    pal:dose pal:dose-short ; pal:family pal:classical-massage-family ; pal:pressure pal:pressure-deep ;
    pal:contact pal:contact-hands ; pal:mechanicalAction pal:stroking ; pal:intensity pal:intensity-strong ; pal:scope pal:scope-massage .

pal:cup a pal:Technique ;
    skos:prefLabel "Cup"@en ; skos:definition "A cup with suction."@en ; pal:dose pal:dose-short ;
    pal:family pal:east-asian-family ; pal:pressure pal:pressure-none ; pal:contact pal:contact-tool ;
    pal:mechanicalAction pal:suction ; pal:intensity pal:intensity-moderate ; pal:scope pal:scope-massage .

pal:dose-short a pal:Dose ; pal:basis pal:textbook-knowledge .

pal:claim-long a pal:EffectClaim ; pal:claimTechnique pal:long-stroke ; pal:claimEffect pal:calm ; pal:direction pal:increases ;
    pal:tissueType pal:muscle ; pal:strength pal:strength-moderate ; pal:basis pal:textbook-knowledge .
pal:claim-deep a pal:EffectClaim ; pal:claimTechnique pal:deep-stroke ; pal:claimEffect pal:calm ; pal:direction pal:increases ;
    pal:tissueType pal:muscle ; pal:strength pal:strength-weak ; pal:basis pal:textbook-knowledge .
pal:claim-cup a pal:EffectClaim ; pal:claimTechnique pal:cup ; pal:claimEffect pal:calm ; pal:direction pal:decreases ;
    pal:tissueType pal:muscle ; pal:strength pal:strength-weak ; pal:basis pal:textbook-knowledge .

pal:calm a pal:PhysiologicalEffect ; skos:prefLabel "Calm"@en ; skos:definition "Calm of a muscle."@en .
pal:tightness a pal:Impairment ; skos:prefLabel "Tightness"@en ; skos:definition "A tight muscle."@en .
pal:relief-calm a pal:Relief ; pal:reliefEffect pal:calm ; pal:reliefImpairment pal:tightness ; pal:direction pal:increases ;
    pal:strength pal:strength-strong ; pal:basis pal:textbook-knowledge .

pal:calf a pal:Muscle ; skos:prefLabel "Calf"@en ; pal:inRegion pal:ankle .
pal:calf-head a pal:MusclePart ; skos:prefLabel "Head of the calf"@en ; pal:partOf pal:calf .
pal:calf-strand a pal:MusclePart ; skos:prefLabel "Strand of the calf"@en ; pal:partOf pal:calf-head ; pal:innervatedBy pal:calf-nerve .
pal:calf-nerve a pal:Nerve ; skos:prefLabel "Nerve of the calf"@en .

pal:leg-pain a pal:Condition ; skos:prefLabel "Leg pain"@en ; pal:inRegion pal:leg-foot .
pal:calf-pain a pal:Condition ; skos:prefLabel "Calf pain"@en ; pal:inRegion pal:leg ; pal:subtypeOf pal:leg-pain .
pal:calf-cramp a pal:Condition ; skos:prefLabel "Calf cramp"@en ; pal:inRegion pal:leg ; pal:subtypeOf pal:calf-pain .
pal:involvement-cramp a pal:TissueInvolvement ; pal:involvementOf pal:calf-cramp ; pal:involvedTissue pal:calf-strand ;
    pal:role pal:role-primary ; pal:basis pal:textbook-knowledge .
pal:profile-cramp a pal:ImpairmentProfile ; pal:profileOf pal:calf-cramp ; pal:profileImpairment pal:tightness ;
    pal:impairedTissue pal:calf ; pal:inPhase pal:any ; pal:salience pal:salience-high ; pal:basis pal:textbook-knowledge .

pal:thin-blood a pal:Hazard ; skos:prefLabel "Thin blood"@en .
pal:blood-thinner a pal:Hazard ; skos:prefLabel "Blood thinner"@en ; pal:subHazardOf pal:thin-blood .
pal:rule-thin-blood a pal:ContraindicationRule ; pal:ruleHazard pal:thin-blood ; pal:appliesTo pal:deep-pressure ;
    pal:level pal:absolute ; pal:extent pal:extent-systemic ; pal:reason "It may bleed." ; pal:action "Stroke lightly." ;
    pal:basis pal:expert-reasoning .

pal:writer-2020-stroke a pal:Source ; dcterms:title "Strokes" ; pal:design pal:rct ; pal:read pal:read-abstract ; pal:year 2020 ;
    pal:doi <https://doi.org/10.1234/stroke> .
"""
)

Maker = Callable[..., Path]


@dataclass(frozen=True)
class Built:
    """A small ontology with its built graph."""

    ontology: Path
    path: Path
    store: ox.Store

    def inferred(self, subject: str, prop: str) -> set[str]:
        """Slugs that the inferred graph alone holds as values of a property."""
        return self._values(subject, prop, INFERRED) - self._values(subject, prop, ASSERTED)

    def _values(self, subject: str, prop: str, graph: str) -> set[str]:
        predicate = ox.NamedNode(RDF + "type" if prop == "a" else iri(prop))
        found = self.store.quads_for_pattern(ox.NamedNode(iri(subject)), predicate, None, ox.NamedNode(graph))
        return {slug(quad.object.value) for quad in found}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of this module's own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PALPATE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, new_ontology: Maker, cache: Path) -> Built:
    ontology = new_ontology(tmp_path_factory.mktemp("small"), small=SMALL)
    path = build(ontology)
    return Built(ontology, path, Knowledge(path).store)


def faults_of(ontology: Path) -> tuple[str, ...]:
    """The faults for which a build is refused; nothing may have been written for it."""
    with pytest.raises(GraphError) as refused:
        build(ontology)
    assert refused.value.exit_status == 1
    assert not cached(ontology).exists()
    return refused.value.faults


def named_triples(quads: Iterable[ox.Quad]) -> set[ox.Triple]:
    """The triples of quads but for those with blank nodes, whose names are a store's own."""
    return {quad.triple for quad in quads if ox.BlankNode not in (type(quad.subject), type(quad.object))}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ---------------------------------------------------------------------------------------------------- what is inferred
def test_asserted_and_inferred_triples_stand_in_two_graphs_apart(small: Built) -> None:
    graphs = {graph.value for graph in small.store.named_graphs()}
    assert graphs == {ASSERTED, INFERRED}
    asserted, inferred = (named_triples(small.store.quads_for_pattern(None, None, None, ox.NamedNode(g))) for g in (ASSERTED, INFERRED))
    assert not asserted & inferred
    assert asserted == named_triples(assert_files(small.ontology))


@pytest.mark.parametrize(("subject", "prop", "value"), [
    pytest.param("deep-stroke", "a", "DeepPressureTechnique", id="defined class by a value"),
    pytest.param("deep-stroke", "inGroup", "deep-pressure", id="group of a defined class"),
    pytest.param("long-stroke", "inGroup", "any-massage", id="group by what touches the client"),
    pytest.param("cup", "a", "CuppingOrScrapingTechnique", id="class above a defined class"),
    pytest.param("cup", "inGroup", "cupping-iastm", id="group of the class above"),
    pytest.param("deep-pressure", "groupOf", "deep-stroke", id="inverse of a group"),
    pytest.param("calf", "a", "SoftTissue", id="sub-class"),
    pytest.param("calf", "hasTissueType", "muscle", id="value by class"),
    pytest.param("deep-stroke", "variantOf", "stroke-in-general", id="transitive variantOf"),
    pytest.param("calf-cramp", "subtypeOf", "leg-pain", id="transitive subtypeOf"),
    pytest.param("calf-strand", "partOf", "calf", id="transitive partOf"),
    pytest.param("calf", "hasPart", "calf-strand", id="inverse of an inferred triple"),
    pytest.param("leg-pain", "hasSubtype", "calf-cramp", id="inverse of subtypeOf"),
    pytest.param("calf-nerve", "innervates", "calf-strand", id="inverse of innervatedBy"),
    pytest.param("calf-cramp", "affects", "calf-strand", id="chain over an involvement"),
    pytest.param("calf-cramp", "affects", "calf", id="affects, then partOf"),
    pytest.param("calf", "affectedBy", "calf-cramp", id="inverse of a chain"),
    pytest.param("calf-cramp", "hasImpairment", "tightness", id="chain over a profile"),
    pytest.param("long-stroke", "producesEffect", "calm", id="chain over a claim"),
    pytest.param("calm", "relieves", "tightness", id="chain over a relief"),
    pytest.param("calf", "inRegion", "leg-foot", id="region of the region"),
    pytest.param("thin-blood", "contraindicates", "deep-pressure", id="chain over a rule"),
    pytest.param("thin-blood", "contraindicates", "deep-stroke", id="rule on a group reaches its techniques"),
    pytest.param("blood-thinner", "contraindicates", "deep-stroke", id="narrower hazard inherits"),
    pytest.param("claim-long", "technique", "long-stroke", id="sub-property"),
])  # fmt: skip
def test_the_graph_holds_what_follows(small: Built, subject: str, prop: str, value: str) -> None:
    assert value in small.inferred(subject, prop)


@pytest.mark.parametrize(("subject", "prop", "value"), [
    ("long-stroke", "inGroup", "deep-pressure"), ("thin-blood", "contraindicates", "long-stroke"), ("thin-blood", "contraindicates", "cup"),
    ("leg-pain", "subtypeOf", "calf-cramp"), ("calf-pain", "affects", "calf"), ("calf", "partOf", "calf-head"),
])  # fmt: skip
def test_the_graph_holds_nothing_that_does_not_follow(small: Built, subject: str, prop: str, value: str) -> None:
    assert value not in small.inferred(subject, prop)


def test_a_loaded_graph_tells_version_and_content(small: Built) -> None:
    knowledge = load(small.ontology)
    assert knowledge.version.sha256 == small.path.stem.partition("-")[0]
    assert knowledge.version.version == knowledge["ontology"].one("owl:versionInfo") != ""
    assert knowledge["deep-stroke"].is_a("DeepPressureTechnique")


def test_the_index_holds_what_the_graph_holds(small: Built) -> None:
    index_of(small.path).unlink(missing_ok=True)
    from_graph, from_index = Knowledge(small.path), Knowledge(small.path)
    written = json.loads(index_of(small.path).read_bytes())
    assert {node.slug: {name: list(values) for name, values in node.properties.items()} for node in from_graph} == written
    assert [node.slug for node in from_index] == [node.slug for node in from_graph]


# ---------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(("text", "line", "says"), [
    ('PREFIX pal: <https://w3id.org/palpate/>\n\npal:calf pal:inRegion pal:leg\npal:shin pal:inRegion pal:leg .\n', 4, "A dot is expected"),
    ("\n\npal:calf a pal:Muscle .\n", 3, "prefix pal: has not been declared"),
    ('PREFIX pal: <https://w3id.org/palpate/>\npal:calf pal:reason "no end .\n', 2, ""),
    ("<calf> a <https://w3id.org/palpate/Muscle> .\n", 1, "IRI"),
])  # fmt: skip
def test_broken_turtle_names_file_and_line(tmp_path: Path, new_ontology: Maker, text: str, line: int, says: str) -> None:
    faults = faults_of(new_ontology(tmp_path, broken=text))
    assert len(faults) == 1
    assert faults[0].startswith(f"ontology/broken.ttl:{line}: ")
    assert says in faults[0]
    assert "Parser error" not in faults[0]


def test_every_broken_file_is_named_at_once(tmp_path: Path, new_ontology: Maker) -> None:
    ontology = new_ontology(tmp_path, one="pal:a a pal:b .", two="<a")
    (ontology / "latin.ttl").write_bytes('PREFIX pal: <https://w3id.org/palpate/>\npal:calf pal:reason "caf\xe9" .\n'.encode("latin-1"))
    assert [fault.split(":")[0] for fault in faults_of(ontology)] == ["ontology/latin.ttl", "ontology/one.ttl", "ontology/two.ttl"]


def test_the_command_tells_broken_turtle_and_leaves_the_cache(small: Built, tmp_path: Path, new_ontology: Maker, cache: Path) -> None:
    before = {path.name: sha256(path) for path in cache.iterdir()}
    done = kg("build", ontology=new_ontology(tmp_path, broken="pal:calf a pal:Muscle .\n"))
    assert done.returncode == 1
    assert done.stderr == "error: ontology/broken.ttl:1: The prefix pal: has not been declared\n"
    assert {path.name: sha256(path) for path in cache.iterdir()} == before


FAULTY = (
    PREFIXES
    + """
pal:nowhere a pal:Condition ; skos:prefLabel "Nowhere"@en .

pal:two-names a pal:Hazard ; skos:prefLabel "One"@en , "Two"@en .

pal:bare a pal:Technique ;
    skos:prefLabel "Bare"@en ; skos:definition "Bare."@en ; pal:contact pal:contact-hands ;
    pal:family pal:classical-massage-family ; pal:mechanicalAction pal:stroking ; pal:intensity pal:intensity-gentle ;
    pal:scope pal:scope-massage .

pal:rule-unsourced a pal:ContraindicationRule ; pal:ruleHazard pal:thin-blood ; pal:appliesTo pal:cup ; pal:level pal:absolute ;
    pal:action "Do not." .

pal:claim-no-change a pal:EffectClaim ; pal:claimTechnique pal:cup ; pal:claimEffect pal:calm ; pal:direction pal:no-change ;
    pal:tissueType pal:muscle ; pal:strength pal:strength-weak ; pal:basis pal:textbook-knowledge .

pal:source-odd a pal:Source ; dcterms:title "Odd" ; pal:design pal:rct ; pal:read pal:read-abstract ; pal:year 20 ;
    pal:doi <http://dx.doi.org/10.1/odd> .

pal:evidence-unsourced a pal:StudyResult ; pal:evidenceCondition pal:calf-cramp ; pal:evidenceTechnique pal:cup ; pal:inPhase pal:any ;
    pal:outcome pal:outcome-pain ; pal:result pal:benefit ; pal:summary "It helped." .

pal:shallow a pal:Condition ; skos:prefLabel "Shallow"@en ; pal:inRegion pal:leg ; pal:inDepth true .

pal:profile-flat a pal:ImpairmentProfile ; pal:profileOf pal:calf-cramp ; pal:profileImpairment pal:tightness ; pal:inPhase pal:any ;
    pal:basis pal:textbook-knowledge .

pal:sudden a pal:RedFlag ; skos:prefLabel "Sudden"@en .
pal:clot a pal:SeriousPathology ; skos:prefLabel "Clot"@en .
pal:indication-mute a pal:RedFlagIndication ; pal:redFlag pal:sudden ; pal:pathology pal:clot ; pal:urgency pal:urgency-urgent ;
    dcterms:source pal:writer-2020-stroke .

pal:involvement-claimed a pal:TissueInvolvement ; pal:involvementOf pal:calf-pain ; pal:involvedTissue pal:calf ;
    pal:role pal:role-primary ; pal:basis pal:sourced .

pal:orphan a pal:Hazard ; skos:prefLabel "Orphan"@en ; pal:subHazardOf pal:thin-bloood .

pal:misfit a pal:Hazzard ; skos:prefLabel "Misfit"@en ; pal:subHazard pal:thin-blood ; pal:subHazardOf "thin-blood" .
"""
)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, new_ontology: Maker) -> tuple[str, ...]:
    return faults_of(new_ontology(tmp_path_factory.mktemp("faulty"), small=SMALL, faulty=FAULTY))


@pytest.mark.parametrize(("individual", "says"), [
    ("nowhere", "Say in which region the condition lies: pal:inRegion"),
    ("two-names", "Give it exactly one skos:prefLabel"),
    ("bare", "Say how hard it presses (pal:pressure)"),
    ("bare", "A technique needs a pal:dose and at least one effect claim"),
    ("rule-unsourced", "A contraindication has a dcterms:source"),
    ("rule-unsourced", "Say why: pal:reason."),
    ("claim-no-change", "A claim says whether the quantity increases or decreases"),
    ("source-odd", "pal:year is one year of four digits. (found 20)"),
    ("source-odd", "pal:doi is the resolvable form https://doi.org/10.... (found http://dx.doi.org/10.1/odd)"),
    ("evidence-unsourced", "Evidence has a dcterms:source"),
    ("shallow", "needs at least three impairment profiles"),
    ("shallow", "needs a skos:definition"),
    ("profile-flat", "Say how much it matters: one pal:salience."),
    ("indication-mute", "Say what to ask the client: pal:question."),
    ("involvement-claimed", "pal:basis pal:sourced needs a dcterms:source"),
    ("orphan", "nothing describes pal:thin-bloood; is it misspelled?"),
    ("misfit", "nothing describes pal:Hazzard"),
    ("misfit", "nothing describes pal:subHazard;"),
    ("misfit", "subHazardOf must name an individual, not the text 'thin-blood'."),
])  # fmt: skip
def test_each_violation_names_file_line_and_individual(faulty: tuple[str, ...], individual: str, says: str) -> None:
    line = next(number for number, text in enumerate(FAULTY.splitlines(), 1) if text.startswith(f"pal:{individual} "))
    assert [fault for fault in faulty if fault.startswith(f"ontology/faulty.ttl:{line}: {individual}: ") and says in fault]


def test_what_is_well_is_not_named(faulty: tuple[str, ...]) -> None:
    assert not [fault for fault in faulty if not fault.startswith("ontology/faulty.ttl:")]


CLASHING = (
    PREFIXES
    + """
pal:calf-pain a pal:Technique .
pal:deep-stroke pal:depth pal:depth-skin .
pal:calf-nerve pal:innervatedBy pal:calf .
"""
)


@pytest.fixture(scope="module")
def clashing(tmp_path_factory: pytest.TempPathFactory, new_ontology: Maker) -> subprocess.CompletedProcess[str]:
    return kg("build", ontology=new_ontology(tmp_path_factory.mktemp("clashing"), small=SMALL, clashing=CLASHING))


@pytest.mark.parametrize("clash", [
    pytest.param("calf-pain is inferred to be both Condition and Technique, which exclude each other.", id="stated to be both"),
    pytest.param("calf is inferred to be both Muscle and Nerve, which exclude each other.", id="made the other by the range of a property"),
    pytest.param("deep-stroke has two values of depth, depth-deep and depth-skin; it may have one.", id="two values where one may be"),
])  # fmt: skip
def test_a_contradiction_names_file_line_and_what_clashes(clashing: subprocess.CompletedProcess[str], clash: str) -> None:
    assert clashing.returncode == 1
    assert "Traceback" not in clashing.stderr
    told = [line.removeprefix("error: ") for line in clashing.stderr.splitlines() if line.endswith(f": {clash}")]
    assert len(told) == 1
    assert told[0].startswith(("ontology/small.ttl:", "ontology/clashing.ttl:"))


@pytest.mark.parametrize(("axiom", "says"), [
    ("pal:calf owl:sameAs pal:deep-stroke .", "contradicts itself"),
    ("pal:partOf a owl:FunctionalProperty .", "The reasoner refuses the axioms: Non-simple property"),
])  # fmt: skip
def test_what_only_the_reasoner_sees_is_told_without_a_traceback(tmp_path: Path, new_ontology: Maker, axiom: str, says: str) -> None:
    assert says in "\n".join(faults_of(new_ontology(tmp_path, small=SMALL, odd=PREFIXES + axiom + "\n")))


# ---------------------------------------------------------------------------------------------------- the cache
def kg(*arguments: str, ontology: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "kg", *arguments, PALPATE_ONTOLOGY=str(ontology), **environment)


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
                          check=False, timeout=120)  # fmt: skip


def graphs_in(folder: Path) -> dict[str, str]:
    """The graphs that a load could find in a cache, with their content."""
    return {path.name: sha256(path) for path in folder.glob("*.nq") if not path.name.startswith(".")}


def test_builds_at_one_time_give_one_file_of_the_same_bytes(small: Built, tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from kg.graph.build import build; build(Path(sys.argv[1]))"
    builds = [
        subprocess.Popen([sys.executable, "-c", script, str(small.ontology)], cwd=ROOT,
                         env=os.environ | {"PALPATE_CACHE": str(tmp_path), "PYTHONHASHSEED": str(seed)})
        for seed in (1, 2)
    ]  # fmt: skip
    assert [process.wait(120) for process in builds] == [0, 0]
    assert graphs_in(tmp_path) == {small.path.name: sha256(small.path)}
    assert [path.name for path in tmp_path.iterdir()] == [small.path.name]


TELLING_STEPS = """
import sys
from pathlib import Path
from kg.graph.build import build
build(Path(sys.argv[1]), lambda step: print(step, flush=True))
"""
STOPPED_AT_STEP = """
import os, signal, sys
from pathlib import Path
from kg.graph.build import build
build(Path(sys.argv[1]), lambda step: step == sys.argv[2] and os.kill(os.getpid(), signal.SIGKILL))
"""
STOPPED_IN_WRITE = """
import os, signal, sys
from pathlib import Path
from kg.graph.build import assert_files, cached, write
store = assert_files(Path(sys.argv[1]))
setattr(os, sys.argv[2], lambda *args: os.kill(os.getpid(), signal.SIGKILL))
write(store, cached(Path(sys.argv[1])))
"""


@pytest.mark.parametrize(("script", "moment"), [
    (STOPPED_AT_STEP, "Reading Turtle"), (STOPPED_AT_STEP, "Checking shapes and reasoning"), (STOPPED_AT_STEP, "Adding what follows"),
    (STOPPED_IN_WRITE, "fsync"), (STOPPED_IN_WRITE, "chmod"), (STOPPED_IN_WRITE, "replace"),
])  # fmt: skip
def test_a_build_killed_at_any_moment_leaves_the_old_cache(
    small: Built, tmp_path: Path, new_ontology: Maker, script: str, moment: str
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    old = folder / small.path.name
    old.write_bytes(small.path.read_bytes())
    changed = new_ontology(tmp_path, small=SMALL.replace("A deep stroke.", "A deep and slow stroke."))
    done = python("-c", script, str(changed), moment, PALPATE_CACHE=str(folder))
    assert done.returncode == -signal.SIGKILL
    assert graphs_in(folder) == {old.name: sha256(small.path)}
    assert Knowledge(old)["calf"].is_a("Muscle")


def test_a_build_killed_from_outside_is_made_up_for_by_the_next_load(
    small: Built, tmp_path: Path, new_ontology: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALPATE_CACHE", str(tmp_path / "cache"))
    process = subprocess.Popen([sys.executable, "-c", TELLING_STEPS, str(small.ontology)], cwd=ROOT, stdout=subprocess.PIPE,
                               start_new_session=True)  # fmt: skip
    assert process.stdout
    for _ in ("Reading Turtle", "Checking shapes and reasoning"):
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)  # as when the machine goes down: Java with it
    process.wait(10)
    assert graphs_in(tmp_path / "cache") == {}
    assert load(small.ontology).version.sha256 == small.path.stem.partition("-")[0]
    assert graphs_in(tmp_path / "cache") == {small.path.name: sha256(small.path)}


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "index emptied", "index of another kind", "graph cut behind its index"])
def test_a_damaged_cache_is_removed_and_told(small: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    monkeypatch.setenv("PALPATE_CACHE", str(tmp_path))
    whole, path = small.path.read_bytes(), tmp_path / small.path.name
    path.write_bytes({"cut": whole[: len(whole) // 2 - 1], "garbage": b"\xff\x00" * 99, "empty": b""}.get(damage, whole))
    if "index" in damage:
        Knowledge(path)
    if damage == "index emptied":
        index_of(path).write_text("{}")
    if damage == "index of another kind":
        index_of(path).write_text("[1]")
    if damage == "graph cut behind its index":
        path.write_bytes(whole[: len(whole) // 2 - 1])
    with pytest.raises(GraphError, match=f"{path.name} was damaged and has been removed; run the command again") as told:
        load(small.ontology).store  # noqa: B018
    assert told.value.exit_status == 1
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_no_json_is_read_anew(small: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALPATE_CACHE", str(tmp_path))
    path = tmp_path / small.path.name
    path.write_bytes(small.path.read_bytes())
    index_of(path).write_text('{"calf": {"rdf:ty')
    assert load(small.ontology)["calf"].is_a("Muscle")
    assert "calf" in json.loads(index_of(path).read_bytes())


def test_a_cache_keeps_the_newest_graphs_and_sweeps_old_scratch(small: Built, tmp_path: Path) -> None:
    for age in range(6):
        for name in (f"{age}.nq", f"{age}.index.json"):
            (tmp_path / name).write_text("old")
            os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / ".building-lost.nq").write_text("half")
    os.utime(tmp_path / ".building-lost.nq", (1, 1))
    (tmp_path / ".building-now.nq").write_text("half")
    write(small.store, tmp_path / "new.nq")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".building-now.nq", "0.index.json", "0.nq", "1.index.json", "1.nq", "2.index.json", "2.nq", "new.nq",
    ]  # fmt: skip


def test_every_input_has_a_part_in_the_name_of_a_build(tmp_path: Path, new_ontology: Maker) -> None:
    ontology = new_ontology(tmp_path, small=SMALL)
    names = {cached(ontology)}
    for file in ("small.ttl", "shapes.ttl"):
        with (ontology / file).open("a", encoding="utf-8") as text:
            text.write("# changed\n")
        names.add(cached(ontology))
    (ontology / "small.ttl").rename(ontology / "other.ttl")
    names.add(cached(ontology))
    assert len(names) == 4


# ---------------------------------------------------------------------------------------------------- who imports whom
ALLOWED = {"graph": {"graph"}, "reasoning": {"graph", "reasoning"}, "curation": {"graph", "reasoning", "curation"}}


def imports(path: Path) -> set[str]:
    """All modules that a file imports anywhere, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "kg").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_layer_imports_only_those_below(path: Path) -> None:
    layer = path.relative_to(ROOT / "kg").parts[0]
    for name in imports(path):
        assert name.partition(".")[0] not in {"explorer", "app"}, f"{name} is above kg"
        if layer in ALLOWED and name.partition(".")[0] == "kg":
            part = name.split(".")[1] if "." in name else ""
            assert part in ALLOWED[layer] | {"errors"}, f"kg.{layer} must not import {name}"
