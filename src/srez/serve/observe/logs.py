"""Logs of the server: no picture, no file name, no key, and only addresses that the server saw.

Each is one line of JSON, or on a terminal a line to read.
"""

import io
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any, TextIO

LISTENING = "listening"  # the event
_STDERR = 2  # the file descriptor
_RELAY_SECONDS = 1.0  # for the last lines at the end

log = logging.getLogger("srez.serve")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with further fields from `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TerminalFormatter(logging.Formatter):
    """Formats a record as a line to read; where the server listens as a link to click."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        if record.getMessage() == LISTENING:
            address = link(fields["host"], fields["port"])
            return f"srez listens at {address} (the API: {address}docs). Ctrl-C stops it."
        facts = " ".join(f"{name}={value}" for name, value in fields.items())
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{moment} {level}{record.getMessage()} {facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line.rstrip()


def link(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens on a host and port."""
    own = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{own}:{port}/"


class PrintedLines(io.TextIOBase):
    """A stream for what libraries print; each line becomes a line of the log."""

    def __init__(self) -> None:
        """Start with an empty line."""
        self._line = threading.local()  # threads do not mix theirs

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take some text, and log each line that ends in it."""
        *lines, self._line.begun = (getattr(self._line, "begun", "") + text).split("\n")
        for line in filter(str.strip, lines):
            event("printed", logging.WARNING, text=line)
        return len(text)


@contextmanager
def writing() -> Iterator[None]:
    """Send all logs of the process to standard error: as JSON, unless that is a terminal.

    What libraries write there becomes lines of it.

    Python's libraries write to `sys.stderr`, others to the file descriptor: both are replaced for the block.
    """
    own = os.fdopen(os.dup(_STDERR), "w", buffering=1, encoding="utf-8")
    with own as stream, redirect_stderr(PrintedLines()):
        _set_up(stream)
        source, sink = os.pipe()
        os.set_blocking(sink, False)  # a library that writes much must lose lines, not wait for our thread
        os.dup2(sink, _STDERR)
        os.close(sink)
        reader = threading.Thread(target=_relay, args=[source], name="srez-stderr", daemon=True)
        reader.start()
        try:
            yield
        finally:
            os.dup2(stream.fileno(), _STDERR)  # ends the pipe, unless a child of ours still has it
            reader.join(_RELAY_SECONDS)
            _set_up(sys.__stderr__ or stream)


def _relay(source: int) -> None:
    """Log each line that comes from a pipe, until it ends."""
    with os.fdopen(source, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip():
                event("printed", logging.WARNING, text=line.rstrip("\n"))


def _set_up(stream: TextIO) -> None:
    """Send all logs of the process to a stream, but for uvicorn's line per request."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TerminalFormatter() if stream.isatty() else JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name, level in {
        "PIL": logging.CRITICAL,
        "httpx": logging.WARNING,
        "uvicorn.access": logging.CRITICAL,
    }.items():
        logging.getLogger(name).setLevel(level)


def event(name: str, level: int = logging.INFO, **fields: Any) -> None:
    """Log an event.

    Args:
        name: what happened.
        level: of `logging`.
        fields: what JSON can hold; None is left out.
    """
    log.log(level, name, extra={"fields": {key: value for key, value in fields.items() if value is not None}})
