"""Reads FHIR R4: a Bundle, or one resource of a kind that states diagnoses, medicines, procedures, allergies or family history.

The models of `fhir.resources` (R4B, which R4 resources of these kinds fit) say whether it is valid. Each item shows the
string of the JSON that it was read from.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kg.errors import PalpateError
from kg.reasoning.intake.context import Status
from kg.reasoning.intake.items import Item
from kg.reasoning.intake.lexicon import FAMILY, HISTORICAL, NOT_TAKEN, VOID
from kg.reasoning.intake.matcher import Name

if TYPE_CHECKING:
    from kg.reasoning.intake.reader import Reader

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ICD_10_CM = re.compile(r"icd-?10", re.IGNORECASE)
Found = list[tuple[str, Item]]


@dataclass(frozen=True, slots=True)
class _Statement:
    """A concept that a resource states, and what the resource says of it."""

    concept: Mapping[str, Any]
    status: Status


@dataclass(slots=True)
class _Places:
    """Where each string of the JSON stands; those that occur several times are given out in turn."""

    spans: dict[str, list[tuple[int, int]]]

    @staticmethod
    def of(note: str) -> "_Places":
        spans: dict[str, list[tuple[int, int]]] = {}
        for match in _STRING.finditer(note):
            spans.setdefault(json.loads(match[0], strict=False), []).append(match.span(1))
        return _Places(spans)

    def take(self, value: str) -> tuple[int, int]:
        found = self.spans[value]
        return found.pop(0) if len(found) > 1 else found[0]


def read_fhir(note: str, reader: "Reader") -> tuple[Found, list[str]]:
    """Items, each with its list, and what was not understood, of a FHIR resource as JSON.

    Raises:
        PalpateError: where it is no JSON, no FHIR, not valid, or of a kind that is not read.
    """
    resource = _valid(note)
    places, found, unread = _Places.of(note), [], list[str]()
    inside = list(_resources(resource))
    by_reference = {name: one for one, url in inside for name in _references(one, url)}
    skipped: dict[str, int] = {}
    for one, _ in inside:
        kind = one["resourceType"]
        if kind not in _READ:
            skipped[kind] = skipped.get(kind, 0) + (kind not in _CARRIERS)
            continue
        for statement in _READ[kind](one, reader, by_reference):
            if VOID not in statement.status.meanings:
                items, left = _concept(note, statement, reader, places)
                found += items
                unread += left
    return found, [*unread, *(f"{kind}: {count} not read" for kind, count in sorted(skipped.items()) if count)]


def _valid(note: str) -> Mapping[str, Any]:
    try:
        resource = json.loads(note)
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise PalpateError(f"The note looks like FHIR but is no valid JSON{where}.") from None
    except RecursionError:
        raise PalpateError("The JSON is nested too deeply to be FHIR.") from None
    kind = resource.get("resourceType")
    if kind != "Bundle" and kind not in _READ:
        known = ", ".join(sorted(("Bundle", *_READ)))
        what = f"the resourceType {kind[:40]!r}" if isinstance(kind, str) else "no resourceType"
        raise PalpateError(f"The JSON has {what}; these are read: {known}.")
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        place = ".".join(map(str, (kind, *first["loc"])))
        raise PalpateError(f"The FHIR is not valid at {place[:120]}: {str(first['msg'])[:160]}.") from None
    except (RecursionError, LookupError, TypeError, AttributeError):
        raise PalpateError(f"The FHIR is not valid: {kind} holds a resource of an unknown kind or shape.") from None
    return resource  # type: ignore[no-any-return]


def _resources(resource: Mapping[str, Any], url: str = "") -> Iterator[tuple[Mapping[str, Any], str]]:
    """A resource with all that it contains, each with its full URL, in the order of the document."""
    if resource["resourceType"] == "Bundle":
        for entry in resource.get("entry", ()):
            if "resource" in entry:
                yield from _resources(entry["resource"], entry.get("fullUrl", ""))
        return
    yield resource, url
    for contained in resource.get("contained", ()):
        yield from _resources(contained)


def _references(one: Mapping[str, Any], url: str) -> Iterator[str]:
    """The names under which others refer to a resource."""
    if url:
        yield url
    if "id" in one:
        yield from (f"{one['resourceType']}/{one['id']}", f"#{one['id']}")


# ---------------------------------------------------------------------- what each kind of resource states
def _condition(one: Mapping[str, Any], reader: "Reader", others: Mapping[str, Any]) -> Iterator[_Statement]:
    status = Status()
    for element in ("verificationStatus", "clinicalStatus"):
        for coding in one.get(element, {}).get("coding", ()):
            _add(status, reader, element, coding.get("code"))
    _date(status, one, "abatement")
    if any(key.startswith("abatement") for key in one):
        status.add(HISTORICAL, "abatement")
    if "code" in one:
        yield _Statement(one["code"], status)


def _medication(one: Mapping[str, Any], reader: "Reader", others: Mapping[str, Any]) -> Iterator[_Statement]:
    status = Status()
    _add(status, reader, "medication", one.get("status"))
    if one.get("doNotPerform"):
        status.add(NOT_TAKEN, "doNotPerform")
    concept = one.get("medicationCodeableConcept")
    if concept is None:
        reference = one.get("medicationReference", {})
        medicine = others.get(reference.get("reference", ""), {})
        concept = medicine.get("code") or {"text": reference.get("display") or reference.get("reference", "")}
    yield _Statement(concept, status)


def _procedure(one: Mapping[str, Any], reader: "Reader", others: Mapping[str, Any]) -> Iterator[_Statement]:
    status = Status()
    _add(status, reader, "procedure", one.get("status"), maybe_recent=True)
    _date(status, one, "performed")
    if "code" in one:
        yield _Statement(one["code"], status)


def _allergy(one: Mapping[str, Any], reader: "Reader", others: Mapping[str, Any]) -> Iterator[_Statement]:
    status = Status()
    status.add(NOT_TAKEN, "AllergyIntolerance")
    for coding in one.get("verificationStatus", {}).get("coding", ()):
        _add(status, reader, "verificationStatus", coding.get("code"))
    if "code" in one:
        yield _Statement(one["code"], status)


def _family(one: Mapping[str, Any], reader: "Reader", others: Mapping[str, Any]) -> Iterator[_Statement]:
    for condition in one.get("condition", ()):
        status = Status()
        status.add(FAMILY, "FamilyMemberHistory")
        yield _Statement(condition["code"], status)


_READ = {"Condition": _condition, "MedicationStatement": _medication, "MedicationRequest": _medication, "Procedure": _procedure,
         "AllergyIntolerance": _allergy, "FamilyMemberHistory": _family}  # fmt: skip
_CARRIERS = ("Medication", "Patient", "Practitioner", "Organization")
"""Kinds that state nothing of the client's health by themselves."""


def _add(status: Status, reader: "Reader", element: str, code: str | None, maybe_recent: bool = False) -> None:
    meaning = reader.lexicon.statuses.get((element, code or ""))
    if meaning and code:
        status.add(meaning, code, maybe_recent)


def _date(status: Status, one: Mapping[str, Any], element: str) -> None:
    value = one.get(f"{element}DateTime") or one.get(f"{element}Period", {}).get("end")
    if value:
        status.year = str(value)[:4]


# ---------------------------------------------------------------------- concepts
def _concept(note: str, statement: _Statement, reader: "Reader", places: _Places) -> tuple[Found, list[str]]:
    """The items of a concept, by its codes and its words, each entry once; else its words as not understood."""
    found: dict[tuple[str, str], Item] = {}
    shown: list[str] = []
    for coding in statement.concept.get("coding", ()):
        code, display = coding.get("code"), coding.get("display")
        if code and _ICD_10_CM.search(coding.get("system", "")):
            start, end = places.take(code)
            for name in reader.codes.lookup(code):
                item = Item(name.slug, "", note[start:end], start, end, code=code, matched=name.name)
                found.setdefault((name.kind, name.slug), reader.settle(name, item, statement.status))
        shown.append(display or code or "")
        if display:
            _words(note, display, statement, reader, places, found)
    if text := statement.concept.get("text"):
        shown.append(text)
        if text in places.spans:
            _words(note, text, statement, reader, places, found)
    label = next((text for text in reversed(shown) if text), "")
    return [(kind, item) for (kind, _), item in found.items()], [label] if label and not found else []


def _words(note: str, value: str, statement: _Statement, reader: "Reader", places: _Places, found: dict[tuple[str, str], Item]) -> None:
    start, end = places.take(value)
    plain = note[start:end] == value
    for kind, item in reader.read_text(value)[0]:
        first, after = (start + item.start, start + item.end) if plain else (start, end)
        item = replace(item, text=note[first:after], start=first, end=after)
        found.setdefault((kind, item.slug), reader.settle(Name(item.slug, kind, item.matched), item, statement.status))

