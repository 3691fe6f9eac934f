"""The worked example of docs/method.md, and its tables of weights.

Each number is computed here again by plain arithmetic from the facts, and must be the number in the live answer.
"""

from collections.abc import Iterable, Sequence
from math import isclose, prod, sqrt
from typing import Any

from scipy.stats import beta as beta_distribution

import kg
from kg.reasoning.mechanism import Measurement

CONDITION, TECHNIQUE, PHASE, IRRITABILITY = "delayed-onset-muscle-soreness", "static-stretching", "acute", "moderate"
FACTORS = ("design", "certainty", "participants", "outcome", "comparator", "age", "phase", "condition", "technique")


def number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; numbers, and the columns that hold them, to the right."""
    body = list(rows)
    rule = ["--:" if isinstance(cell, float) else "---" for cell in (body[0] if body else header)]
    lines = [header, rule, *([number(cell) if isinstance(cell, float) else str(cell) for cell in row] for row in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def same(ours: float, answered: float) -> float:
    assert isclose(ours, answered, abs_tol=1e-9), f"computed by hand {ours}, in the answer {answered}"
    return ours


# ---------------------------------------------------------------------------------------------------- weights
WORDS = {
    "Design of the source (with the highest certainty that it can give)": "StudyDesign",
    "Certainty that the source states": "Certainty",
    "Direction of a result, as share of success": "ResultDirection",
    "Comparator (with the shares of success that *no difference* and *worse* stand for)": "Comparator",
    "Outcome": "Outcome",
    "Population of a laboratory measurement": "Population",
    "Salience of an impairment": "Salience",
    "Strength of an effect claim or relief": "ClaimStrength",
}
CEILINGS = ("", "very low", "low", "moderate", "high")


def weights() -> str:
    """Every number of scoring.ttl."""
    knowledge = kg.load().knowledge
    parameters = table(("parameter", "value", "meaning"), (
        (f"`{node.slug}`", node.number("value"), node.definition) for node in knowledge.of_class("ScoringParameter")))  # fmt: skip
    words = [f"{title}: {_words(cls)}." for title, cls in WORDS.items()]
    tolerances = table(("intensity of the technique", "tolerance"), (
        (node.label, node.number("value")) for node in knowledge.of_class("Tolerance")))  # fmt: skip
    return "\n\n".join([parameters, *words, "Tolerance; where none is stated it is 1:", tolerances]) + "\n"


def _words(cls: str) -> str:
    valued = [node for node in kg.load().knowledge.of_class(cls) if "value" in node.properties]
    return "; ".join(_word(node) for node in sorted(valued, key=lambda node: -node.number("value")))


def _word(node: Any) -> str:
    more = ""
    if "ceiling" in node.properties:
        more = f" ({CEILINGS[int(node.number('ceiling'))]})"
    elif "noDifferenceReading" in node.properties:
        more = f" ({number(node.number('noDifferenceReading'))}, {number(node.number('worseReading'))})"
    return f"{node.label} {number(node.number('value'))}{more}"


# ---------------------------------------------------------------------------------------------------- the example
def example() -> str:
    """One ranking entry, worked by hand."""
    engine = kg.load()
    answer = engine.rank(CONDITION, engine.client(PHASE, IRRITABILITY)).to_dict()
    entry = next(e for e in answer["recommended"] if e["technique"] == TECHNIQUE)
    steps = (_claims, _paths, _coverage, _evidence, _posterior)
    return "\n\n".join([_needs(answer), *(step(answer, entry) for step in steps)]) + "\n"


def _place(need: dict[str, Any]) -> str:
    tissue = f", {kg.load().knowledge.label(need['tissue']).lower()}" if need["tissue"] else ""
    return f"{need['label']}{tissue}"


def _needs(answer: dict[str, Any]) -> str:
    knowledge, value = kg.load().knowledge, kg.load().model.parameters
    salience = [[knowledge[profile].one("salience") for profile in need["profiles"]] for need in answer["needs"]]
    total = sum(value[word] for words in salience for word in words)
    rows = [(_place(need), " + ".join(word.removeprefix("salience-") for word in words), sum(value[w] for w in words),
             same(sum(value[w] for w in words) / total, need["weight"]))
            for need, words in zip(answer["needs"], salience, strict=True)]  # fmt: skip
    return f"**1. Needs.** The saliences add up to {number(total)}.\n\n" + table(("impairment", "salience", "value", "weight"), rows)


def _claims(answer: dict[str, Any], entry: dict[str, Any]) -> str:
    count, discount = answer["parameters"]["link-prior-observations"], answer["parameters"]["discount-claim-step"]
    links = {link.claim: link for link in kg.load().model.mechanism.links if link.technique == TECHNIQUE}
    measured = {o.statement: o for claim in entry["claims"] for o in links[claim["claim"]].evidence}
    laboratory = table(("measurement", *("design", "population", "technique"), "weight", "share"), (
        (f"`{o.statement}`", *(o.factors[name] for name in ("design", "population", "technique")), prod(o.factors.values()), o.share)
        for o in measured.values()))  # fmt: skip
    rows = []
    for claim in entry["claims"]:
        gains, losses = _pooled(list(links[claim["claim"]].evidence))
        s, f = same(sum(gains, 0.0), claim["successes"]), same(sum(losses, 0.0), claim["failures"])
        strength = (claim["prior"] * count + s) / (count + s + f) * discount ** claim["steps"]
        what = f"{claim['direction']} {claim['effect']} ({claim['tissue_type']})"
        rows.append((what, claim["prior"], s, f, claim["steps"], same(strength, claim["strength"])))
    formula = f"({number(count)} × prior + s) / ({number(count)} + s + f) × {number(discount)}^steps"
    strengths = table(("claim", "prior", "s", "f", "steps", "strength"), rows)
    first = f"**2. Effect claims.** Laboratory measurements first:\n\n{laboratory}"
    return f"{first}\n\nThen the strength of each claim, {formula}:\n\n{strengths}"


def _pooled(observations: list[Measurement]) -> tuple[list[float], list[float]]:
    """Successes and failures of each measurement after sharing within its source."""
    gains, losses = [], []
    for o in observations:
        group = [other for other in observations if other.source == o.source]
        good = [prod(other.factors.values()) * other.share for other in group]
        bad = [prod(other.factors.values()) * (1 - other.share) for other in group]
        total = sum(good) + sum(bad)
        gains.append(good[group.index(o)] * max(good) / total if total else 0.0)
        losses.append(bad[group.index(o)] * max(bad) / total if total else 0.0)
    return gains, losses


def _paths(answer: dict[str, Any], entry: dict[str, Any]) -> str:
    claims = {claim["claim"]: claim for claim in entry["claims"]}
    needs = {need["need"]: need for need in answer["needs"]}
    rows = [(f"{claims[path['claim']]['direction']} {claims[path['claim']]['effect']}", "relieves" if path["relieves"] else "aggravates",
             _place(needs[path["need"]]), path["factors"]["claim"], path["factors"]["relief"],
             same(path["factors"]["claim"] * path["factors"]["relief"], path["strength"])) for path in entry["rationale"]]  # fmt: skip
    return "**3. Paths.**\n\n" + table(("effect", "", "impairment", "claim", "relief", "path"), rows)


def _coverage(answer: dict[str, Any], entry: dict[str, Any]) -> str:
    rows, plausibility = [], 0.0
    for need in answer["needs"]:
        paths = [path for path in entry["rationale"] if path["need"] == need["need"]]
        relieved = 1 - prod(1 - path["strength"] for path in paths if path["relieves"])
        spared = prod((1 - path["strength"] for path in paths if not path["relieves"]), start=1.0)
        plausibility += need["weight"] * relieved * spared
        if paths:
            rows.append((_place(need), float(relieved), spared, relieved * spared, need["weight"] * relieved * spared))
    p, tolerance = answer["parameters"], entry["tolerance"]
    same(plausibility, entry["plausibility"])
    mechanism = p["prior-mean-low"] + (p["prior-mean-high"] - p["prior-mean-low"]) * plausibility * tolerance
    same(mechanism, entry["mechanism"])
    won, lost, share, half = entry["record"]["successes"], entry["record"]["failures"], p["record-share"], p["record-half"]
    prior = (1 - share) * mechanism + share * (won * tolerance + half * mechanism) / (won * tolerance + lost + half)
    same(prior, entry["prior"]["mean"])
    count = p["prior-observations"] * (1 - entry["doubt"])
    same(count, entry["prior"]["observations"])
    return ("**4. Coverage, plausibility, prior.** Impairments that no path reaches count 0.\n\n"
            + table(("impairment", "relieved", "spared", "covered", "× weight"), rows)
            + f"\n\nPlausibility = {number(plausibility)}, the sum of the last column. Tolerance = {number(tolerance)}. "
            f"Mechanism = {number(p['prior-mean-low'])} + {number(p['prior-mean-high'] - p['prior-mean-low'])} × "
            f"{number(plausibility)} × {number(tolerance)} = {number(mechanism)}.\n\n"
            f"Record in conditions that are no kin: {number(won)} for, {number(lost)} against. Mean of the prior = "
            f"{number(1 - share)} × {number(mechanism)} + {number(share)} × ({number(won)} × {number(tolerance)} + {number(half)} × "
            f"{number(mechanism)}) / ({number(won)} × {number(tolerance)} + {number(lost)} + {number(half)}) = {number(prior)}.\n\n"
            f"Doubt, by effects that measurements refuted: {number(entry['doubt'])}. Observations of the prior = "
            f"{number(p['prior-observations'])} × (1 − {number(entry['doubt'])}) = {number(count)}.")  # fmt: skip


def _evidence(answer: dict[str, Any], entry: dict[str, Any]) -> str:
    evidence = [o for o in entry["evidence"] if o["share"] is not None]
    names = {o["statement"]: f"E{i}" for i, o in enumerate(entry["evidence"], 1)}
    summaries = {slug: statement["summary"] for slug, statement in answer["statements"].items()}
    said = [f"- {names[o['statement']]}: {o['direction']}. {summaries[o['statement']]} (`{o['source']}`)" for o in entry["evidence"]]
    factors = table(("", *FACTORS, "weight", "share"), (
        (names[o["statement"]], *(o["factors"][name] for name in FACTORS), prod(o["factors"].values()),
         "silent" if o["share"] is None else o["share"]) for o in entry["evidence"]))  # fmt: skip
    rows = []
    tolerance = entry["tolerance"]
    for cluster in dict.fromkeys(o["cluster"] for o in evidence):
        group = [o for o in evidence if o["cluster"] == cluster]
        good = [prod(o["factors"].values()) * o["share"] for o in group]
        bad = [prod(o["factors"].values()) * (1 - o["share"]) for o in group]
        total = sum(good) + sum(bad)
        s, f = sum(good) * max(good) / total, sum(bad) * max(bad) / total
        same(s * tolerance, sum(o["successes"] for o in group))
        same(f, sum(o["failures"] for o in group))
        rows.append((f"{', '.join(names[o['statement']] for o in group)}", sum(good), max(good), sum(bad), max(bad), total, s, f))
    header = ("source of", "sum for", "greatest for", "sum against", "greatest against", "total", "s", "f")
    return ("**5. Evidence.**\n\n" + "\n".join(said) + f"\n\n{factors}\n\nShared within each source: s = sum for × greatest for / total, "
            "f = sum against × greatest against / total.\n\n" + table(header, rows))  # fmt: skip


def _posterior(answer: dict[str, Any], entry: dict[str, Any]) -> str:
    p = answer["parameters"]
    s, f = (sum(o[name] for o in entry["evidence"]) for name in ("successes", "failures"))
    near = [o for o in entry["evidence"] if sum(o["steps"].values()) <= p["class-steps-most"]]
    success = sum(o["successes"] for o in near) / entry["tolerance"]
    amount = success + sum(o["failures"] for o in near)
    count, mean = entry["prior"]["observations"], entry["prior"]["mean"]
    alpha, beta = same(mean * count + s, entry["posterior"]["alpha"]), same((1 - mean) * count + f, entry["posterior"]["beta"])
    score, (low, high) = same(alpha / (alpha + beta), entry["score"]), entry["interval"]
    same(float(beta_distribution.cdf(low, alpha, beta)), p["interval-tail"])
    same(float(beta_distribution.sf(high, alpha, beta)), p["interval-tail"])
    leader = next(e for e in answer["recommended"] if e["band"] == entry["band"])
    apart = (leader["score"] - score) / sqrt(_variance(leader) + _variance(entry))
    assert apart < p["band-separation"]
    return (
        f"**6. Posterior.** With s times tolerance: α = {number(mean)} × {number(count)} + {number(s)} = {number(alpha)}; "
        f"β = {number(1 - mean)} × {number(count)} + {number(f)} = {number(beta)}. "
        f"Score = α / (α + β) = {number(score)}. Interval, the 5% and 95% points of Beta(α, β): {number(low)} to {number(high)}.\n\n"
        f"**7. Words.** Near enough evidence weighs {number(amount)}, of which {number(success / amount)} speaks for the technique: "
        f"class *{entry['class']}*. Certainty *{entry['certainty']}*: {entry['certainty_reason']}. "
        f"The best technique of the same band, {leader['label'].lower()}, is {number(apart)} standard deviations ahead, less than "
        f"{number(p['band-separation'])}: band {entry['band']}, rank {entry['rank']}."
    )


def _variance(entry: dict[str, Any]) -> float:
    alpha, beta = entry["posterior"]["alpha"], entry["posterior"]["beta"]
    return float(alpha * beta / ((alpha + beta) ** 2 * (alpha + beta + 1)))
