"""Write the pictures of README.md: before, as bicubic enlarges it, beside after, as srez does.

    python benchmarks/readme_pictures.py

They are made from the examples of the page; `benchmarks/page_examples.py` says whose they are.
"""

from pathlib import Path

import numpy as np

import srez
from srez import images
from srez.images import resample, to_float, to_uint8
from srez.serve.page import examples

OUT = Path("docs/images")
GAP = 8  # pixels between before and after
# The part of each example that is shown: top, left, height and width in its own pixels.
PARTS = {"photograph.jpg": (10, 60, 84, 112), "old-photograph.jpg": (0, 20, 102, 112)}


def pair(name: str) -> np.ndarray:
    picture = images.read(examples.read(name)[1], name)
    upscaler = srez.load("photo")
    after = upscaler(picture.pixels, jpeg=picture.jpeg)
    before = to_uint8(resample.bicubic(to_float(picture.pixels[None]), 4)[0])
    top, left, height, width = (4 * side for side in PARTS[name])
    rows, columns = slice(top, top + height), slice(left, left + width)
    gap = np.full((height, GAP, 3), 255, np.uint8)
    return np.concatenate([before[rows, columns], gap, after[rows, columns]], axis=1)


def main() -> None:
    for name in PARTS:
        images.write(OUT / f"readme-{name}", images.Picture(pair(name)))


if __name__ == "__main__":
    main()
