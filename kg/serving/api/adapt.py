"""`/api/adapt`: how treatment is changed for what a client has."""

from dataclasses import replace
from typing import Any

import kg
from kg.serving.api.answers import ADVICE
from kg.serving.api.client import CONDITION, HAZARD, ON, PHASE, RED_FLAG
from kg.serving.api.operations import Arguments, Operation, Tool


def adapt(asked: Arguments) -> dict[str, Any]:
    """The advice of `kg.adapt`."""
    return kg.adapt(asked["hazard"], condition=asked["condition"], phase=asked["phase"], red_flags=asked["red_flag"],
                    on=asked["on"]).to_dict()  # fmt: skip


OPERATIONS = (
    Operation(
        "GET", "/api/adapt", "Say how treatment is changed for several hazards at once", adapt,
        (HAZARD, RED_FLAG, replace(CONDITION, required=False), PHASE, ON),
        details="Position, pressure, area, time, and what to do and watch; name at least one hazard, red flag or condition.",
        answer={"application/json": ADVICE}, example="/api/adapt?hazard={Hazard}", missing=("condition",), tool=Tool("adapt"),
    ),
)  # fmt: skip
