"""The evidence map: for each condition and technique what direct statements say, how surely, and where nobody has looked.

>>> import kg
>>> cell = EvidenceMap(kg.load().model).cells["plantar-fasciitis", "myofascial-release"]
>>> cell.verdict, cell.statements >= cell.sources > 0
('for', True)
"""

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kg.graph.knowledge import Node
from kg.reasoning.score import Model

FOR, AGAINST, MIXED, OPEN = "for", "against", "mixed", "inconclusive"
VERDICTS = (FOR, MIXED, AGAINST, OPEN)
"""What the statements of a cell say together; a cell that is not there is a gap."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The direct evidence on one technique in one condition.

    `share` is the mean share for the technique over the statements that say something, as the score reads them; None where
    none does. `certainty` is the best that a source states, None where none states any. `studies` adds up what the
    statements name; a study that several reviews hold counts in each.
    """

    condition: str
    technique: str
    results: Mapping[str, int]
    share: float | None
    verdict: str
    certainty: str | None
    sources: int
    studies: int
    slugs: tuple[str, ...]

    @property
    def statements(self) -> int:
        return len(self.slugs)

    def to_dict(self) -> dict[str, Any]:
        return {"condition": self.condition, "technique": self.technique, "verdict": self.verdict, "share": self.share,
                "certainty": self.certainty, "sources": self.sources, "studies": self.studies, "results": dict(self.results),
                "statements": list(self.slugs)}  # fmt: skip


class EvidenceMap:
    """All cells of one graph, with the techniques and conditions that have any."""

    def __init__(self, model: Model) -> None:
        self._model, self._knowledge = model, model.knowledge

    @cached_property
    def cells(self) -> Mapping[tuple[str, str], Cell]:
        """(condition, technique) -> its cell."""
        evidence = self._model.evidence
        shares = dict(zip((node.slug for node in evidence.statements), evidence.share.tolist(), strict=True))
        groups = self._knowledge.group("TreatmentEvidence", "evidenceCondition", "evidenceTechnique")
        return {(c, t): self._cell(c, t, nodes, shares) for (c, t), nodes in sorted(groups.items())}

    def _cell(self, condition: str, technique: str, nodes: list[Node], shares: Mapping[str, float]) -> Cell:
        results: dict[str, int] = {}
        for node in nodes:
            results[node.one("result")] = results.get(node.one("result"), 0) + 1
        told = [share for node in nodes if (share := shares.get(node.slug, float("nan"))) == share]
        mean = sum(told) / len(told) if told else None
        stated = {grade for node in nodes for grade in node.all("certainty")}
        best = max(stated, key=lambda grade: (self._knowledge[grade].number("value"), grade), default=None)
        sources = {source for node in nodes for source in node.all("dcterms:source")}
        return Cell(condition, technique, results, mean, self._verdict(mean), best, len(sources),
                    sum(int(n.number("studies", 0)) for n in nodes), tuple(n.slug for n in nodes))  # fmt: skip

    def _verdict(self, share: float | None) -> str:
        if share is None:
            return OPEN
        if share >= self._model.parameters["class-supported-share"]:
            return FOR
        return AGAINST if share <= self._model.parameters["class-against-share"] else MIXED

    def most_studied(self, index: int, among: Collection[str]) -> list[str]:
        """Conditions (index 0) or techniques (1) among those given, those with most statements first; all of them."""
        counts = dict.fromkeys(among, 0)
        for pair, cell in self.cells.items():
            if pair[index] in counts:
                counts[pair[index]] += cell.statements
        return sorted(counts, key=lambda slug: (-counts[slug], slug))

    def to_csv(self) -> str:
        """One line for each cell."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["condition", "technique", "verdict", "share", "certainty", "statements", "sources", "studies"])
        for cell in self.cells.values():
            writer.writerow([cell.condition, cell.technique, cell.verdict, "" if cell.share is None else round(cell.share, 3),
                             cell.certainty or "", cell.statements, cell.sources, cell.studies])  # fmt: skip
        return out.getvalue()
