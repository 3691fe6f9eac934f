"""`/api/adapt`: how treatment is changed for what a client has, as JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

import kg
from kg.serving.api.operations import Operation, Parameter
from kg.serving.api.rank import HAZARD, ON, PHASE, RED_FLAG
from kg.serving.api.schema import TEXT
from kg.serving.api.shared import as_json


async def adapt(request: Request) -> Response:
    """`GET /api/adapt?hazard=...&red_flag=...&condition=...&phase=...&on=...`"""
    asked = request.state.arguments
    advice = await run_in_threadpool(
        kg.adapt, asked["hazard"], condition=asked["condition"], phase=asked["phase"], red_flags=asked["red_flag"], on=asked["on"]
    )
    return as_json(advice.to_dict())


OPERATIONS = (
    Operation(
        "GET", "/api/adapt", "Say how treatment is changed for several hazards at once", adapt,
        (HAZARD, RED_FLAG, Parameter("condition", "A condition, with what it brings.", TEXT), PHASE, ON),
        example="/api/adapt?hazard={Hazard}", missing=("condition",),
    ),
)  # fmt: skip
