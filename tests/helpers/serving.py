"""A real `srez serve` in a process of its own, for tests."""

import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
from PIL import Image

from helpers.commands import SREZ, run
from helpers.waiting import PATIENCE, until
from srez.datasets import cartoons
from srez.serve.api.app import create
from srez.serve.service import Service

T = TypeVar("T")
PNG = {"Content-Type": "image/png"}

# On a slow or busy machine nothing is turned down for a long wait; later options win over these.
PATIENT = ("--max-wait", "3600", "--max-seconds", "3600")


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
        """The lines of its log; what comes after the last end of a line may be half of one."""
        return [json.loads(line) for line in self.log.read_text().split("\n")[:-1]]

    def logged_of(self, request_id: str) -> list[dict[str, Any]]:
        """The lines of a request, which are written when its answer has been sent already."""
        return until(lambda: [line for line in self.logged() if line.get("request_id") == request_id])

    def job(self, where: str, *states: str) -> dict[str, Any]:
        """A job as soon as it is in one of some states; fails if it ends in another."""

        def found() -> dict[str, Any] | None:
            job = self.http.get(where).json()
            assert job["state"] in ("queued", "running", *states), job
            return job if job["state"] in states else None

        return until(found)

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
    log = folder / f"log-{time.monotonic_ns()}"
    command = [*SREZ, "serve", "--port", "0", "--state", str(folder / "state"), *PATIENT, *options]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stderr=file, env={**os.environ, **environment}, cwd=folder)
    try:
        port = until(lambda: _port(process, log))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
            yield Server(process, port, log, http)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Where a server listens; 0 until it does."""
    assert process.poll() is None, log.read_text()
    lines = [json.loads(line) for line in log.read_text().split("\n")[:-1] if line.endswith("}")]
    return next((line["port"] for line in lines if line["event"] == "listening"), 0)


def let_files_grow_to(server: Server, size: int) -> None:
    """Every file that would become larger does not fit from now on, as on a full disk."""
    most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, most))


def send_for_ever(connection: socket.socket, data: bytes, pause: float) -> None:
    """Send something again and again, until the other side hangs up (ConnectionError) or patience is over."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        connection.sendall(data)
        time.sleep(pause)


def in_process(service: Service, talk: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """What comes of a talk with an application in this process, which works on no jobs."""

    async def run() -> T:
        transport = httpx.ASGITransport(create(service.settings, service))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await talk(client)

    return asyncio.run(run())


def ask(service: Service, method: str, path: str, **request: Any) -> httpx.Response:
    """What such an application answers."""
    return in_process(service, lambda client: client.request(method, path, **request))


def png(array: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """An array as a file."""
    file = BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def face(seed: int = 1, side: int = 16) -> np.ndarray:
    """A drawn face, `(side, side, 3)`."""
    return np.asarray(cartoons.face(seed, side, side))


def by_command(folder: Path, body: bytes, *options: str, ending: str = "png") -> bytes:
    """What `srez upscale` makes of a file; in this process, which has its modules loaded."""
    source, target = folder / "in.bin.png", folder / f"out.{ending}"
    source.write_bytes(body)
    done = run("upscale", source, "-o", target, "--overwrite", *options)
    assert done.exit_code == 0, done.output
    return target.read_bytes()
