"""Makes LR/HR pairs of photographs of any size, by the bicubic reduction of the x4 benchmarks."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from srez import images
from srez.datasets.opaque import opaque
from srez.errors import ImageError
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import resample
from srez.train import backend
from srez.train.data import inputs, split
from srez.train.data.pairs import SCALE, MakeExample, Raw, ValidationSet, generator, stacked
from srez.train.recipe import PairsData, PhotosData

VALIDATION_SIDE = 192  # pixels of a validation crop; `data.crop` if a source holds out only smaller pictures
VALIDATION_LIMIT = 100  # pictures


def cropped_to_multiple(settings: PhotosData) -> Callable[[images.Picture, str], np.ndarray]:
    """A function that makes pictures RGB with sides that are multiples of 4, and refuses small ones."""

    def prepare(picture: images.Picture, name: str) -> np.ndarray:
        pixels = opaque(picture)
        height, width = pixels.shape[:2]
        if min(height, width) < settings.crop:
            raise ImageError(f"{name} is {width}x{height}, smaller than data.crop ({settings.crop})")
        height, width = height - height % SCALE, width - width % SCALE
        return np.ascontiguousarray(pixels[:height, :width])

    return prepare


def example_maker(
    high: Sequence[np.ndarray], low: Sequence[np.ndarray], settings: PhotosData | PairsData
) -> MakeExample:
    """A function that draws examples of photographs: random crops, flipped and rotated.

    The pictures stay where they are.

    Args:
        high: `(H, W, 3)` uint8 each, H and W multiples of 4.
        low: `(H / 4, W / 4, 3)` uint8 each.
        settings: crop and augmentation.

    Returns:
        See `MakeExample`; inputs are `crop / 4` pixels wide and high, truths `crop`.
    """
    side = settings.crop // SCALE

    def make(index: int, random: np.random.Generator) -> Raw:
        top, left = _corner(low[index], side, settings.candidates, random)
        crops = {
            "low": low[index][top : top + side, left : left + side],
            "high": high[index][top * SCALE :, left * SCALE :][: settings.crop, : settings.crop],
        }
        flipped = settings.flip and random.random() < 0.5
        turns = int(random.integers(4)) if settings.turn else 0
        turned = {
            name: np.ascontiguousarray(np.rot90(np.fliplr(crop) if flipped else crop, turns))
            for name, crop in crops.items()
        }
        return turned | inputs.numbers(settings, side, random)

    return make


def order(high: Sequence[np.ndarray], settings: PhotosData | PairsData) -> np.ndarray:
    """The pictures of one epoch, by index, `(L,)`: each as often as it holds crops, at least once."""
    areas = np.array([picture.shape[0] * picture.shape[1] for picture in high])
    return np.repeat(np.arange(len(high)), np.maximum(1, np.rint(areas / settings.crop**2).astype(int)))


def reduced(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Pictures a fourth as wide and high, by MATLAB's bicubic."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda picture: resample.bicubic_reduce(picture, SCALE), pictures))


def validation(
    pictures: Sequence[np.ndarray],
    settings: PhotosData,
    sources: Sequence[Hashable],
    known: Sequence[np.ndarray] | None = None,
) -> ValidationSet:
    """The centres of held-out pictures with their inputs, at most 100 of them, evenly from all sources.

    The inputs are all damaged as the recipe damages those that it trains on.

    Args:
        pictures: `(H, W, 3)` uint8 each, sides multiples of 4.
        settings: crop and damage.
        sources: that of each picture.
        known: the pictures reduced, where that is done already.
    """
    places, side = choose(pictures, settings.crop, sources)
    chosen = [pictures[place] for place in places]
    lows, truths = middles([known[place] for place in places] if known else reduced(chosen), chosen, side)
    raw = stacked(
        [
            {"low": low, "high": truth}
            | inputs.numbers(settings, side // SCALE, generator(0, number), always=True)
            for number, (low, truth) in enumerate(zip(lows, truths, strict=True))
        ]
    )
    damaged, _, _ = backend.current().compiled(inputs.to_pairs(settings))(raw)
    return ValidationSet(backend.as_numpy(damaged), truths, Y_MATLAB_X4)


def choose(pictures: Sequence[np.ndarray], crop: int, sources: Sequence[Hashable]) -> tuple[list[int], int]:
    """The pictures to validate on, by index, and how large a part of each, in pixels."""
    large = [index for index, one in enumerate(pictures) if min(one.shape[:2]) >= VALIDATION_SIDE]
    of_all = {sources[index] for index in large} == set(sources)
    usable = large if of_all else list(range(len(pictures)))
    spread = split.spread([sources[index] for index in usable], VALIDATION_LIMIT)
    return [usable[index] for index in spread], VALIDATION_SIDE if of_all else crop


def middles(
    lows: Sequence[np.ndarray], highs: Sequence[np.ndarray], side: int
) -> tuple[np.ndarray, np.ndarray]:
    """The middles of inputs, `(N, side / 4, side / 4, 3)` uint8, and of truths, `(N, side, side, 3)`."""
    low_parts, high_parts = [], []
    for low, high in zip(lows, highs, strict=True):
        top, left = ((length - side) // 2 // SCALE for length in high.shape[:2])
        high_parts.append(high[top * SCALE :, left * SCALE :][:side, :side])
        low_parts.append(low[top:, left:][: side // SCALE, : side // SCALE])
    return np.stack(low_parts), np.stack(high_parts)


def _corner(low: np.ndarray, side: int, candidates: int, random: np.random.Generator) -> tuple[int, int]:
    """The corner (top, left) of the most textured of some random crops, in LR pixels."""
    room = np.array(low.shape[:2]) - side + 1
    corners = [tuple(random.integers(room)) for _ in range(candidates)]
    if candidates == 1:
        return corners[0]
    crops = (low[top : top + side, left : left + side] for top, left in corners)
    texture = [np.var(crop, axis=(0, 1), dtype=np.float32).sum() for crop in crops]
    return corners[int(np.argmax(texture))]
