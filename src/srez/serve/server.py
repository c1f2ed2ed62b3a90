"""Runs the server until it is told to stop."""

import ctypes
import logging
import os
import signal
import socket
import sys

import uvicorn

from srez.errors import OptionError
from srez.serve.guard.protocol import LimitedHttpProtocol
from srez.serve.limits import MAX_CONNECTIONS, Settings
from srez.serve.observe import logs
from srez.serve.service import Service

_LARGE = 1024**2  # bytes of a block of memory that is given back to the system as soon as it is free
# malloc.h of glibc
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def run(settings: Settings) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; running work is then finished or put back.

    Raises:
        SrezError: this is not Linux, a folder or a model cannot be used, or the address is taken.
    """
    if sys.platform != "linux":
        raise OptionError(
            "srez serve needs Linux, because it reads pictures of strangers in confined processes: "
            "use the image (docker compose up), or WSL"
        )
    _keep_little_memory()
    _set_up_gradio()
    with logs.writing():
        _serve(settings)


def _keep_little_memory() -> None:
    """Let glibc give bodies and pictures back; it would keep them, in each thread, to save 2 % of time.

    Measured on `photo` at 190x190 pixels. Other C libraries are left as they are.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option:
        for option, value in ((_M_ARENA_MAX, 2), (_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _LARGE)):
            set_option(option, value)


def _set_up_gradio() -> None:
    """Keep Gradio from reporting this server to its makers and from looking for a newer version of itself.

    It reads these variables when it is imported. It imports pandas too, which loads PyArrow where that is
    installed: 34 MB that nothing here uses.
    """
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]  # it cannot be imported any more
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_RUN_HISTORY="False", HF_HUB_OFFLINE="1")


def _serve(settings: Settings) -> None:
    from srez.serve.api import app

    listening = _listen(settings.host, settings.port)
    service = Service(settings)
    for path in service.models.left_out:
        advice = f"it has no card: srez models add {path} makes a model of it"
        logs.event("model left out", logging.WARNING, file=str(path), reason=advice)
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
        # uvicorn stops at them, and then raises them again for whoever handled them before.
        signal.signal(number, lambda *_: None)
    server = _Server(config, service)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, server.handle_exit)  # a terminal that closes stops the server gently
    server.run([listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS)
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError(f"cannot listen on {host}:{port} (--host, --port): {reason}") from None


class _Server(uvicorn.Server):
    """A uvicorn server that logs where it listens, and tells the service at once when it is to stop."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            host, port = listening.getsockname()[:2]
            logs.event(logs.LISTENING, host=host, port=port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.quit()
        await super().shutdown(sockets)
