"""The OpenAPI document: valid, its words those of the graph, true of the answers; and what strangers send, made up by schemathesis."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.applications import Starlette
from starlette.testclient import TestClient

import kg
from kg.documents.plan import FORMATS
from kg.reasoning.client import phases_of
from kg.serving.api import lifespan, operations, routes
from kg.serving.api.openapi import document
from kg.serving.sparql.catalog import catalog
from tests.test_strangers import serving

KNOWLEDGE = kg.load().knowledge
TOLD = document(operations(), KNOWLEDGE)
FLAGS = [n.one("redFlag") for n in KNOWLEDGE.of_class("RedFlagIndication")]
ASKED = [
    ("GET", "/api/rank", {"condition": "M72.2", "hazard": ["warfarin", "pregnancy"], "age": 80, "clothed": True, "pressure": "light"}),
    ("GET", "/api/rank", {"condition": "frozen shoulder", "phase": "chronic", "irritability": "low", "red_flag": FLAGS[:2]}),
    ("GET", "/api/rank", {"condition": "plantar-fasciitis", "hazard": "recent-surgery=2026-01-01", "on": "2026-02-01", "top": 1}),
    ("GET", "/api/compare", {"condition": "M72.2", "technique": ["myofascial-release", "deep-tissue-massage"], "hazard": "warfarin"}),
    ("GET", "/api/what-if", {"condition": "M72.2", "top": 40}), ("GET", "/api/search", {"text": "heel"}),
    ("GET", "/api/adapt", {"hazard": ["Coumadin", "pregnancy", "osteoporosis"], "condition": "frozen shoulder"}),
    ("GET", "/api/adapt", {"red_flag": FLAGS[:1]}), ("GET", "/api/entity/cupping", {}), ("GET", "/api/queries", {}),
    ("POST", "/api/screen", {"region": "leg", "age": 66, "sex": "female", "present": ["dvt-calf-swelling"]}),
    ("POST", "/api/screen", {"complaint": "ankle-sprain"}), ("POST", "/api/screen", {}),
    ("POST", "/api/assess", {"findings": ["painful-arc-shoulder"], "tests": {"neer": "positive"}, "region": "shoulder", "age": 50}),
    ("POST", "/api/assess", {"finding": ["dvt-calf-swelling"], "absent": ["painful-arc-shoulder"]}),
    ("POST", "/api/intake", {"text": "64 y/o with L heel pain, M72.2. On Eliquis for AFib. Denies fever. Father had DVT. Blorbitis."}),
    ("POST", "/api/plan", {"condition": "frozen shoulder", "phase": "chronic", "hazards": ["warfarin"], "baselines": {"nprs": 6}}),
    ("POST", "/api/plan", {"condition": "knee-osteoarthritis", "minutes": 30, "sessions": 2}),
    ("POST", "/api/plan", {"condition": "plantar-fasciitis", "red_flags": FLAGS}), ("POST", "/api/plan/check", {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def web() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(), lifespan=lifespan)) as client:
        yield client


def ask(web: TestClient, method: str, path: str, asked: Mapping[str, Any]) -> Any:
    response = web.get(path, params=asked) if method == "GET" else web.post(path, json=asked)
    assert response.status_code == 200, response.text
    return response.json()


def closed(schema: Any) -> Any:
    """The schema with no fields but those that it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: {name: closed(part) for name, part in value.items()} if key == "properties" else closed(value)
             for key, value in schema.items()}  # fmt: skip
    return {**parts, "additionalProperties": False} if "properties" in schema else parts


# ---------------------------------------------------------------------------------------------------- the document
def test_the_document_is_openapi(web: TestClient) -> None:
    served = web.get("/api/openapi.json").json()
    assert served == json.loads(json.dumps(TOLD))
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []


def test_the_words_are_those_of_the_graph() -> None:
    schemas = TOLD["components"]["schemas"]
    assert schemas["PhaseWord"]["enum"] == [*phases_of(KNOWLEDGE), "any"]
    for cls in ("Irritability", "Pressure", "Training", "Sex", "Urgency", "Certainty", "Scope"):
        assert set(schemas[f"{cls}Word"]["enum"]) == {node.slug.removeprefix(f"{cls.lower()}-") for node in KNOWLEDGE.of_class(cls)}
    for cls in ("Condition", "Hazard", "RedFlag", "Technique", "Source", "Equipment", "BodyRegion"):
        assert set(schemas[f"{cls}Name"]["examples"]) <= {node.slug for node in KNOWLEDGE.of_class(cls)}
    fields = TOLD["paths"]["/api/plan"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert fields["format"]["anyOf"][0]["enum"] == list(FORMATS)


def test_every_word_that_the_document_tells_is_understood(web: TestClient) -> None:
    words = {name: TOLD["components"]["schemas"][f"{cls}Word"]["enum"] for name, cls in (
        ("phase", "Phase"), ("irritability", "Irritability"), ("pressure", "Pressure"), ("training", "Training"),
        ("position", "BodyPosition"))}  # fmt: skip
    spare = next(p for p in TOLD["paths"]["/api/rank"]["get"]["parameters"] if p["name"] == "spare")["schema"]["items"]["enum"]
    for name, values in {**words, "spare": spare}.items():
        for value in values:
            ask(web, "GET", "/api/rank", {"condition": "M72.2", "top": 1, name: value})
    for sex in TOLD["components"]["schemas"]["SexWord"]["enum"]:
        ask(web, "POST", "/api/screen", {"sex": sex})


@pytest.mark.parametrize(("method", "path", "asked"), ASKED)
def test_an_answer_has_the_fields_that_the_document_tells_and_no_others(
    web: TestClient, method: str, path: str, asked: dict[str, Any]
) -> None:
    told = path if path in TOLD["paths"] else "/api/entity/{entity}"
    schema = TOLD["paths"][told][method.lower()]["responses"]["200"]["content"]["application/json"]["schema"]
    components = {"schemas": {name: closed(part) for name, part in TOLD["components"]["schemas"].items()}}
    jsonschema.Draft202012Validator({**closed(schema), "components": components}).validate(ask(web, method, path, asked))


# ---------------------------------------------------------------------------------------------------- what strangers send
QUERIES = ["ASK { ?s ?p ?o }", "SELECT * { ?s a <https://w3id.org/palpate/Bursa> } LIMIT 3", "CONSTRUCT WHERE { ?s ?p ?o } LIMIT 3",
           "DESCRIBE <https://w3id.org/palpate/foot>", "DROP ALL", "SELECT"]  # fmt: skip
KNOWN: dict[str, list[str]] = {
    "entity": ["plantar-fasciitis", "Condition", "affects"], "query": list(catalog()), "version": [KNOWLEDGE.version.version],
    "file": [f"cupping.{extension}" for extension in ("ttl", "jsonld", "nt", "rdf", "xyz")],
}  # fmt: skip


def or_any(known: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Mostly one of a few known texts, now and then whatever the schema allows."""
    return {"anyOf": [*[{"enum": list(known)}] * 3, {key: value for key, value in schema.items() if key != "examples"}]}


def usual(told: Mapping[str, Any]) -> dict[str, Any]:
    """The document with texts that the graph knows among those that a name may be, so that answers are reached and not only errors."""
    made = json.loads(json.dumps(told))
    schemas = made["components"]["schemas"]
    schemas.update({name: or_any(schema["examples"], schema) for name, schema in schemas.items() if "examples" in schema})
    for path, methods in made["paths"].items():
        for parameter in (p for operation in methods.values() for p in operation["parameters"]):
            if known := QUERIES if (path, parameter["name"]) == ("/sparql", "query") else KNOWN.get(parameter["name"]):
                parameter["schema"] = or_any(known, parameter["schema"])
    bodies = made["paths"]["/sparql"]["post"]["requestBody"]["content"]
    bodies["application/sparql-query"]["schema"] = or_any(QUERIES, {"type": "string"})
    form = bodies["application/x-www-form-urlencoded"]["schema"]["properties"]
    form["query"] = or_any(QUERIES, form["query"])
    made["paths"]["/api/intake"]["post"]["requestBody"]["content"]["application/json"]["schema"] = {"anyOf": [
        {"type": "object", "properties": {"text": {"enum": ["On Eliquis. M72.2", "Denies fever; calf swelling."]}}, "required": ["text"]},
        {"type": "object"},
    ]}  # fmt: skip
    return made  # type: ignore[no-any-return]


@schemathesis.serializer("application/sparql-query")
def as_it_is(context: schemathesis.SerializationContext, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def config(examples: int) -> schemathesis.Config:
    """The same cases each time. That a query may take longer than its client allows is no fault."""
    return schemathesis.Config.from_dict({
        "seed": 1, "request-timeout": 60, "phases": {"stateful": {"enabled": False}},
        "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
        "operations": [{"include-path": "/sparql", "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]}}}],
    })  # fmt: skip


SCHEMA = schemathesis.openapi.from_dict(usual(TOLD), config=config(int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as port:
        yield f"http://127.0.0.1:{port}"


@SCHEMA.parametrize()
def test_whatever_is_sent_is_answered_as_the_document_tells(case: schemathesis.Case, address: str) -> None:
    """No 5xx, no undocumented status, form or header; what the document does not allow is refused. A name may be unknown."""
    case.call_and_validate(base_url=address, excluded_checks=[positive_data_acceptance])
