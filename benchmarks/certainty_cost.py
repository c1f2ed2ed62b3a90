"""What a sample and an uncertainty cost, as multiples of one plain result of the same picture.

    python benchmarks/certainty_cost.py

Samples are made eight at a time and counted one by one; the uncertainty is counted with the result that it
belongs to. All are timed in turn in one run, by the clock: run it on a calm machine.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data

import srez
from machine import in_turn, report
from srez.evaluation import demo
from srez.images import resample, to_uint8

SAMPLES = 8
SIDE = 128  # of the photograph, in pixels
FACES = 24  # times that a face is upscaled in a round
ROUNDS = 7


def main() -> None:
    face = to_uint8(resample.area(demo.portrait(), 4) / np.float32(255))
    photograph = skimage.data.chelsea()[:SIDE, :SIDE]
    faces, photo = srez.load("faces"), srez.load("photo", repair=0.0)
    works: dict[str, tuple[str, float, Callable[[], Any]]] = {
        "faces": ("faces", FACES, lambda: faces(face)),
        "one of 8 samples": ("faces", FACES / SAMPLES, lambda: faces.samples(face, SAMPLES)),
        "faces, uncertainty": ("faces", FACES, lambda: (faces(face), faces.uncertainty(face))),
        "photo": ("photo", 1, lambda: photo(photograph)),
        "photo, uncertainty": ("photo", 1, lambda: (photo(photograph), photo.uncertainty(photograph))),
    }
    found = in_turn({name: timed(work, times) for name, (_, times, work) in works.items()}, ROUNDS)
    spent = {name: value / (FACES if works[name][0] == "faces" else 1) for name, value in found.items()}
    rows = [[name, 1000 * value, value / spent[works[name][0]]] for name, value in spent.items()]
    report(
        f"A face of 16x16 pixels and a photograph of {SIDE}x{SIDE}",
        ["", "ms", "times a plain result"],
        rows,
        Path("runs/benchmarks/certainty_cost.json"),
    )


def timed(work: Callable[[], Any], times: float) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        for _ in range(round(times)):
            work()
        return time.perf_counter() - began

    return measure


if __name__ == "__main__":
    main()
