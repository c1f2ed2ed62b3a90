"""The faces generator: all arithmetic at LR size, consistent with its input by construction.

A 4x4 block of the output is its mean and 15 details, the coefficients of a block DCT. The mean is the
input pixel, untouched; only the details are predicted. So the block means of the output are the input,
whatever the weights are. The details start as those of bicubic upscaling and the network adds to them.
"""

import itertools
import math
from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops

from srez.images.resample import keys_cubic
from srez.train.networks.fixed import fixed_conv

SCALE = 4
DETAILS = SCALE * SCALE - 1
_REACH = 2  # input pixels to either side that bicubic x4 needs


def generator(channels: int = 64, blocks: int = 10) -> keras.Model:
    """A residual network that predicts the details of 4x4 blocks, fully convolutional, x4.

    Args:
        channels: of the trunk.
        blocks: residual blocks in the trunk.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)`, about [0, 1] but not clipped; H and W at least 3.
    """

    def trunk(inputs: keras.KerasTensor) -> keras.KerasTensor:
        first = x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal")(inputs)
        for _ in range(blocks):
            x = residual_block(x, channels)
        x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal")(x)
        return layers.LeakyReLU(0.2)(layers.Add()([x, first]))

    return around(trunk)


def around(trunk: Callable[[keras.KerasTensor], keras.KerasTensor]) -> keras.Model:
    """A generator of any trunk that is consistent with its input.

    Args:
        trunk: the input, `(N, H, W, 3)`, to features, `(N, H, W, channels)`.

    Returns:
        As `generator`.
    """
    inputs = keras.Input((None, None, 3))
    features = trunk(inputs)
    details = layers.Conv2D(3 * DETAILS, 3, padding="same", kernel_initializer=_normal(1e-3))(features)
    details = layers.Add()([details, _bicubic_details(inputs)])
    coefficients = layers.Concatenate()([inputs, details])
    blocks_of_pixels = fixed_conv(coefficients, _synthesis())
    return keras.Model(inputs, ops.depth_to_space(blocks_of_pixels, SCALE), name="faces")


def residual_block(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    """Two 3x3 convolutions beside the identity, `(N, H, W, channels)`; it begins as nearly nothing."""
    y = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal")(x)
    y = layers.LeakyReLU(0.2)(y)
    y = layers.Conv2D(channels, 3, padding="same", kernel_initializer=_normal(0.01 / math.sqrt(channels)))(y)
    return layers.Add()([x, y])


def _bicubic_details(inputs: keras.KerasTensor) -> keras.KerasTensor:
    """The details of the input's bicubic upscaling: a fixed 5x5 convolution."""
    padded = ops.pad(inputs, ((0, 0), (_REACH, _REACH), (_REACH, _REACH), (0, 0)), mode="reflect")
    offsets = (np.arange(SCALE) + 0.5) / SCALE - 0.5  # of the sub-pixels
    taps = keys_cubic(np.arange(-_REACH, _REACH + 1) - offsets[:, None])  # (phase, tap)
    details = np.einsum("kab,ai,bj->ijk", dct_details(), taps, taps)
    kernel = np.einsum("ijk,co->ijcko", details, np.eye(3)).reshape(*details.shape[:2], 3, 3 * DETAILS)
    return fixed_conv(padded, kernel)


def dct_details() -> np.ndarray:
    """The orthonormal DCT-II basis of a 4x4 block without its constant: `(15, 4, 4)`."""
    n = np.arange(SCALE)
    rows = np.cos(np.pi * (2 * n[None] + 1) * n[:, None] / (2 * SCALE)) * math.sqrt(2 / SCALE)
    rows[0] /= math.sqrt(2)
    pairs = itertools.product(range(SCALE), repeat=2)
    return np.stack([np.outer(rows[u], rows[v]) for u, v in pairs if (u, v) != (0, 0)])


def _synthesis() -> np.ndarray:
    """The 1x1 kernel from 3 means and 45 details (detail-major) to 16 pixels of 3 colours."""
    basis = np.concatenate([np.ones((1, SCALE, SCALE)), dct_details()]).reshape(SCALE * SCALE, -1)
    return np.einsum("kp,co->kcpo", basis, np.eye(3)).reshape(1, 1, 3 * SCALE * SCALE, -1)


def _normal(deviation: float) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=deviation)
