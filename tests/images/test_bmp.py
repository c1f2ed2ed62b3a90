"""Every kind of BMP, made byte by byte, against pixels that are worked out by hand."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from srez import images
from srez.cli import app
from srez.errors import ImageError

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FOUR = [RED, GREEN, BLUE, WHITE]


def bmp(
    size: tuple[int, int],
    bits: int,
    pixels: bytes,
    palette: list[tuple[int, int, int]] | None = None,
    compression: int = 0,
    header_size: int = 40,
    masks: tuple[int, ...] = (),
) -> bytes:
    """A BMP with bottom row first; a negative height puts the top row first."""
    palette = palette or []
    if header_size == 12:
        header = struct.pack("<IHHHH", 12, *size, 1, bits)
        colours = b"".join(bytes(colour[::-1]) for colour in palette)
    else:
        fields = (*size, 1, bits, compression, len(pixels), 2835, 2835, len(palette), 0)
        header = struct.pack("<IiiHHIIiiII", header_size, *fields)
        behind = b"".join(struct.pack("<I", mask) for mask in masks)
        header += behind if header_size == 40 else behind.ljust(header_size - 40, b"\0")
        colours = b"".join(bytes((*colour[::-1], 0)) for colour in palette)
    start = 14 + len(header) + len(colours)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + header + colours + pixels


def indexed(rows: list[str]) -> list[list[tuple[int, int, int]]]:
    """Rows such as "0123" from top to bottom, as colours of FOUR."""
    return [[FOUR[int(index)] for index in row] for row in rows]


RUNS_8 = {
    "runs and ends of lines": (b"\x03\0\0\0\x03\1\0\0\x03\2\0\1", ["222", "111", "000"]),
    "an empty row": (b"\x03\1\0\0\0\0\x03\2\0\1", ["222", "000", "111"]),
    "a row that is not filled": (b"\1\1\0\0\x03\2\0\0\2\3\0\1", ["330", "222", "100"]),
    "an early end": (b"\x03\1\0\1", ["000", "000", "111"]),
    "no end": (b"\x03\1\0\0\x03\2\0\0\x03\3", ["333", "222", "111"]),
    "pixels as they are, and padding": (b"\0\3\1\2\3\0\0\0\x03\1\0\0\x03\2\0\1", ["222", "111", "123"]),
    "a move within a row": (b"\1\1\0\2\1\0\1\2\0\0\0\1", ["000", "000", "102"]),
    "a move up": (b"\1\1\0\2\1\2\1\2\0\1", ["002", "000", "100"]),
    "a move from the end of a row": (b"\x03\1\0\0\0\2\0\1\x03\3\0\1", ["333", "000", "111"]),
    "a run over the end of a row": (b"\x05\1\0\0\x03\2\0\0\x03\3\0\1", ["333", "222", "111"]),
    "pixels over the end of a row": (b"\0\4\1\2\3\1\0\0\x03\2\0\1", ["000", "222", "123"]),
}
RUNS_4 = {
    "runs of two colours": (b"\x05\x12\0\0\x05\x30\0\1", ["30303", "12121"]),
    "pixels as they are, odd": (b"\0\5\x12\x31\x20\0\0\0\x05\x11\0\1", ["11111", "12312"]),
    "pixels as they are, three": (b"\0\3\x12\x30\2\x11\0\0\0\1", ["00000", "12311"]),
    "a run that begins within a byte": (b"\1\x10\1\x20\3\x12\0\1", ["00000", "12121"]),
    "a move and an empty row": (b"\1\x10\0\2\2\0\2\x23\0\0\0\1", ["00000", "10023"]),
    "a run over the end of a row": (b"\x09\x12\0\0\x05\x33\0\1", ["33333", "12121"]),
}


@pytest.mark.parametrize("case", RUNS_8)
def test_runs_of_8_bits(case: str) -> None:
    pixels, rows = RUNS_8[case]
    assert images.read(bmp((3, 3), 8, pixels, FOUR, 1)).pixels.tolist() == np.array(indexed(rows)).tolist()


@pytest.mark.parametrize("case", RUNS_4)
def test_runs_of_4_bits(case: str) -> None:
    pixels, rows = RUNS_4[case]
    assert images.read(bmp((5, 2), 4, pixels, FOUR, 2)).pixels.tolist() == np.array(indexed(rows)).tolist()


@pytest.mark.parametrize("header_size", [12, 40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("height", [2, -2])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palettes(bits: int, height: int, header_size: int) -> None:
    if header_size == 12 and height < 0:
        pytest.skip("this header's height has no sign")
    rows = ["0110100110", "1011100001"]
    stored = [np.array([int(index) for index in row], np.uint8) for row in rows[:: -1 if height > 0 else 1]]
    packed = {
        8: [row.tobytes() for row in stored],
        4: [(row[::2] << 4 | row[1::2]).tobytes() for row in stored],
        1: [np.packbits(row).tobytes() for row in stored],
    }[bits]
    # A header of 12 bytes cannot tell how many colours there are: always as many as there can be.
    palette: list[tuple[int, int, int]] = (
        FOUR[:2] + [WHITE] * ((1 << bits) - 2) if header_size == 12 else FOUR[: 2 if bits == 1 else 4]
    )
    data = bmp(
        (10, height), bits, b"".join(row + bytes(-len(row) % 4) for row in packed), palette, 0, header_size
    )
    assert images.read(data).pixels.tolist() == np.array(indexed(rows)).tolist()


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_black_and_white(bits: int) -> None:
    """Pillow takes any two colours, black and white, for a picture of one bit."""
    row = {1: b"\x60", 4: b"\x01\x10", 8: b"\0\1\1\0"}[bits]
    data = bmp((4, 1), bits, row.ljust(4, b"\0"), [(0, 0, 0), WHITE])
    assert images.read(data).pixels.tolist() == [[0, 255, 255, 0]]


def test_dark_grays_of_4_bits() -> None:
    """And gray palettes for pixels of 8 bits."""
    data = bmp((4, 1), 4, b"\x01\xfe\0\0", [(gray, gray, gray) for gray in range(16)])
    assert images.read(data).pixels.tolist() == [[0, 1, 15, 14]]


@pytest.mark.parametrize(
    ("compression", "header_size", "masks", "pixels", "expected"),
    [
        (0, 40, (), [0x7C00, 0x03E0, 0x001F, 0x0421], [RED, GREEN, BLUE, (8, 8, 8)]),
        (3, 40, (0x7C00, 0x3E0, 0x1F), [0x7C00, 0x03E0, 0x001F, 0x0421], [RED, GREEN, BLUE, (8, 8, 8)]),
        (3, 40, (0xF800, 0x7E0, 0x1F), [0xF800, 0x07E0, 0x001F, 0x0821], [RED, GREEN, BLUE, (8, 4, 8)]),
        (
            3,
            108,
            (0x7C00, 0x3E0, 0x1F, 0x8000),
            [0xFC00, 0x03E0, 0x801F, 0x0421],
            [(*RED, 255), (*GREEN, 0), (*BLUE, 255), (8, 8, 8, 0)],
        ),
    ],
    ids=["555", "555 by masks", "565", "1555"],
)
def test_16_bits(
    compression: int,
    header_size: int,
    masks: tuple[int, ...],
    pixels: list[int],
    expected: list[tuple[int, ...]],
) -> None:
    body = struct.pack("<4H", *pixels)
    read = images.read(bmp((4, 1), 16, body, None, compression, header_size, masks)).pixels
    assert read.tolist() == [[list(pixel) for pixel in expected]]
    turned = images.read(bmp((2, -2), 16, body, None, compression, header_size, masks)).pixels
    assert turned.reshape(1, 4, -1).tolist() == read.tolist()


@pytest.mark.parametrize("height", [2, -2])
def test_24_bits(height: int) -> None:
    rows = [bytes(RED[::-1] + GREEN[::-1] + BLUE[::-1]), bytes((1, 2, 3) * 3)][:: -1 if height > 0 else 1]
    data = bmp((3, height), 24, b"".join(row + bytes(3) for row in rows))
    assert images.read(data).pixels.tolist() == [[list(each) for each in FOUR[:3]], [[3, 2, 1]] * 3]


@pytest.mark.parametrize(
    ("header_size", "masks", "expected"),
    [
        (40, (), [3, 2, 1]),  # what the fourth byte holds means nothing
        (40, (0xFF0000, 0xFF00, 0xFF), [3, 2, 1]),
        (40, (0xFF000000, 0xFF0000, 0xFF00), [9, 3, 2]),
        (52, (0xFF0000, 0xFF00, 0xFF), [3, 2, 1]),
        (56, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), [3, 2, 1, 9]),
        (108, (0xFF0000, 0xFF00, 0xFF, 0), [3, 2, 1]),
        (108, (0xFF, 0xFF00, 0xFF0000, 0xFF000000), [1, 2, 3, 9]),
        (124, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), [3, 2, 1, 9]),
    ],
)
def test_32_bits(header_size: int, masks: tuple[int, ...], expected: list[int]) -> None:
    data = bmp((2, 1), 32, bytes((1, 2, 3, 9)) * 2, None, 3 if masks else 0, header_size, masks)
    assert images.read(data).pixels.tolist() == [[expected, expected]]


@pytest.mark.parametrize(
    "data",
    [
        bmp((3, 3), 8, b"\x03\1", FOUR, 1),
        bmp((3, 3), 8, b"\0\3\1", FOUR, 1),
        bmp((3, 3), 8, bytes(8), FOUR),
        bmp((3, 3), 4, b"\x03\1\0\1", FOUR, 1),
    ],
    ids=["runs cut short", "pixels among runs cut short", "rows cut short", "runs of other bits"],
)
def test_damage_is_called_so(data: bytes) -> None:
    with pytest.raises(ImageError, match="is damaged or cut short"):
        images.read(data)


def test_through_the_command(tmp_path: Path) -> None:
    """Runs of 4 bits, which Pillow scrambles: a red left and a blue right half."""
    row = b"\x0a\0\x0a\x22\0\0"
    (tmp_path / "a.bmp").write_bytes(bmp((20, 16), 4, row * 16 + b"\0\1", FOUR, 2))
    result = CliRunner().invoke(app, ["upscale", str(tmp_path / "a.bmp"), "-o", str(tmp_path / "b.png")])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "b.png") as image:
        pixels = np.asarray(image).astype(int)
    assert np.abs(pixels[:, :32] - RED).max() < 40
    assert np.abs(pixels[:, 48:] - BLUE).max() < 40
