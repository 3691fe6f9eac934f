"""JSON Schema in few words, for the operations of the API and the tools of assistants.

What the graph holds is never listed here: `words` and `names` refer to components that are read from the graph.

>>> array(STRING)
{'type': 'array', 'items': {'type': 'string'}}
>>> told(array(STRING)), told({"type": "integer", "minimum": 1})
('a list of texts', 'a whole number of 1 or more')
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kg.graph.knowledge import Knowledge

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
TEXT: Schema = {"type": "string", "minLength": 1}
DAY: Schema = {"type": "string", "format": "date"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
ANY: Schema = {}
FLAG: Schema = {"type": "boolean", "default": False}

_REFERENCE = "#/components/schemas/"
_WORDS, _NAME = "Word", "Name"
_KINDS = {"string": ("a text", "texts"), "integer": ("a whole number", "whole numbers"), "number": ("a number", "numbers"),
          "boolean": ("true or false", "truth values"), "object": ("an object", "objects"), "array": ("a list", "lists")}  # fmt: skip


def array(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def pair(items: Schema) -> Schema:
    """A list of two."""
    return {"type": "array", "items": items, "minItems": 2, "maxItems": 2}


def nullable(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(values: Sequence[str]) -> Schema:
    """One of a few texts."""
    return {"type": "string", "enum": list(values)}


def documents(media_types: Iterable[str]) -> dict[str, Schema]:
    """An answer that comes in several formats: JSON of any form, else text."""
    return {media: ANY if media.endswith("json") else STRING for media in media_types}


def mapping(values: Schema) -> Schema:
    """An object that is keyed by slugs."""
    return {"type": "object", "additionalProperties": values}


def record(optional: tuple[str, ...] = (), /, **fields: Schema) -> Schema:
    """An object with these fields, all of them there but the optional ones; more may be added in later versions."""
    names = {name.rstrip("_"): schema for name, schema in fields.items()}
    return {"type": "object", "properties": names, "required": [name for name in names if name not in optional]}


def words(cls: str) -> Schema:
    """One of the words of a small vocabulary of the graph; see `Knowledge.words`."""
    return {"$ref": f"{_REFERENCE}{cls}{_WORDS}"}


def names(cls: str) -> Schema:
    """Any name of an individual of a class."""
    return {"$ref": f"{_REFERENCE}{cls}{_NAME}"}


_FIXED: Mapping[str, Schema] = {
    "Graph": record(version=STRING, sha256=STRING),
    "Problem": record(("name", "nearest", "line", "column"), type=STRING, title=STRING, status=WHOLE, detail=STRING, name=STRING,
                      nearest=array(STRING), line=WHOLE, column=WHOLE),
}  # fmt: skip
GRAPH: Schema = {"$ref": f"{_REFERENCE}Graph"}
PROBLEM: Schema = {"$ref": f"{_REFERENCE}Problem"}


def components(knowledge: Knowledge, *schemas: Any) -> dict[str, Schema]:
    """What the references in some schemas stand for, by name, as the graph has it."""
    return {name: _component(knowledge, name) for name in sorted({*_FIXED, *_referred(schemas)})}


def _component(knowledge: Knowledge, name: str) -> Schema:
    if name in _FIXED:
        return _FIXED[name]
    if name.endswith(_WORDS):
        return one_of(list(knowledge.words(name.removesuffix(_WORDS))))
    cls = name.removesuffix(_NAME)
    members = knowledge.of_class(cls)
    return {**TEXT, "description": f"Slug, label or synonym of an individual of the class {cls}; the graph holds {len(members)}.",
            "examples": [node.slug for node in members[:: max(1, len(members) // 3)][:3]]}  # fmt: skip


def _referred(value: Any) -> Iterator[str]:
    """The names of the components to which a schema refers, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(_REFERENCE)
        value = value.values()
    if not isinstance(value, str) and hasattr(value, "__iter__"):
        for part in value:
            yield from _referred(part)


def inlined(schema: Any, known: Mapping[str, Schema]) -> Any:
    """A schema that stands alone: each reference is replaced by what it stands for."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return {**known[schema["$ref"].removeprefix(_REFERENCE)], **{key: value for key, value in schema.items() if key != "$ref"}}
        return {key: inlined(value, known) for key, value in schema.items()}
    return [inlined(part, known) for part in schema] if isinstance(schema, list) else schema


def fits(value: Any, schema: Schema) -> bool:
    """Whether a value has the form of a schema; which words and names there are is for the library to say."""
    from jsonschema import Draft202012Validator

    return bool(Draft202012Validator(_open(schema)).is_valid(value))


def _open(schema: Any) -> Any:
    """A schema in which any text does where the graph or a list says which texts there are."""
    if isinstance(schema, Mapping):
        return TEXT if "$ref" in schema or "enum" in schema else {key: _open(value) for key, value in schema.items()}
    return [_open(part) for part in schema] if isinstance(schema, list) else schema


def told(schema: Schema) -> str:
    """What a value of a schema is, in words."""
    if "anyOf" in schema:
        return " or ".join(told(choice) for choice in schema["anyOf"])
    one, _ = _KINDS[schema.get("type", "string")]
    if "items" in schema:
        return f"{one} of {_many(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"{one} of {_many(schema['additionalProperties'])}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None:
        return one
    return f"{one} of {low} or more" if high is None else f"{one} from {low} to {high}"


def _many(schema: Schema) -> str:
    return _KINDS[schema.get("type", "string")][1]
