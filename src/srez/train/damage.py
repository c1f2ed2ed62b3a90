"""What real pictures have been through: blur, resizing, noise, sharpening, a lossy file, and all of it again.

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
from srez.train import codecs

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types
DRAWS = 64  # uniform random numbers that a picture needs at most
FIELDS = 2  # fields of normal random numbers: one for each time it gets noise
_KERNEL = 13  # side of a blur's kernel, in HR pixels


def damaged(high: Tensor, side: int, degree: Tensor, draws: Tensor, normals: Tensor) -> Tensor:
    """A damaged, four times smaller version of a sharp picture.

    Args:
        high: `(4 side, 4 side, 3)` in [0, 1].
        side: of the result, in pixels.
        degree: how much, from 0 (nearly none: slight blur, JPEG of high quality) to 1 (blur, and
            twice through resizing, noise and JPEG of low quality).
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
    some, down, right, kind = next(draw), next(draw), next(draw), next(draw)
    return ops.switch(
        ops.sum(ops.cast(kind > ops.convert_to_tensor([0.78, 0.86, 0.91], "float32"), "int32")),
        [
            lambda: codecs.jpeg(low, quality, some < 0.7, down, right),
            lambda: codecs.webp(low, quality, down, right),
            lambda: codecs.palette(low, ops.round(_between(3, 9, (quality - 30) / 65)), some < 0.6),
            lambda: codecs.in_levels(low),
        ],
    )


def _first_time(x: Tensor, side: int, degree: Tensor, draws: Tensor, normals: Tensor) -> Tensor:
    """Half as large, noisy and compressed."""
    draw = iter(ops.unstack(draws))
    x = _noisy(_resized(x, 4 * side, 2 * side, next(draw)), degree, draw, normals)
    quality = _between(95, 40, degree * next(draw))
    return codecs.jpeg(x, quality, next(draw) < 0.7, next(draw), next(draw))


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
    """With a sensor's noise: of one or three colours, everywhere alike or stronger where it is brighter.

    It is white, or soft, as cameras and earlier enlargements leave it.
    """
    levels = _between(2.0, 10.0, degree) * next(draw)
    gray = next(draw) < 0.4
    field = ops.where(gray, normals[..., :1] + 0 * normals, normals)
    field = ops.where(next(draw) < 0.25, softened(field), field)
    shot = next(draw) < 0.4
    spread = ops.where(shot, ops.sqrt(ops.clip(x, 0, 1)) * 1.4, ops.ones_like(x))
    noisy = x + levels / 255.0 * field * spread
    return ops.where(next(draw) < 0.75, ops.clip(noisy, 0, 1), x)


def softened(noise: Tensor) -> Tensor:
    """White noise, `(H, W, 3)`, that has become the same over a few pixels, and is as strong as before."""
    pooled = ops.average_pool(_mirrored(noise, 1), 2, 1, "valid")
    return ops.average_pool(pooled, 2, 1, "valid")[0] / 0.375  # what weights of 1, 2, 1 both ways leave of it


def _mirrored(x: Tensor, reach: int) -> Tensor:
    """With so many pixels more on each side, `(1, H, W, 3)`: PyTorch mirrors no less than four axes."""
    return ops.pad(x[None], ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="reflect")


def _between(first: float, last: float, share: Tensor) -> Tensor:
    return first + (last - first) * share
