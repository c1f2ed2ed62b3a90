"""Made files of no format, and of two."""

from helpers.hostile.kinds import Random, kind
from helpers.hostile.valid import originals


@kind("words.png")
def no_picture(random: Random) -> bytes:
    start = [
        b"\0\0\1\0",
        b"8BPS\0\1",
        b"PK\3\4",
        b"%PDF-1.7",
        b"<svg ",
        b"\0" * 100,
        b"",
        b"\xff\x0a",
        b"P6\n9 9\n",
    ]
    return start[random.integers(len(start))] + random.bytes(int(random.integers(1, 5_000)))


@kind("start.any")
def start_only(random: Random) -> bytes:
    valid = list(originals().values())
    data = valid[random.integers(len(valid))]
    return data[: int(random.integers(1, 200))] + random.bytes(int(random.integers(0, 3_000)))


@kind("two.any")
def two_in_one(random: Random) -> bytes:
    """The start of one format and the rest of another."""
    valid = list(originals().values())
    one, other = valid[random.integers(len(valid))], valid[random.integers(len(valid))]
    return one[: int(random.integers(4, len(one)))] + other
