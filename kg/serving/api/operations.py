"""The registry of the API: each module declares its operations, and routes, checks of parameters and OpenAPI follow.

    OPERATIONS = (Operation("GET", "/api/rank", "Rank techniques", rank, (Parameter("condition", "...", required=True),), answer=...),)

A handler takes a request, whose `state.arguments` are the checked parameters, and returns a response or raises a `PalpateError`.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from kg.errors import PalpateError, UnknownName
from kg.graph.names import nearest
from kg.serving.api.protocol import rates
from kg.serving.api.schema import STRING, Schema
from kg.serving.api.shared import WHOLE
from kg.serving.api.web import Served

VERSION = "1"
"""The version of the API. Fields are added within a version, never renamed or given another meaning."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query string, or of the path where the path names it in braces."""

    name: str
    description: str
    schema: Schema = field(default_factory=lambda: STRING)
    required: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    Attributes:
        method: GET or POST.
        path: with parameters in braces.
        summary: what it does, in a few words.
        handler: answers it.
        parameters: all that it takes; any other is an error, unless `open_parameters`.
        body: schema of the JSON body of a POST, by media type.
        answer: schema of the answer, by media type.
        example: an address that can be tried; `{Class}` stands for the slug of an individual of that class.
        missing: kinds of names that are 404 where they are not known; other names are 400.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    body: dict[str, Schema] = field(default_factory=dict)
    answer: dict[str, Schema] = field(default_factory=lambda: {"application/json": {"type": "object"}})
    example: str = ""
    missing: tuple[str, ...] = ()
    open_parameters: bool = False


def arguments(request: Request, operation: Operation) -> dict[str, Any]:
    """The parameters of a request by name: a text, a whole number, a list where it may be repeated, None where it is not given.

    Raises:
        PalpateError: where one is missing, unknown, given twice or no whole number in its bounds.
    """
    query = request.query_params
    found: dict[str, Any] = dict(request.path_params)
    known = {parameter.name: parameter for parameter in operation.parameters if parameter.name not in found}
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
            found[name] = _converted(parameter, values[0]) if values else parameter.schema.get("default")
    return found


def _converted(parameter: Parameter, text: str) -> str | int | bool:
    if parameter.schema.get("type") == "boolean":
        if text.lower() not in ("true", "false"):
            raise PalpateError(f"{parameter.name} must be true or false, not {text[:40]!r}.")
        return text.lower() == "true"
    if parameter.schema.get("type") != "integer":
        return text
    low, high = parameter.schema.get("minimum", 0), parameter.schema.get("maximum", 10**9)
    if not WHOLE.fullmatch(text) or not low <= int(text) <= high:
        bounds = f"from {low} to {high}" if "maximum" in parameter.schema else f"of {low} or more"
        raise PalpateError(f"{parameter.name} must be a whole number {bounds}, not {text[:40]!r}.")
    return int(text)


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
            request.state.arguments = arguments(request, operation)
        return await operation.handler(request)

    return Served(answer, tuple(methods), rates, {kind for operation in methods.values() for kind in operation.missing})
