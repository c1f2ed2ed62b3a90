"""What lossy files do to a picture: JPEG, WebP, and palettes of few colours, with or without dithering.

Written in `keras.ops`, so that they run wherever the network does. Pictures are `(side, side, 3)` in [0, 1],
and results have 256 levels.
"""

from functools import cache
from typing import Any

import keras
import numpy as np

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types

# ITU-T T.81, tables K.1 and K.2: quantisation of luminance and chrominance at quality 50.
_LUMINANCE = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99
"""
_VP8 = np.ones((4, 4), np.float32)
_VP8[0, 0] = 0.5


def jpeg(x: Tensor, quality: Tensor, subsampled: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Through a JPEG file, as libjpeg makes it but for its rounding between steps.

    Args:
        x: `(side, side, 3)` in [0, 1].
        quality: from 1 to 100.
        subsampled: whether colours are kept at half the resolution.
        down: in [0, 1): where the grid of blocks begins, as a share of 8 pixels.
        right: the same along the row.
    """
    colours = _in_blocks(x, down, right)
    scale = ops.where(quality < 50, 50.0 / quality, 2.0 - quality / 50.0)
    luminance, chrominance = (
        ops.clip(ops.floor(ops.convert_to_tensor(_table(table)) * scale + 0.5), 1, 255)
        for table in (_LUMINANCE, _CHROMINANCE)
    )
    fine = _quantised(colours[..., 1:], chrominance)
    coarse = _doubled(_quantised(_halved(colours[..., 1:]), chrominance))
    kept = [_quantised(colours[..., :1], luminance), ops.where(subsampled, coarse, fine)]
    return _out_of_blocks(ops.concatenate(kept, axis=2), x.shape[0], down, right)


def webp(x: Tensor, quality: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Through something like a lossy WebP file: smaller blocks than JPEG's, whose borders are smoothed.

    Of VP8 (RFC 6386) it has the steps (section 14.1, in a formula) and a simple filter (section 15.2). Blocks
    are not predicted from their neighbours; in place of that, their means have steps half as large.

    Args:
        x: `(side, side, 3)` in [0, 1].
        quality: as libwebp counts it, from 1 to 100.
        down: in [0, 1): where the grid of blocks begins, as a share of 8 pixels.
        right: the same along the row.
    """
    colours = _in_blocks(x, down, right)
    share = quality / 100.0
    share = ops.where(share < 0.75, share * 2.0 / 3.0, 2.0 * share - 1.0)
    index = 127.0 * (1.0 - share ** (1 / 3))
    above = ops.clip(index - 54.0, 0, 127)
    step = (4.0 + ops.minimum(index, 54.0) + 2.0 * above + 0.015 * above**2) / 2.0
    steps = ops.maximum(1.0, step * ops.convert_to_tensor(_VP8))
    luminance = _smoothed(_quantised(colours[..., :1], steps), step)
    chrominance = _smoothed(_quantised(_halved(colours[..., 1:]), steps), step)
    kept = ops.concatenate([luminance, _doubled(chrominance)], axis=2)
    return _out_of_blocks(kept, x.shape[0], down, right)


def palette(x: Tensor, levels: Tensor, dithered: Tensor) -> Tensor:
    """In few levels of each channel, as the web's palettes had, with Bayer's ordered dithering or without.

    Args:
        x: `(side, side, 3)` in [0, 1].
        levels: 2 or more, of each channel.
        dithered: whether.
    """
    side = x.shape[0]
    places = np.arange(side) % 8
    thresholds = ops.convert_to_tensor(_bayer()[np.ix_(places, places)][..., None])
    steps = levels - 1.0
    return in_levels(ops.round(x * steps + ops.where(dithered, thresholds, 0 * thresholds)) / steps)


def in_levels(x: Tensor) -> Tensor:
    """In the 256 levels of a file."""
    return ops.round(ops.clip(x, 0, 1) * 255.0) / 255.0


_TO_YCC = np.array(
    [[0.299, -0.168736, 0.5], [0.587, -0.331264, -0.418688], [0.114, 0.5, -0.081312]], np.float32
)
_FROM_YCC = np.linalg.inv(_TO_YCC).astype(np.float32)
_BLACK = np.array([128, 0, 0], np.float32)  # chrominance has its middle at 0 here


def _in_blocks(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """In luminance and chrominance, moved by up to 7 pixels, with its border repeated to whole blocks."""
    side = x.shape[0]
    room = -side % 16 + 16
    tops = _tops(down, right)
    rows = ops.clip(ops.arange(side + room) - tops[0], 0, side - 1)
    columns = ops.clip(ops.arange(side + room) - tops[1], 0, side - 1)
    moved = ops.take(ops.take(x, rows, axis=0), columns, axis=1)
    return 255.0 * ops.matmul(moved, ops.convert_to_tensor(_TO_YCC)) - ops.convert_to_tensor(_BLACK)


def _out_of_blocks(colours: Tensor, side: int, down: Tensor, right: Tensor) -> Tensor:
    back = colours + ops.convert_to_tensor(_BLACK)
    rgb = ops.matmul(back, ops.convert_to_tensor(_FROM_YCC)) / 255.0
    tops = _tops(down, right)
    rows, columns = ops.arange(side) + tops[0], ops.arange(side) + tops[1]
    return in_levels(ops.take(ops.take(rgb, rows, axis=0), columns, axis=1))


def _tops(down: Tensor, right: Tensor) -> Tensor:
    return ops.cast(ops.stack([down, right]) * 8, "int32")


def _halved(x: Tensor) -> Tensor:
    height, width, channels = x.shape
    return ops.mean(ops.reshape(x, (height // 2, 2, width // 2, 2, channels)), axis=(1, 3))


def _doubled(x: Tensor) -> Tensor:
    """By linear interpolation, as decoders have it."""
    matrix = ops.convert_to_tensor(_doubling(x.shape[0]))
    return ops.einsum("ai,bj,ijc->abc", matrix, matrix, x)


@cache
def _doubling(side: int) -> np.ndarray:
    """Twice as many pixels by linear interpolation, `(2 side, side)`."""
    places = (np.arange(2 * side) + 0.5) / 2 - 0.5
    return np.clip(1 - np.abs(places.clip(0, side - 1)[:, None] - np.arange(side)), 0, None).astype(
        np.float32
    )


def _quantised(x: Tensor, steps: Tensor) -> Tensor:
    """Each block of `(H, W, C)`, as large as the table of steps, in steps of its cosine transform."""
    side = steps.shape[0]
    height, width, channels = x.shape
    blocks = ops.reshape(x, (height // side, side, width // side, side, channels))
    transform = ops.convert_to_tensor(_cosines(side))
    waves = ops.einsum("ui,vj,aibjc->aubvc", transform, transform, blocks)
    steps = steps[None, :, None, :, None]
    waves = ops.round(waves / steps) * steps
    return ops.reshape(
        ops.einsum("ui,vj,aubvc->aibjc", transform, transform, waves), (height, width, channels)
    )


def _smoothed(x: Tensor, step: Tensor) -> Tensor:
    """Less of a step between 4x4 blocks, where it is too small to be an edge of the picture."""
    for _ in range(2):  # along the rows, then down the columns
        x = ops.transpose(x, (1, 0, 2))
        before, after = x[3:-1:4], x[4::4]
        rise = after - before
        change = ops.where(ops.abs(rise) < step, 0.375 * rise, 0 * rise)
        parts = ops.reshape(x, (x.shape[0] // 4, 4, *x.shape[1:]))
        first = ops.concatenate([parts[:1, :1], parts[1:, :1] - change[:, None]])
        last = ops.concatenate([parts[:-1, 3:] + change[:, None], parts[-1:, 3:]])
        x = ops.reshape(ops.concatenate([first, parts[:, 1:3], last], axis=1), x.shape)
    return x


def _table(text: str) -> np.ndarray:
    return np.array(text.split(), np.float32).reshape(8, 8)


@cache
def _cosines(side: int) -> np.ndarray:
    """The orthonormal DCT-II of some values, `(side, side)`."""
    waves, places = np.ogrid[:side, :side]
    matrix = np.cos(np.pi * waves * (2 * places + 1) / (2 * side)) * np.sqrt(2 / side)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


@cache
def _bayer() -> np.ndarray:
    """Thresholds of ordered dithering from -0.5 to 0.5 around a level, `(8, 8)`."""
    order = np.zeros((1, 1))
    for _ in range(3):
        order = np.block([[4 * order, 4 * order + 2], [4 * order + 3, 4 * order + 1]])
    return ((order + 0.5) / 64 - 0.5).astype(np.float32)
