"""Inputs as people have them: benchmark pictures reduced x4 and damaged to three degrees, the same each time.

Written apart from `srez.train.damage`, with Pillow's JPEG codec and kernels, so that what is trained on one
is measured on the other. After the degradations of BSRGAN (Zhang et al., "Designing a Practical Degradation
Model for Deep Blind Image Super-Resolution", arXiv 2103.14006, section 3) and Real-ESRGAN (Wang et al., arXiv
2107.10833, section 3.2).
"""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from srez import images
from srez.images import Picture, resample, to_uint8

_SCALE = 4
_REACH = 8  # pixels, of blur
_KERNELS = (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.BOX)


def damaged(high: np.ndarray, degree: str, name: str) -> Picture:
    """An input made from its truth, `(h, w, 3)` uint8, as read from the JPEG file that it was saved in last.

    Args:
        high: `(H, W, 3)` uint8; H and W are multiples of 4.
        degree: one of `DEGREES`.
        name: of the picture, which decides what befalls it.
    """
    return DEGREES[degree].damage(high.astype(float), np.random.default_rng(zlib.crc32(name.encode())))


def _light(image: np.ndarray, random: np.random.Generator) -> Picture:
    spread = random.uniform(0.2, 1.2)
    low = _reduced(_blurred(image, spread, spread, 0))
    return _jpeg(_noisy(low, random, random.uniform(0, 2)), random, 80, 95)


def _medium(image: np.ndarray, random: np.random.Generator) -> Picture:
    along, across, angle = random.uniform(0.8, 2.5), random.uniform(0.4, 1.5), random.uniform(0, np.pi)
    low = _reduced(_blurred(image, along, across, angle))
    return _jpeg(_noisy(low, random, random.uniform(2, 8)), random, 50, 80)


def _heavy(image: np.ndarray, random: np.random.Generator) -> Picture:
    height, width = image.shape[:2]
    along, across, angle = random.uniform(0.8, 2.5), random.uniform(0.4, 2), random.uniform(0, np.pi)
    factor = random.uniform(1.5, 3)
    between = _resized(_blurred(image, along, across, angle), width / factor, height / factor, random)
    between = _jpeg(_noisy(between, random, random.uniform(2, 6)), random, 40, 80).pixels.astype(float)
    low = _resized(between, width / _SCALE, height / _SCALE, random)
    return _jpeg(_noisy(low, random, random.uniform(1, 5)), random, 30, 60)


@dataclass(frozen=True)
class Degree:
    """A degree of damage.

    Attributes:
        words: what is done, as a protocol has it.
        damage: does it to `(H, W, 3)` in [0, 255].
    """

    words: str
    damage: Callable[[np.ndarray, np.random.Generator], Picture]


DEGREES = {
    "light": Degree("slight blur, MATLAB's bicubic, noise of up to 2 levels, JPEG 80 to 95", _light),
    "medium": Degree("anisotropic blur, MATLAB's bicubic, noise of 2 to 8 levels, JPEG 50 to 80", _medium),
    "heavy": Degree("blur, twice resizing, noise and JPEG, the last of quality 30 to 60", _heavy),
}


def _blurred(image: np.ndarray, along: float, across: float, angle: float) -> np.ndarray:
    """By an anisotropic Gaussian, its standard deviations in pixels."""
    y, x = np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
    kernel /= kernel.sum()
    padded = np.pad(image, ((_REACH, _REACH), (_REACH, _REACH), (0, 0)), mode="symmetric")
    return np.einsum("hwcij,ij->hwc", sliding_window_view(padded, kernel.shape, (0, 1)), kernel)


def _reduced(image: np.ndarray) -> np.ndarray:
    return resample.bicubic_reduce(to_uint8(image / 255), _SCALE).astype(float)


def _resized(image: np.ndarray, width: float, height: float, random: np.random.Generator) -> np.ndarray:
    size, kernel = (round(width), round(height)), _KERNELS[random.integers(len(_KERNELS))]
    return np.asarray(Image.fromarray(to_uint8(image / 255)).resize(size, kernel)).astype(float)


def _noisy(image: np.ndarray, random: np.random.Generator, levels: float) -> np.ndarray:
    """With Gaussian noise, now and then the same in all colours."""
    shape = image.shape if random.random() < 0.6 else (*image.shape[:2], 1)
    return image + random.normal(0, levels, shape)


def _jpeg(image: np.ndarray, random: np.random.Generator, least: int, most: int) -> Picture:
    quality, subsampling = int(random.integers(least, most + 1)), 2 if random.random() < 0.7 else 0
    file = io.BytesIO()
    Image.fromarray(to_uint8(image / 255)).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return images.read(file.getvalue())
