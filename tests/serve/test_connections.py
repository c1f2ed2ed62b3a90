"""Connections by themselves: a small application behind the server's protocol and guard."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from srez.serve import server
from srez.serve.guard import Guard
from srez.serve.limits import Settings
from srez.serve.metrics import Metrics

LARGE = b"0" * 30_000_000


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server with little patience that answers with `LARGE`, in one piece."""
    monkeypatch.setattr(server, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(LARGE if scope["path"] == "/large" else b"small")(scope, receive, send)

    config = uvicorn.Config(
        Guard(answer, Settings(), Metrics(None)), http=server.CarefulProtocol, lifespan="off", log_config=None
    )
    running = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=running.run, args=[[listening]])
    thread.start()
    yield listening.getsockname()[1]
    running.should_exit = True
    thread.join()


def ask(port: int, path: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return connection


def read(connection: socket.socket, pause: float = 0) -> int:
    """How many bytes come until the connection ends, or nothing comes any more."""
    count = 0
    try:
        while piece := connection.recv(1_000_000):
            count += len(piece)
            time.sleep(pause)
    except ConnectionResetError:
        pass
    return count


def test_who_does_not_take_the_answer_is_hung_up_on(port: int) -> None:
    with ask(port, "/large") as connection:
        time.sleep(1.5)
        assert read(connection) < len(LARGE)


def test_who_takes_it_slowly_gets_it(port: int) -> None:
    with ask(port, "/large") as connection:
        count = 0
        while count < len(LARGE):
            count += len(connection.recv(400_000))
            time.sleep(0.01)


def test_an_empty_line_after_an_answer_keeps_no_connection(port: int) -> None:
    with ask(port, "/small") as connection:
        assert connection.recv(1000).endswith(b"small")
        began = time.monotonic()
        for _ in range(30):
            try:
                connection.sendall(b"\r\n")
            except OSError:
                break
            time.sleep(0.1)
        assert read(connection) == 0
        assert time.monotonic() - began < 2


def test_a_connection_is_used_again(port: int) -> None:
    with ask(port, "/small") as connection:
        for _ in range(3):
            assert connection.recv(1000).endswith(b"small")
            time.sleep(0.4)
            connection.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(1000).endswith(b"small")
