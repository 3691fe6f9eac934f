"""What a release holds, told to machines: a Frictionless data package, Croissant, and checksums. No date, so no two differ."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

from kg.graph.knowledge import Knowledge
from kg.graph.terms import PAL

_MEDIA = {
    "ttl": "text/turtle", "nq": "application/n-quads", "jsonld": "application/ld+json", "owl": "application/rdf+xml",
    "tsv": "text/tab-separated-values", "graphml": "application/graphml+xml", "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
_TYPES = {"int64": "integer", "double": "number", "string": "string", "bool": "boolean"}


def files(knowledge: Knowledge, content: Mapping[str, bytes]) -> dict[str, bytes]:
    """The metadata of some files, by file name."""
    described = {
        "datapackage.json": _json(frictionless(knowledge, content)),
        "croissant.json": _json(croissant(knowledge, content)),
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in sorted({**content, **described}.items())}
    return described | {"SHA256SUMS": "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _media(name: str) -> str:
    return _MEDIA[name.rpartition(".")[2]]


def frictionless(knowledge: Knowledge, content: Mapping[str, bytes]) -> dict[str, Any]:
    """A data package (https://datapackage.org) with the columns of its tables."""
    ontology = knowledge["ontology"]
    resources = []
    for name, data in sorted(content.items()):
        resource: dict[str, Any] = {
            "name": name.lower().replace("_", "-").replace(".", "-"), "path": name, "mediatype": _media(name),
            "bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        }  # fmt: skip
        if columns := _columns(name, data):
            resource |= {"type": "table", "format": name.rpartition(".")[2]}
            resource["schema"] = {"fields": [{"name": column, "type": kind} for column, kind in columns.items()]}
            if name.endswith(".tsv"):
                resource |= {"encoding": "utf-8", "dialect": {"delimiter": "\t", "commentChar": "#"}}
        resources.append(resource)
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json", "name": "palpate", "id": PAL + "graph",
        "title": ontology.one("dcterms:title"), "description": ontology.one("dcterms:description"), "homepage": PAL,
        "version": knowledge.version.version, "sha256": knowledge.version.sha256,
        "licenses": [{"name": "CC-BY-4.0", "path": ontology.one("dcterms:license")}], "resources": resources,
    }  # fmt: skip


def _columns(name: str, data: bytes) -> dict[str, str]:
    """Column -> type of Frictionless, of a table; nothing of another file."""
    if name.endswith(".parquet"):
        import pyarrow.parquet as pq

        return {column.name: _TYPES.get(str(column.type), "any") for column in pq.read_schema(io.BytesIO(data))}
    if name.endswith(".tsv"):
        head = next(line for line in io.StringIO(data.decode()) if not line.startswith("#"))
        return dict.fromkeys(next(csv.reader([head], delimiter="\t")), "string")
    return {}


def croissant(knowledge: Knowledge, content: Mapping[str, bytes]) -> dict[str, Any]:
    """Croissant 1.0 (https://mlcommons.org/croissant): files, and the columns of the Parquet tables as record sets."""
    ontology = knowledge["ontology"]
    return {
        "@context": {
            "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
            "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo", "recordSet": "cr:recordSet", "field": "cr:field",
            "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "source": "cr:source", "fileObject": "cr:fileObject",
            "extract": "cr:extract", "column": "cr:column", "citeAs": "cr:citeAs",
        },
        "@type": "sc:Dataset", "name": "palpate", "description": ontology.one("dcterms:description"),
        "conformsTo": "http://mlcommons.org/croissant/1.0", "license": ontology.one("dcterms:license"), "url": PAL,
        "version": knowledge.version.version, "citeAs": f"{ontology.one('dcterms:title')}, version {knowledge.version.version}. {PAL}",
        "distribution": [
            {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name, "encodingFormat": _media(name),
             "contentSize": f"{len(data)} B", "sha256": hashlib.sha256(data).hexdigest()} for name, data in sorted(content.items())
        ],
        "recordSet": [_record_set(name, data) for name, data in sorted(content.items()) if name.endswith(".parquet")],
    }  # fmt: skip


def _record_set(name: str, data: bytes) -> dict[str, Any]:
    types, own = {"integer": "sc:Integer", "number": "sc:Float", "boolean": "sc:Boolean"}, name.removesuffix(".parquet")
    fields = [
        {"@type": "cr:Field", "@id": f"{own}/{column}", "name": column, "dataType": types.get(kind, "sc:Text"),
         "source": {"fileObject": {"@id": name}, "extract": {"column": column}}}
        for column, kind in _columns(name, data).items()
    ]  # fmt: skip
    return {"@type": "cr:RecordSet", "@id": own, "name": own, "field": fields}
