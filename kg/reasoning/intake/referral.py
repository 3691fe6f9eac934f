"""What the gate would demand for the client of a note: a referral for red flags, emergencies and serious disease.

What is negated, of the family or spoken of as possible in future does not count; what is in doubt does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.client import Client
from kg.reasoning.intake.items import Item
from kg.reasoning.safety import URGENCIES, Referral, SafetyGate

_GRAVEST = URGENCIES[0]


class Referrals:
    """Asks the gate on behalf of a note."""

    def __init__(self, knowledge: Knowledge, gate: SafetyGate) -> None:
        self._knowledge = knowledge
        self._gate = gate

    def of(self, conditions: Iterable[Item], hazards: Iterable[Item], red_flags: Iterable[Item],
           pathologies: Iterable[Item]) -> Referral | None:  # fmt: skip
        """The referral for all items of a note, or None."""
        hazards = tuple(hazards)
        now = {item.slug for item in hazards if item.acts and not item.historical}
        complaints = {wider for item in conditions if not (item.negated or item.family) for wider in self._wider(item.slug)}
        flags = {item.slug for item in red_flags if item.acts and self._counts(item, complaints)}
        found = [self._ask(hazards=tuple(sorted(now)), red_flags=tuple(sorted(flags)))]
        suspected = (item for item in hazards if not item.certain and self._knowledge[item.slug].is_a("SeriousPathology"))
        for slug, certain in sorted({(i.slug, i.certain) for i in (*pathologies, *suspected) if i.acts and not i.historical}):
            referral = self._for_pathology(slug)
            if referral and (not certain or referral.urgency == _GRAVEST):
                found.append(referral)
        return _joined([referral for referral in found if referral])

    def _ask(self, hazards: tuple[str, ...] = (), red_flags: tuple[str, ...] = ()) -> Referral | None:
        return self._gate.refer(Client(hazards=hazards, red_flags=red_flags), "")

    def _for_pathology(self, pathology: str) -> Referral | None:
        """The referral that its gravest red flag demands, in the name of the disease itself; a known one is under care already."""
        asked = [self._ask(red_flags=(flag,)) for flag in self._flags.get(pathology, ())]
        fitting = [r for r in asked if r and any(reason.pathology == pathology and reason.urgency == r.urgency for reason in r.reasons)]
        if not fitting:
            return None
        gravest = min(fitting, key=lambda r: URGENCIES.index(r.urgency))
        reasons = (replace(r, slug=pathology, label=self._knowledge.label(pathology)) for r in gravest.reasons if r.pathology == pathology)
        return replace(gravest, reasons=tuple(dict.fromkeys(reasons)))

    def _counts(self, flag: Item, complaints: set[str]) -> bool:
        """Whether a red flag bears on the client today: one that is a fact of the past only beside a complaint told from it."""
        if not self._knowledge[flag.slug].one("ofThePast"):
            return not flag.historical
        return any(complaints & set(node.all("mimics")) for node in self._indications.get((flag.slug,), ()))

    def _wider(self, condition: str) -> tuple[str, ...]:
        return (condition, *self._knowledge[condition].all("subtypeOf"))

    @cached_property
    def _indications(self) -> Mapping[tuple[str, ...], list[Node]]:
        return self._knowledge.group("RedFlagIndication", "redFlag")

    @cached_property
    def _flags(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for (flag,), nodes in self._indications.items():
            for node in nodes:
                found.setdefault(node.one("pathology"), []).append(flag)
        return found


def _joined(referrals: Sequence[Referral]) -> Referral | None:
    if not referrals:
        return None
    reasons = {reason: None for referral in referrals for reason in referral.reasons}
    ordered = sorted(reasons, key=lambda r: (URGENCIES.index(r.urgency), r.slug, r.pathology or "", r.sources))
    return replace(min(referrals, key=lambda r: URGENCIES.index(r.urgency)), reasons=tuple(ordered))
