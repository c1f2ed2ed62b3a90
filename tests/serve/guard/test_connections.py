"""Connections by themselves: a small application behind the server's protocol and guard."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from helpers.serving import send_for_ever
from helpers.waiting import PATIENCE, until
from srez.serve.guard import protocol
from srez.serve.guard.middleware import Guard
from srez.serve.limits import Settings
from srez.serve.observe.metrics import Metrics

LARGE = b"0" * 30_000_000


@dataclass
class Small:
    """A server that answers with `LARGE`, in one piece, or with a word.

    Attributes:
        port: where it listens.
        asked: the paths that it was asked for.
        running: the server itself.
    """

    port: int
    asked: list[str]
    running: uvicorn.Server


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    """Its patience has no end; a test sets what it is about."""
    monkeypatch.setattr(protocol, "SEND_SECONDS", PATIENCE)
    monkeypatch.setattr(protocol, "HEADER_SECONDS", PATIENCE)
    asked: list[str] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        if scope["path"] == "/never":
            while (await receive())["type"] != "http.disconnect":
                pass
        if scope["path"] == "/late":  # its end comes after all of its body
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
            await send({"type": "http.response.body", "body": b"small", "more_body": True})
            await asyncio.sleep(0.2)
            await send({"type": "http.response.body"})
            return
        await Response(LARGE if scope["path"] == "/large" else b"small")(scope, receive, send)

    config = uvicorn.Config(
        Guard(answer, Settings(), Metrics(lambda: 0, dict)),
        http=protocol.LimitedHttpProtocol,
        lifespan="off",
        log_config=None,
        timeout_keep_alive=int(PATIENCE),
    )
    running = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=running.run, args=[[listening]])
    thread.start()
    yield Small(listening.getsockname()[1], asked, running)
    running.should_exit = True
    thread.join()


def ask(port: int, path: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def take_small(connection: socket.socket) -> None:
    """Take a small answer, which may come in several pieces."""
    answer = b""
    while not answer.endswith(b"small"):
        piece = connection.recv(1000)
        assert piece, answer
        answer += piece


def read(connection: socket.socket) -> int:
    """How many bytes come until the connection ends."""
    count = 0
    try:
        while piece := connection.recv(1_000_000):
            count += len(piece)
    except ConnectionResetError:
        pass
    return count


def test_who_does_not_take_the_answer_is_hung_up_on(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SEND_SECONDS", 0.5)
    with ask(small.port, "/large") as connection:
        until(lambda: small.asked and not small.running.server_state.connections)
        assert read(connection) < len(LARGE)


def test_who_takes_it_slowly_gets_it(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SEND_SECONDS", 2.5)  # for a piece, of which a tenth of a second takes many
    with ask(small.port, "/large") as connection:
        count, began = 0, time.monotonic()
        while count < len(LARGE):
            piece = connection.recv(100_000)
            assert piece, count
            count += len(piece)
            time.sleep(0.01)
        assert time.monotonic() - began > 2.5


def test_an_empty_line_after_an_answer_keeps_no_connection(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ask(small.port, "/small") as connection:
        take_small(connection)
        monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.5)
        with pytest.raises(ConnectionError):
            send_for_ever(connection, b"\r\n", 0.1)
        assert read(connection) == 0


def test_a_connection_is_used_again(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 2)
    with ask(small.port, "/small") as connection:
        take_small(connection)
        time.sleep(2.2)  # between two requests there is no header to wait for
        for _ in range(3):
            connection.sendall(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n")
            take_small(connection)


def test_a_second_request_does_not_hide_that_the_client_has_gone(small: Small) -> None:
    request = b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ask(small.port, "/never") as connection:
        until(lambda: small.asked)
        connection.sendall(request)
    until(lambda: not small.running.server_state.tasks)
    assert small.asked == ["/never"]


def test_a_client_that_has_the_whole_answer_may_ask_again(small: Small) -> None:
    with ask(small.port, "/late") as connection:
        take_small(connection)
        connection.sendall(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n")
        take_small(connection)
