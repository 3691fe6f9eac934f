"""The letter of referral: what it says, what it never says, and that it sets as a page."""

import json
from pathlib import Path

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

import kg
from kg.documents.letter import as_markdown, as_pdf, letter
from kg.documents.pdf import TEMPLATES
from kg.errors import PalpateError
from kg.reasoning.screen import Screening
from tests.test_cli import one_line, run  # noqa: F401  # a fixture

FLAGS = sorted(node.slug for node in kg.load().knowledge.of_class("RedFlag"))


@pytest.fixture(scope="module")
def calf() -> Screening:
    return kg.screen("calf-strain", age=66, sex="female", present=["dvt-calf-swelling", "dvt-immobilization"], absent=["dvt-entire-leg"])


def test_it_says_what_was_found_and_what_was_not_asked(calf: Screening) -> None:
    text = as_markdown(calf)
    assert "**Urgency: urgent.**" in text
    assert "66 years, female" in text
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")}
    assert "**Deep vein thrombosis** (suspicion considerable)" in sections["To be excluded"]
    assert "Calf 3 cm larger than the other side" in sections["Found"]
    assert "Whole leg swollen" in sections["Asked about and not there"]
    assert "Pitting edema of one leg only" in sections["Not asked"]
    assert "2 points" in sections["Decision rules"]
    assert "Do not massage" in sections["What was advised"]
    assert calf.version.sha256[:12] in text
    for line in ("Date", "To", "Client", "Therapist", "Signature"):
        assert f"{line}: ____" in text


def test_no_reason_no_letter() -> None:
    with pytest.raises(PalpateError, match="no letter to write"):
        letter(kg.screen(region="knee"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(FLAGS), min_size=1, max_size=6, unique=True))
def test_every_referral_can_be_written(present: list[str]) -> None:
    screening = kg.screen(present=present)
    if screening.referral is None:
        return
    data = letter(screening)
    assert data["exclude"]
    assert {row["exclude"] for row in data["exclude"]} >= {r.pathology_label for r in screening.referral.reasons if r.pathology_label}
    assert all(source["text"] for source in data["sources"])
    assert "It does not diagnose" in as_markdown(screening)


def test_the_same_answers_give_the_same_bytes(calf: Screening) -> None:
    assert as_pdf(calf) == as_pdf(calf)
    assert as_pdf(calf).startswith(b"%PDF-")


def test_the_page_carries_ink_and_fits(calf: Screening) -> None:
    """Set as a picture: one page of A4 that is neither blank nor full."""
    data = json.dumps(letter(calf) | {"about": "x"})
    picture = typst.compile(str(TEMPLATES / "letter.typ"), root=str(TEMPLATES), sys_inputs={"data": data}, format="png", ppi=40)
    assert isinstance(picture, bytes)  # several pages would be a list
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5_000


def test_command_line_writes_it(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    asked = ("screen", "--region", "leg", "--present", "dvt-calf-swelling", "--letter")
    for ending, starts in (("md", b"# Letter of referral"), ("pdf", b"%PDF-")):
        file = tmp_path / f"letter.{ending}"
        assert run(*asked, str(file)).status == 0
        assert file.read_bytes().startswith(starts)
    for wrong in (str(tmp_path / "letter.doc"), str(tmp_path / "nowhere" / "letter.md")):
        refused = run(*asked, wrong)
        assert refused.status == 2
        one_line(refused)
    assert run("screen", "--region", "leg", "--letter", str(tmp_path / "none.md")).status == 2
