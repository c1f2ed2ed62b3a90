"""Write the pictures of docs/gallery.md: inputs as people have them, made larger by bicubic and by photo.

    python benchmarks/gallery.py

They are cut from photographs that scikit-image ships and that are free to show: a cat (Stéfan van der Walt,
CC0), a cup of coffee (Rachel Michetti, CC0), a rocket (SpaceX, CC0) and an astronaut (NASA, public domain).
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

import srez
from srez import images
from srez.evaluation import report
from srez.images import resample, to_float, to_uint8

OUT = Path("docs/images")
SIDE = 240  # pixels of what is shown


@dataclass(frozen=True)
class Exhibit:
    """A cut from a photograph, and what befalls it: `(h, w, 3)` uint8 to a picture as people have it."""

    title: str
    photograph: str
    top: int
    left: int
    damage: Callable[[np.ndarray], images.Picture]
    repair: float | None = None


def clean(low: np.ndarray) -> images.Picture:
    return images.Picture(low)


def jpeg(quality: int) -> Callable[[np.ndarray], images.Picture]:
    def damage(low: np.ndarray) -> images.Picture:
        file = io.BytesIO()
        Image.fromarray(low).save(file, "JPEG", quality=quality)
        return images.read(file.getvalue())

    return damage


def noisy(levels: float) -> Callable[[np.ndarray], images.Picture]:
    def damage(low: np.ndarray) -> images.Picture:
        noise = np.random.default_rng(0).normal(0, levels, low.shape)
        return images.Picture(to_uint8((low + noise) / 255))

    return damage


EXHIBITS = {
    "clean": [
        Exhibit("clean", "chelsea", 60, 90, clean),
        Exhibit("clean", "rocket", 120, 260, clean),
    ],
    "jpeg": [
        Exhibit("JPEG, quality 75", "astronaut", 20, 110, jpeg(75)),
        Exhibit("JPEG, quality 40", "coffee", 90, 200, jpeg(40)),
    ],
    "noise": [Exhibit("noise of 10 levels, with --repair 1", "coffee", 40, 60, noisy(10), repair=1)],
    "failures": [
        Exhibit("JPEG, quality 30: fur becomes smooth", "chelsea", 60, 90, jpeg(30)),
        Exhibit("noise in 60x60 pixels: not seen without --repair 1", "coffee", 40, 60, noisy(10)),
    ],
}


def columns(exhibit: Exhibit) -> dict[str, np.ndarray]:
    photograph = getattr(skimage.data, exhibit.photograph)()
    truth = np.ascontiguousarray(photograph[exhibit.top :, exhibit.left :][:SIDE, :SIDE])
    picture = exhibit.damage(resample.bicubic_reduce(truth, 4))
    made = {"bicubic": to_uint8(resample.bicubic(to_float(picture.pixels[None]), 4)[0])}
    for name, fidelity in (("photo", 1.0), ("photo, fidelity 0", 0.0)):
        upscaler = srez.load("photo", fidelity, repair=exhibit.repair)
        repair = upscaler.repair_for(picture.pixels, picture.jpeg_quality)
        made[name] = upscaler(picture.pixels, repair=repair)
    return {**made, "truth": truth}


def main() -> None:
    for name, exhibits in EXHIBITS.items():
        sheet = report.labelled({exhibit.title: columns(exhibit) for exhibit in exhibits}, zoom=1)
        images.write(OUT / f"gallery-{name}.jpg", images.Picture(sheet))


if __name__ == "__main__":
    main()
