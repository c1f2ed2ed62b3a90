"""The faces generator: all arithmetic at LR size, consistent with its input by construction.

A 4x4 block of the output is its mean and 15 details, the coefficients of a block DCT. The mean is the
input pixel, untouched; only the details are predicted. So the block means of the output are the input,
whatever the weights are. The details start as those of bicubic upscaling and the network adds to them.

A generator of samples takes planes of random numbers beside the picture. They are added to the features at
every depth, as in StyleGAN (Karras et al., arXiv 1812.04948, section 3.2), and so move details only: every
sample is consistent with the input.
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
RANDOM = "random_"  # how the names of layers begin that take random numbers
_REACH = 2  # input pixels to either side that bicubic x4 needs


def generator(channels: int = 64, blocks: int = 10, planes: int = 0) -> keras.Model:
    """A residual network that predicts the details of 4x4 blocks, fully convolutional, x4.

    Args:
        channels: of the trunk.
        blocks: residual blocks in the trunk.
        planes: of random numbers of mean 0 and variance 1 behind the picture's channels, for samples.

    Returns:
        `(N, H, W, 3 + planes)`, the picture in [0, 1], to `(N, 4H, 4W, 3)`, about [0, 1] but not clipped; H
        and W at least 3.
    """

    def trunk(picture: keras.KerasTensor, random: keras.KerasTensor | None) -> keras.KerasTensor:
        first = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal")(picture)
        x = _stirred(first, random, 0)
        for block in range(blocks):
            x = _stirred(residual_block(x, channels), random, block + 1)
        x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal")(x)
        return layers.LeakyReLU(0.2)(layers.Add()([x, first]))

    return around(trunk, planes)


Trunk = Callable[[keras.KerasTensor, keras.KerasTensor | None], keras.KerasTensor]
"""From a picture, `(N, H, W, 3)`, and planes of random numbers, if there are any, to features."""


def around(trunk: Trunk, planes: int = 0) -> keras.Model:
    """A generator of any trunk that is consistent with its input.

    Args:
        trunk: makes features, `(N, H, W, channels)`.
        planes: of random numbers.

    Returns:
        As `generator`.
    """
    inputs = keras.Input((None, None, 3 + planes))
    picture, random = _parted(inputs, planes)
    features = trunk(picture, random)
    details = layers.Conv2D(3 * DETAILS, 3, padding="same", kernel_initializer=_normal(1e-3))(features)
    details = layers.Add()([details, _bicubic_details(picture)])
    coefficients = layers.Concatenate()([picture, details])
    blocks_of_pixels = fixed_conv(coefficients, _synthesis())
    return keras.Model(inputs, ops.depth_to_space(blocks_of_pixels, SCALE), name="faces")


def _parted(inputs: keras.KerasTensor, planes: int) -> tuple[keras.KerasTensor, keras.KerasTensor | None]:
    """The picture and the random numbers behind it, by convolutions that take some channels as they are."""
    if not planes:
        return inputs, None
    kernels = np.split(np.eye(3 + planes)[None, None], [3], axis=3)
    picture, random = (
        fixed_conv(inputs, kernel, "float32", name=f"{RANDOM}{name}")
        for kernel, name in zip(kernels, ("without", "only"), strict=True)
    )
    return picture, random


def _stirred(x: keras.KerasTensor, random: keras.KerasTensor | None, number: int) -> keras.KerasTensor:
    """Features with random numbers added, which begin as nearly nothing."""
    if random is None:
        return x
    # Not as nothing: two samples that are the same would have no reason to part.
    options = {"use_bias": False, "kernel_initializer": _normal(2e-3), "name": f"{RANDOM}{number}"}
    return layers.Add()([x, layers.Conv2D(x.shape[-1], 1, **options)(random)])


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
