"""Files that ask for much are refused, or read, in little time and memory."""

import os
import subprocess
import sys

import numpy as np
import pytest

from helpers.hostile import MADE
from helpers.hostile.jpeg import scanned
from srez import images
from srez.errors import ImageError

SECONDS = 2.0  # of computing, and nearly all take less than a tenth
MEMORY = 300 * 1024  # kilobytes more than before

# In a process of its own, because the most memory that a process has ever had never goes down.
LOOK = """
import resource, sys, time
import numpy as np
from helpers.hostile import MADE
from srez import images
from srez.errors import ImageError
from srez.images.preload import preload
preload(1)
for number, (name, make) in enumerate(MADE.items()):
    data = make(np.random.default_rng(number))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    for look in (images.size, images.read):
        try:
            look(data, name, 1_000_000)
        except ImageError as error:
            assert name in str(error)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(name, time.process_time() - began, grown, flush=True)
"""


def test_no_made_file_takes_much() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, env=environment)
    assert not done.returncode, done.stderr
    taken = [line.split() for line in done.stdout.splitlines()]
    assert [name for name, _, _ in taken] == list(MADE)
    for name, seconds, kilobytes in taken:
        assert float(seconds) < SECONDS, name
        assert int(kilobytes) < MEMORY, name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tile.tif", "tiles that are much larger than the picture"),
        ("pages.tif", "more than 1,000 pages"),
        ("strips.tif", "more than 200,000 values of one tag"),
        ("heavy.tif", "tags"),
        ("scans.jpg", "more than 100 scans"),
        ("marks.jpg", "more than 1,000 segments"),
        ("padding.jpg", "more than 64 KB between its segments"),
        ("photoshop.jpg", "more than 10,000 entries of Photoshop"),
        ("heavy.jpg", "tags"),
        ("chunks.png", "chunks of a few bytes"),
        ("empty-idat.png", "chunks of a few bytes"),
        ("heavy.png", "tags"),
        ("comments.gif", "more than 10,000 blocks"),
        ("long-comment.gif", "pieces of a few bytes"),
        ("canvas.webp", "more than"),
        ("chunks.webp", "more than 1,000 chunks"),
        ("heavy.webp", "tags"),
        ("moves.bmp", "more runs than pixels"),
        ("items.avif", "more than 2,000 items"),
        ("boxes.avif", "more than 1,000 boxes"),
        ("grid.avif", "too many parts"),
        ("frames.avif", "more than 10,000 frames"),
        ("heavy.avif", "tags"),
    ],
)
def test_made_files_are_refused_with_the_reason(name: str, reason: str) -> None:
    data = MADE[name](np.random.default_rng(5))
    with pytest.raises(ImageError, match=reason) as caught:
        images.read(data, name)
    assert name in str(caught.value)


def test_as_many_scans_as_may_be_are_read() -> None:
    assert images.read(scanned(64, 50)).size == (64, 64)
    with pytest.raises(ImageError, match="scans"):
        images.read(scanned(64, 101))


def test_marks_in_pixels_and_behind_the_end_are_no_scans() -> None:
    data = scanned(64, 10)
    assert images.read(data + b"\xff\xda\0\2" * 500).size == (64, 64)  # a film behind a still, say
