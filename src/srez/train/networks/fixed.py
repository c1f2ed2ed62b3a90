"""Convolutions that are not trained."""

import keras
import numpy as np
from keras import layers

from srez.images.resample import keys_cubic


def fixed_conv(
    x: keras.KerasTensor, kernel: np.ndarray, dtype: str | None = None, name: str | None = None
) -> keras.KerasTensor:
    """A convolution that is not trained, without padding.

    Args:
        x: what is convolved.
        kernel: `(height, width, in, out)`.
        dtype: of the arithmetic; the recipe's precision by default.
        name: of the layer.
    """
    fixed = {"use_bias": False, "trainable": False, "dtype": dtype, "name": name}
    layer = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], **fixed)
    y = layer(x)
    layer.set_weights([kernel.astype(np.float32)])
    return y


def mean_kernel(reach: int) -> np.ndarray:
    """The local mean of three colours, `reach` pixels to either side."""
    side = 2 * reach + 1
    return np.einsum("ij,co->ijco", np.full((side, side), 1 / side**2), np.eye(3))


def bicubic_kernel(scale: int, reach: int) -> np.ndarray:
    """Bicubic upscaling as a convolution to `scale**2` sub-pixels of three colours (sub-pixel-major)."""
    offsets = (np.arange(scale) + 0.5) / scale - 0.5
    taps = keys_cubic(np.arange(-reach, reach + 1) - offsets[:, None])  # (phase, tap)
    side = 2 * reach + 1
    return np.einsum("ai,bj,co->ijcabo", taps, taps, np.eye(3)).reshape(side, side, 3, -1)
