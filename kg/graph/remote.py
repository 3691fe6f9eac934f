"""Another SPARQL 1.1 server in the place of the embedded store, where `PALPATE_SPARQL_URL` names one that holds the graph.

It is asked by POST of a form. Unless the query says FROM, the request names the graphs, so that the default graph is the
union of what is asserted and inferred whatever the server takes it to be.
"""

import os
import re
import urllib.error
import urllib.parse
import urllib.request

from kg.errors import PalpateError
from kg.graph.terms import ASSERTED, INFERRED

QUOTED = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|<[^<>\"{}|^`\\\s]*>|#[^\n]*", re.DOTALL)
"""What of a query is no keyword: texts, IRIs, comments."""
_FROM = re.compile(r"(?<![\w?$:.-])FROM(?![\w:-])", re.IGNORECASE)


class RemoteError(PalpateError):
    """The server of `PALPATE_SPARQL_URL` refused or does not answer; `status` is its own, or 502."""

    def __init__(self, message: str, status: int = 502) -> None:
        super().__init__(message)
        self.status = status


def address() -> str | None:
    """The address of the server, or None where the embedded store answers.

    Raises:
        PalpateError: where it is no http or https address.
    """
    url = os.environ.get("PALPATE_SPARQL_URL")
    if url and urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise PalpateError(f"PALPATE_SPARQL_URL must be an http or https address, not {url!r}.")
    return url or None


def names_graphs(text: str) -> bool:
    """Whether a query says FROM or FROM NAMED itself."""
    return bool(_FROM.search(QUOTED.sub(" ", text)))


def ask(url: str, text: str, accept: str, *, default: tuple[str, ...] = (), named: tuple[str, ...] = (), seconds: float = 60.0,
        limit: int = 2**30) -> tuple[bytes, str]:  # fmt: skip
    """The answer of a server to a query, and its media type.

    Args:
        url: the address of the endpoint.
        text: the query.
        accept: the media types that are taken.
        default: graphs whose union is the default graph; with `named` empty too, both graphs unless the query says FROM.
        named: named graphs.
        seconds: how long to wait.
        limit: bytes of an answer at most.

    Raises:
        RemoteError: where it refuses, does not answer in time, or answers too much.
    """
    if not (default or named or names_graphs(text)):
        default = named = (ASSERTED, INFERRED)
    form = [("query", text), *(("default-graph-uri", graph) for graph in default), *(("named-graph-uri", graph) for graph in named)]
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode(), {"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            body, media = response.read(limit + 1), response.headers.get_content_type()
    except urllib.error.HTTPError as error:
        said = " ".join(error.read(300).decode("utf-8", "replace").split())
        raise RemoteError(f"The SPARQL server refuses the query ({error.code}): {said}", 400 if error.code < 500 else 502) from None
    except TimeoutError:
        raise RemoteError(f"The SPARQL server did not answer within {seconds:g} seconds.", 503) from None
    except (OSError, urllib.error.URLError):
        raise RemoteError("The SPARQL server does not answer.") from None
    if len(body) > limit:
        raise RemoteError(f"The answer is larger than {limit} bytes.", 413)
    return body, media
