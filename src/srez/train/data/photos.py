"""Photographs of any size to LR/HR pairs, as the x4 benchmarks make them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from srez import images
from srez.errors import ImageError
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import resample
from srez.train.data.pairs import SCALE, Example, ValidationSet, noise
from srez.train.recipe import PhotosData

VALIDATION_SIDE = 192  # pixels of a validation crop; `crop` where no held-out picture is as large
VALIDATION_LIMIT = 100  # pictures


def cropped_to_multiple(settings: PhotosData) -> Callable[[images.Picture, str], np.ndarray]:
    """What makes every picture RGB, its sides multiples of 4; it refuses those smaller than a crop."""

    def prepare(picture: images.Picture, name: str) -> np.ndarray:
        pixels = images.rgb(picture)
        height, width = (side - side % SCALE for side in pixels.shape[:2])
        if min(height, width) < settings.crop:
            raise ImageError(f"{name} is {width}x{height}, smaller than data.crop = {settings.crop}")
        return np.ascontiguousarray(pixels[:height, :width])

    return prepare


def example(train: list[np.ndarray], settings: PhotosData) -> Example:
    """Training pairs of photographs: random crops, flipped and turned.

    Both sizes of all pictures are kept in memory, one behind the other: 3.2 bytes a pixel.

    Args:
        train: `(H, W, 3)` uint8 each, H and W multiples of 4.
        settings: crop and augmentation.

    Returns:
        A function of a picture's index and a seed; inputs are `crop / 4`, outputs `crop` pixels large.
    """
    high, low = _Album.of(train), _Album.of(_reduced(train))
    side = settings.crop // SCALE

    def make(index: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        place, direction, degradation, quality = tf.unstack(tf.random.split(seed, 4))
        corner = _corner(low, index, side, settings.candidates, place)
        crops = [low.crop(index, corner, side), high.crop(index, corner * SCALE, settings.crop)]
        clean, truth = (tf.cast(crop, tf.float32) / 255.0 for crop in _turned(crops, settings, direction))
        noisy = _degraded(clean, settings, degradation, quality)
        # TensorFlow does not know the sizes of what it has turned.
        small, large = (side, side, 3), (settings.crop, settings.crop, 3)
        return tf.ensure_shape(noisy, small), tf.ensure_shape(clean, small), tf.ensure_shape(truth, large)

    return make


def validation(pictures: list[np.ndarray], settings: PhotosData) -> ValidationSet:
    """The middles of held-out pictures with their inputs, at most 100 of them."""
    large = [picture for picture in pictures if min(picture.shape[:2]) >= VALIDATION_SIDE]
    side = VALIDATION_SIDE if large else settings.crop
    chosen = (large or pictures)[:VALIDATION_LIMIT]
    lows, truths = [], []
    for picture, low in zip(chosen, _reduced(chosen), strict=True):
        top, left = ((length - side) // 2 // SCALE for length in picture.shape[:2])
        truths.append(picture[top * SCALE :, left * SCALE :][:side, :side])
        lows.append(low[top:, left:][: side // SCALE, : side // SCALE])
    return ValidationSet(images.to_float(np.stack(lows)), np.stack(truths), Y_MATLAB_X4)


@dataclass(frozen=True)
class _Album:
    """Pictures of any size in one tensor, row behind row, so that a crop of any of them is one gather.

    Attributes:
        pixels: of all pictures, `(total, 3)` uint8.
        starts: where each picture begins in `pixels`.
        heights: of each picture, in pixels.
        widths: the same.
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
        """A square of a picture, `(side, side, 3)` uint8, from its corner (top, left)."""
        rows = corner[0] + tf.range(side, dtype=tf.int64)
        columns = corner[1] + tf.range(side, dtype=tf.int64)
        return tf.gather(self.pixels, self.starts[index] + rows[:, None] * self.widths[index] + columns)


def _corner(low: _Album, index: tf.Tensor, side: int, candidates: int, seed: tf.Tensor) -> tf.Tensor:
    """The corner (top, left) of a random crop, in LR pixels: of so many, the one with the most texture."""
    room = tf.stack([low.heights[index] - side + 1, low.widths[index] - side + 1])
    shares = tf.random.stateless_uniform([candidates, 2], seed)
    corners = tf.cast(shares * tf.cast(room, tf.float32), tf.int64)
    if candidates == 1:
        return corners[0]
    crops = tf.stack([low.crop(index, corners[number], side) for number in range(candidates)])
    variances = tf.math.reduce_variance(tf.cast(crops, tf.float32), axis=(1, 2))  # of each colour
    return corners[tf.argmax(tf.reduce_sum(variances, axis=-1))]


def _turned(crops: list[tf.Tensor], settings: PhotosData, seed: tf.Tensor) -> list[tf.Tensor]:
    """Crops flipped and turned by quarters at random, all of them alike."""
    flip, turns = tf.unstack(tf.random.stateless_uniform([2], seed, 0, 4, tf.int32))
    if settings.flip:
        crops = [tf.cond(flip < 2, lambda x=x: x, lambda x=x: tf.reverse(x, [1])) for x in crops]
    if settings.turn:
        crops = [tf.image.rot90(x, turns) for x in crops]
    return crops


def _degraded(clean: tf.Tensor, settings: PhotosData, seed: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """The network's input: with noise, and half of the time with JPEG's artefacts, where asked.

    Args:
        clean: `(h, w, 3)` in [0, 1].
        settings: how much of both.
        seed: of the noise and of the choice of inputs that are compressed.
        quality: seed of JPEG's quality.
    """
    if settings.noise:
        clean = tf.clip_by_value(clean + noise(clean, settings.noise, seed), 0, 1)
    if not settings.jpeg:
        return clean
    compressed = tf.image.stateless_random_jpeg_quality(clean, settings.jpeg, 100, quality)
    return tf.cond(tf.random.stateless_uniform([], seed) < 0.5, lambda: compressed, lambda: clean)


def _reduced(pictures: list[np.ndarray]) -> list[np.ndarray]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda picture: resample.bicubic_reduce(picture, SCALE), pictures))
