"""`/api/openapi.json`: the operations as OpenAPI 3.1; `/api`: the same as a page to read, from this server alone."""

import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.graph.knowledge import Knowledge
from kg.serving.api.html import page
from kg.serving.api.operations import VERSION, Operation, object_of
from kg.serving.api.schema import PROBLEM, Schema, components, inlined
from kg.serving.api.shared import FRESH, as_json


def document(operations: Sequence[Operation], knowledge: Knowledge) -> dict[str, Any]:
    """The OpenAPI document of some operations; what can be named in them is read from the graph."""
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Palpate", "version": f"{VERSION}.0.0", "summary": "Techniques of orthopedic massage for a condition and a client.",
            "description": f"Graph {knowledge.version.version}. A decision aid for trained people; it does not diagnose. Each path below "
                           f"/api stands below /api/v{VERSION} too, where its fields keep their meaning.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths, "components": {"schemas": components(knowledge, paths)},
    }  # fmt: skip


def _operation(operation: Operation) -> dict[str, Any]:
    refused = {"description": "A mistake, told by problem details.", "content": {"application/problem+json": {"schema": PROBLEM}}}
    answered: dict[str, Any] = {"description": "The answer."}
    if operation.answer:
        answered["content"] = {media: {"schema": schema} for media, schema in operation.answer.items()}
    else:
        answered["headers"] = {"Location": {"schema": {"type": "string"}}}
    statuses = ["400", *(["404"] if operation.missing else []), "429", "503"]
    in_body = operation.takes_object
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{operation.method}{operation.path}").strip("_").lower(),
        "summary": operation.summary,
        **({"description": operation.details} if operation.details else {}),
        "parameters": [] if in_body else [_parameter(operation, parameter) for parameter in operation.parameters],
        "responses": {str(operation.status): answered, **dict.fromkeys(statuses, refused), "default": refused},
    }
    body = operation.body or ({"application/json": object_of(operation)} if in_body else {})
    if body:
        content = {media: {"schema": schema} for media, schema in body.items()}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameter(operation: Operation, parameter: Any) -> dict[str, Any]:
    in_path = f"{{{parameter.name}}}" in operation.path
    return {"name": parameter.name, "in": "path" if in_path else "query", "description": parameter.description,
            "required": in_path or parameter.required, "schema": parameter.form}  # fmt: skip


def operations_for(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """The operations that serve the description of all others, and of themselves."""

    async def described(request: Request) -> Response:
        return as_json(document(everything, kg.load().knowledge))

    async def read(request: Request) -> Response:
        return Response(html(everything, kg.load().knowledge), 200, FRESH, "text/html")

    own = (
        Operation("GET", "/api/openapi.json", "This API as OpenAPI 3.1", handler=described, example="/api/openapi.json"),
        Operation("GET", "/api", "This API as a page", handler=read, answer={"text/html": {"type": "string"}}, example="/api"),
    )
    everything = (*operations, *own)
    return own


def html(operations: Sequence[Operation], knowledge: Knowledge) -> str:
    """A page about the operations: what each does, what it takes, an example to follow."""
    sections = "\n".join(_section(operation, knowledge) for operation in operations)
    return page("Palpate: API", (
        "<h1>Palpate: API</h1>\n<p>Techniques of orthopedic massage for a condition and a client. A decision aid for trained people; "
        'it does not diagnose. <a href="/api/openapi.json">OpenAPI 3.1</a> · <a href="/ontology">Ontology</a> · '
        '<a href="/">Explorer</a></p>\n'
        f"{sections}\n"
    ))  # fmt: skip


def _filled(example: str, knowledge: Knowledge) -> str:
    return re.sub(r"{(\w+)}", lambda found: next((node.slug for node in knowledge.of_class(found[1])), ""), example)


def _section(operation: Operation, knowledge: Knowledge) -> str:
    known = components(knowledge, [p.schema for p in operation.parameters])
    rows = "".join(
        f"<tr><td><code>{escape(p.field if operation.takes_object else p.name)}</code></td>"
        f"<td>{escape(p.description)}{_choices(inlined(p.schema, known))}{' Required.' if p.required else ''}</td></tr>"
        for p in operation.parameters
    )
    head = "Field" if operation.takes_object else "Parameter"
    table = f"<table><tr><th>{head}</th><th></th></tr>{rows}</table>" if rows else ""
    address = escape(_filled(operation.example, knowledge))
    example = f'<p>Try <a href="{address}">{address}</a></p>' if address else ""
    schema = json.dumps(next(iter(operation.answer.values()), {}), indent=1)
    answer = f"<details><summary>Answer: {escape(', '.join(operation.answer))}</summary><pre>{escape(schema)}</pre></details>"
    return (f"<section><h2><code>{operation.method} {escape(operation.path)}</code></h2><p>{escape(operation.summary)}. "
            f"{escape(operation.details)}</p>{table}{example}{answer if operation.answer else ''}</section>")  # fmt: skip


def _choices(schema: Schema) -> str:
    """The values of which a parameter takes one."""
    return f" One of: {', '.join(f'<code>{escape(value)}</code>' for value in schema['enum'])}." if "enum" in schema else ""
