"""The written cases of `tests/cases`: read from their files, and printed as the tables of docs/cases.md.

`python -m tests.case_files` writes the tables anew.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import kg
from tests.worked_example import table as markdown

FOLDER = Path(__file__).parent / "cases"
PAGE = Path(__file__).parents[1] / "docs" / "cases.md"
KINDS = ("serious", "benign", "notes")
URGENCY = {"emergency": "emergency", "urgent": "urgent", "medical-review": "medical review", "none": "none"}

Case = dict[str, Any]

_TABLE = re.compile(rf"(<!-- ({'|'.join(KINDS)}): written by tests/case_files.py -->\n).*?(?=<!-- end -->)", re.DOTALL)


@cache
def cases(kind: str) -> tuple[Case, ...]:
    """The cases of a kind, in the order of the file; `kind` is one of `KINDS`."""
    return tuple(tomllib.loads((FOLDER / f"{kind}.toml").read_text(encoding="utf-8"))["case"])


def link(source: dict[str, Any]) -> str:
    """The address at which a source can be read; empty where it has none."""
    for field, prefix in (("doi", "https://doi.org/"), ("pmcid", "https://pmc.ncbi.nlm.nih.gov/articles/"),
                          ("pmid", "https://pubmed.ncbi.nlm.nih.gov/"), ("url", "")):  # fmt: skip
        if field in source:
            return prefix + quote(source[field], safe=":/?&=%#+,;@~.-_")
    return ""


def table(kind: str) -> str:
    """The cases of a kind as a Markdown table."""
    if kind == "notes":
        head = ("Note", "Hazards", "Not hazards of this person")
        rows = [(f"**{case['title']}.** {case['note']}", *(_hazards(case, field) for field in ("expected", "not_expected")))
                for case in cases(kind)]  # fmt: skip
    else:
        head = ("Story", "Referral", "Because")
        rows = [(f"**{case['title']}.** {case['vignette']}", URGENCY[case["urgency"]], case["reason"]) for case in cases(kind)]
    sourced = [(*row, _source(case["source"])) for row, case in zip(rows, cases(kind), strict=True)]
    return markdown((*head, "Source"), [[" ".join(cell.split()).replace("|", "/") for cell in row] for row in sourced])


def _hazards(case: Case, field: str) -> str:
    label = kg.load().knowledge.label
    return "; ".join(f"{label(entry['slugs'][0])} (“{entry['words']}”)" for entry in case.get(field, ()))


def _source(source: dict[str, Any]) -> str:
    title = f"[{source['title']}]({link(source)})" if link(source) else source["title"]
    parts = (source.get("authors"), title, source["journal"], source.get("locator"), str(source["year"]) if "year" in source else None)
    return ". ".join(part.rstrip(".") for part in parts if part)


def page() -> str:
    """The page with the tables as they should be now."""
    return _TABLE.sub(lambda block: f"{block[1]}\n{table(block[2])}\n\n", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
