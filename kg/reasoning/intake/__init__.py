"""Intake of a physician's note: what it says, item by item, for a person to confirm.

>>> import kg
>>> found = kg.intake("Denies fever. On Eliquis for AFib.")
>>> [(item.slug, item.text, item.negated) for item in found.hazards]
[('fever', 'fever', True), ('apixaban', 'Eliquis', False), ('arrhythmia', 'AFib', False)]
"""

from kg.reasoning.intake.items import Intake, Item
from kg.reasoning.intake.reader import Reader

__all__ = ["Intake", "Item", "Reader"]
