"""`/api/screen` and `/api/assess`: screening and assessment of the library; both take a JSON object by POST."""

from typing import Any

import kg
from kg.reasoning.assess import NEGATIVE, POSITIVE, results_of
from kg.serving.api.answers import ASSESSMENT, SCREENING
from kg.serving.api.client import AGE
from kg.serving.api.operations import Arguments, Operation, Parameter, Tool
from kg.serving.api.schema import STRING, TEXT, array, mapping, names, one_of, words


def screen(asked: Arguments) -> dict[str, Any]:
    """The screening of `kg.screen`."""
    return kg.screen(**asked).to_dict()


def assess(asked: Arguments) -> dict[str, Any]:
    """The assessment of `kg.assess`."""
    findings, tests = asked.pop("finding"), asked.pop("test") or {}
    return kg.assess(findings, tests=results_of(tests) if isinstance(tests, list) else tests, **asked).to_dict()


_PERSON = (
    Parameter("region", "The region of the body that hurts.", names("BodyRegion")),
    Parameter("age", "Age in years.", AGE),
    Parameter("sex", "Sex of the client.", words("Sex")),
)
_ABSENT = Parameter("absent", "What was asked about and is not there, named likewise.", TEXT, repeated=True)
_TESTS = {"anyOf": [mapping(one_of((POSITIVE, NEGATIVE))), array(STRING)]}

OPERATIONS = (
    Operation(
        "POST", "/api/screen", "Look for serious disease behind a complaint", screen,
        (Parameter("complaint", "A condition, or a region of the body.", TEXT), *_PERSON,
         Parameter("present", "Red flags, findings, hazards or conditions that are there, by name.", TEXT, repeated=True), _ABSENT),
        details="Says whether to refer, how soon, what to do now, and which questions to ask next. What is in neither list has not been "
                "asked. It suspects; it does not diagnose.",
        answer={"application/json": SCREENING}, tool=Tool("screen"),
    ),
    Operation(
        "POST", "/api/assess", "Say which conditions findings and tests are consistent with, and what to ask next", assess,
        (Parameter("finding", "Findings or red flags that are there, by name.", TEXT, repeated=True, many="findings"), _ABSENT,
         Parameter("test", 'Orthopedic tests with their results: {"neer": "positive"}, or ["neer=positive"].', _TESTS, many="tests"),
         *_PERSON),
        details="Do not act on the differential where act_on_differential is false: the referral comes first. It says what answers are "
                "consistent with; it does not diagnose.",
        answer={"application/json": ASSESSMENT}, tool=Tool("assess"),
    ),
)  # fmt: skip
