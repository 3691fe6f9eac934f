"""Tables in Parquet for data frames: the ranking of every condition with no client known, and the evidence on treatments."""

import io
from typing import Any

from kg.graph.knowledge import Knowledge, Node
from kg.reasoning.engine import Engine


def files(engine: Engine) -> dict[str, bytes]:
    """File name -> content."""
    return {"ranking.parquet": _parquet(ranking(engine)), "evidence.parquet": _parquet(evidence(engine.knowledge))}


def ranking(engine: Engine) -> list[dict[str, Any]]:
    """One row for each condition and technique, those out of the scope of massage too; nothing is known of the client."""
    rows = []
    for condition in engine.knowledge.of_class("Condition"):
        answer = engine.rank(condition.slug, explain=False)
        for name in ("recommended", "adjuncts", "discuss"):
            for entry in getattr(answer, name):
                rows.append({
                    "condition": condition.slug, "condition_label": condition.label, "list": name, "rank": entry.rank, "band": entry.band,
                    "technique": entry.technique, "technique_label": entry.label, "score": entry.score.mean, "low": entry.score.low,
                    "high": entry.score.high, "plausibility": entry.score.plausibility, "class": entry.class_,
                    "certainty": str(entry.certainty.level), "scope": entry.scope,
                    "sources": sorted({o.source for o in entry.score.observations if o.successes + o.failures > 0}),
                })  # fmt: skip
    return rows


def evidence(knowledge: Knowledge) -> list[dict[str, Any]]:
    """One row for each statement about a treatment, with its source."""
    return [_statement(knowledge, node) for node in knowledge.of_class("TreatmentEvidence")]


def _statement(knowledge: Knowledge, node: Node) -> dict[str, Any]:
    source = knowledge[node.one("dcterms:source")] if node.one("dcterms:source") in knowledge else Node("", {})
    number = node.properties.get("participants")
    return {
        "statement": node.slug, "condition": node.one("evidenceCondition"), "technique": node.one("evidenceTechnique"),
        "outcome": node.one("outcome"), "result": node.one("result") or node.one("recommendation"), "comparator": node.one("comparator"),
        "certainty": node.one("certainty"), "phase": node.one("inPhase"), "participants": int(number[0]) if number else None,
        "effect_size": node.one("effectSize"), "summary": node.one("summary"),
        "locator": node.one("locator"), "source": source.slug, "title": source.one("dcterms:title"),
        "design": source.one("design"), "doi": source.one("doi"), "pmid": source.one("pmid"),
    }  # fmt: skip


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, compression="zstd")
    return out.getvalue()
