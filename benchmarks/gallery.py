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
SIDE = 240  # pixels of what a sheet shows


@dataclass(frozen=True)
class Exhibit:
    """A cut from a photograph, and what befalls it: `(h, w, 3)` uint8 to a picture as people have it."""

    title: str
    photograph: str
    top: int
    left: int
    damage: Callable[[np.ndarray], images.Picture]
    shape: tuple[int, int] = (SIDE, SIDE)


def clean(low: np.ndarray) -> images.Picture:
    return images.Picture(low)


def jpeg(quality: int) -> Callable[[np.ndarray], images.Picture]:
    def damage(low: np.ndarray) -> images.Picture:
        file = io.BytesIO()
        Image.fromarray(low).save(file, "JPEG", quality=quality)
        return images.read(file.getvalue())

    return damage


def noisy(levels: float, spread: int = 1) -> Callable[[np.ndarray], images.Picture]:
    """White noise, or with a spread that in means of so many pixels a side, as cameras leave it."""

    def damage(low: np.ndarray) -> images.Picture:
        noise = np.random.default_rng(0).normal(0, levels * spread, low.shape)
        noise = np.mean([np.roll(noise, each, (0, 1)) for each in np.ndindex(spread, spread)], axis=0)
        return images.Picture(to_uint8((low + noise) / 255))

    return damage


EXHIBITS = {
    "clean": [
        Exhibit("a cat", "chelsea", 60, 90, clean),
        Exhibit("a rocket", "rocket", 120, 260, clean),
    ],
    "jpeg": [
        Exhibit("JPEG, quality 75", "astronaut", 20, 110, jpeg(75)),
        Exhibit("JPEG, quality 40", "coffee", 90, 200, jpeg(40)),
    ],
    "noise": [Exhibit("noise of 10 levels", "coffee", 40, 60, noisy(10))],
    "failures": [
        Exhibit("JPEG, quality 30: fur becomes smooth", "chelsea", 60, 90, jpeg(30)),
        Exhibit("soft noise of 10 levels: taken for texture", "coffee", 40, 60, noisy(10, spread=2)),
    ],
}


# Before and after in one place, with a divider on the site: larger cuts, each as two files.
PAIRS = {
    "cat": Exhibit("clean", "chelsea", 0, 0, clean, shape=(300, 448)),
    "rocket": Exhibit("clean", "rocket", 60, 120, clean, shape=(300, 448)),
    "coffee": Exhibit("JPEG, quality 40", "coffee", 60, 140, jpeg(40), shape=(300, 448)),
    "fur": Exhibit("JPEG, quality 30", "chelsea", 0, 0, jpeg(30), shape=(300, 448)),
}


def cut(exhibit: Exhibit) -> tuple[np.ndarray, images.Picture]:
    """The truth, and what is left of it at a quarter of its sides."""
    photograph = getattr(skimage.data, exhibit.photograph)()
    height, width = exhibit.shape
    truth = np.ascontiguousarray(photograph[exhibit.top :, exhibit.left :][:height, :width])
    return truth, exhibit.damage(resample.bicubic_reduce(truth, 4))


def by_bicubic(picture: images.Picture) -> np.ndarray:
    return to_uint8(resample.bicubic(to_float(picture.pixels[None]), 4)[0])


def by_photo(picture: images.Picture, fidelity: float) -> np.ndarray:
    upscaler = srez.load("photo", fidelity)
    return upscaler(picture.pixels, jpeg=picture.jpeg)


def columns(exhibit: Exhibit) -> dict[str, np.ndarray]:
    truth, picture = cut(exhibit)
    return {
        "bicubic": by_bicubic(picture),
        "photo": by_photo(picture, 1.0),
        "photo, fidelity 0": by_photo(picture, 0.0),
        "truth": truth,
    }


def main() -> None:
    for name, exhibits in EXHIBITS.items():
        sheet = report.labelled({exhibit.title: columns(exhibit) for exhibit in exhibits}, zoom=1)
        images.write(OUT / f"gallery-{name}.jpg", images.Picture(sheet))
    for name, exhibit in PAIRS.items():
        _, picture = cut(exhibit)
        after = by_photo(picture, 1.0)
        for kind, pixels in {"bicubic": by_bicubic(picture), "srez": after}.items():
            images.write(OUT / f"gallery-{name}-{kind}.jpg", images.Picture(pixels))


if __name__ == "__main__":
    main()
