"""A real `srez serve` in a process of its own, for tests."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from srez import drawn

START_SECONDS = 60


@dataclass
class Server:
    """A running server.

    Attributes:
        process: its process.
        port: where it listens.
        log: the file of its log.
        http: a client of it.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    http: httpx.Client

    def logged(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def kill(self) -> None:
        """As the out-of-memory killer does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def memory(self) -> int:
        """The most memory that it has taken, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[Server]:
    """Start a server with its state in a folder, and stop it."""
    import time

    log = folder / f"log-{time.monotonic_ns()}"
    command = [
        sys.executable,
        "-m",
        "srez",
        "serve",
        "--port",
        "0",
        "--state",
        str(folder / "state"),
        *options,
    ]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stderr=file, env={**os.environ, **environment}, cwd=folder)
    try:
        port, end = 0, time.monotonic() + START_SECONDS
        while not port:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
            lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
            port = next((line["port"] for line in lines if line["event"] == "listening"), 0)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            yield Server(process, port, log, http)
    finally:
        process.terminate()
        process.wait(60)


def png(array: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """An array as a file."""
    file = BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def face(seed: int = 1, side: int = 16) -> np.ndarray:
    """A drawn face, `(side, side, 3)`."""
    return np.asarray(drawn.face(seed, side, side))


def by_command(folder: Path, body: bytes, *options: str, ending: str = "png") -> bytes:
    """What `srez upscale` makes of a file."""
    source, target = folder / "in.bin.png", folder / f"out.{ending}"
    source.write_bytes(body)
    command = [
        sys.executable,
        "-m",
        "srez",
        "upscale",
        str(source),
        "-o",
        str(target),
        "--overwrite",
        *options,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return target.read_bytes()
