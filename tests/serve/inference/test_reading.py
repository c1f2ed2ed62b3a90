"""Reading in the box: a small picture comes with its size, one that hangs ends with its request or job."""

import asyncio
import threading
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from helpers.serving import PNG, Server, face, png, serving
from helpers.waiting import PATIENCE, until
from srez.apart import LARGE, Box
from srez.errors import ImageError
from srez.serve.inference.reading import Reader, Reading
from srez.serve.limits import REFUSAL_SECONDS

FACE = png(face())


def hang_readers(server: Server) -> list[psutil.Process]:
    """Let what reads pictures hang, as a decoder in an endless loop does."""
    (nursery,) = psutil.Process(server.process.pid).children()
    readers = nursery.children()
    assert readers
    for reader in readers:
        reader.suspend()
    return readers


def test_a_picture_whose_reading_hangs_is_given_up_in_time(tmp_path: Path) -> None:
    with serving(tmp_path, "--page", "none", "--max-seconds", "1") as server:
        readers = hang_readers(server)
        for _ in readers:
            answer = server.http.post("/v1/upscale", content=FACE, headers=PNG)
            assert answer.status_code == 503, answer.text
        until(lambda: server.http.post("/v1/upscale", content=FACE, headers=PNG).status_code == 200)
        until(lambda: not [reader for reader in readers if reader.is_running()])


@pytest.mark.parametrize("path", ["/v1/upscale", "/v1/jobs"])
def test_reading_ends_when_the_client_hangs_up(server: Server, path: str) -> None:
    readers = hang_readers(server)
    for _ in readers:
        with pytest.raises(httpx.ReadTimeout):
            server.http.post(path, content=FACE, headers=PNG, timeout=0.5)
    until(lambda: not [reader for reader in readers if reader.is_running()])
    assert server.http.post("/v1/upscale", content=FACE, headers=PNG).status_code == 200


def test_a_job_whose_reading_hangs_can_be_cancelled(server: Server) -> None:
    long = png(np.random.default_rng(1).integers(0, 256, (1200, 1200, 3), np.uint8), "JPEG")
    first, second = (
        server.http.post("/v1/jobs", content=body, headers=PNG).headers["Location"] for body in (long, FACE)
    )
    server.job(first, "running")
    readers = hang_readers(server)
    server.http.delete(first)
    server.job(second, "running")
    server.http.delete(second)
    until(lambda: not all(reader.is_running() for reader in readers))
    for reader in readers:
        if reader.is_running():
            reader.resume()
    third = server.http.post("/v1/jobs", content=FACE, headers=PNG).headers["Location"]
    server.job(third, "done")


def test_large_files_hold_up_no_small_one() -> None:
    reading, gate = Reading(), threading.Event()

    async def run() -> bytes:
        wait, large = (lambda body: gate.wait(PATIENCE) and body), bytes(LARGE + 1)
        waiting = [asyncio.ensure_future(reading.run(wait, large)) for _ in range(3)]
        small = await asyncio.wait_for(reading.run(lambda body: body, FACE), PATIENCE / 2)
        assert not any(each.done() for each in waiting)
        gate.set()
        await asyncio.gather(*waiting)
        return small

    assert asyncio.run(run()) == FACE
    reading.close()


def test_a_small_picture_comes_with_its_size() -> None:
    box = Box(processes=1)
    reader, body = Reader(box, lambda: None), png(face())
    size = reader.size(body, "the picture", 10_000)
    box.close()  # who asks again gets no answer
    assert size == (16, 16)
    np.testing.assert_array_equal(reader.read(body, "the picture", 10_000).pixels, face())


def test_while_others_are_read_a_refusal_is_held_back() -> None:
    reading, gate = Reading(), threading.Event()

    def refuse(_: bytes) -> bytes:
        raise ImageError("it is no picture")

    async def run() -> None:
        with pytest.raises(ImageError):
            await reading.run(refuse, FACE)
        other = asyncio.ensure_future(reading.run(lambda body: gate.wait(PATIENCE) and body, FACE))
        refused = asyncio.ensure_future(reading.run(refuse, FACE))
        answered, _ = await asyncio.wait([refused], timeout=REFUSAL_SECONDS / 2)
        assert not answered
        gate.set()
        with pytest.raises(ImageError):
            await refused
        assert await other == FACE

    asyncio.run(run())
    reading.close()
