"""The photo generator: all arithmetic at LR size, without biases, on differences from the local mean.

Where the input is flat these differences are 0 and, without biases, so is all that the network adds: a flat
picture stays flat, white stays white and black black, whatever the weights are.
"""

import math
from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops

from srez.images.resample import keys_cubic
from srez.train.networks.fixed import fixed_conv

SCALE = 4
_REACH = 2  # input pixels to either side that bicubic x4 and the local mean need


def generator(channels: int = 48, blocks: int = 12) -> keras.Model:
    """A residual network that adds to the input's bicubic upscaling, fully convolutional, x4.

    Args:
        channels: of the trunk.
        blocks: residual blocks in the trunk.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)`, about [0, 1] but not clipped; H and W at least 3.
    """

    def trunk(differences: keras.KerasTensor) -> keras.KerasTensor:
        first = x = conv(differences, channels, "he_normal")
        for _ in range(blocks):
            x = _residual_block(x, channels)
        return layers.LeakyReLU(0.2)(layers.Add()([conv(x, channels, "he_normal"), first]))

    return around(trunk)


def around(trunk: Callable[[keras.KerasTensor], keras.KerasTensor]) -> keras.Model:
    """A generator of any trunk that leaves 0 as 0: it adds detail to the input's bicubic upscaling.

    Args:
        trunk: differences from the local mean, `(N, H, W, 3)`, to features `(N, H, W, channels)`.

    Returns:
        As `generator`.
    """
    inputs = keras.Input((None, None, 3))
    padded = ops.pad(inputs, ((0, 0), (_REACH, _REACH), (_REACH, _REACH), (0, 0)), mode="reflect")
    x = trunk(layers.Subtract()([inputs, fixed_conv(padded, _mean())]))
    x = conv(x, 3 * SCALE**2, keras.initializers.RandomNormal(stddev=1e-3))
    x = layers.Add()([x, fixed_conv(padded, _bicubic())])
    return keras.Model(inputs, ops.depth_to_space(x, SCALE), name="photo")


def conv(x: keras.KerasTensor, channels: int, initializer: object, size: int = 3) -> keras.KerasTensor:
    """A convolution without biases."""
    layer = layers.Conv2D(channels, size, padding="same", use_bias=False, kernel_initializer=initializer)
    return layer(x)


def _residual_block(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    y = layers.LeakyReLU(0.2)(conv(x, channels, "he_normal"))
    small = keras.initializers.RandomNormal(stddev=0.01 / math.sqrt(channels))
    return layers.Add()([x, conv(y, channels, small)])


def _mean() -> np.ndarray:
    side = 2 * _REACH + 1
    return np.einsum("ij,co->ijco", np.full((side, side), 1 / side**2), np.eye(3))


def _bicubic() -> np.ndarray:
    """Bicubic upscaling as a 5x5 convolution to 16 sub-pixels of 3 colours (sub-pixel-major)."""
    offsets = (np.arange(SCALE) + 0.5) / SCALE - 0.5
    taps = keys_cubic(np.arange(-_REACH, _REACH + 1) - offsets[:, None])  # (phase, tap)
    side = 2 * _REACH + 1
    return np.einsum("ai,bj,co->ijcabo", taps, taps, np.eye(3)).reshape(side, side, 3, -1)
