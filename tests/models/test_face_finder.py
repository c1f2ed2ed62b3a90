"""Where faces are found in photographs."""

import numpy as np
import pytest
import skimage.data

from srez.images import parts
from srez.models import face_finder

FACE = np.array([180, 60, 266, 174]) / 512  # of the astronaut: left, top, right, bottom, in shares


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return skimage.data.astronaut()


def overlap(box: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    low, high = np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])
    both = (high - low).clip(0).prod()
    return both / (sum((each[2:] - each[:2]).prod() for each in (box, other)) - both)


@pytest.mark.parametrize("side", [48, 128, 400])
def test_a_face_is_found_at_any_size(astronaut: np.ndarray, side: int) -> None:
    (face,) = face_finder.find(parts.resized(astronaut, side, side))
    assert overlap(np.array(face.box) / side, FACE) > 0.6
    assert face.score > 0.9


def test_several_faces_are_found_also_in_strips(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = np.tile(parts.resized(astronaut, 96, 96), (2, 3, 1))
    whole = face_finder.find(several)
    assert len(whole) == 6
    monkeypatch.setattr(face_finder, "_STRIP", 288 * 20)
    boxes, others = (
        np.array(sorted(face.box for face in found)) for found in (whole, face_finder.find(several))
    )
    assert np.abs(boxes - others).max() < 2


@pytest.mark.parametrize("shape", [(1, 1), (11, 300), (12, 12), (90, 70)])
def test_there_is_no_face_in_noise(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert face_finder.find(noise) == []
    assert face_finder.find(np.full_like(noise, 90)) == []
