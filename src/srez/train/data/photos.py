"""Photographs of any size to LR/HR pairs, as the x4 benchmarks make them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from srez import images
from srez.errors import ImageError
from srez.images import resample
from srez.train.data.pairs import Example, Held
from srez.train.recipe import PhotosData

SCALE = 4
VALIDATION_SIDE = 192  # pixels of a validation crop; `crop` where no held-out picture is as large
VALIDATION_LIMIT = 100  # pictures


def treat(settings: PhotosData) -> Callable[[images.Picture, str], np.ndarray]:
    """What to do with every picture: RGB, cropped to a multiple of 4, at least as large as a crop."""

    def to_rgb(picture: images.Picture, name: str) -> np.ndarray:
        pixels = images.rgb(picture)
        height, width = (side - side % SCALE for side in pixels.shape[:2])
        if min(height, width) < settings.crop:
            raise ImageError(f"{name} is {width}x{height}, smaller than data.crop = {settings.crop}")
        return np.ascontiguousarray(pixels[:height, :width])

    return to_rgb


def example(train: list[np.ndarray], settings: PhotosData) -> Example:
    """Training pairs of photographs: random crops, flipped and turned.

    Both sizes of all pictures are kept in memory, one behind the other: 3.2 bytes a pixel.

    Args:
        train: `(H, W, 3)` uint8 each, H and W multiples of 4.
        settings: crop and augmentation.

    Returns:
        A function of a picture's index and a seed; inputs are `crop / 4`, outputs `crop` pixels large.
    """
    high, low = _end_to_end(train), _end_to_end(_reduced(train))
    widths = tf.constant([picture.shape[1] // SCALE for picture in train], tf.int64)
    heights = tf.constant([picture.shape[0] // SCALE for picture in train], tf.int64)
    starts = tf.cumsum(widths * heights, exclusive=True)
    side = settings.crop // SCALE

    def crop(index: tf.Tensor, corner: tf.Tensor, scale: int) -> tf.Tensor:
        width = widths[index] * scale
        rows = tf.range(side * scale, dtype=tf.int64) + corner[0] * scale
        columns = tf.range(side * scale, dtype=tf.int64) + corner[1] * scale
        places = starts[index] * scale**2 + rows[:, None] * width + columns
        return tf.gather(low if scale == 1 else high, places)

    def make(index: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        seeds = tf.unstack(tf.random.split(seed, 4))
        room = tf.stack([heights[index] - side + 1, widths[index] - side + 1])
        shares = tf.random.stateless_uniform([settings.candidates, 2], seeds[0])
        corners = tf.cast(shares * tf.cast(room, tf.float32), tf.int64)
        corner = corners[0]
        if settings.candidates > 1:
            crops = [crop(index, corners[i], 1) for i in range(settings.candidates)]
            spread = tf.math.reduce_variance(tf.cast(tf.stack(crops), tf.float32), axis=(1, 2))
            corner = corners[tf.argmax(tf.reduce_sum(spread, axis=-1))]
        pair = [crop(index, corner, 1), crop(index, corner, SCALE)]
        flip, turns = tf.unstack(tf.random.stateless_uniform([2], seeds[1], 0, 4, tf.int32))
        if settings.flip:
            pair = [tf.cond(flip < 2, lambda x=x: x, lambda x=x: tf.reverse(x, [1])) for x in pair]
        if settings.turn:
            pair = [tf.image.rot90(x, turns) for x in pair]
        clean, truth = (tf.cast(x, tf.float32) / 255.0 for x in pair)
        noisy = _damaged(clean, settings, seeds[2], seeds[3])
        shaped = zip((noisy, clean, truth), (side, side, settings.crop), strict=True)
        return tuple(tf.ensure_shape(x, (length, length, 3)) for x, length in shaped)

    return make


def validation(pictures: list[np.ndarray], settings: PhotosData) -> Held:
    """The inputs and truths of the middles of held-out pictures, at most 100 of them."""
    large = [picture for picture in pictures if min(picture.shape[:2]) >= VALIDATION_SIDE]
    side = VALIDATION_SIDE if large else settings.crop
    chosen = (large or pictures)[:VALIDATION_LIMIT]
    lows, truths = [], []
    for picture, low in zip(chosen, _reduced(chosen), strict=True):
        top, left = ((length - side) // 2 // SCALE for length in picture.shape[:2])
        truths.append(picture[top * SCALE :, left * SCALE :][:side, :side])
        lows.append(low[top:, left:][: side // SCALE, : side // SCALE])
    return images.to_float(np.stack(lows)), np.stack(truths)


def _damaged(clean: tf.Tensor, settings: PhotosData, seed: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """The network's input: with noise, and half of the time with JPEG's traces, where asked."""
    if settings.noise:
        clean = tf.clip_by_value(clean + settings.noise * tf.random.stateless_normal(clean.shape, seed), 0, 1)
    if not settings.jpeg:
        return clean
    compressed = tf.image.stateless_random_jpeg_quality(clean, settings.jpeg, 100, other)
    return tf.cond(tf.random.stateless_uniform([], seed) < 0.5, lambda: compressed, lambda: clean)


def _reduced(pictures: list[np.ndarray]) -> list[np.ndarray]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda picture: resample.bicubic_reduce(picture, SCALE), pictures))


def _end_to_end(pictures: list[np.ndarray]) -> tf.Tensor:
    """All pixels of all pictures, `(pixels, 3)` uint8."""
    return tf.constant(np.concatenate([picture.reshape(-1, 3) for picture in pictures]))
