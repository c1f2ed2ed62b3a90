"""Damage to valid files."""

import struct
import zlib

import numpy as np


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """Bytes flipped, the end cut, a piece missing or doubled, the header changed; or some of it at once."""
    broken = bytearray(data)
    for _ in range(random.integers(1, 4)):
        start, stop = sorted(int(place) for place in random.integers(0, len(broken) + 1, 2))
        match random.integers(6):
            case 0:
                for place in random.integers(0, len(broken), random.integers(1, 20)):
                    broken[place] ^= 1 << random.integers(8)
            case 1:
                del broken[start:]
            case 2:
                del broken[start : min(stop, start + 200)]
            case 3:
                broken[start:start] = broken[start : min(stop, start + 200)]
            case 4:
                for place in random.integers(0, min(64, len(broken)), random.integers(1, 5)):
                    broken[place] = random.integers(256)
            case _:
                broken[start : start + 4] = struct.pack(">I", random.integers(2**32))
        if not broken:
            break
    return _mended(bytes(broken)) if random.integers(2) else bytes(broken)


def _mended(data: bytes) -> bytes:
    """A damaged PNG with checksums that fit again, so that damage gets past them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    parts, place = [data[:8]], 8
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        body = data[place + 4 : place + 8 + length]
        parts.append(data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + length
    return b"".join(parts)
