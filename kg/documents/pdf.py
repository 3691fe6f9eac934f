"""PDFs and drawings by Typst: a template beside this module, and plain data for it to set.

The fonts are those that Typst carries, the date is left out, so the same data gives the same bytes on every machine.
"""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import typst

TEMPLATES = Path(__file__).parent / "templates"


def pdf(template: str, data: dict[str, Any]) -> bytes:
    """Set `data` by the template of that name, which reads it as `json(bytes(sys.inputs.data))`."""
    return _set(template, data, "pdf")


def svg(template: str, data: dict[str, Any]) -> str:
    """A drawing of one page."""
    return _set(template, data, "svg").decode()


def _set(template: str, data: dict[str, Any], format: Literal["pdf", "svg"]) -> bytes:
    import typst

    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    source = str(TEMPLATES / f"{template}.typ")
    return typst.compile(source, root=str(TEMPLATES), sys_inputs={"data": text}, font_paths=fonts(), timestamp=0, format=format)


@cache
def fonts() -> "typst.Fonts":
    """The fonts that Typst carries and none of the machine, so that pages break alike everywhere."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
