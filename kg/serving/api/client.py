"""What is asked of several operations: the client, and what client and therapist prefer."""

from kg.reasoning.preferences import PARTS
from kg.reasoning.screen import OLDEST
from kg.serving.api.operations import Parameter
from kg.serving.api.schema import DAY, FLAG, Schema, names, one_of, words

AGE: Schema = {"type": "integer", "minimum": 0, "maximum": OLDEST}

CONDITION = Parameter("condition", "Slug, label, synonym or ICD-10-CM code of a condition.", names("Condition"), required=True)
PHASE = Parameter("phase", "The phase of healing; any where it is not known.", words("Phase"))
IRRITABILITY = Parameter("irritability", "How easily the complaint flares up, and how long it then lasts.", words("Irritability"))
HAZARD = Parameter("hazard", "What the client has or takes that can make massage unsafe, such as a disease, a medicine, pregnancy: by "
                   "name, or as NAME=YYYY-MM-DD with the date of what happened; may be several.", names("Hazard"), repeated=True,
                   many="hazards")  # fmt: skip
RED_FLAG = Parameter("red_flag", "A red flag that was found; may be several.", names("RedFlag"), repeated=True, many="red_flags")
ON = Parameter("on", "The date of the session, YYYY-MM-DD; a dated hazard needs it.", DAY)
CLIENT = (PHASE, IRRITABILITY, HAZARD, RED_FLAG, ON, Parameter("age", "Age in years; brings the hazards of that age.", AGE))
"""What is known of a client, as parameters."""
PREFERENCES = (
    Parameter("pressure", "The most pressure that the client likes.", words("Pressure")),
    Parameter("position", "The one position to work in.", words("BodyPosition")),
    Parameter("training", "The most training that the therapist has.", words("Training")),
    Parameter("clothed", "Only what can be done through clothing.", FLAG),
    Parameter("no_instruments", "Nothing by tool or device.", FLAG),
    Parameter("equipment", "What is at hand; may be several. All is, where none is named.", names("Equipment"), repeated=True),
    Parameter("spare", "Spare this part of the therapist; orders equals; may be several.", one_of(PARTS), repeated=True),
    Parameter("without", "Withdraw the evidence of a source; may be several.", names("Source"), repeated=True),
)
