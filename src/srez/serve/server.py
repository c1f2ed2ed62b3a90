"""Running the server until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from srez.errors import OptionError
from srez.serve.limits import HEADER_SECONDS, MAX_CONNECTIONS, MAX_HEADER_BYTES, SEND_SECONDS, Settings
from srez.serve.observe import logs
from srez.serve.service import Service


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits where it has none.

    By itself it waits for ever for headers, takes any amount of them, and waits for ever for a client to take
    what was sent.
    """

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        # What the system does not take at once is waited for: with a buffer, nobody would see that it stays.
        transport.set_write_buffer_limits(0)
        self._awaiting: asyncio.TimerHandle | None = None  # runs while headers are awaited
        self._taking: asyncio.TimerHandle | None = None  # and while the client is to take something
        self._header_bytes = 0
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        for timer in (self._awaiting, self._taking):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes; between two requests it has to become one, even if it is only an empty line."""
        if self.cycle is None or self.cycle.response_complete:
            self._await_headers()
        super().data_received(data)

    def pause_writing(self) -> None:
        """Begin to wait for the client to take what was sent."""
        super().pause_writing()
        self._taking = self.loop.call_later(SEND_SECONDS, self._hang_up)

    def resume_writing(self) -> None:
        """The client has taken it."""
        super().resume_writing()
        if self._taking:
            self._taking.cancel()

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of a further request."""
        super().on_message_begin()
        self._await_headers()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Count the address among the headers."""
        super().on_url(url)
        self._count(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        super().on_header(name, value)
        self._count(name + value)

    def on_headers_complete(self) -> None:
        """The headers came in time."""
        if self._awaiting:
            self._awaiting.cancel()
            self._awaiting = None
        super().on_headers_complete()

    def _await_headers(self) -> None:
        if self._awaiting is None:
            self._awaiting = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def _count(self, data: bytes) -> None:
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._hang_up()

    def _hang_up(self) -> None:
        self.transport.abort()  # also where it is closing, which takes until the client has taken everything


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; running work is then finished or put back.

    Raises:
        SrezError: a folder or a model cannot be used, or the address is taken.
    """
    logs.set_up()
    # Gradio prints a traceback where it refuses a request.
    with contextlib.redirect_stderr(logs.Printed()):
        _run(settings)


def _run(settings: Settings) -> None:
    from srez.serve.api import app

    listening = _listen(settings.host, settings.port)
    service = Service(settings)
    config = uvicorn.Config(
        app.create(settings, service),
        http=LimitedHttpProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=max(1, round(settings.grace_seconds)),
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops at them, and then raises them again for whoever was there before it.
        signal.signal(number, lambda *_: None)
    _Server(config, service).run([listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS)
    except OSError as error:
        raise OptionError(f"nothing can listen at {host}:{port} (--host, --port): {error.strerror}") from None


class _Server(uvicorn.Server):
    """uvicorn, which says where it listens, and tells the service at once when it is to stop."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or []:
            host, port = one.getsockname()[:2]
            logs.event("listening", host=host, port=port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.quit()
        await super().shutdown(sockets)
