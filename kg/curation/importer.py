"""`python -m kg import TABLE...`: rows of fact tables become Turtle under deterministic slugs.

What is new is added; what stands in the ontology under the same slug, by a former import or by a person's hand, is left
as it is. A table with any fault is refused whole, each fault by file and line, and nothing is written.
"""

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, RDFS, SKOS, XSD
from rdflib.term import Node

from kg.curation.tables import CLASS_OF_KIND, MIRRORS, MUSCLE_RELATIONS, TABLES, Cell, Row, Table
from kg.curation.turtle import PREFIXES, dump, header, new_graph, read, shown, write_atomically
from kg.errors import TableError
from kg.graph.files import turtle_files
from kg.graph.names import nearest
from kg.graph.terms import ONTOLOGY_DIR, PAL

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_NUMBER = 20
NUMBER = re.compile(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
MATCHES = ("exact", "close", "broad", "narrow")
CODE_SYSTEMS = {
    "icd10cm": "http://purl.bioontology.org/ontology/ICD10CM/", "icd11": "http://id.who.int/icd/entity/",
    "mesh": "http://id.nlm.nih.gov/mesh/",
}  # fmt: skip
OPEN_PAGES = frozenset(["guideline", "consensus", "official-page", "web-page", "textbook"])
"""Kinds of source whose own page is linked where there is no DOI or PubMed record; copies of papers elsewhere are not."""


@dataclass(frozen=True)
class Imported:
    """What one table brought: rows read, individuals added, individuals that stood already, the file written."""

    table: str
    rows: int
    added: int
    standing: int
    path: str


class _Fault(Exception):
    """One faulty cell."""


class Importer:
    """Reads tables against an ontology; `run` writes."""

    def __init__(self, ontology: Path = ONTOLOGY_DIR) -> None:
        self.ontology = ontology
        self.graph = new_graph()
        for path in turtle_files(ontology):
            for triple in read(path):
                self.graph.add(triple)
        self.pending: dict[str, set[str]] = defaultdict(set)

    # ------------------------------------------------------------------ what the ontology holds
    @cached_property
    def subclasses(self) -> dict[str, set[str]]:
        """Each class with itself and all classes below it, as slugs."""
        return {
            str(cls).removeprefix(PAL): {str(s).removeprefix(PAL) for s in self.graph.transitive_subjects(RDFS.subClassOf, cls)}
            for cls in set(self.graph.subjects(RDF.type, None)) if str(cls).startswith(PAL)
        }  # fmt: skip

    @cached_property
    def individuals(self) -> dict[str, set[str]]:
        """Slugs of the individuals of each class as the files state them."""
        found: dict[str, set[str]] = defaultdict(set)
        for subject, cls in self.graph.subject_objects(RDF.type):
            if str(cls).startswith(PAL):
                found[str(cls).removeprefix(PAL)].add(str(subject).removeprefix(PAL))
        return found

    def of_class(self, cls: str) -> set[str]:
        """Slugs of all individuals of a class, those of tables read in the same run included."""
        below = self.subclasses.get(cls, {cls})
        return set().union(*(self.individuals[c] | self.pending[c] for c in below))

    @cached_property
    def labels(self) -> dict[str, str]:
        """The preferred label of each individual, by slug."""
        return {str(s).removeprefix(PAL): str(label) for s, label in self.graph.subject_objects(SKOS.prefLabel)}

    @cached_property
    def comparators(self) -> list[tuple[str, str]]:
        """(word, comparator) for each hidden label, the longest first."""
        pairs = [(str(word).lower(), str(kind)) for kind in self.graph.subjects(RDF.type, URIRef(PAL + "Comparator"))
                 for word in self.graph.objects(kind, SKOS.hiddenLabel)]  # fmt: skip
        return sorted(pairs, key=lambda pair: (-len(pair[0]), pair))

    # ------------------------------------------------------------------ one cell
    def reference(self, slug: str, cls: str) -> URIRef:
        known = self.of_class(cls)
        if slug not in known:
            hint = nearest(slug, known)
            raise _Fault(f"{slug!r} is no {cls} of the ontology" + (f"; nearest: {', '.join(hint)}" if hint else ""))
        return URIRef(PAL + slug)

    def target(self, name: str) -> URIRef:
        """What `applies_to` names: the widest of group, family, technique, position and region that bears the name."""
        groups = {str(word): str(group) for group in self.graph.subjects(RDF.type, URIRef(PAL + "TechniqueGroup"))
                  for word in self.graph.objects(group, SKOS.hiddenLabel)}  # fmt: skip
        if name in groups:
            return URIRef(groups[name])
        for slug, cls in ((name, "TechniqueGroup"), (name + "-family", "TechniqueFamily"), (name, "Technique"),
                          (name, "BodyPosition"), (name, "BodyRegion")):  # fmt: skip
            if slug in self.of_class(cls):
                return URIRef(PAL + slug)
        raise _Fault(f"{name!r} is no technique, family, group, position or region")

    def statements(self, subject: URIRef, cell: Cell, text: str, row: Row) -> Iterator[tuple[Node, Node, Node]]:
        """The triples of one cell."""
        prop = _property(cell.property.replace("{match}", row.get("match", ""))) if cell.property else RDF.type
        match cell.kind:
            case "slug":
                if not SLUG.fullmatch(text):
                    raise _Fault(f"{text!r} is no slug (lower case, digits, hyphens)")
            case "skip":
                return
            case "text":
                yield subject, prop, Literal(text)
            case "label":
                yield subject, prop, Literal(text, lang="en")
            case "labels":
                for label in sorted({part.strip() for part in text.split("|")} - {"", row.get("label", "")}):
                    yield subject, prop, Literal(label, lang="en")
            case "integer" | "decimal":
                yield subject, prop, _number(text, cell.kind)
            case "iri":
                yield subject, prop, _iri(cell.prefix + re.sub(r"[<>\"{}|\\^`\s]", _percent, text))
            case "page":
                if not (row["doi"] or row["pmid"] or row["pmcid"]) and row["kind"] in OPEN_PAGES and not MIRRORS.search(text):
                    yield subject, prop, _iri(text)
            case "family":
                yield subject, prop, self.reference(text + "-family", cell.cls)
            case "ref":
                yield subject, prop, self.reference(cell.prefix + cell.words.get(text, text), cell.cls)
            case "refs":
                for part in _parts(text):
                    yield subject, prop, self.reference(part, cell.cls)
            case "targets":
                for part in _parts(text):
                    yield subject, prop, self.target(part)
            case "comparator":
                yield subject, prop, Literal(text)
                if kind := self.comparator(text):
                    yield subject, URIRef(PAL + "comparator"), URIRef(kind)
            case "basis":
                sourced = "textbook-knowledge" not in text
                yield subject, prop, URIRef(PAL + ("sourced" if sourced else "textbook-knowledge"))
                if sourced:
                    yield subject, SKOS.editorialNote, Literal(text)
            case "obo":
                base = PREFIXES["fma"] if text.startswith("FMA:") else PREFIXES["obo"]
                yield subject, prop, _iri(base + (text[4:] if text.startswith("FMA:") else text.replace(":", "_")))
            case "code":
                yield from self.code(subject, prop, text, row)
            case "tissue-class":
                if text not in CLASS_OF_KIND:
                    raise _Fault(f"{text!r} is no kind of structure; one of {', '.join(CLASS_OF_KIND)}")
            case "hazard":
                yield from self.named(subject, prop, text, "Hazard", row["label"])
            case "red-flag":
                yield from self.named(subject, prop, text, "RedFlag", row["label"])
            case "pathology":
                yield from self.named(subject, prop, text, "SeriousPathology", row["pathology_label"])
            case "test":
                yield from self.named(subject, prop, text, "OrthopedicTest", row["label"])
                yield URIRef(PAL + text), _property("procedure"), Literal(row["procedure"])
                yield URIRef(PAL + text), _property("inRegion"), self.reference(row["region"], "BodyRegion")
            case "measure":
                yield from self.named(subject, prop, text, "OutcomeMeasure", row["label"])
            case "decision-rule":
                yield from self.named(subject, prop, text, "DecisionRule", row["label"])
                yield URIRef(PAL + text), _property("ruleTarget"), Literal(row["target"])
            case "muscle-relation":
                yield from self.muscle_relation(subject, text, row)
            case "leading-integer":
                yield from self.people(subject, prop, text)
            case unknown:
                raise AssertionError(unknown)

    def named(self, subject: URIRef, prop: Node, slug: str, cls: str, label: str) -> Iterator[tuple[Node, Node, Node]]:
        """A reference to an individual that the table itself introduces with its label."""
        if not SLUG.fullmatch(slug):
            raise _Fault(f"{slug!r} is no slug (lower case, digits, hyphens)")
        individual = URIRef(PAL + slug)
        yield subject, prop, individual
        yield individual, RDF.type, URIRef(PAL + cls)
        standing = self.labels.setdefault(slug, label)
        yield individual, SKOS.prefLabel if standing == label else SKOS.altLabel, Literal(label, lang="en")

    def muscle_relation(self, subject: URIRef, text: str, row: Row) -> Iterator[tuple[Node, Node, Node]]:
        self.reference(row["muscle"], "AnatomicalStructure")
        if row["relation"] not in MUSCLE_RELATIONS:
            raise _Fault(f"{row['relation']!r} is no relation of a muscle; one of {', '.join(MUSCLE_RELATIONS)}")
        to_structure, in_words = MUSCLE_RELATIONS[row["relation"]]
        if row["target"] and to_structure:
            yield subject, _property(to_structure), self.reference(row["target"], "AnatomicalStructure")
        if in_words and not (row["target"] and row["relation"] == "part-of-group"):
            yield subject, _property(in_words), Literal(text)
        if row["relation"] == "action":
            movement = re.sub(r"\s*\([^)]*\)", "", text)
            slug = "action-" + re.sub(r"[^a-z0-9]+", "-", movement.lower()).strip("-")
            yield from self.named(subject, _property("performs"), slug, "JointAction", movement)

    @staticmethod
    def people(subject: URIRef, prop: Node, text: str) -> Iterator[tuple[Node, Node, Node]]:
        """A number of people; words behind it, or in its place, are kept as stated."""
        number = re.match(rf"\d{{1,{LONGEST_NUMBER}}}(?!\d)", text.replace(",", ""))
        if number:
            yield subject, prop, Literal(int(number[0]), datatype=XSD.integer)
        if not number or number[0] != text:
            yield subject, _property("figuresAsStated"), Literal(text)

    def code(self, subject: URIRef, prop: Node, text: str, row: Row) -> Iterator[tuple[Node, Node, Node]]:
        self.reference(row["condition"], "Condition")
        if row["match"] not in MATCHES:
            raise _Fault(f"{row['match']!r} is no match; one of {', '.join(MATCHES)}")
        scheme = self.reference("scheme-" + row["system"], "TermScheme")
        term = _iri(CODE_SYSTEMS[row["system"]] + text if row["system"] in CODE_SYSTEMS else PREFIXES["obo"] + text.replace(":", "_"))
        yield subject, prop, term
        yield term, RDF.type, URIRef(PAL + "ExternalTerm")
        yield term, SKOS.notation, Literal(text)
        yield term, SKOS.inScheme, scheme
        if row["label"]:
            yield term, SKOS.prefLabel, Literal(row["label"], lang="en")
        yield term, _property("prov:wasDerivedFrom"), Literal(row["source"])

    def comparator(self, text: str) -> str | None:
        """The kind of a comparator by the longest hidden label that occurs in it as whole words."""
        return next((kind for word, kind in self.comparators if re.search(rf"\b{re.escape(word)}\b", text.lower())), None)

    # ------------------------------------------------------------------ a table
    def translate(self, path: Path) -> tuple[Table, list[tuple[URIRef, Graph]]]:
        """Each row as (its individual, its triples).

        Raises:
            TableError: with every fault of the table.
        """
        table, rows = read_table(path)
        if table.unique:  # a row may name one that stands further down
            for _, row in rows:
                self.pending[table.cls(row)].add(table.slug(row))
        faults: list[str] = []
        seen: dict[str, int] = {}
        translated: list[tuple[URIRef, Graph]] = []
        for line, row in rows:
            key = table.slug(row) if table.unique else "\x1f".join(row.values())
            if first := seen.get(key):
                faults.append(f"{path.name}:{line}: repeats line {first}")
                continue
            seen[key] = line
            digest = "-" + hashlib.sha256(key.encode()).hexdigest()[:8] if table.numbered else ""
            subject = URIRef(PAL + table.slug(row) + digest)
            triples, bad = self.translate_row(table, subject, row)
            faults += [f"{path.name}:{line}: {fault}" for fault in bad]
            translated.append((subject, triples))
        if faults:
            raise TableError(faults)
        return table, translated

    def translate_row(self, table: Table, subject: URIRef, row: Row) -> tuple[Graph, list[str]]:
        """The triples of a row, and the faults of its cells."""
        graph, faults = new_graph(), []
        for column, cell in table.cells.items():
            if not row[column]:
                if cell.needed or cell.kind == "slug":
                    faults.append(f"{column} is empty")
                continue
            try:
                for triple in self.statements(subject, cell, row[column], row):
                    graph.add(triple)
            except _Fault as fault:
                faults.append(f"{column}: {fault}")
        if not faults and (cls := table.cls(row)):
            graph.add((subject, RDF.type, URIRef(PAL + cls)))
        return graph, faults

    def run(self, paths: Iterable[Path]) -> Iterator[Imported]:
        """Import tables in the order given; a later one may name what an earlier one introduces.

        Each target file is replaced as a whole, so that a stop in between leaves whole files.
        """
        for path in paths:
            table, rows = self.translate(path)
            target = self.ontology / table.folder / f"{path.stem}.ttl"
            graph = read(target) if target.exists() else new_graph()
            head = header(target.read_text(encoding="utf-8")) if target.exists() else ""
            new = [triples for subject, triples in rows if not self.stands(table, subject, triples)]
            for triples in new:
                for triple in triples:
                    if triple not in self.graph:
                        graph.add(triple)
                        self.graph.add(triple)
            if new:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(target, dump(graph, head))
            self.__dict__.pop("individuals", None)
            yield Imported(path.name, len(rows), len(new), len(rows) - len(new), shown(target))

    def stands(self, table: Table, subject: URIRef, triples: Graph) -> bool:
        """Whether the ontology holds a row's individual already, or all that the row says of another's."""
        if table.numbered:  # what a person refused or moved to another class stands too
            return (subject, RDF.type, None) in self.graph
        if table.unique:
            return any(URIRef(PAL + cls) in set(self.graph.objects(subject, RDF.type)) for cls in self.classes_of(triples, subject))
        return all(triple in self.graph for triple in triples)

    @staticmethod
    def classes_of(triples: Graph, subject: URIRef) -> list[str]:
        return [str(cls).removeprefix(PAL) for cls in triples.objects(subject, RDF.type)]


def read_table(path: Path) -> tuple[Table, list[tuple[int, Row]]]:
    """The kind of a table and its rows with line numbers; tab- or comma-separated by its ending.

    Raises:
        TableError: where the file cannot be read as UTF-8, its header is of no known kind, or a row has too many or few cells.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TableError([f"{path}: cannot be read as UTF-8 text ({type(error).__name__})"]) from None
    comma = path.suffix.lower() == ".csv"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="," if comma else "\t", strict=True,
                        quoting=csv.QUOTE_MINIMAL if comma else csv.QUOTE_NONE)  # fmt: skip
    lines, start = [], 1
    try:
        for cells in reader:
            lines.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise TableError([f"{path.name}:{start}: {error}"]) from None
    columns = lines[0][1] if lines else []
    if repeated := sorted({name for name in columns if columns.count(name) > 1}):
        raise TableError([f"{path.name}:1: the header names {', '.join(repeated)} more than once"])
    table = next((t for t in TABLES if t.columns == frozenset(columns)), None)
    if table is None:
        closest = max(TABLES, key=lambda t: len(t.columns & set(columns)) / len(t.columns | set(columns)))
        missing, extra = sorted(closest.columns - set(columns)), sorted(set(columns) - closest.columns)
        raise TableError([f"{path.name}:1: the header is of no known kind; nearest is {closest.name} (missing: "
                          f"{', '.join(missing) or 'none'}; not known: {', '.join(extra) or 'none'})"])  # fmt: skip
    rows, faults = [], []
    for line, cells in lines[1:]:
        if len(cells) != len(columns):
            faults.append(f"{path.name}:{line}: {len(cells)} cells, the header has {len(columns)}")
        elif any(CONTROL.search(cell) for cell in cells):
            faults.append(f"{path.name}:{line}: a cell holds a line break or a control character")
        else:
            rows.append((line, dict(zip(columns, (c.strip() for c in cells), strict=True))))
    if faults:
        raise TableError(faults)
    return table, rows


def _property(name: str) -> URIRef:
    prefix, colon, local = name.partition(":")
    return URIRef(PREFIXES[prefix] + local if colon else PAL + name)


def _iri(text: str) -> URIRef:
    if not IRI.fullmatch(text):
        raise _Fault(f"{text!r} is no IRI")
    return URIRef(text)


def _parts(text: str) -> list[str]:
    """The entries of a list with commas."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise _Fault(f"{text!r} names nothing")
    return parts


def _number(text: str, kind: str) -> Literal:
    if not NUMBER.fullmatch(text) or len(text) > LONGEST_NUMBER:
        raise _Fault(f"{text[:40]!r} is no number")
    number = Decimal(text.replace(",", ""))
    if kind == "decimal":
        return Literal(number if number.as_tuple().exponent else Decimal(f"{number}.0"), datatype=XSD.decimal)
    if number != number.to_integral_value():
        raise _Fault(f"{text!r} is no whole number")
    return Literal(int(number), datatype=XSD.integer)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found.group().encode())
