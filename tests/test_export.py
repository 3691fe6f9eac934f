"""The files of a release: the same bytes each time, each opened by a reader of its own, and true to the graph."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import owlready2
import pandas as pd
import pyoxigraph as ox
import pytest
import rdflib

from kg.curation.export import export
from kg.graph.terms import ASSERTED, INFERRED, PAL
from kg.reasoning.engine import Engine

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def release(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "made" / "here"
    export(engine, folder)
    return folder


def asserted(engine: Engine) -> set[ox.Triple]:
    return {quad.triple for quad in engine.knowledge.store.quads_for_pattern(None, None, None, ox.NamedNode(ASSERTED))}


def named(triples: set[ox.Triple]) -> set[ox.Triple]:
    """Those without blank nodes, whose names no format keeps."""
    return {t for t in triples if not isinstance(t.subject, ox.BlankNode) and not isinstance(t.object, ox.BlankNode)}


def test_two_releases_of_a_graph_are_the_same_bytes(release: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "kg", "export", str(tmp_path)], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "7"},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in release.iterdir()}
    assert [path.name for path in release.iterdir() if path.read_bytes() != (tmp_path / path.name).read_bytes()] == []
    assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == [str(tmp_path / path.name) for path in sorted(
        release.iterdir(), key=lambda path: done.stdout.index(f"/{path.name}\t"))]  # fmt: skip


@pytest.mark.parametrize("name", ["palpate.ttl", "palpate.jsonld", "palpate.owl"])
def test_what_is_asserted_in_each_format(release: Path, engine: Engine, name: str) -> None:
    format = ox.RdfFormat.RDF_XML if name.endswith(".owl") else None
    found = {quad.triple for quad in ox.parse(path=str(release / name), format=format)}
    assert (len(found), named(found)) == (len(asserted(engine)), named(asserted(engine)))


def test_the_quads_are_those_of_the_graph(release: Path, engine: Engine) -> None:
    found = [quad for name in ("asserted", "inferred") for quad in ox.parse(path=str(release / f"palpate-{name}.nq"))]
    assert "".join(sorted(f"{quad} .\n" for quad in found)) == engine.knowledge.path.read_text(encoding="utf-8")
    assert {quad.graph_name.value for quad in found} == {ASSERTED, INFERRED}  # type: ignore[union-attr]


def test_rdflib_reads_the_turtle(release: Path, engine: Engine) -> None:
    graph = rdflib.Graph().parse(release / "palpate.ttl")
    assert len(graph) == len(asserted(engine))
    assert graph.value(rdflib.URIRef(PAL + "plantar-fasciitis"), rdflib.RDF.type) == rdflib.URIRef(PAL + "Condition")


def test_owlready2_reads_the_rdf_xml(release: Path, engine: Engine) -> None:
    ontology = owlready2.World().get_ontology((release / "palpate.owl").as_uri()).load()
    names = ontology.get_namespace(PAL)
    assert {individual.name for individual in names["Technique"].instances()} >= {
        node.slug for node in engine.knowledge.of_class("Technique") if node.slug in engine.gate.techniques
    }
    assert [region.name for region in names["plantar-fasciitis"].inRegion] == ["foot"]


def test_networkx_reads_the_graphml(release: Path, engine: Engine) -> None:
    graph = nx.read_graphml(release / "palpate.graphml", force_multigraph=True)
    assert graph.nodes["plantar-fasciitis"]["label"] == engine.knowledge.label("plantar-fasciitis")
    links = {(target, data["property"]) for _, target, data in graph.out_edges("plantar-fasciitis", data=True)}
    assert ("foot", "inRegion") in links
    assert graph.number_of_edges() == len(pd.read_csv(release / "palpate_edges.tsv", sep="\t", usecols=["id"]))


def test_pandas_reads_nodes_and_edges(release: Path, engine: Engine) -> None:
    nodes = pd.read_csv(release / "palpate_nodes.tsv", sep="\t", keep_default_na=False).set_index("id")
    edges = pd.read_csv(release / "palpate_edges.tsv", sep="\t", keep_default_na=False)
    assert nodes.index.is_unique
    assert set(edges.subject) | set(edges.object) <= set(nodes.index)
    assert nodes.loc["pal:plantar-fasciitis", "category"] == "biolink:DiseaseOrPhenotypicFeature"
    assert set(edges[edges.relation == "pal:partOf"].predicate) == {"biolink:part_of"}
    assert all(category.startswith("biolink:") for categories in nodes.category for category in categories.split("|"))
    assert set(edges.knowledge_level) == {"knowledge_assertion", "logical_entailment"}


def test_pandas_reads_the_ranking(release: Path, engine: Engine) -> None:
    ranking = pd.read_parquet(release / "ranking.parquet")
    answer = engine.rank("plantar-fasciitis", explain=False)
    rows = ranking[(ranking.condition == "plantar-fasciitis") & (ranking.list == "recommended")]
    assert list(rows.technique) == [entry.technique for entry in answer.recommended]
    assert list(rows.score) == [entry.score.mean for entry in answer.recommended]
    assert set(ranking.condition) == {node.slug for node in engine.knowledge.of_class("Condition")}


def test_pandas_reads_the_evidence(release: Path, engine: Engine) -> None:
    evidence = pd.read_parquet(release / "evidence.parquet")
    assert list(evidence.statement) == [node.slug for node in engine.knowledge.of_class("TreatmentEvidence")]
    assert set(evidence.condition) <= {node.slug for node in engine.knowledge.of_class("Condition")}
    assert (evidence[["result", "outcome", "summary", "source"]] != "").all(axis=None)


def test_the_checksums_are_those_of_the_files(release: Path) -> None:
    sums = dict(line.split("  ")[::-1] for line in (release / "SHA256SUMS").read_text().splitlines())
    assert sums == {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in release.iterdir() if p.name != "SHA256SUMS"}


def test_the_metadata_tell_of_each_file(release: Path, engine: Engine) -> None:
    package = json.loads((release / "datapackage.json").read_text())
    croissant = json.loads((release / "croissant.json").read_text())
    files = {path.name for path in release.iterdir()} - {"datapackage.json", "croissant.json", "SHA256SUMS"}
    assert {resource["path"] for resource in package["resources"]} == {file["@id"] for file in croissant["distribution"]} == files
    for resource in package["resources"]:
        data = (release / resource["path"]).read_bytes()
        assert (resource["bytes"], resource["hash"]) == (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}")
        if resource.get("format") == "parquet":
            assert [field["name"] for field in resource["schema"]["fields"]] == list(pd.read_parquet(release / resource["path"]).columns)
        elif "schema" in resource:
            table = pd.read_csv(release / resource["path"], sep="\t", comment="#" if "sssom" in resource["path"] else None, nrows=1)
            assert [field["name"] for field in resource["schema"]["fields"]] == list(table.columns)
    assert {record["name"] for record in croissant["recordSet"]} == {"ranking", "evidence"}
    assert package["sha256"] == engine.knowledge.version.sha256
