"""Another SPARQL 1.1 server in the place of the embedded store, where `PALPATE_SPARQL_URL` names one that holds the graph.

It is asked by POST of a form. Unless the query says FROM, the request names the graphs, so that the default graph is the
union of what is asserted and inferred whatever the server takes it to be. What it finds is read here and written by us, so
that answers have the same formats whatever the server writes.
"""

import http.client
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kg.errors import PalpateError
from kg.graph.terms import ASSERTED, INFERRED, PAL

if TYPE_CHECKING:
    import pyoxigraph as ox

    Results = ox.QuerySolutions | ox.QueryBoolean | Iterable[ox.Triple]

QUOTED = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|<[^<>\"{}|^`\\\s]*>|#[^\n]*", re.DOTALL)
"""What of a query is no keyword: texts, IRIs, comments."""
_FROM = re.compile(r"(?<![\w?$:.-])FROM(?![\w:-])", re.IGNORECASE)
_FORM = re.compile(r"(?<![\w?$:.-])(SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:-])", re.IGNORECASE)
_TABLE, _GRAPHS = "application/sparql-results+json", ("text/turtle", "application/n-triples", "application/rdf+xml")
_TRUTH_AS_TABLE = "__ASK_RETVAL"
"""The column in which Virtuoso gives a truth value."""


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
    return "from" in text.lower() and bool(_FROM.search(QUOTED.sub(" ", text)))


def finds_graph(text: str) -> bool:
    """Whether a query is a CONSTRUCT or DESCRIBE; of a malformed one, either."""
    form = _FORM.search(QUOTED.sub(" ", text))
    return form is not None and form[1].upper() in ("CONSTRUCT", "DESCRIBE")


def evaluate(url: str, text: str, *, default: tuple[str, ...] = (), named: tuple[str, ...] = (), seconds: float = 60.0,
             limit: int = 2**30) -> "Results":  # fmt: skip
    """What a server finds.

    Args:
        url: the address of the endpoint.
        text: the query; its relative IRIs are of our namespace.
        default: graphs whose union is the default graph; with `named` empty too, both graphs unless the query says FROM.
        named: named graphs.
        seconds: how long to wait.
        limit: bytes that the server may send.

    Raises:
        RemoteError: where it refuses, does not answer in time, answers too much, or what cannot be read.
    """
    import pyoxigraph as ox

    if not (default or named or names_graphs(text)):
        default = named = (ASSERTED, INFERRED)
    form = [("query", f"BASE <{PAL}> {text}"),
            *(("default-graph-uri", graph) for graph in default), *(("named-graph-uri", graph) for graph in named)]  # fmt: skip
    body, media = _post(url, form, ", ".join(_GRAPHS) if finds_graph(text) else _TABLE, seconds, limit)
    try:
        if media in _GRAPHS:
            return [quad.triple for quad in ox.parse(body, format=ox.RdfFormat.from_media_type(media))]
        if media != _TABLE:
            raise RemoteError(f"The SPARQL server answers as {media}, which was not asked for.")
        found = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
        if isinstance(found, ox.QuerySolutions) and [variable.value for variable in found.variables] == [_TRUTH_AS_TABLE]:
            return _truth(any(solution[0].value == "1" for solution in found))
        return found
    except (SyntaxError, ValueError) as error:
        raise RemoteError(f"The answer of the SPARQL server cannot be read: {' '.join(str(error).split())[:200]}") from None


def _truth(value: bool) -> "ox.QueryBoolean":
    import pyoxigraph as ox

    body = b'{"head": {}, "boolean": %s}' % str(value).lower().encode()
    return ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)  # type: ignore[return-value]


def _post(url: str, form: list[tuple[str, str]], accept: str, seconds: float, limit: int) -> tuple[bytes, str]:
    """The body of a server's answer, at most `limit` bytes, and its media type."""
    end = time.monotonic() + seconds
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode(), {"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:
            body, media = bytearray(), response.headers.get_content_type()
            while len(body) <= limit and (chunk := response.read1(2**16)):
                body += chunk
                if time.monotonic() > end:  # what comes drop by drop never times out by itself
                    raise TimeoutError
            if response.length and len(body) <= limit:
                raise http.client.IncompleteRead(b"", response.length)
    except urllib.error.HTTPError as error:
        said = " ".join(error.read(300).decode("utf-8", "replace").split())
        raise RemoteError(f"The SPARQL server refuses the query ({error.code}): {said}", 400 if error.code < 500 else 502) from None
    except TimeoutError:
        raise RemoteError(f"The SPARQL server did not answer within {seconds:g} seconds.", 503) from None
    except (OSError, http.client.HTTPException):
        raise RemoteError("The SPARQL server does not answer, or breaks off.") from None
    if len(body) > limit:
        raise RemoteError(f"The answer is larger than {limit} bytes.", 413)
    return bytes(body), media
