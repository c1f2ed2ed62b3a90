"""Area, nearest and bicubic resampling: defined once, for training, evaluation and baselines alike."""

import numpy as np
from PIL import Image

from srez.errors import ImageError
from srez.images.parts import Box


def area(images: np.ndarray, scale: int) -> np.ndarray:
    """Downscale by the mean of each `scale` x `scale` block (*area*, as in srez).

    Args:
        images: `(..., H, W, C)`, any dtype, any range; H and W multiples of `scale`.
        scale: the side of a block, in pixels.

    Returns:
        `(..., H / scale, W / scale, C)`, float64 for float64 input and float32 otherwise, not rounded.

    Raises:
        ImageError: the size is not a multiple of `scale`.
    """
    *lead, height, width, channels = images.shape
    if height % scale or width % scale:
        raise ImageError(
            f"a {width}x{height} picture cannot be divided into {scale}x{scale} blocks: crop it first"
        )
    blocks = images.reshape(*lead, height // scale, scale, width // scale, scale, channels)
    dtype = np.float64 if images.dtype == np.float64 else np.float32
    return blocks.mean(axis=(-4, -2), dtype=dtype)


def nearest(images: np.ndarray, scale: int) -> np.ndarray:
    """Repeat every pixel `scale` times in both directions.

    Args:
        images: `(..., H, W, C)`, any dtype, any range.
        scale: how many times larger.

    Returns:
        `(..., H * scale, W * scale, C)` of the same dtype.
    """
    return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def bicubic(images: np.ndarray, scale: int) -> np.ndarray:
    """Upscale by Keys' cubic convolution (a = -0.5, half-pixel centres), on unrounded values.

    Pillow's implementation; its weights are renormalised at the border. Keys, "Cubic convolution
    interpolation for digital image processing", IEEE TASSP 1981, eq. 15.

    Args:
        images: `(N, H, W, C)` float32, any range.
        scale: how many times larger.

    Returns:
        `(N, H * scale, W * scale, C)` float32; may overshoot the input's range.
    """
    size = (images.shape[2] * scale, images.shape[1] * scale)
    return np.stack([bicubic_to(image, *size) for image in images])


def bicubic_to(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """The same to any size; the kernel is widened where it reduces, against aliasing.

    Args:
        image: `(H, W, C)` float, any range.
        width: wanted, in pixels.
        height: wanted, in pixels.

    Returns:
        `(height, width, C)` float32; may overshoot the input's range.
    """
    planes = np.moveaxis(image.astype(np.float32, copy=False), -1, 0)
    return np.stack([_resize_plane(plane, (width, height)) for plane in planes], axis=-1)


def bilinear_part(plane: np.ndarray, width: int, height: int, box: Box) -> np.ndarray:
    """A part of a plane to any size, linearly, with what lies around it.

    Args:
        plane: `(H, W)` float32, any range.
        width: wanted, in pixels.
        height: wanted, in pixels.
        box: the part: left, top, right and bottom, in pixels.

    Returns:
        `(height, width)` float32.
    """
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR, box))


def bicubic_reduce(image: np.ndarray, scale: int) -> np.ndarray:
    """Downscale as MATLAB's `imresize` does: Keys' cubic (a = -0.5), widened by `scale` against aliasing.

    Rows first, then columns, rounded after each; the picture is mirrored at its border. The inputs of the x4
    benchmarks were made so, and come out equal.

    Args:
        image: `(H, W, C)` uint8; H and W multiples of `scale`, which is even.
        scale: how many times smaller.

    Returns:
        `(H / scale, W / scale, C)` uint8.

    Raises:
        ImageError: the size is not a multiple of `scale`.
    """
    height, width, _ = image.shape
    if height % scale or width % scale:
        raise ImageError(f"a {width}x{height} picture is not a multiple of {scale}: crop it first")
    return _reduce_rows(_reduce_rows(image, scale).swapaxes(0, 1), scale).swapaxes(0, 1)


def _reduce_rows(image: np.ndarray, scale: int) -> np.ndarray:
    taps = keys_cubic((np.arange(4 * scale) - 2 * scale + 0.5) / scale).astype(np.float32)
    taps /= taps.sum()
    before = (len(taps) - scale) // 2
    padded = np.pad(image, ((before, before), (0, 0), (0, 0)), mode="symmetric")
    rows = np.zeros((image.shape[0] // scale, *image.shape[1:]), np.float32)
    for start, tap in enumerate(taps):
        rows += tap * padded[start : start + image.shape[0] : scale]
    return np.floor(rows + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def keys_cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic kernel with a = -0.5 (Keys 1981, eq. 15), at distances in pixels."""
    distance = np.abs(distance)
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def _resize_plane(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
