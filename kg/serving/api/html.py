"""The frame of a page that a person reads: style within it, nothing of another host."""

from html import escape

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f4f6;border-radius:4px;padding:.1em .3em}pre{padding:.8em;overflow:auto}
section{border-top:1px solid #d0d7de;margin-top:2rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;
vertical-align:top;padding:.3em .6em;border-bottom:1px solid #e5e7eb}a{color:#0b5cad}
@media (prefers-color-scheme:dark){body{background:#16181c;color:#e6e8eb}code,pre{background:#24272d}a{color:#7db7ff}}"""


def page(title: str, body: str) -> str:
    """A whole page; `title` is text, `body` is HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )
