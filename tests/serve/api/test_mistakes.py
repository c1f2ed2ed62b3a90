"""Mistakes of clients and defects of ours: each is told in one sentence."""

import socket
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import pictures
from helpers.serving import PNG, Server, in_process, png
from helpers.waiting import PATIENCE
from srez.serve.errors import INTERNAL_ERROR
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

FACE = png(pictures.portrait())
RANDOM = np.random.default_rng(7)


def bomb(side: int) -> bytes:
    """The header of a PNG of side x side pixels, with next to nothing behind it."""
    return pictures.png_of(side, side, zlib.compress(b"\0" * 1000))


@pytest.mark.parametrize(
    ("query", "body", "headers", "status", "word"),
    [
        ("", b"not a picture", PNG, 415, "is not a PNG"),
        ("", FACE[:200], PNG, 415, "cut short"),
        ("", b"", PNG, 400, "empty"),
        ("", FACE, {"Content-Type": "text/plain"}, 415, "image/avif"),
        ("", FACE, {"Content-Type": "multipart/form-data"}, 400, "form"),
        ("", FACE, {"Content-Type": "multipart/form-data; boundary=x"}, 400, "form"),
        ("?format=bmp", FACE, PNG, 422, "use one of png"),
        ("?quality=0", FACE, PNG, 422, "quality"),
        ("?colour=red", FACE, PNG, 422, "'colour'"),
        ("?width=1000000", FACE, PNG, 400, "cannot become 1000000x1000000"),
        ("?scale=2&width=9", FACE, PNG, 400, "either scale"),
        ("?model=../../etc/passwd", FACE, PNG, 404, "no model"),
        ("?model=/tmp/a.onnx", FACE, PNG, 404, "no model"),
        ("?format=jpeg", png(RANDOM.integers(0, 256, (9, 9, 4), np.uint8)), PNG, 422, "transparency"),
        ("?format=webp", png(np.zeros((1, 5000), np.uint8)), PNG, 422, "16,383"),
        ("", bomb(1200), PNG, 413, "/v1/jobs"),
        ("", bomb(30_000), PNG, 413, "--max-pixels"),
        ("", b"0" * 4_000_001, PNG, 413, "--max-body"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    server: Server, query: str, body: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    answer = server.http.post("/v1/upscale" + query, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    said = answer.json()["error"]
    assert word in said
    assert "Traceback" not in said
    assert "/state" not in said
    assert "--background" not in said


def test_a_body_without_a_length_is_counted(server: Server) -> None:
    answer = server.http.post("/v1/upscale", content=(b"0" * 100_000 for _ in range(50)), headers=PNG)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/v1/upscale", "POST"), ("PUT", "/v1/jobs/a", "DELETE, GET"), ("POST", "/healthz", "GET")],
)
def test_other_methods_are_told_which_there_are(server: Server, method: str, path: str, allow: str) -> None:
    answer = server.http.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


def test_a_slow_sender_is_told_so(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = "POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        head += "Content-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + FACE[:10])
        connection.settimeout(PATIENCE)
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    assert server.http.post("/v1/upscale", content=FACE, headers=PNG).status_code == 200


def test_a_client_that_hangs_up_in_its_body_is_no_defect(server: Server) -> None:
    head = (
        "POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: gone-1\r\nContent-Type: image/png\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + FACE[:10])
        time.sleep(0.2)
    assert [(line["level"], line["status"]) for line in server.logged_of("gone-1")] == [("info", 499)]


def test_a_defect_is_told_as_any_error(tmp_path: Path) -> None:
    service = Service(Settings(state=tmp_path, page=Page.NONE))

    async def fail(*_: Any) -> None:
        raise ValueError(f"something in {tmp_path}")

    service.upscale = fail  # type: ignore[method-assign]

    answer = in_process(service, lambda client: client.post("/v1/upscale", content=FACE, headers=PNG))
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": INTERNAL_ERROR},
    )
