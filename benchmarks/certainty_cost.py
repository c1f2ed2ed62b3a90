"""What a sample and an uncertainty cost, as multiples of one plain result of the same picture.

    python benchmarks/certainty_cost.py

Samples are made eight at a time and counted one by one; the uncertainty is counted with the result that it
belongs to. All are timed in turn in one run, so that a drift of the machine meets all alike.
"""

from pathlib import Path

import skimage.data

import srez
from machine import in_turn, report, seconds
from srez.evaluation import demo
from srez.images import resample

SAMPLES = 8
SIDE = 256  # of the photograph, in pixels


def main() -> None:
    face = resample.area(demo.portrait(), 4).round().astype("uint8")
    photograph = skimage.data.chelsea()[:SIDE, :SIDE]
    faces, photo = srez.load("faces"), srez.load("photo", repair=0.0)
    works = {
        "faces": lambda: seconds(lambda: faces(face)),
        "a sample": lambda: seconds(lambda: faces.samples(face, SAMPLES)) / SAMPLES,
        "faces, uncertainty": lambda: seconds(lambda: (faces(face), faces.uncertainty(face))),
        "photo": lambda: seconds(lambda: photo(photograph)),
        "photo, uncertainty": lambda: seconds(lambda: (photo(photograph), photo.uncertainty(photograph))),
    }
    found = in_turn(works)
    rows = [
        [name, 1000 * spent, spent / found[name.split(",")[0].replace("a sample", "faces")]]
        for name, spent in found.items()
    ]
    report(
        f"A face of 16x16 pixels and a photograph of {SIDE}x{SIDE}",
        ["", "ms", "times a plain result"],
        rows,
        Path("runs/benchmarks/certainty_cost.json"),
    )


if __name__ == "__main__":
    main()
