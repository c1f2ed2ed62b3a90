"""Pictures that are cut short."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from helpers.pictures import deep_png, smooth
from srez import images
from srez.errors import ImageError

SHAPE = (200, 160, 3)


def file(format_: str, **options: object) -> bytes:
    written = io.BytesIO()
    Image.fromarray(smooth(SHAPE)).save(written, format_, **options)
    return written.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        file("PNG"),
        file("JPEG"),
        file("GIF", interlace=0),
        deep_png(smooth(SHAPE, 65535)),
        deep_png(smooth(SHAPE[:2], 65535)),
    ],
    ids=["png", "jpeg", "gif", "16 bits", "16 bits gray"],
)
def test_what_there_is_of_a_file(data: bytes) -> None:
    whole, part = images.read(data).pixels, data[: len(data) // 2]
    with pytest.raises(ImageError):
        images.read(part)
    found = images.read(part, salvage=True)
    (said,) = found.unread
    missing, rows = (int(number) for number in re.findall(r"\d+", said))
    assert (rows, found.pixels.shape) == (200, whole.shape)
    assert 60 < missing < 140
    kept = 200 - missing
    assert np.array_equal(found.pixels[: kept - 1], whole[: kept - 1])
    gray = 128 if whole.dtype == np.uint8 else 32768
    assert np.all(found.pixels[kept + 1 :] == gray)


def test_scans_of_a_progressive_jpeg() -> None:
    data = file("JPEG", progressive=True)
    found = images.read(data[: 3 * len(data) // 4], salvage=True)
    assert found.unread == ("some of its scans",)
    assert np.abs(found.pixels.astype(int) - images.read(data).pixels).mean() < 20


def test_columns_of_a_turned_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file("JPEG", exif=exif)
    found = images.read(data[: len(data) // 2], salvage=True)
    assert found.size == (200, 160)
    assert re.fullmatch(r"\d+ of 200 columns", found.unread[0])


def test_a_whole_picture_is_read_as_ever() -> None:
    assert images.read(file("PNG"), salvage=True).unread == ()


@pytest.mark.parametrize("data", [b"words", file("PNG")[:40], file("WEBP")[:400], file("JPEG")[:20]])
def test_nothing_to_salvage(data: bytes) -> None:
    with pytest.raises(ImageError):
        images.read(data, salvage=True)
