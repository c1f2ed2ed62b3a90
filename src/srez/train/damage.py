"""What real pictures have been through: blur, resizing, noise, sharpening, JPEG, and all of it again.

After BSRGAN (Zhang et al., arXiv 2103.14006, section 3) and Real-ESRGAN (Wang et al., arXiv 2107.10833,
section 3). A damaged picture is a function of the sharp one and of random numbers that the caller draws, so
it can be made again on any machine. Written in `keras.ops`: it runs wherever the network does.

All pictures here are `(H, W, 3)` in [0, 1], square where it says `side`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import keras
import numpy as np

from srez.images.resample import keys_cubic

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types
DRAWS = 64  # uniform random numbers that a picture needs at most
FIELDS = 2  # fields of normal random numbers: one for each time it gets noise
_KERNEL = 13  # side of a blur's kernel, in HR pixels

# ITU-T T.81, tables K.1 and K.2: quantisation of luminance and chrominance at quality 50.
_LUMINANCE = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99
"""


def damaged(high: Tensor, side: int, degree: Tensor, draws: Tensor, normals: Tensor) -> Tensor:
    """A damaged, four times smaller version of a sharp picture.

    Args:
        high: `(4 side, 4 side, 3)` in [0, 1].
        side: of the result, in pixels.
        degree: how much, from 0 (nearly none: slight blur, JPEG of high quality) to 1 (twice through blur,
            resizing, noise and JPEG of low quality).
        draws: `(DRAWS,)`, uniform in [0, 1).
        normals: `(FIELDS, 2 side, 2 side, 3)`, of the standard normal distribution.

    Returns:
        `(side, side, 3)`, in 256 levels.
    """
    draw = iter(ops.unstack(draws))
    x = _blurred(high, degree, draw)
    twice = next(draw) < 1.6 * degree - 0.5
    between = ops.cond(
        twice,
        lambda: _first_time(x, side, degree, draws[24:], normals[0]),
        lambda: _resized(x, 4 * side, 2 * side, draws[20]),
    )
    # What was not damaged half way is reduced in one step, as its kind has it.
    low = ops.cond(
        twice,
        lambda: _resized(between, 2 * side, side, draws[21]),
        lambda: _resized(x, 4 * side, side, draws[21]),
    )
    low = _sharpened(low, next(draw), next(draw))
    low = _noisy(low, degree, draw, normals[1, :side, :side])
    quality = _between(95, 30, ops.clip(degree + 0.3 * (next(draw) - 0.5), 0, 1))
    compressed = jpeg(low, quality, next(draw) < 0.7, next(draw), next(draw))
    return _in_levels(ops.where(next(draw) < 0.9, compressed, low))


def _first_time(x: Tensor, side: int, degree: Tensor, draws: Tensor, normals: Tensor) -> Tensor:
    """Half as large, noisy and compressed."""
    draw = iter(ops.unstack(draws))
    x = _noisy(_resized(x, 4 * side, 2 * side, next(draw)), degree, draw, normals)
    quality = _between(95, 40, degree * next(draw))
    return jpeg(x, quality, next(draw) < 0.7, next(draw), next(draw))


def jpeg(x: Tensor, quality: Tensor, subsampled: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Through a JPEG file, as libjpeg makes it but for its rounding between steps.

    Args:
        x: `(side, side, 3)` in [0, 1].
        quality: from 1 to 100.
        subsampled: whether colours are kept at half the resolution.
        down: in [0, 1): where the grid of blocks begins, as a share of 8 pixels.
        right: the same along the row.
    """
    side = x.shape[0]
    room = -side % 16 + 16
    tops = ops.cast(ops.stack([down, right]) * 8, "int32")
    # Moved by up to 7 pixels, with its border repeated on all sides.
    rows = ops.clip(ops.arange(side + room) - tops[0], 0, side - 1)
    columns = ops.clip(ops.arange(side + room) - tops[1], 0, side - 1)
    moved = ops.take(ops.take(x, rows, axis=0), columns, axis=1)
    colours = 255.0 * ops.matmul(moved, ops.convert_to_tensor(_TO_YCC)) - ops.convert_to_tensor(_BLACK)
    scale = ops.where(quality < 50, 50.0 / quality, 2.0 - quality / 50.0)
    luminance = _quantised(colours[..., :1], _table(_LUMINANCE), scale)
    fine = _quantised(colours[..., 1:], _table(_CHROMINANCE), scale)
    halved = ops.mean(
        ops.reshape(colours[..., 1:], ((side + room) // 2, 2, (side + room) // 2, 2, 2)), axis=(1, 3)
    )
    doubling = ops.convert_to_tensor(_doubling((side + room) // 2))
    coarse = _quantised(halved, _table(_CHROMINANCE), scale)
    coarse = ops.einsum("ai,bj,ijc->abc", doubling, doubling, coarse)
    chrominance = ops.where(subsampled, coarse, fine)
    back = ops.concatenate([luminance, chrominance], axis=2) + ops.convert_to_tensor(_BLACK)
    rgb = ops.matmul(back, ops.convert_to_tensor(_FROM_YCC)) / 255.0
    rows, columns = ops.arange(side) + tops[0], ops.arange(side) + tops[1]
    return _in_levels(ops.take(ops.take(rgb, rows, axis=0), columns, axis=1))


_TO_YCC = np.array(
    [[0.299, -0.168736, 0.5], [0.587, -0.331264, -0.418688], [0.114, 0.5, -0.081312]], np.float32
)
_FROM_YCC = np.linalg.inv(_TO_YCC).astype(np.float32)
_BLACK = np.array([128, 0, 0], np.float32)  # chrominance has its middle at 0 here


@cache
def _doubling(side: int) -> np.ndarray:
    """Twice as many pixels by linear interpolation, as decoders have it, `(2 side, side)`."""
    places = (np.arange(2 * side) + 0.5) / 2 - 0.5
    return np.clip(1 - np.abs(places.clip(0, side - 1)[:, None] - np.arange(side)), 0, None).astype(
        np.float32
    )


def _quantised(x: Tensor, table: np.ndarray, scale: Tensor) -> Tensor:
    """Each 8x8 block of `(H, W, C)` in steps of its cosine transform."""
    height, width, channels = x.shape
    blocks = ops.reshape(x, (height // 8, 8, width // 8, 8, channels))
    transform = ops.convert_to_tensor(_cosines())
    waves = ops.einsum("ui,vj,aibjc->aubvc", transform, transform, blocks)
    steps = ops.clip(ops.floor(ops.convert_to_tensor(table) * scale + 0.5), 1, 255)[None, :, None, :, None]
    waves = ops.round(waves / steps) * steps
    return ops.reshape(
        ops.einsum("ui,vj,aubvc->aibjc", transform, transform, waves), (height, width, channels)
    )


def _table(text: str) -> np.ndarray:
    return np.array(text.split(), np.float32).reshape(8, 8)


@cache
def _cosines() -> np.ndarray:
    """The orthonormal DCT-II of 8 values, `(8, 8)`."""
    matrix = np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(8) + 1) / 16) / 2
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _blurred(x: Tensor, degree: Tensor, draw: Iterator[Tensor]) -> Tensor:
    """By a Gaussian, along one direction more than across, or by a lens out of focus; or not at all."""
    widest = _between(1.0, 3.2, degree)
    along = 0.3 + (widest - 0.3) * next(draw)
    across = ops.where(next(draw) < 0.5, along, 0.3 + (along - 0.3) * next(draw))
    angle = np.pi * next(draw)
    y, x_ = (ops.convert_to_tensor(grid) for grid in np.mgrid[-6:7, -6:7].astype(np.float32))
    u, v = x_ * ops.cos(angle) + y * ops.sin(angle), y * ops.cos(angle) - x_ * ops.sin(angle)
    gaussian = ops.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
    disc = ops.clip(0.5 + 1.6 * along - ops.sqrt(x_**2 + y**2), 0, 1)
    kernel = ops.where(next(draw) < 0.85, gaussian, disc)
    kernel = kernel / ops.sum(kernel)
    return ops.where(next(draw) < 0.8, convolved(x, kernel), x)


def convolved(x: Tensor, kernel: Tensor) -> Tensor:
    """With a kernel of odd side, by Fourier transforms; beyond its border the picture is mirrored."""
    side, reach = kernel.shape[0], kernel.shape[0] // 2
    planes = ops.transpose(_mirrored(x, reach)[0], (2, 0, 1))
    height, width = planes.shape[1:]
    framed = ops.pad(kernel, ((0, height - side), (0, width - side)))[None]
    real, imaginary = ops.fft2((planes, ops.zeros_like(planes)))
    times, turned = ops.fft2((framed, ops.zeros_like(framed)))
    product = real * times - imaginary * turned, real * turned + imaginary * times
    wrapped = ops.ifft2(product)[0]
    return ops.transpose(wrapped[:, side - 1 :, side - 1 :], (1, 2, 0))


def _resized(x: Tensor, before: int, after: int, kind: Tensor) -> Tensor:
    """To another size, by one of several kernels: bicubic as MATLAB, bilinear, area, or every n-th pixel."""
    matrices = ops.convert_to_tensor(_matrices(before, after))
    # Most programs reduce by bicubic or area; without any care for aliasing some do.
    number = ops.sum(ops.cast(kind > ops.convert_to_tensor([0.45, 0.65, 0.95], "float32"), "int32"))
    chosen = ops.take(matrices, number, axis=0)
    return ops.einsum("ai,bj,ijc->abc", chosen, chosen, x)


@cache
def _matrices(before: int, after: int) -> np.ndarray:
    """Kernels as matrices, `(4, after, before)`: bicubic, bilinear, area, nearest."""
    scale = before / after
    distance = (np.arange(before) + 0.5 - (np.arange(after)[:, None] + 0.5) * scale) / scale
    bilinear = np.clip(1 - np.abs(distance), 0, None)
    area = (np.abs(distance) <= 0.5).astype(float)
    nearest = np.eye(before)[(np.arange(after) * scale + scale / 2).astype(int)]
    kernels = np.stack([keys_cubic(distance), bilinear, area, nearest])
    return (kernels / kernels.sum(axis=2, keepdims=True)).astype(np.float32)


def _sharpened(x: Tensor, whether: Tensor, how: Tensor) -> Tensor:
    """With the halos of an unsharp mask, sometimes."""
    near = ops.average_pool(_mirrored(x, 1), 3, 1, "valid")[0]
    return ops.where(whether < 0.12, ops.clip(x + 1.5 * how * (x - near), 0, 1), x)


def _noisy(x: Tensor, degree: Tensor, draw: Iterator[Tensor], normals: Tensor) -> Tensor:
    """With a sensor's noise: of one or three colours, everywhere alike or stronger where it is brighter."""
    levels = _between(2.0, 10.0, degree) * next(draw)
    gray = next(draw) < 0.4
    field = ops.where(gray, normals[..., :1] + 0 * normals, normals)
    shot = next(draw) < 0.4
    spread = ops.where(shot, ops.sqrt(ops.clip(x, 0, 1)) * 1.4, ops.ones_like(x))
    noisy = x + levels / 255.0 * field * spread
    return ops.where(next(draw) < 0.75, ops.clip(noisy, 0, 1), x)


def _mirrored(x: Tensor, reach: int) -> Tensor:
    """With so many pixels more on each side, `(1, H, W, 3)`: PyTorch mirrors no less than four axes."""
    return ops.pad(x[None], ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="reflect")


def _in_levels(x: Tensor) -> Tensor:
    return ops.round(ops.clip(x, 0, 1) * 255.0) / 255.0


def _between(first: float, last: float, share: Tensor) -> Tensor:
    return first + (last - first) * share
