"""JSON Schema in few words, for the operations of the API.

>>> array(STRING)
{'type': 'array', 'items': {'type': 'string'}}
"""

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
ANY: Schema = {}
GRAPH: Schema = {"$ref": "#/components/schemas/Graph"}
PROBLEM: Schema = {"$ref": "#/components/schemas/Problem"}


def array(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def nullable(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def mapping(values: Schema) -> Schema:
    """An object that is keyed by slugs."""
    return {"type": "object", "additionalProperties": values}


def record(optional: tuple[str, ...] = (), **fields: Schema) -> Schema:
    """An object with these fields, all of them there but the optional ones; more may be added in later versions."""
    names = {name.rstrip("_"): schema for name, schema in fields.items()}
    return {"type": "object", "properties": names, "required": [name for name in names if name not in optional]}


COMPONENTS: Schema = {
    "Graph": record(version=STRING, sha256=STRING),
    "Problem": record(("name", "nearest", "line", "column"), type=STRING, title=STRING, status=WHOLE, detail=STRING, name=STRING,
                      nearest=array(STRING), line=WHOLE, column=WHOLE),
}  # fmt: skip
