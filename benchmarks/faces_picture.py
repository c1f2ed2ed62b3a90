"""Write docs/images/faces-photographs.png: two portraits with small faces, without and with --faces.

    python benchmarks/faces_picture.py

The portraits ship with dependencies, and were not trained on: Eileen Collins (NASA, with scikit-image) and
Grace Hopper (US Navy, with Matplotlib), both in the public domain.
"""

from pathlib import Path

import numpy as np
import skimage.data
from matplotlib import cbook

import srez
from srez import images
from srez.images import parts, resample

SHOWN = 240  # pixels of each part on the sheet
# Of each portrait: how many times smaller it is made, and the part shown, in shares: left, top and side.
PARTS = {"Collins": (6, (0.27, 0.03, 0.36)), "Hopper": (10, (0.2, 0.06, 0.6))}
GAP = 4


def main() -> None:
    hopper = images.read(Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))).pixels
    upscaler = srez.load("photo", repair=0, faces=True)
    rows = []
    for name, portrait in (("Collins", skimage.data.astronaut()), ("Hopper", hopper)):
        times, (left, top, side) = PARTS[name]
        width, height = (round(each / times / 4) * 4 for each in portrait.shape[1::-1])
        high = parts.resized(portrait, 4 * width, 4 * height)
        low = resample.bicubic_reduce(high, 4)
        shown = tuple(4 * width * each for each in (left, top, left + side, top + side))
        columns = [resample.nearest(low, 4), upscaler(low, faces=[]), upscaler(low), high]
        cells = [parts.resized(each, SHOWN, SHOWN, shown) for each in columns]
        rows.append(np.concatenate([np.pad(cell, ((0, GAP), (0, GAP), (0, 0))) for cell in cells], axis=1))
    images.write(Path("docs/images/faces-photographs.png"), images.Picture(np.concatenate(rows)))


if __name__ == "__main__":
    main()
