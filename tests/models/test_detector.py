"""What is taken for a face of 16x16 pixels."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from helpers import pictures
from srez.datasets.partition import Part
from srez.evaluation import pairs
from srez.images import resample
from srez.models import box, detector


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return pictures.portrait()


def icon(draw: str) -> np.ndarray:
    image = Image.new("RGB", (16, 16), "white")
    pen = ImageDraw.Draw(image)
    if draw == "letter":
        pen.text((4, 1), "A", "black")
    elif draw == "disc":
        pen.ellipse((2, 2, 13, 13), "red", "black")
    elif draw == "smiley":
        pen.ellipse((0, 0, 15, 15), "yellow", "black")
        pen.point([(5, 5), (10, 5), (5, 6), (10, 6)], "black")
        pen.arc((4, 5, 11, 12), 20, 160, "black")
    elif draw == "arrow":
        pen.polygon([(2, 6), (9, 6), (9, 2), (14, 8), (9, 13), (9, 9), (2, 9)], "green")
    elif draw == "floppy":
        pen.rectangle((1, 1, 14, 14), "navy")
        pen.rectangle((4, 1, 11, 5), "silver")
        pen.rectangle((3, 8, 12, 14), "white")
    return np.asarray(image)


def test_a_portrait_is_a_face_however_it_is_stored(portrait: np.ndarray) -> None:
    gray = np.rint(portrait.mean(axis=2)).astype(np.uint8)
    opaque = np.full((16, 16, 1), 255, np.uint8)
    for each in (
        *(portrait, portrait[:, ::-1], portrait // 2, gray, portrait.astype(np.uint16) * 257),
        *(np.dstack([portrait, opaque]), np.dstack([gray, opaque])),
    ):
        assert detector.is_face(each)
        assert box.suited("auto", (16, 16), lambda each=each: each) == "faces"


@pytest.mark.parametrize("draw", ["blank", "letter", "disc", "smiley", "arrow", "floppy"])
def test_an_icon_is_no_face(draw: str) -> None:
    pixels = icon(draw)
    assert not detector.is_face(pixels)
    assert not detector.is_face(255 - pixels)
    shown = (pixels != 255).any(axis=2, keepdims=True)
    assert not detector.is_face(np.dstack([pixels, shown * np.uint8(255)]))


def test_noise_and_ramps_are_no_faces(random: np.random.Generator) -> None:
    for _ in range(50):
        assert not detector.is_face(random.integers(0, 256, (16, 16, 3), np.uint8))
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8) * 15, (16, 16))
    assert not detector.is_face(ramp)
    assert not detector.is_face(ramp.T)


def test_other_sizes_and_models_are_not_looked_at() -> None:
    portrait = pictures.portrait()
    assert box.suited("auto", (17, 16), lambda: np.vstack([portrait, portrait[:1]])) == "photo"
    assert box.suited("photo", (16, 16), pytest.fail) == "photo"


def test_faces_held_out_are_taken_and_parts_of_photographs_are_not(shared: Path) -> None:
    celeba = shared / "celeba-half"
    faces = pairs.from_faces(
        celeba / "img_align_celeba.zip", celeba / "list_eval_partition.txt", Part.VALIDATION, 300
    )
    taken = [detector.is_face(pair.low) for pair in faces.pairs]
    assert np.mean(taken) >= 0.99
    parts = []
    for path in sorted((shared / "benchmarks/Set14").rglob("*HR*/*.png")):
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            pixels = np.asarray(image.convert("RGB"))
        for side in (16, 32, 64, 128):
            for top in range(0, pixels.shape[0] - side, 2 * side + 16):
                for left in range(0, pixels.shape[1] - side, 2 * side + 16):
                    part = pixels[top : top + side, left : left + side]
                    parts.append(np.rint(resample.area(part, side // 16)).astype(np.uint8))
    assert len(parts) > 500
    assert np.mean([detector.is_face(part) for part in parts]) <= 0.02
