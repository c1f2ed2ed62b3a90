"""uvicorn's HTTP protocol, with limits where it has none."""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from srez.serve.limits import HEADER_SECONDS, MAX_HEADER_BYTES, SEND_SECONDS


class LimitedHttpProtocol(HttpToolsProtocol):
    """Hangs up on clients that send headers too slowly or too many, or do not wait for or take an answer.

    uvicorn itself waits for ever for headers, takes any amount of them, and waits for ever for a client to
    take what was sent. Its protocol is private API, so `pyproject.toml` caps its version.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        # With a buffer of its own, the transport would hide that the client takes nothing.
        transport.set_write_buffer_limits(0)
        self._header_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all waiting."""
        for timer in (self._header_timer, self._send_timer):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes; between two requests, even an empty line has to become a request in time."""
        if self.cycle is None or self.cycle.response_complete:
            self._await_headers()
        super().data_received(data)

    def pause_writing(self) -> None:
        """Start waiting for the client to take what was sent."""
        super().pause_writing()
        self._send_timer = self.loop.call_later(SEND_SECONDS, self._hang_up)

    def resume_writing(self) -> None:
        """Stop waiting: the client has taken it."""
        super().resume_writing()
        if self._send_timer:
            self._send_timer.cancel()

    def on_message_begin(self) -> None:
        """Start waiting for another request's headers; hang up on one before the last's answer begins.

        uvicorn would read nothing more until that answer is sent, and not see that the client has gone. Once
        it has begun, the client may have all of it before we know.
        """
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.disconnected = True  # uvicorn would only tell the request that begins now
            self.cycle.message_event.set()
            self._hang_up()
        super().on_message_begin()
        self._await_headers()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Count the URL among the headers."""
        super().on_url(url)
        self._count(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        super().on_header(name, value)
        self._count(name + value)

    def on_headers_complete(self) -> None:
        """Stop waiting: the headers came in time."""
        if self._header_timer:
            self._header_timer.cancel()
            self._header_timer = None
        super().on_headers_complete()

    def _await_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def _count(self, data: bytes) -> None:
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._hang_up()

    def _hang_up(self) -> None:
        # Not close(), which waits until the client has taken everything.
        cast(asyncio.Transport, self.transport).abort()
