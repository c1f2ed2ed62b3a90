"""Makes LR/HR pairs of photographs of any size, by the bicubic reduction of the x4 benchmarks."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from srez import images
from srez.datasets.opaque import opaque
from srez.errors import ImageError
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import resample
from srez.train import damage
from srez.train.data import split
from srez.train.data.pairs import SCALE, MakeExample, ValidationSet, noise
from srez.train.recipe import Damage, PhotosData

VALIDATION_SIDE = 192  # pixels of a validation crop; `data.crop` if a source holds out only smaller pictures
VALIDATION_LIMIT = 100  # pictures
COMPRESSED = 0.5  # share of the inputs that go through JPEG, where the recipe has JPEG


def cropped_to_multiple(settings: PhotosData) -> Callable[[images.Picture, str], np.ndarray]:
    """A function that makes pictures RGB with sides that are multiples of 4, and refuses small ones."""

    def prepare(picture: images.Picture, name: str) -> np.ndarray:
        pixels = opaque(picture)
        height, width = (side - side % SCALE for side in pixels.shape[:2])
        if min(height, width) < settings.crop:
            raise ImageError(f"{name} is {width}x{height}, smaller than data.crop ({settings.crop})")
        return np.ascontiguousarray(pixels[:height, :width])

    return prepare


def example_maker(photos: list[np.ndarray], settings: PhotosData) -> MakeExample:
    """A function that makes training pairs of photographs: random crops, flipped and rotated.

    All pictures stay in memory, at full size and reduced: 3.2 bytes a pixel.

    Args:
        photos: `(H, W, 3)` uint8 each, H and W multiples of 4.
        settings: crop and augmentation.

    Returns:
        See `MakeExample`; inputs are `crop / 4` pixels wide and high, truths `crop`.
    """
    high, low = _Album.of(photos), _Album.of(_reduced(photos))
    side = settings.crop // SCALE

    def make(index: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        crop_seed, turn_seed, input_seed = tf.unstack(tf.random.split(seed, 3))
        corner = _corner(low, index, side, settings.candidates, crop_seed)
        crops = [low.crop(index, corner, side), high.crop(index, corner * SCALE, settings.crop)]
        clean, truth = (tf.cast(crop, tf.float32) / 255.0 for crop in _turned(crops, settings, turn_seed))
        # TensorFlow loses the static shape when it rotates.
        clean = tf.ensure_shape(clean, (side, side, 3))
        truth = tf.ensure_shape(truth, (settings.crop, settings.crop, 3))
        return _input(truth, clean, settings, input_seed), clean, truth

    return make


def validation(
    pictures: list[np.ndarray], settings: PhotosData, sources: Sequence[Hashable]
) -> ValidationSet:
    """The centres of held-out pictures with their inputs, at most 100 of them, evenly from all sources.

    The inputs are all damaged as the recipe damages those that it trains on.

    Args:
        pictures: `(H, W, 3)` uint8 each, sides multiples of 4.
        settings: crop and damage.
        sources: that of each picture.
    """
    large = [index for index, one in enumerate(pictures) if min(one.shape[:2]) >= VALIDATION_SIDE]
    of_all = {sources[index] for index in large} == set(sources)
    side = VALIDATION_SIDE if of_all else settings.crop
    usable = large if of_all else list(range(len(pictures)))
    spread = split.spread([sources[index] for index in usable], VALIDATION_LIMIT)
    chosen = [pictures[usable[index]] for index in spread]
    lows, truths = [], []
    for picture, low in zip(chosen, _reduced(chosen), strict=True):
        top, left = ((length - side) // 2 // SCALE for length in picture.shape[:2])
        truths.append(picture[top * SCALE :, left * SCALE :][:side, :side])
        lows.append(low[top:, left:][: side // SCALE, : side // SCALE])
    clean, high = images.to_float(np.stack(lows)), np.stack(truths)
    return ValidationSet(_validation_inputs(high, clean, settings), high, Y_MATLAB_X4)


@dataclass(frozen=True)
class _Album:
    """Pictures of any size, flattened into one tensor, so that a crop of any of them is one gather.

    Attributes:
        pixels: of all pictures, `(total, 3)` uint8.
        starts: where each picture begins in `pixels`.
        heights: of each picture, in pixels.
        widths: of each picture, in pixels.
    """

    pixels: tf.Tensor
    starts: tf.Tensor
    heights: tf.Tensor
    widths: tf.Tensor

    @staticmethod
    def of(pictures: list[np.ndarray]) -> "_Album":
        heights = tf.constant([picture.shape[0] for picture in pictures], tf.int64)
        widths = tf.constant([picture.shape[1] for picture in pictures], tf.int64)
        pixels = tf.constant(np.concatenate([picture.reshape(-1, 3) for picture in pictures]))
        return _Album(pixels, tf.cumsum(heights * widths, exclusive=True), heights, widths)

    def crop(self, index: tf.Tensor, corner: tf.Tensor, side: int) -> tf.Tensor:
        """A square of a picture, `(side, side, 3)` uint8, whose corner is at (top, left)."""
        rows = corner[0] + tf.range(side, dtype=tf.int64)
        columns = corner[1] + tf.range(side, dtype=tf.int64)
        return tf.gather(self.pixels, self.starts[index] + rows[:, None] * self.widths[index] + columns)


def _corner(low: _Album, index: tf.Tensor, side: int, candidates: int, seed: tf.Tensor) -> tf.Tensor:
    """The corner (top, left) of the most textured of some random crops, in LR pixels."""
    room = tf.stack([low.heights[index] - side + 1, low.widths[index] - side + 1])
    shares = tf.random.stateless_uniform([candidates, 2], seed)
    corners = tf.cast(shares * tf.cast(room, tf.float32), tf.int64)
    if candidates == 1:
        return corners[0]
    crops = tf.stack([low.crop(index, corners[number], side) for number in range(candidates)])
    variances = tf.math.reduce_variance(tf.cast(crops, tf.float32), axis=(1, 2))  # of each colour
    return corners[tf.argmax(tf.reduce_sum(variances, axis=-1))]


def _turned(crops: list[tf.Tensor], settings: PhotosData, seed: tf.Tensor) -> list[tf.Tensor]:
    """Crops flipped and rotated by multiples of 90 degrees at random, all in the same way."""
    flip, turns = tf.unstack(tf.random.stateless_uniform([2], seed, 0, 4, tf.int32))
    if settings.flip:
        crops = [tf.cond(flip < 2, lambda x=x: x, lambda x=x: tf.reverse(x, [1])) for x in crops]
    if settings.turn:
        crops = [tf.image.rot90(x, turns) for x in crops]
    return crops


def _input(
    truth: tf.Tensor, clean: tf.Tensor, settings: PhotosData, seed: tf.Tensor, always: bool = False
) -> tf.Tensor:
    """The network's input, damaged as the settings say.

    Args:
        truth: `(4h, 4w, 3)` in [0, 1].
        clean: `(h, w, 3)` in [0, 1].
        settings: which damage, and how much.
        seed: decides everything.
        always: whether every input is damaged, not only some.
    """
    if settings.damage:
        damage = settings.damage.model_copy(update={"share": 1.0}) if always else settings.damage
        return _damaged(truth, clean, damage, seed)
    return _degraded(clean, settings, seed, 1.0 if always else COMPRESSED)


def _degraded(clean: tf.Tensor, settings: PhotosData, seed: tf.Tensor, compressed_share: float) -> tf.Tensor:
    """An input with noise and, for some, JPEG artefacts if the settings ask for them."""
    noise_seed, quality_seed, coin_seed = tf.unstack(tf.random.split(seed, 3))
    noisy = clean
    if settings.noise:
        noisy = tf.clip_by_value(clean + noise(clean, settings.noise, noise_seed), 0, 1)
    if not settings.jpeg:
        return noisy
    compressed = tf.image.stateless_random_jpeg_quality(noisy, settings.jpeg, 100, quality_seed)
    coin = tf.random.stateless_uniform([], coin_seed)
    return tf.cond(coin < compressed_share, lambda: compressed, lambda: noisy)


def _damaged(truth: tf.Tensor, clean: tf.Tensor, settings: Damage, seed: tf.Tensor) -> tf.Tensor:
    """The network's input: the truth damaged and reduced or, for some pictures, `clean`.

    Args:
        truth: `(4 side, 4 side, 3)` in [0, 1].
        clean: `(side, side, 3)` in [0, 1].
        settings: how many pictures, and how much.
        seed: decides everything.
    """
    side = clean.shape[0]
    assert side
    choice, numbers, noise = tf.unstack(tf.random.split(seed, 3))
    chance, share = tf.unstack(tf.random.stateless_uniform([2], choice))
    degree = settings.least + (settings.most - settings.least) * share

    def damaged() -> tf.Tensor:
        draws = tf.random.stateless_uniform([damage.DRAWS], numbers)
        normals = tf.random.stateless_normal([damage.FIELDS, 2 * side, 2 * side, 3], noise)
        return damage.damaged(truth, side, degree, draws, normals)

    return tf.cond(chance < settings.share, damaged, lambda: clean)


def _validation_inputs(truths: np.ndarray, clean: np.ndarray, settings: PhotosData) -> np.ndarray:
    """The inputs of validation pictures, `(M, h, w, 3)` float32: damaged, each by its number, where asked."""
    if not (settings.damage or settings.noise or settings.jpeg):
        return clean
    pairs = tf.data.Dataset.from_tensor_slices((truths, clean)).enumerate()
    inputs = pairs.map(
        lambda number, pair: _input(
            tf.cast(pair[0], tf.float32) / 255.0,
            pair[1],
            settings,
            tf.stack([tf.constant(0, tf.int64), number]),
            always=True,
        )
    )
    return np.stack(list(inputs.as_numpy_iterator()))


def _reduced(pictures: list[np.ndarray]) -> list[np.ndarray]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda picture: resample.bicubic_reduce(picture, SCALE), pictures))
