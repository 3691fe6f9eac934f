"""The registry of the service: each module declares its operations, and all else follows from what is declared.

Routes, checks of what is asked, OpenAPI, the page to read, and the tools of assistants:

    OPERATIONS = (Operation("GET", "/api/rank", "Rank techniques", rank, (Parameter("condition", "...", required=True),), answer=...),)

An operation has a `call`, which takes the checked arguments by name and returns plain data or a `Document`, or a `handler`,
which takes the request and returns a response, or both, where HTTP has a form of its own. Either may raise a `PalpateError`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from reprlib import Repr
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from kg.documents.plan import Document
from kg.errors import PalpateError, UnknownName
from kg.graph.names import nearest
from kg.serving.api.protocol import rates
from kg.serving.api.schema import OBJECT, STRING, Schema, array, fits, nullable, told
from kg.serving.api.shared import PRIVATE, WHOLE, as_json, json_body, private
from kg.serving.api.web import Served

VERSION = "1"
"""The version of the API. Fields are added within a version, never renamed or given another meaning."""

Handler = Callable[[Request], Awaitable[Response]]
Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query string, of the path where the path names it in braces, or a field of a JSON object.

    `many` is its name in a JSON object, where it holds several; the name in the singular is understood there too.
    """

    name: str
    description: str
    schema: Schema = field(default_factory=lambda: STRING)
    required: bool = False
    repeated: bool = False
    many: str = ""

    @property
    def field(self) -> str:
        """Its name in a JSON object."""
        return self.many or self.name

    @property
    def form(self) -> Schema:
        """The schema of all its values together."""
        return array(self.schema) if self.repeated else self.schema

    @property
    def default(self) -> Any:
        """What it is where it is not given."""
        return [] if self.repeated else self.schema.get("default")


@dataclass(frozen=True, slots=True)
class Tool:
    """How assistants have an operation.

    Attributes:
        name: that of the tool.
        defaults: of arguments, where they are other than those of the API, by field.
        long: fields of the answer that are left out, at any depth, unless the assistant asks for the full answer.
    """

    name: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    long: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the service.

    Attributes:
        method: GET or POST. A POST with a `call` takes its parameters as the fields of a JSON object.
        path: with parameters in braces.
        summary: what it does, in a few words.
        call: answers the checked arguments.
        parameters: all that it takes; any other is an error, unless `open_parameters`.
        handler: answers the request, where it does more than call.
        details: what else to know of it, in sentences.
        either: fields of which exactly one must be given.
        body: schema of the body of a POST by media type, where it is more than the object of its parameters.
        answer: schema of the answer, by media type; empty where it has no body.
        status: that of the answer.
        example: an address that can be tried; `{Class}` stands for the slug of an individual of that class.
        missing: kinds of names that are 404 where they are not known; other names are 400.
        longest: bytes that a body may have.
        tool: how assistants have it; none, where they do not.
    """

    method: str
    path: str
    summary: str
    call: Callable[[Arguments], Any] | None = None
    parameters: tuple[Parameter, ...] = ()
    handler: Handler | None = None
    details: str = ""
    either: tuple[str, ...] = ()
    body: dict[str, Schema] = field(default_factory=dict)
    answer: dict[str, Schema] = field(default_factory=lambda: {"application/json": OBJECT})
    status: int = 200
    example: str = ""
    missing: tuple[str, ...] = ()
    open_parameters: bool = False
    longest: int = 100_000
    tool: Tool | None = None

    @property
    def takes_object(self) -> bool:
        """Whether its parameters are fields of a JSON object."""
        return self.method == "POST" and self.call is not None


def object_of(operation: Operation) -> Schema:
    """The schema of the JSON object that an operation takes."""
    properties = {}
    for parameter in operation.parameters:
        form = parameter.form if parameter.required or parameter.field in operation.either else nullable(parameter.form)
        properties[parameter.field] = {**form, "description": parameter.description}
        if parameter.many:
            properties[parameter.name] = {**form, "description": f"The same as {parameter.many}."}
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required := [parameter.field for parameter in operation.parameters if parameter.required]:
        schema["required"] = required
    return schema | ({"oneOf": [{"required": [name]} for name in operation.either]} if operation.either else {})


# ---------------------------------------------------------------------------------------------------- what is asked
def from_query(request: Request, operation: Operation) -> Arguments:
    """The arguments of a request by name: a text, number or truth value, a list where it may be repeated, None where it is not given.

    Raises:
        PalpateError: where one is missing, unknown, given twice or of the wrong form.
    """
    query = request.query_params
    found: Arguments = dict(request.path_params)
    known = {} if operation.takes_object else {p.name: p for p in operation.parameters if p.name not in found}
    if unknown := sorted(set(query) - set(known)):
        raise PalpateError(f"Unknown parameter {unknown[0]!r}; there {'are ' + ', '.join(sorted(known)) if known else 'is none'}.")
    for name, parameter in known.items():
        values = query.getlist(name)
        if parameter.repeated:
            found[name] = values
        elif len(values) > 1:
            raise PalpateError(f"The parameter {name!r} may be given once.")
        elif parameter.required and not (values and values[0]):
            raise PalpateError(f"The parameter {name!r} is missing.")
        else:
            found[name] = _read(parameter, values[0]) if values else parameter.default
    return found


def _read(parameter: Parameter, text: str) -> str | int | bool:
    kind = parameter.schema.get("type", "string")
    value: str | int | bool = text
    if kind == "boolean" and text.lower() in ("true", "false"):
        value = text.lower() == "true"
    elif kind == "integer" and WHOLE.fullmatch(text):
        value = int(text)
    return _checked(parameter.name, value, parameter.schema, text)  # type: ignore[no-any-return]


def from_object(given: Any, operation: Operation) -> Arguments:
    """The arguments that a JSON object holds, by name; null is as good as left out.

    Raises:
        PalpateError: for what is no object, an unknown or missing field, or one of the wrong form.
    """
    if not isinstance(given, dict):
        raise PalpateError("The body must be a JSON object.")
    fields = {name: parameter for parameter in operation.parameters for name in (parameter.name, parameter.field)}
    found: Arguments = {parameter.name: parameter.default for parameter in operation.parameters}
    said: dict[str, str] = {}
    for name, value in given.items():
        if name not in fields:
            known = sorted({parameter.field for parameter in operation.parameters})
            raise PalpateError(f"Unknown field {name[:100]!r}; there {'are ' + ', '.join(known) if known else 'is none'}.")
        parameter = fields[name]
        if value is None:
            continue
        if parameter.name in said:
            raise PalpateError(f"Give {said[parameter.name]} or {name}, not both.")
        said[parameter.name] = name
        found[parameter.name] = _checked(name, value, parameter.form)
    if missing := next((p.field for p in operation.parameters if p.required and p.name not in said), None):
        raise PalpateError(f"The field {missing!r} is missing.")
    if operation.either and sum(name in said for name in operation.either) != 1:
        raise PalpateError(f"Give one of these fields: {', '.join(operation.either)}.")
    return found


_SHOWN = Repr()
_SHOWN.maxstring = _SHOWN.maxlong = _SHOWN.maxother = 40


def _checked(name: str, value: Any, schema: Schema, given: Any = None) -> Any:
    if not fits(value, schema):
        raise PalpateError(f"{name} must be {told(schema)}, not {_SHOWN.repr(value if given is None else given)}.")
    return int(value) if schema.get("type") == "integer" else value


# ---------------------------------------------------------------------------------------------------- routes
def routes_of(operations: Iterable[Operation]) -> list[BaseRoute]:
    """The routes of all operations, those of one path as one route; what is below /api also below /api/v1."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes = [Route(path, _served(methods)) for path, methods in by_path.items()]
    versioned = [Route(path.removeprefix("/api"), _served(methods)) for path, methods in by_path.items() if path.startswith("/api/")]

    async def missing(request: Request) -> Response:
        raise UnknownName("path", request.url.path, nearest(request.url.path[:100], by_path))

    nothing = Served(missing, ("GET", "POST"), rates, {"path"})
    return [Mount(f"/api/v{VERSION}", routes=[*versioned, Route("/{path:path}", nothing)]), *routes, Route("/api/{path:path}", nothing)]


def _served(methods: dict[str, Operation]) -> Served:
    async def answer(request: Request) -> Response:
        operation = methods["GET" if request.method == "HEAD" else request.method]
        if not operation.open_parameters:
            request.state.arguments = from_query(request, operation)
        return await (operation.handler(request) if operation.handler else _called(request, operation))

    return Served(answer, tuple(methods), rates, {kind for operation in methods.values() for kind in operation.missing})


async def _called(request: Request, operation: Operation) -> Response:
    """The response of an operation that only calls."""
    assert operation.call
    call, asked = operation.call, request.state.arguments
    if operation.takes_object:
        asked = from_object(await json_body(request, operation.longest), operation)
    answer = private if operation.method == "POST" else as_json

    def respond() -> Response:
        found = call(asked)
        return Response(found.content, 200, PRIVATE, found.media_type) if isinstance(found, Document) else answer(found)

    return await run_in_threadpool(respond)
