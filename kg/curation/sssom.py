"""The mappings to other terminologies as SSSOM: one mapping set a kind of subject, each a TSV file with its metadata on top.

The graph holds the mappings as SKOS matches (`ontology/mappings/`, `ontology/tissues/`); this is another form of the same
facts, in the standard of https://w3id.org/sssom. Where the graph says that a terminology was searched in vain, the row
says so too (`sssom:NoTermFound`).

>>> from kg.graph.knowledge import load
>>> mapping_sets(load())["techniques.sssom.tsv"].splitlines()[0]
'#curie_map:'
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kg.curation.turtle import PREFIXES
from kg.graph.knowledge import Knowledge, Node
from kg.graph.terms import PAL, iri

SETS: Mapping[str, str] = {"conditions": "Condition", "structures": "AnatomicalStructure", "techniques": "Technique"}
"""The mapping sets, and the class of the subjects of each."""
MATCHES = ("exactMatch", "closeMatch", "broadMatch", "narrowMatch")
_NO_TERM = "sssom:NoTermFound"
_BUILT_IN = {"semapv": "https://w3id.org/semapv/vocab/", "sssom": "https://w3id.org/sssom/"}
_PREFIXES = {**PREFIXES, **_BUILT_IN}
_BY_LENGTH = sorted(_PREFIXES, key=lambda prefix: -len(_PREFIXES[prefix]))


class Match(NamedTuple):
    """One row; the names of the fields are the slots of SSSOM."""

    subject_id: str
    subject_label: str
    predicate_id: str
    object_id: str
    object_label: str
    mapping_justification: str
    object_source: str
    object_source_version: str
    comment: str


def mapping_sets(knowledge: Knowledge) -> dict[str, str]:
    """All mappings of the graph: file name -> text of the file, rows sorted by subject, predicate and object."""
    return {f"{name}.sssom.tsv": _written(knowledge, name, sorted(_rows(knowledge, cls))) for name, cls in SETS.items()}


def compact(full: str) -> str:
    """An IRI as prefix and name, by the longest namespace that it starts with; unchanged where there is none."""
    prefix = next((p for p in _BY_LENGTH if full.startswith(_PREFIXES[p])), None)
    return f"{prefix}:{full.removeprefix(_PREFIXES[prefix])}" if prefix else full


def _rows(knowledge: Knowledge, cls: str) -> Iterator[Match]:
    for node in knowledge.of_class(cls):
        for match in MATCHES:
            for target in node.all(f"skos:{match}"):
                term = knowledge[target] if target in knowledge else Node(target, {})
                yield _row(node, match, compact(target), term.one("skos:prefLabel"), term.one("skos:inScheme"),
                           term.one("http://www.w3.org/ns/prov#wasDerivedFrom"))  # fmt: skip
        for scheme in node.all("hasNoTermIn"):
            yield _row(node, MATCHES[0], _NO_TERM, "", scheme, "")


def _row(node: Node, match: str, target: str, label: str, scheme: str, version: str) -> Match:
    comment = node.one("skos:editorialNote") if target == _NO_TERM else ""
    return Match(compact(node.iri), node.label, f"skos:{match}", target, label, "semapv:ManualMappingCuration",
                    compact(iri(scheme)) if scheme else "", version, comment)  # fmt: skip


def _written(knowledge: Knowledge, name: str, rows: Iterable[Match]) -> str:
    ontology, rows = knowledge["ontology"], list(rows)
    used = {value.partition(":")[0] for row in rows for value in (row.subject_id, row.predicate_id, row.object_id, row.object_source)}
    curie_map = [f"  {prefix}: {_PREFIXES[prefix]}" for prefix in sorted(used & _PREFIXES.keys() - _BUILT_IN.keys())]
    version = knowledge.version.version
    head = [
        "curie_map:", *curie_map,
        f"mapping_set_id: {PAL}mappings/{name}",
        f'mapping_set_version: "{version}"',
        f'mapping_set_title: "{ontology.one("dcterms:title")}: {name}"',
        f"license: {ontology.one('dcterms:license')}",
        f"subject_source: pal:{ontology.slug}",
        f'subject_source_version: "{version}"',
    ]  # fmt: skip
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(Match._fields)
    writer.writerows(rows)
    return "".join(f"#{line}\n" for line in head) + table.getvalue()
