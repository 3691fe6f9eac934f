"""Questions as a deck of cards for Anki."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path

from kg.learning.questions import Question

_EPOCH = (2020, 1, 1, 0, 0, 0)
_CSS = """.card { font: 18px/1.45 system-ui, sans-serif; max-width: 40rem; margin: auto; text-align: left; }
.right { font-weight: 600; } .soft { opacity: .75; font-size: .85em; } li { margin: .3em 0; }"""


def deck(questions: Sequence[Question], title: str, cite: Callable[[str], str]) -> bytes:
    """An Anki package (.apkg) of the questions; the same questions give the same bytes, and cards that are known stay known.

    Args:
        questions: the cards; their ids make the identity of the notes.
        title: the name of the deck.
        cite: how a source is cited, by its slug.
    """
    import genanki

    model = genanki.Model(
        _number("model"), "Palpate question", fields=[{"name": "Question"}, {"name": "Choices"}, {"name": "Answer"}, {"name": "Sources"}],
        templates=[{"name": "Card", "qfmt": "{{Question}}{{Choices}}",
                    "afmt": "{{FrontSide}}<hr id=answer>{{Answer}}<div class=soft>{{Sources}}</div>"}], css=_CSS,
    )  # fmt: skip
    made = genanki.Deck(_number(title), title)
    for question in questions:
        made.add_note(genanki.Note(model=model, fields=_fields(question, cite), guid=genanki.guid_for("palpate", question.id),
                                   tags=[question.kind]))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deck.apkg"
        genanki.Package(made).write_to_file(str(path), timestamp=1.0)
        return _dated(path)


def _fields(question: Question, cite: Callable[[str], str]) -> list[str]:
    choices = "".join(f"<li>{escape(choice.label)}</li>" for choice in question.choices)
    why = "".join(
        f"<li{' class=right' if c.right else ''}>{escape(c.label)}{f': {escape(c.why)}' if c.why else ''}</li>" for c in question.choices
    )
    sources = "<br>".join(escape(cite(slug)) for slug in question.sources) or escape(question.grounds)
    answer = f"<p class=right>{escape(question.right.label)}</p><p>{escape(question.explanation)}</p><ul>{why}</ul>"
    return [f"<p>{escape(question.prompt)}</p>", f"<ol type=A>{choices}</ol>", answer, sources]


def _number(name: str) -> int:
    """A number for a model or deck, which Anki wants to stay the same."""
    return int.from_bytes(sha256(f"palpate/{name}".encode()).digest()[:4], "big") | 1 << 30


def _dated(path: Path) -> bytes:
    """The package with the time of its making left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in sorted(made.namelist()):
            kept.writestr(zipfile.ZipInfo(name, _EPOCH), made.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
