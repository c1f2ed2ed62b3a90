"""How many pictures a second Ray upscales, once warm, with one worker and with two, of one core each.

    python benchmarks/ray_speed.py

Pictures are drawn, 32x32, with unreadable files among them. Start of Ray and loading of models do not count:
the rate is that of the middle of each run.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from PIL import Image

import mistakes
from srez.cluster import upscaling
from srez.datasets import cartoons
from srez.upscaling.plan import Existing, Rules

SIDE = 32
MIDDLE = (0.15, 0.9)  # of a run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--unreadable", type=int, default=20)
    arguments = parser.parse_args()
    figures: dict[str, float] = {"load before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        source.mkdir()
        for number in range(arguments.pictures):
            Image.fromarray(cartoons.face(number, SIDE, SIDE)).save(source / f"{number:06d}.png")
        for number in range(arguments.unreadable):
            (source / f"bad{number:02d}.png").write_bytes(b"no picture")
        for workers in (1, 2):
            rate, seconds = measured(source, Path(folder) / f"out{workers}", workers)
            figures[f"{workers} workers, pictures a second"] = rate
            figures[f"{workers} workers, seconds in all"] = seconds
            print(f"{workers} workers: {rate:.1f} pictures a second once warm, {seconds:.1f} s in all")
    figures["times as fast"] = (
        figures["2 workers, pictures a second"] / figures["1 workers, pictures a second"]
    )
    print(json.dumps(figures))


def measured(source: Path, target: Path, workers: int) -> tuple[float, float]:
    """Pictures a second in the middle of the run, and seconds of all of it."""
    seen: list[tuple[float, int, int]] = []
    began = time.monotonic()
    batch = upscaling.Batch(
        str(source), str(target), upscaling.ModelChoice("faces"), Rules(existing=Existing.SKIP)
    )
    upscaling.upscale(
        batch, workers, "local", lambda done, total: seen.append((time.monotonic(), done, total))
    )
    middle = [(when, done) for when, done, total in seen if MIDDLE[0] * total <= done <= MIDDLE[1] * total]
    (first, before), (last, after) = middle[0], middle[-1]
    return (after - before) / (last - first), time.monotonic() - began


if __name__ == "__main__":
    with mistakes.told():
        main()
