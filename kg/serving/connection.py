"""A connection of the HTTP server: it sends the head of a response with the body, and logs no request.

uvicorn writes them apart. Each write wakes the client, and the first wakes it for nothing: of a cheap query that is a tenth
of the whole time. What is asked may be of a client, which is nobody's to log; Streamlit turns the log on.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Pairing:
    """A transport that holds what is written for the next that is, or until the event loop turns; all else is its own."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.plain = transport
        self._loop = asyncio.get_running_loop()
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def write(self, data: bytes) -> None:
        """Send what is held with this, or hold it."""
        if self._held:
            held, self._held = self._held, b""
            self.plain.writelines((held, data))
        elif data:
            self._held = data
            self._loop.call_soon(self._send)

    def close(self) -> None:
        """Send what is held, then close."""
        self._send()
        self.plain.close()

    def _send(self) -> None:
        held, self._held = self._held, b""
        if held and not self.plain.is_closing():
            self.plain.write(held)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which writes head and body at once and logs no request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client is there."""
        super().connection_made(cast(asyncio.Transport, _Pairing(transport)))
        self.access_log = False

    def handle_websocket_upgrade(self) -> None:
        """A websocket has no heads and bodies: a frame that is held would wait for the next turn of the loop for nothing."""
        self.transport = cast(_Pairing, self.transport).plain
        super().handle_websocket_upgrade()
