"""What surrounds every handler: methods, rates, cross-origin rules, entity tags, compression, errors without traces.

A handler takes a request and returns a whole response, or raises a `PalpateError`. `Served` makes a Starlette endpoint
of it: OPTIONS and HEAD are answered, other methods are refused with 405, and whatever fails unforeseen is a 500 whose
body says no more than that.
"""

import gzip
import hashlib
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kg.errors import PalpateError, UnknownName
from kg.serving.api.shared import problem
from kg.serving.sparql import QueryError

Handler = Callable[[Request], Awaitable[Response]]

_LOG = logging.getLogger("palpate")
_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Location, Retry-After"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Accept-Encoding"),
    (b"x-content-type-options", b"nosniff"),
]
_LARGE = 1024
"""Bytes from which a body is compressed."""


class Rates:
    """A token bucket for each address: `rate` requests a second over a minute. Loopback is not counted."""

    _ADDRESSES = 10_000

    def __init__(self, rate: float) -> None:
        self._rate, self._most = rate, rate * 60
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, address: str) -> float:
        """Count a request of an address; seconds until it may be served, 0 for at once."""
        if not self._rate or _is_loopback(address):
            return 0.0
        now = time.monotonic()
        left, since = self._buckets.pop(address, (self._most, now))
        left = min(self._most, left + (now - since) * self._rate)
        self._buckets[address] = (max(left - 1, 0.0), now)
        if len(self._buckets) > self._ADDRESSES:  # who came least lately is forgotten
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if left >= 1 else (1 - left) / self._rate


@lru_cache(1024)
def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class Served:
    """A handler with all that surrounds it, as an ASGI application for a Starlette route.

    Args:
        handler: answers a request.
        methods: those that it takes; HEAD goes with GET, OPTIONS with all.
        rates: counts the requests of each address.
        missing: the kinds of names that are 404 where they are not known; others are 400.
    """

    def __init__(self, handler: Handler, methods: Sequence[str], rates: Callable[[], Rates], missing: Collection[str] = ()) -> None:
        self._handler, self._rates, self._missing = handler, rates, missing
        self._methods = tuple(dict.fromkeys([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        response.raw_headers += _HEADERS
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(None, 204, self._preflight())
        if request.method not in self._methods:
            allowed = ", ".join(self._methods)
            return problem(PalpateError(f"{request.method} is not possible here; {allowed} are."), 405, {"Allow": allowed})
        if wait := self._rates().wait((request.scope.get("client") or ("",))[0]):
            return problem(PalpateError("Too many requests from this address; wait a little."), 429, {"Retry-After": str(int(wait) + 1)})
        response = await self._handled(request)
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            if not any(name == b"etag" for name, _ in response.raw_headers):
                response.headers["ETag"] = f'W/"{hashlib.sha256(response.body).hexdigest()[:32]}"'
            if "if-none-match" in request.headers and matches(request, response.headers["etag"]):
                return not_modified(response)
        return await _compressed(request, response)

    async def _handled(self, request: Request) -> Response:
        try:
            return await self._handler(request)
        except QueryError as error:
            return problem(error, error.status, error.headers, **error.extra)
        except UnknownName as error:
            return problem(error, 404 if error.kind in self._missing else 400)
        except PalpateError as error:
            return problem(error, 422 if error.exit_status == 1 else 400)
        except ClientDisconnect:
            raise
        except Exception:
            _LOG.exception("%s %s failed", request.method, request.url.path)
            return problem(PalpateError("The server failed at this request; it is in its log."), 500)

    def _preflight(self) -> dict[str, str]:
        allowed = ", ".join(self._methods)
        return {
            "Allow": allowed, "Access-Control-Allow-Methods": allowed, "Access-Control-Max-Age": "86400",
            "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
        }  # fmt: skip


def matches(request: Request, etag: str) -> bool:
    """Whether the client says that it holds this entity already (weak comparison, RFC 9110, 13.1.2)."""
    asked = request.headers.get("if-none-match", "")
    return asked.strip() == "*" or etag.removeprefix("W/") in (tag.strip().removeprefix("W/") for tag in asked.split(","))


def not_modified(response: Response) -> Response:
    """304, with the headers that the full response would have borne."""
    kept = {name: response.headers[name] for name in ("etag", "cache-control", "link", "vary") if name in response.headers}
    return Response(None, 304, kept)


async def _compressed(request: Request, response: Response) -> Response:
    if len(response.body) < _LARGE or not _takes_gzip(request.headers.get("accept-encoding", "")):
        return response
    response.body = await run_in_threadpool(gzip.compress, bytes(response.body), 5, mtime=0)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    return response


@lru_cache(256)
def _takes_gzip(accepted: str) -> bool:
    parts = [part.strip().replace(" ", "") for part in accepted.lower().split(",")]
    return any(part == "gzip" or (part.startswith("gzip;q=") and part[7:].strip("0.") != "") for part in parts)
