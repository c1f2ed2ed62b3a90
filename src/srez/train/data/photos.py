"""Makes LR/HR pairs of photographs of any size, by the bicubic reduction of the x4 benchmarks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from srez import images
from srez.errors import ImageError
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import resample
from srez.train import damage
from srez.train.data.pairs import SCALE, MakeExample, ValidationSet, noise
from srez.train.recipe import Damage, PhotosData

VALIDATION_SIDE = 192  # pixels of a validation crop; `data.crop` if every held-out picture is smaller
VALIDATION_LIMIT = 100  # pictures


def cropped_to_multiple(settings: PhotosData) -> Callable[[images.Picture, str], np.ndarray]:
    """A function that makes pictures RGB with sides that are multiples of 4, and refuses small ones."""

    def prepare(picture: images.Picture, name: str) -> np.ndarray:
        pixels = images.rgb(picture)
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
        crop_seed, turn_seed, noise_seed, jpeg_seed = tf.unstack(tf.random.split(seed, 4))
        corner = _corner(low, index, side, settings.candidates, crop_seed)
        crops = [low.crop(index, corner, side), high.crop(index, corner * SCALE, settings.crop)]
        clean, truth = (tf.cast(crop, tf.float32) / 255.0 for crop in _turned(crops, settings, turn_seed))
        # TensorFlow loses the static shape when it rotates.
        clean = tf.ensure_shape(clean, (side, side, 3))
        truth = tf.ensure_shape(truth, (settings.crop, settings.crop, 3))
        if settings.damage:
            return _damaged(truth, clean, settings.damage, noise_seed), clean, truth
        return _degraded(clean, settings, noise_seed, jpeg_seed), clean, truth

    return make


def validation(pictures: list[np.ndarray], settings: PhotosData) -> ValidationSet:
    """The centres of held-out pictures with their inputs, at most 100 of them."""
    large = [picture for picture in pictures if min(picture.shape[:2]) >= VALIDATION_SIDE]
    side = VALIDATION_SIDE if large else settings.crop
    chosen = (large or pictures)[:VALIDATION_LIMIT]
    lows, truths = [], []
    for picture, low in zip(chosen, _reduced(chosen), strict=True):
        top, left = ((length - side) // 2 // SCALE for length in picture.shape[:2])
        truths.append(picture[top * SCALE :, left * SCALE :][:side, :side])
        lows.append(low[top:, left:][: side // SCALE, : side // SCALE])
    clean, high = images.to_float(np.stack(lows)), np.stack(truths)
    return ValidationSet(_validation_inputs(high, clean, settings.damage), high, Y_MATLAB_X4)


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


def _degraded(
    clean: tf.Tensor, settings: PhotosData, noise_seed: tf.Tensor, jpeg_seed: tf.Tensor
) -> tf.Tensor:
    """The network's input: with noise and, half of the time, JPEG artefacts if the settings ask for them.

    Args:
        clean: `(h, w, 3)` in [0, 1].
        settings: how much of both.
        noise_seed: for the noise, and for whether the input is compressed.
        jpeg_seed: for the quality of the JPEG.
    """
    noisy = clean
    if settings.noise:
        noisy = tf.clip_by_value(clean + noise(clean, settings.noise, noise_seed), 0, 1)
    if not settings.jpeg:
        return noisy
    compressed = tf.image.stateless_random_jpeg_quality(noisy, settings.jpeg, 100, jpeg_seed)
    return tf.cond(tf.random.stateless_uniform([], noise_seed) < 0.5, lambda: compressed, lambda: noisy)


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


def _validation_inputs(truths: np.ndarray, clean: np.ndarray, settings: Damage | None) -> np.ndarray:
    """The inputs of validation pictures, `(M, h, w, 3)` float32: damaged, each by its number, where asked."""
    if not settings:
        return clean
    every = settings.model_copy(update={"share": 1.0})
    pairs = tf.data.Dataset.from_tensor_slices((truths, clean)).enumerate()
    inputs = pairs.map(
        lambda number, pair: _damaged(
            tf.cast(pair[0], tf.float32) / 255.0, pair[1], every, tf.stack([tf.constant(0, tf.int64), number])
        )
    )
    return np.stack(list(inputs.as_numpy_iterator()))


def _reduced(pictures: list[np.ndarray]) -> list[np.ndarray]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda picture: resample.bicubic_reduce(picture, SCALE), pictures))
