"""Pictures read in processes of their own: the same as read here, and nothing more than they were given."""

import ctypes
import dataclasses
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from helpers.hostile import originals
from helpers.waiting import PATIENCE, until
from srez import images
from srez.apart import LARGE, Box
from srez.apart.wire import pack
from srez.errors import ImageError, OutOfMemoryError, TooLargeError

GOOD = originals()["b.jpg"]
SIZE = 24, 30  # turned by its EXIF data


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    box = Box(1)
    yield box
    box.close()


@contextmanager
def boxed(seconds: float = PATIENCE, processes: int = 1) -> Iterator[tuple[Box, psutil.Process]]:
    """A box, and the nursery that its processes were forked from."""
    before = psutil.Process().children()
    box = Box(processes, seconds)
    (nursery,) = set(psutil.Process().children()) - set(before)
    try:
        yield box, nursery
    finally:
        box.close()


def has_ended(process: psutil.Process) -> bool:
    try:
        process.wait(PATIENCE)
    except psutil.TimeoutExpired:
        return False
    return True


@pytest.mark.parametrize("name", originals())
def test_a_picture_is_read_as_it_is_here(box: Box, name: str) -> None:
    data = originals()[name]
    expected, found = images.read(data, name), box.read(data, name)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert found.pixels.dtype == expected.pixels.dtype
    for field in dataclasses.fields(images.Picture):
        if field.name != "pixels":
            assert getattr(found, field.name) == getattr(expected, field.name)
    assert box.size(data, name) == images.size(data, name)
    pixels = found.size[0] * found.size[1]
    assert box.look(data, name, pixels, pixels - 1) == found.size
    looked = box.look(data, name, pixels, pixels)
    assert isinstance(looked, images.Picture)
    np.testing.assert_array_equal(looked.pixels, found.pixels)


def test_a_large_canvas_fits(box: Box) -> None:
    """Opening a WebP takes memory for its pixels at once."""
    buffer = io.BytesIO()
    Image.new("RGBA", (4000, 4000)).save(buffer, "WEBP", lossless=True, quality=0, method=0)
    assert box.size(buffer.getvalue(), "it", 16_000_000) == (4000, 4000)


def test_errors_are_the_same(box: Box, tmp_path: Path) -> None:
    good, animated = originals()["a.png"], io.BytesIO()
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 99)]
    frames[0].save(animated, "GIF", save_all=True, append_images=frames[1:])
    several = animated.getvalue()
    for data, most in ((b"words", 100), (good[:60], 10_000), (several, 10_000), (good, 100)):
        with pytest.raises(ImageError) as here:
            images.read(data, "a name", most)
        with pytest.raises(type(here.value)) as apart:
            box.read(data, "a name", most)
        assert str(apart.value) == str(here.value)
    with pytest.raises(ImageError, match="nowhere"):
        box.read(tmp_path / "nowhere")
    assert isinstance(here.value, TooLargeError)


def test_a_slow_picture_is_stopped_and_the_next_is_read() -> None:
    with boxed(seconds=0.3) as (box, nursery):
        reader = nursery.children()[0]
        reader.suspend()
        with pytest.raises(ImageError, match=r"0\.3 seconds"):
            box.read(GOOD)
        assert has_ended(reader)
        assert box.size(GOOD) == SIZE


def test_what_a_check_raises_ends_the_reading_at_once() -> None:
    class HungUpError(Exception):
        pass

    def check() -> None:
        raise HungUpError

    with boxed() as (box, nursery):
        reader = nursery.children()[0]
        reader.suspend()  # so that nothing is ready when the box first looks
        with pytest.raises(HungUpError):
            box.read(GOOD, check=check)
        assert has_ended(reader)
        assert box.size(GOOD) == SIZE


def test_large_files_leave_a_process_to_small_ones() -> None:
    class HungUpError(Exception):
        pass

    over = threading.Event()

    def wait() -> None:
        looked.release()
        if over.is_set():
            raise HungUpError

    def give_up() -> None:
        raise HungUpError

    def read_large() -> None:
        with suppress(HungUpError):  # one may get a new process after the other has given up
            box.size(GOOD + bytes(LARGE), check=wait)

    looked = threading.Semaphore(0)
    with boxed(processes=2) as (box, nursery):
        readers = nursery.children()
        for reader in readers:
            reader.suspend()
        with ThreadPoolExecutor(2) as pool:
            large = [pool.submit(read_large) for _ in range(2)]
            for _ in range(6):  # both wait by now
                assert looked.acquire(timeout=PATIENCE)
            with pytest.raises(HungUpError):
                box.size(GOOD, check=give_up)
            until(
                lambda: sum(reader.is_running() for reader in readers) == 1
            )  # the one that had it is killed
            over.set()
            for each in large:
                each.result(PATIENCE)


def test_a_process_that_is_killed_costs_one_picture() -> None:
    with boxed() as (box, nursery):
        nursery.children()[0].kill()
        with pytest.raises(ImageError, match="broke down"):
            box.size(GOOD)
        assert box.size(GOOD) == SIZE
        reader = nursery.children()[0]
        nursery.kill()
        assert has_ended(reader)  # it does not outlive its nursery
        with pytest.raises(ImageError, match="broke down"):
            box.size(GOOD)
        assert box.size(GOOD) == SIZE


def test_nothing_is_left_of_a_closed_box() -> None:
    with boxed() as (box, nursery):
        reader = nursery.children()[0]
        box.close()
        assert has_ended(nursery)
        assert has_ended(reader)
        with pytest.raises(OutOfMemoryError):
            box.size(GOOD)


FORGED = [
    {},
    {"error": []},
    {"error": "SystemExit", "text": "a"},
    {"shape": [2, -2], "dtype": "uint8"},
    {"shape": [2, 2], "dtype": "object"},
    {"shape": [2, 2, 9], "dtype": "uint8"},
    {"shape": [10**9, 10**9], "dtype": "uint8", "unread": [], "lengths": {}},
    {"shape": [2, 2], "dtype": "uint8", "unread": [], "lengths": {"icc": 99}, "dpi": None},
    {"shape": [2, 2], "dtype": "uint8", "unread": [], "lengths": {"__class__": 0}, "dpi": None},
    {"shape": [2, 2], "dtype": "uint8", "unread": [], "lengths": {"text": [-4, 4]}, "dpi": None},
    {"shape": [2, 2], "dtype": "uint8", "unread": 1, "lengths": {}, "dpi": "ab", "jpeg": []},
]


@pytest.mark.parametrize("head", FORGED)
def test_a_forged_answer_is_a_broken_decoder(box: Box, head: dict[str, Any]) -> None:
    """As of a process that somebody has taken over."""
    box.size(GOOD)
    ours, theirs = socket.socketpair()
    box._idle[0].channel.close()
    box._idle[0].channel = ours
    with theirs:
        for piece in pack(head, b"abcd"):
            theirs.sendall(piece)
        with pytest.raises(ImageError, match="broke down"):
            box.read(GOOD)


def test_more_threads_than_processes_all_get_theirs(box: Box) -> None:
    sizes = []
    data = originals()["a.png"]
    threads = [threading.Thread(target=lambda: sizes.append(box.size(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [images.size(data)] * 8


TRIES = """
import os, socket, sys
from pathlib import Path
from srez.apart.confined import address_space, allow, confine
folder = Path(sys.argv[1])
out = (folder / "open").open("w")
space = address_space()
confine()
allow(space + 10**8, 60)
def tried(call):
    try:
        call()
    except (OSError, MemoryError):
        return False
    return True
def write():
    out.write("a")
    out.flush()
calls = {
    "open": lambda: open("/etc/passwd"),
    "write": write,
    "connect": socket.socket,
    "fork": lambda: os.fork() or os._exit(0),
    "memory": lambda: bytearray(2 * 10**8),
    "remove": (folder / "victim").unlink,
    "signal": lambda: os.kill(os.getppid(), 0),
}
done = [name for name, call in calls.items() if tried(call)]
os.write(1, " ".join(done).encode())
os._exit(0)
"""


def test_a_confined_process_can_open_write_connect_and_grow_no_more(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("here")
    done = subprocess.run(
        [sys.executable, "-c", TRIES, str(tmp_path)], capture_output=True, text=True, check=True
    )
    allowed = set(done.stdout.split())
    if os.geteuid() == 0:
        allowed -= {"fork"}  # root may
    assert not allowed - {"remove", "signal"}  # these need a kernel with Landlock
    if has_landlock():
        assert "remove" not in allowed
        assert (tmp_path / "victim").exists()


def has_landlock() -> bool:
    return ctypes.CDLL(None).syscall(444, None, 0, 1) > 0
