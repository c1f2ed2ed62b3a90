"""The photo generator: all arithmetic at LR size, without biases, on differences from the local mean.

Where the input is flat these differences are 0 and, without biases, so is all that the network adds: a flat
picture stays flat, white stays white and black black, whatever the weights are.
"""

import math
from collections.abc import Callable

import keras
from keras import layers, ops

from srez.train.networks.fixed import bicubic_kernel, fixed_conv, mean_kernel

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
    return around(lambda differences: trunk(differences, channels, blocks))


def trunk(x: keras.KerasTensor, channels: int, blocks: int) -> keras.KerasTensor:
    """Residual blocks between two convolutions, with a skip around them; 0 stays 0."""
    first = x = conv(x, channels, "he_normal")
    for _ in range(blocks):
        x = _residual_block(x, channels)
    return layers.LeakyReLU(0.2)(layers.Add()([conv(x, channels, "he_normal"), first]))


def around(features: Callable[[keras.KerasTensor], keras.KerasTensor]) -> keras.Model:
    """A generator of any trunk that leaves 0 as 0: it adds detail to the input's bicubic upscaling.

    Args:
        features: differences from the local mean, `(N, H, W, 3)`, to features `(N, H, W, channels)`.

    Returns:
        As `generator`.
    """
    inputs = keras.Input((None, None, 3))
    padded = ops.pad(inputs, ((0, 0), (_REACH, _REACH), (_REACH, _REACH), (0, 0)), mode="reflect")
    x = features(layers.Subtract()([inputs, fixed_conv(padded, mean_kernel(_REACH))]))
    x = conv(x, 3 * SCALE**2, keras.initializers.RandomNormal(stddev=1e-3))
    x = layers.Add()([x, fixed_conv(padded, bicubic_kernel(SCALE, _REACH))])
    return keras.Model(inputs, ops.depth_to_space(x, SCALE), name="photo")


def conv(
    x: keras.KerasTensor, channels: int, initializer: object, size: int = 3, trainable: bool = True
) -> keras.KerasTensor:
    """A convolution without biases."""
    options = {"use_bias": False, "kernel_initializer": initializer, "trainable": trainable}
    return layers.Conv2D(channels, size, padding="same", **options)(x)


def _residual_block(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    y = layers.LeakyReLU(0.2)(conv(x, channels, "he_normal"))
    small = keras.initializers.RandomNormal(stddev=0.01 / math.sqrt(channels))
    return layers.Add()([x, conv(y, channels, small)])
