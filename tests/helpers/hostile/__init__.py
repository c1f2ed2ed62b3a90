"""Files that are meant to hurt, the same for the same seed: damaged ones of every format, and made ones.

Each made kind is a small file that asks for much: memory, time, or that a loop never ends.
"""

from collections.abc import Iterator

import numpy as np

from helpers.hostile import bmp, gif, heif, jpeg, others, png, tiff, webp
from helpers.hostile.damage import damaged
from helpers.hostile.kinds import MADE
from helpers.hostile.valid import originals

__all__ = [
    "MADE",
    "bmp",
    "damaged",
    "files",
    "gif",
    "heif",
    "jpeg",
    "originals",
    "others",
    "png",
    "tiff",
    "webp",
]


def files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents of hostile files, always the same: each fifth is made, the others damaged."""
    random, valid, made = np.random.default_rng(seed), list(originals().items()), list(MADE.items())
    for number in range(count):
        if number % 5 == 4:
            name, make = made[number // 5 % len(made)]
            yield f"{number:05}-{name}", make(random)
        else:
            name, data = valid[number % len(valid)]
            yield f"{number:05}-{name}", damaged(data, random)
