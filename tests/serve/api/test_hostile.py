"""Bodies that are meant to hurt."""

import socket
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.pictures import png_chunk, png_of
from helpers.serving import PNG, Server, by_command, face, png, send_for_ever, serving
from helpers.waiting import PATIENCE

GOOD = png(face())
HEAD = "POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: "


def hostile(random: np.random.Generator, number: int) -> bytes:
    """The body of a number: bombs, polyglots, damaged and cut files of every kind."""
    kind = number % 10
    side = int(random.integers(2_000, 60_000))
    if kind == 0:  # a header of a huge picture
        return png_of(side, side, zlib.compress(b"\0" * 100_000))
    if kind == 1:  # the same as GIF, whose header is smaller still
        return b"GIF89a" + struct.pack("<HH", min(side, 65535), 65535) + b"\x80\0\0" + b"\0" * 6 + b";"
    if kind == 2:  # the same as BMP
        return b"BM" + struct.pack("<IIIIiiHHIIiiII", 70, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    if kind == 3:  # thirty megabytes of nonsense behind the header of a small picture
        return png_of(16, 16, zlib.compress(b"\xff" * 30_000_000, 9)[: int(random.integers(100, 25_000))])
    if kind == 4:  # a page and a picture in one
        return b"<html><script>alert(1)</script>" + GOOD
    if kind == 5:  # an archive
        return b"PK\x03\x04" + random.bytes(500)
    if kind == 6:  # damaged somewhere
        damaged = bytearray(png(face(number), ("PNG", "JPEG", "WEBP", "TIFF", "GIF")[number // 10 % 5]))
        for place in random.integers(8, len(damaged), 20):
            damaged[place] = random.integers(256)
        return bytes(damaged[: len(damaged) // 2])
    if kind == 7:  # a text chunk that unpacks to a gigabyte, and no pixels
        return png_of(16, 16, b"", png_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 10_000_000, 9)))
    if kind == 8:  # a TIFF whose directory points at itself
        return (
            b"II*\0\x08\0\0\0"
            + struct.pack("<H", 1)
            + struct.pack("<HHII", 256, 4, 1, side)
            + struct.pack("<I", 8)
        )
    return random.bytes(int(random.integers(1, 5_000)))


def slowly(server: Server, statuses: list[int]) -> None:
    """A body, a byte a second."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(f"{HEAD}999\r\n\r\n".encode())
        connection.settimeout(1)
        for _ in range(60):
            try:
                connection.sendall(b"\x89")
                head = connection.recv(100)
            except TimeoutError:
                continue
            statuses.append(int(head.split()[1]))
            return


def wrong_lengths(server: Server, number: int) -> int | None:
    """A body of another length than said; None where the connection was closed without a word."""
    said = ("5", "-5", "99999999999", "abc", "1e3")[number % 5]
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(f"{HEAD}{said}\r\n\r\n".encode() + GOOD[:300])
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(100)
        return int(answer.split()[1]) if answer else None


@pytest.mark.serve_slow
def test_five_hundred_hostile_bodies(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    with serving(tmp_path, "--page", "none") as server:
        right = by_command(tmp_path, GOOD)
        slow: list[int] = []
        threads = [threading.Thread(target=slowly, args=[server, slow]) for _ in range(20)]
        for thread in threads:
            thread.start()
        statuses: dict[int, int] = {}
        for number in range(440):
            body = hostile(random, number)
            path = ("/v1/upscale", "/v1/upscale?scale=2", "/v1/upscale?format=webp", "/v1/jobs")[number % 4]
            send: dict[str, Any] = (
                {"files": {"file": ("a/../b", body)}} if number % 3 else {"content": body, "headers": PNG}
            )
            answer = server.http.post(path, **send)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            if path != "/v1/jobs":  # a job's pixels are looked at later
                assert 400 <= answer.status_code < 500, (number, answer.status_code, answer.text)
            assert answer.status_code < 500
            if number % 20 == 0:
                assert server.http.post("/v1/upscale", content=GOOD, headers=PNG).content == right
        lengths = [wrong_lengths(server, number) for number in range(40)]
        assert all(status is None or 400 <= status < 500 for status in lengths), lengths
        for thread in threads:
            thread.join()
        assert slow == [408] * 20
        assert server.http.post("/v1/upscale", content=GOOD, headers=PNG).content == right
        assert server.memory() < 1e9
        assert not [line for line in server.logged() if line["level"] == "error"]
        memory = server.memory() / 1e6
        print(f"{statuses}; wrong lengths {set(lengths)}; slow senders {set(slow)}; {memory:.0f} MB")


@pytest.mark.serve_slow
def test_large_pictures_in_all_formats_stay_within_memory(tmp_path: Path) -> None:
    """What is within the limits, but as heavy as they allow: plain 16-bit pictures with transparency."""
    heavy = png_of(4000, 4000, zlib.compress(b"\0" * (1 + 8 * 4000) * 4000, 9), kind=6, depth=16)
    with serving(tmp_path, "--page", "none") as server:
        for kind in ("webp", "jpeg", "avif"):
            assert server.http.post(f"/v1/jobs?format={kind}", content=heavy, headers=PNG).status_code == 413
        where = server.http.post("/v1/jobs", content=heavy, headers=PNG).headers["Location"]
        server.job(where, "done")
        print(f"a 4000x4000 picture of 16 bits with transparency: {server.memory() / 1e6:.0f} MB")


def test_headers_that_never_end_are_hung_up_on(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            send_for_ever(connection, b"X-A: " + b"a" * 10_000 + b"\r\n", 0.01)
    assert server.http.get("/healthz").status_code == 200


def test_an_animation_is_refused(server: Server) -> None:
    frames = [Image.fromarray(face(seed)) for seed in range(3)]
    body = png(face(), "GIF", save_all=True, append_images=frames)
    assert server.http.post("/v1/upscale", content=body, headers=PNG).status_code == 415
