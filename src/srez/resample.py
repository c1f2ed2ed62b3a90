"""Area, nearest and bicubic resampling: defined once, for training, evaluation and baselines alike."""

import numpy as np
from PIL import Image

from srez.errors import ImageError


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
        raise ImageError(f"a {width}x{height} picture has no whole {scale}x{scale} blocks: crop it first")
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
    return np.stack(
        [
            np.stack([_resize_plane(plane, size) for plane in np.moveaxis(image, -1, 0)], axis=-1)
            for image in images.astype(np.float32)
        ]
    )


def _resize_plane(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
