import numpy as np
import pytest

import helpers.training
from srez import images
from srez.images import resample
from srez.train import data
from srez.train.data import photos
from srez.train.recipe import Damage, PhotosData


def pictures(random: np.random.Generator, *sizes: tuple[int, int]) -> list[np.ndarray]:
    """Smooth noise, which a crop can be found in again."""
    made = []
    for height, width in sizes:
        coarse = random.random((1, height // 8, width // 8, 3), np.float32)
        made.append(images.to_uint8(resample.bicubic(coarse, 8)[0]))
    return made


def pairs(train: list[np.ndarray], count: int = 64, **settings: object) -> list:
    chosen = PhotosData.model_validate({"pictures": "photos", "crop": 20, **settings})
    found = data.TrainingSet(
        photos.example_maker(train, photos.reduced(train), chosen), np.arange(len(train)), len(train)
    )
    return helpers.training.pairs(data.batches(found, 1, 1, 0, count), chosen)


def places(crop: np.ndarray, picture: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(picture, crop.shape[:2], (0, 1))
    return np.argwhere((windows == crop.transpose(2, 0, 1)).all((2, 3, 4)))


def as_bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values[0] * 255).astype(np.uint8)


def test_crops_are_parts_of_their_picture_and_its_reduction(random: np.random.Generator) -> None:
    train = pictures(random, (56, 40), (48, 64))
    seen = set()
    for noisy, clean, high in pairs(train, count=200, flip=False, turn=False):
        np.testing.assert_array_equal(noisy, clean)
        ((which, place),) = [
            (index, found[0]) for index, one in enumerate(train) if len(found := places(as_bytes(high), one))
        ]
        assert (place % 4 == 0).all()
        low = resample.bicubic_reduce(train[which], 4)
        top, left = place // 4
        np.testing.assert_array_equal(as_bytes(clean), low[top : top + 5, left : left + 5])
        seen.add((which, *place))
    corners = {(0, 0, 0), (0, 36, 20), (1, 28, 44)}
    assert len(seen) > 20
    assert seen & corners


def test_flips_and_turns_keep_both_together(random: np.random.Generator) -> None:
    (picture,) = train = pictures(random, (32, 32))
    whole = resample.bicubic_reduce(picture, 4)
    ways = set()
    for _, clean, high in pairs(train, count=40, crop=32):
        for turns in range(4):
            for flip in (False, True):
                way = lambda x, t=turns, f=flip: np.rot90(x[:, ::-1] if f else x, t)  # noqa: E731
                if np.array_equal(as_bytes(high), way(picture)):
                    np.testing.assert_array_equal(as_bytes(clean), way(whole))
                    ways.add((turns, flip))
    assert len(ways) == 8


def test_candidates_prefer_texture(random: np.random.Generator) -> None:
    picture = np.full((64, 512, 3), 128, np.uint8)
    picture[:, 384:] = random.integers(0, 256, (64, 128, 3))
    shares = {
        candidates: np.mean([high.std() > 0.1 for _, _, high in pairs([picture], 100, candidates=candidates)])
        for candidates in (1, 4)
    }
    assert shares[1] < 0.45
    assert shares[4] > 0.55


def test_jpeg_and_noise_reach_the_input_only(random: np.random.Generator) -> None:
    train = pictures(random, (64, 64))
    compressed = [not np.array_equal(noisy, clean) for noisy, clean, _ in pairs(train, jpeg=30, crop=64)]
    assert 0.3 < np.mean(compressed) < 0.7
    for noisy, clean, _ in pairs(train, 8, noise=0.05, crop=64):
        assert 0.02 < (noisy - clean).std() < 0.07
        assert noisy.min() >= 0


def test_damage_reaches_the_input_only(random: np.random.Generator) -> None:
    train = pictures(random, (64, 64))
    found = pairs(train, damage={"share": 0.5}, crop=64)
    assert 0.3 < np.mean([not np.array_equal(damaged, clean) for damaged, clean, _ in found]) < 0.7
    for damaged, clean, _ in pairs(train, 8, damage={"share": 1.0, "least": 1.0}, crop=64):
        assert 0.01 < np.abs(damaged - clean).mean() < 0.2
        assert damaged.min() >= 0


def test_validation_is_of_what_is_trained_for(random: np.random.Generator) -> None:
    held = pictures(random, (64, 64), (64, 64))
    clean, *others = (
        photos.validation(held, PhotosData(pictures="photos", crop=64, **harm), ["all"] * 2)
        for harm in ({}, {"damage": Damage(share=0.5)}, {"noise": 0.03}, {"jpeg": 20})
    )
    for damaged in others:
        np.testing.assert_array_equal(clean.truth, damaged.truth)
        assert all(np.abs(a - b).mean() > 0.005 for a, b in zip(clean.low, damaged.low, strict=True))


def test_validation_takes_from_every_source(random: np.random.Generator) -> None:
    """In proportion, and as small as the smallest source asks for."""
    many, few = pictures(random, *[(192, 192)] * 110), pictures(random, *[(64, 80)] * 2)
    settings = PhotosData(pictures="photos", crop=64)
    found = photos.validation([*many, *few], settings, [*["many"] * 110, *["few"] * 2])
    assert found.truth.shape == (99, 64, 64, 3)
    np.testing.assert_array_equal(found.truth[-1], few[0][:, 8:72])


def test_the_choice_of_jpeg_does_not_depend_on_the_noise(random: np.random.Generator) -> None:
    """They once shared a seed: the first number of the noise decided."""
    train = pictures(random, (64, 64))
    compressed = [not np.array_equal(noisy, clean) for noisy, clean, _ in pairs(train, jpeg=30, crop=64)]
    first = [(noisy - clean)[0, 0, 0, 0] for noisy, clean, _ in pairs(train, noise=1e-3, crop=64)]
    assert abs(np.corrcoef(compressed, first)[0, 1]) < 0.4


@pytest.mark.shared
def test_reduction_equals_that_of_the_benchmarks(shared: object) -> None:
    from pathlib import Path

    folder = Path(str(shared)) / "benchmarks/Set5"
    for path in images.find(folder / "HR").pictures:
        ours = resample.bicubic_reduce(images.read(path).pixels, 4)
        theirs = images.read(folder / "LR_x4" / path.name).pixels
        np.testing.assert_array_equal(ours[2:-2, 2:-2], theirs[2:-2, 2:-2])  # their HR was cropped afterwards
