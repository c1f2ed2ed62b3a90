"""Running the server until it is told to stop."""

import os
import signal
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from srez.errors import OptionError
from srez.serve import logs
from srez.serve.limits import HEADER_SECONDS, MAX_CONNECTIONS, MAX_HEADER_BYTES, Settings


class CarefulProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever for headers, and takes any amount of them."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEADER_SECONDS, self._hang_up)
        self._header_bytes = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._patience.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of a further request."""
        super().on_message_begin()
        self._patience.cancel()
        self._patience = self.loop.call_later(HEADER_SECONDS, self._hang_up)
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
        self._patience.cancel()
        super().on_headers_complete()

    def _count(self, data: bytes) -> None:
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._hang_up()

    def _hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; running work is then finished or put back.

    Raises:
        SrezError: a folder or a model cannot be used, or the address is taken.
    """
    logs.set_up()
    # Before Gradio is imported: it would tell its makers of this server, and look for newer versions.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", GRADIO_RUN_HISTORY="False")
    from srez.serve import app

    listening = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        app.create(settings),
        http=CarefulProtocol,
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
    _Server(config).run([listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS)
    except OSError as error:
        raise OptionError(f"nothing can listen at {host}:{port} (--host, --port): {error.strerror}") from None


class _Server(uvicorn.Server):
    """uvicorn, which says where it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or []:
            host, port = one.getsockname()[:2]
            logs.event("listening", host=host, port=port)
