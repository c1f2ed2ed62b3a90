import colorsys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from helpers.training import pairs
from srez.images import resample
from srez.train import data
from srez.train.data.pairs import generator
from srez.train.recipe import FacesData

NONE = FacesData(pictures="faces", shift=0, flip=False)
SREZ = FacesData(
    pictures="faces", shift=4, flip=True, saturation=0.05, brightness=0.05, contrast=0.05, noise=0.03
)


def faces(settings: FacesData, faces_zip: Path, partition: Path) -> data.TrainingData:
    return data.load(settings, [str(faces_zip)], partition)


def batches(
    pictures: data.TrainingData, start: int, stop: int, seed: int = 1, settings: FacesData = NONE
) -> list:
    """Batches of 4 as pairs, by their number."""
    return pairs(data.batches(pictures.training, 4, seed, 4 * start, 4 * stop), settings)


@pytest.fixture(scope="module")
def plain(faces_zip: Path, partition: Path) -> data.TrainingData:
    return faces(NONE, faces_zip, partition)


@pytest.fixture(scope="module")
def augmented(faces_zip: Path, partition: Path) -> data.TrainingData:
    return faces(SREZ, faces_zip, partition)


def test_batches_have_the_stated_shapes_and_ranges(augmented: data.TrainingData) -> None:
    (noisy, clean, high), *_ = batches(augmented, 0, 1, settings=SREZ)
    assert noisy.shape == clean.shape == (4, 16, 16, 3)
    assert high.shape == (4, 64, 64, 3)
    assert high.min() >= 0
    assert high.max() <= 1
    np.testing.assert_allclose(resample.area(high, 4), clean, atol=1e-6)
    assert 0.02 < (noisy - clean).std() < 0.04


def test_an_epoch_holds_every_face_once_in_another_order(plain: data.TrainingData) -> None:
    seen = np.concatenate([high for _, _, high in batches(plain, 0, 9)])  # two epochs of 18
    keys = [face.tobytes() for face in seen]
    assert set(Counter(keys[:18]).values()) == set(Counter(keys[18:]).values()) == {1}
    assert keys[:18] != keys[18:]


def test_batches_can_be_taken_up_at_any_step(augmented: data.TrainingData) -> None:
    whole, late = (batches(augmented, start, 9, settings=SREZ) for start in (0, 6))
    for expected, resumed in zip(whole[6:], late, strict=True):
        for a, b in zip(expected, resumed, strict=True):
            np.testing.assert_array_equal(a, b)
    other = batches(augmented, 0, 9, seed=2, settings=SREZ)
    assert any((a[2] != b[2]).any() for a, b in zip(whole, other, strict=True))


def test_shift_and_flip_stay_within_the_rim() -> None:
    shifts, flips = set(), set()
    pictures = data.draw(FacesData(pictures="faces", drawn=2))
    still = data.draw(FacesData(pictures="faces", drawn=2, shift=0, flip=False))
    centre = pairs(data.batches(still.training, 1, 1, 0, 1), NONE)[0][2][0]
    inside = centre[8:-8, 8:-8]
    for _, _, high in batches(pictures, 0, 40):
        for face in high:
            for flipped in (False, True):
                view = np.lib.stride_tricks.sliding_window_view(
                    face[:, ::-1] if flipped else face, (48, 48), (0, 1)
                )
                found = np.argwhere(np.abs(view - inside.transpose(2, 0, 1)).max((2, 3, 4)) < 1e-6)
                if len(found):
                    shifts.add(tuple(found[0] - 8))
                    flips.add(flipped)
    assert flips == {False, True}
    assert {y for y, _ in shifts} == {x for _, x in shifts} == set(range(-4, 5))


def test_colours_change_as_in_hsv(random: np.random.Generator) -> None:
    """Compared with the standard library: saturation is multiplied and cut at 1."""
    settings = FacesData(pictures="faces", saturation=0.5)
    pixels = random.integers(0, 256, (1, 64, 64, 3), np.uint8)
    raw = {"high": pixels, "colour": np.array([[0.5, 0, 0]], np.float32)}
    high = np.asarray(data.to_pairs(settings)(raw)[2])
    for place in ((0, 0), (13, 27), (63, 1)):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixels[0][place] / 255)
        expected = colorsys.hsv_to_rgb(hue, min(1, 1.5 * saturation), value)
        np.testing.assert_allclose(high[0][place], expected, atol=1e-5)


def test_a_batch_is_the_same_however_it_is_shared(augmented: data.TrainingData) -> None:
    (whole,) = data.batches(augmented.training, 4, 1, 0, 4)
    parts = [next(data.batches(augmented.training, 4, 1, 0, 4, (n, 2))) for n in range(2)]
    for name, rows in whole.items():
        for number, part in enumerate(parts):
            np.testing.assert_array_equal(rows[number::2], part[name])


def test_random_numbers_are_those_of_every_machine() -> None:
    np.testing.assert_allclose(generator(7, 2**40).random(3), [0.32692672, 0.59963753, 0.92200698], atol=1e-8)
