"""The evaluation of the ranking as Markdown, with the calibration curve as SVG."""

from collections.abc import Callable, Iterable, Sequence

from kg.curation.evaluate import FULL, Evaluation, Row
from kg.documents.pdf import svg
from kg.graph.knowledge import Knowledge, Node

FIGURE = "calibration.svg"
_UNSTABLE = 8


def figure(evaluation: Evaluation) -> str:
    """The calibration curve: what was foretold against what was found, by tenths of the findings."""
    points = [[foretold, found, count] for foretold, found, count in evaluation.calibration]
    return svg("calibration", {"points": points})


def markdown(evaluation: Evaluation, knowledge: Knowledge) -> str:
    """The page docs/evaluation.md."""
    full, others = evaluation.rows[0], evaluation.rows[1:]
    return "\n\n".join([
        _HEAD, _what(evaluation, knowledge), "## Placing: does it rank what sources favor above the rest?", _PLACING,
        _placing_table(evaluation.rows), "By kind of source that was held out, nDCG (AUROC):", _kinds_table(evaluation.rows),
        "## Direction: does it foretell what a study finds?", _DIRECTION, _direction_table(evaluation.rows),
        "## Where it is ahead, and where not", _plainly(full, others), "## Calibration", _calibration(evaluation),
        "## Intervals", _intervals(evaluation), "## Weights", _weights(knowledge), "## Stability", _stability(evaluation, knowledge),
        "## Where it is most wrong", _misses(evaluation, knowledge),
    ]) + "\n"  # fmt: skip


_HEAD = """# Evaluation: how far the ranking can be trusted

`python -m kg evaluate --output docs/evaluation.md` writes this page from the graph; a test compares it with a new run."""

_PLACING = """A question is one source and a condition of which it speaks. The ranking answers without that source (and those that rest
on it). Then, of the techniques of one scope: AUROC is the chance that one which the source favors stands above one which
it does not name; nDCG looks at the first ten, precision at the first three. A technique that is favored as a variant of a
more general one counts half. Means over kinds of source and scopes."""

_DIRECTION = """Of the single findings of held-out sources: AUROC is the chance that a favorable one was given a higher number than an
unfavorable one; the Brier score is the mean squared distance of number and finding, where the number is a chance (lower is
better). Findings of one source share the square root of their number."""


def _what(evaluation: Evaluation, knowledge: Knowledge) -> str:
    version = knowledge.version
    return (
        f"Graph {version.version}. {evaluation.findings:,} findings of {evaluation.sources} independent sources, "
        f"{evaluation.questions} questions, {evaluation.orders} orders. {evaluation.favored:.0%} of what is published favors what was "
        "tried: a ranking that says yes to all foretells most findings, so order counts more here than direction."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _placing_table(rows: Sequence[Row]) -> str:
    placed = [(_bold(row), row.placing) for row in sorted(rows, key=lambda row: -row.placing.ndcg)]
    return _table(("ranked by", "nDCG", "AUROC", "precision at 3"), (
        (name, f"{placing.ndcg:.3f}", f"{placing.auroc:.3f}", f"{placing.precision:.3f}") for name, placing in placed))  # fmt: skip


def _kinds_table(rows: Sequence[Row]) -> str:
    kinds = sorted(rows[0].by_kind)
    return _table(("ranked by", *kinds), (
        (_bold(row), *(f"{row.by_kind[kind].ndcg:.3f} ({row.by_kind[kind].auroc:.3f})" for kind in kinds))
        for row in sorted(rows, key=lambda row: -row.placing.ndcg)))  # fmt: skip


def _direction_table(rows: Sequence[Row]) -> str:
    ordered = sorted(rows, key=lambda row: -row.direction.auroc)
    return _table(("foretold by", "AUROC", "Brier score", "log loss"), (
        (_bold(row), f"{row.direction.auroc:.3f}", f"{row.direction.brier:.3f}" if row.is_chance else "no chance",
         f"{row.direction.log_loss:.3f}" if row.is_chance else "") for row in ordered))  # fmt: skip


def _bold(row: Row) -> str:
    return f"**{row.name}**" if row.name == FULL else row.name


def _plainly(full: Row, others: Sequence[Row]) -> str:
    """On each measure what the full model beats and what beats it, in words."""
    measures: list[tuple[str, Callable[[Row], float], bool]] = [
        ("nDCG", lambda row: row.placing.ndcg, False), ("AUROC of placing", lambda row: row.placing.auroc, False),
        ("precision at 3", lambda row: row.placing.precision, False), ("AUROC of direction", lambda row: row.direction.auroc, False),
        ("Brier score", lambda row: -row.direction.brier, True),
    ]  # fmt: skip
    lines = []
    for name, measure, chances in measures:
        compared = [row for row in others if row.is_chance or not chances]
        ahead = [row.name for row in sorted(compared, key=measure, reverse=True) if measure(row) > measure(full)]
        said = "ahead of all" if not ahead else f"behind {', '.join(ahead)}; ahead of the other {len(compared) - len(ahead)}"
        lines.append(f"- {name}: {said}.")
    return "\n".join(lines) + (
        "\n\nWhat is ahead in Brier score stays near the share of favorable findings for everything; it tells no technique from another. "
        "An ablation that is ahead shows a part of the model that does not earn its place on that measure."
    )


def _calibration(evaluation: Evaluation) -> str:
    rows = [(f"{foretold:.2f}", f"{found:.2f}", str(count)) for foretold, found, count in evaluation.calibration]
    return (
        f"![Foretold against found]({FIGURE})\n\n" + _table(("foretold", "found", "findings"), rows)
        + "\n\nLow numbers are too low for what gets published: where a technique was tried, it was mostly found to help. They are "
        "meant for what nobody has tried, too. Read the score as an order, not as the chance that a client gets better."
    )  # fmt: skip


def _intervals(evaluation: Evaluation) -> str:
    c = evaluation.coverage
    return (
        f"For the {c.pairs} pairs of condition and technique with at least three independent sources of their own, all of these were held "
        f"out, and the number of them that favor the technique compared with the interval that the posterior predicts for it. "
        f"{c.covered:.1%} lie in the 90% interval, whose mean width is {c.mean_width:.2f} of the number of sources: the intervals are "
        f"{'wide enough' if c.covered >= 0.9 else 'too narrow'}."
    )


def _weights(knowledge: Knowledge) -> str:
    fit = next(iter(knowledge.of_class("WeightFit")))
    fitted = sorted((node for node in knowledge if "fittedAs" in node.properties), key=lambda node: node.slug)
    rows = [(f"`{node.slug}`", f"{node.number('reasonedValue'):g}", f"{node.number('value'):g}") for node in fitted]
    return (
        f"Fitted on {fit.one('fittedOn')} by `python -m kg fit` to {int(fit.number('heldOutStatements')):,} findings (evidence "
        f"`{fit.one('fittedTo')[:12]}`). On sources that had no part in choosing, the objective (mean of nDCG, AUROC of placing and 1 − "
        f"Brier score) is {fit.number('objectiveAsReasoned'):.4f} with reasoned weights and {fit.number('objectiveAsFitted'):.4f} with "
        "fitted ones. A weight stays as reasoned unless moving it gains more than chance would.\n\n"
        + _table(("weight", "reasoned", "fitted"), rows)
    )


def _stability(evaluation: Evaluation, knowledge: Knowledge) -> str:
    rows = [(f"`{moved.slug}`", f"{moved.tau:.3f}") for moved in evaluation.moved[:_UNSTABLE]]
    median = sorted(moved.tau for moved in evaluation.moved)[len(evaluation.moved) // 2]
    return (
        "Each number of the score was moved by a fifth, up and down, and the orders of all techniques compared (Kendall's tau, mean over "
        f"every fourth condition, the worse of both). {len(evaluation.moved)} numbers change any order; the median tau is {median:.3f}. "
        "Those that change most:\n\n" + _table(("number", "tau"), rows)
    )


def _misses(evaluation: Evaluation, knowledge: Knowledge) -> str:
    rows = []
    for miss in evaluation.misses:
        node = knowledge[miss.statement]
        pair = f"{knowledge.label(node.one('evidenceTechnique'))} for {knowledge.label(node.one('evidenceCondition')).lower()}"
        rows.append((f"{pair}: {_said(node)} (`{node.one('dcterms:source')}`)", f"{miss.foretold:.2f}", f"{miss.share:g}", miss.because))
    return "Direct findings of great weight, held out, that went against what was foretold.\n\n" + _table(
        ("finding", "foretold", "found", "because"), rows
    )


def _said(node: Node) -> str:
    return node.one("summary").rstrip(".").replace("|", "/")
