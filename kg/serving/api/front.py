"""Before all other routes: the short ways.

What was answered before is answered again at once from the bytes that were sent: whole answers to GET that any cache on
the way might keep (`Cache-Control: public`), up to a number of bytes. And routes of a fixed path are gone to straight, past
what Streamlit lays around its pages (sessions, compression, tracing), which takes longer than a cheap query does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.serving.api.web import Rates
from kg.serving.sparql.cache import Cache

_SELECTING = (b"accept", b"accept-encoding")
_BYTES = 32 * 2**20


@dataclass(slots=True)
class _Sent:
    """The messages of a response: its start, and the body in one."""

    start: Message = field(default_factory=dict)
    body: bytes = b""


class Front:
    """ASGI middleware around the whole server.

    Args:
        app: all that is served.
        rates: counts those too whom it answers itself.
        routes: those that are gone to straight where their path is fixed.
    """

    def __init__(self, app: ASGIApp, rates: Any, routes: Iterable[BaseRoute] = ()) -> None:
        self._app, self._rates = app, rates
        self._straight = {route.path: route.app for route in routes if isinstance(route, Route) and not route.param_convertors}
        self._sent: Cache[_Sent] = Cache(_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        app = self._app if scope.get("root_path") else self._straight.get(scope["path"], self._app)
        key = _key(scope) if scope["method"] == "GET" else None
        if key is None:
            return await app(scope, receive, send)
        sent = self._sent.get(key)
        rates: Rates = self._rates()
        if sent and not rates.wait((scope.get("client") or ("",))[0]):
            await send(sent.start)
            await send({"type": "http.response.body", "body": sent.body})
            return None
        return await app(scope, receive, send if sent else self._keeping(key, send))

    def _keeping(self, key: tuple[Any, ...], send: Send) -> Send:
        """`send` that keeps a response which comes whole, in one start and one body."""
        sent = _Sent()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent.start = message
            elif message["type"] == "http.response.body" and not message.get("more_body") and _may_be_kept(sent.start):
                body = message.get("body", b"")
                if (b"content-length", str(len(body)).encode()) in sent.start["headers"]:
                    sent.body = body
                    self._sent.put(key, sent)
            await send(message)

        return keep


def _may_be_kept(start: Message) -> bool:
    headers = dict(start["headers"])
    return start["status"] == 200 and headers.get(b"cache-control", b"").startswith(b"public") and b"set-cookie" not in headers


def _key(scope: Scope) -> tuple[Any, ...] | None:
    """What selects an answer; None where the client asks under a condition."""
    selecting: list[bytes] = []
    for name, value in scope["headers"]:
        if name in _SELECTING:
            selecting += (name, value)
        elif name in (b"if-none-match", b"range"):
            return None
    return (scope["path"], scope["query_string"], *selecting)
