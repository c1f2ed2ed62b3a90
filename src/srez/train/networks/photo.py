"""The photo generator: consistent with its input, which it may repair first.

All convolutions run at LR size, without biases, on differences from the local mean. Where the input is flat
these differences are 0, and so is everything that the network adds: a flat picture stays flat, whatever the
weights are.

The output is consistent with the input: reduced as the benchmarks' inputs were (D, MATLAB's bicubic), it is
the input again. One step of back-projection sees to it, in the graph: y + U(x - D y), where U is bicubic
upscaling (Irani and Peleg, "Improving resolution by image registration", 1991, eq. 3, with one frame). Since
y is U x plus the network's detail d, the step is U(2x - DU x - D d) + d, and U is applied once.

A repairing generator first changes the input itself, but not its mean over a few pixels, and is consistent
with the repaired input.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from srez.images.resample import keys_cubic
from srez.train.networks.fixed import bicubic_kernel, fixed_conv, mean_kernel

SCALE = 4
FULL = "float32"  # of what carries the picture itself, whatever the precision of the trunk
_REACH = 2  # input pixels to either side that bicubic x4, its reduction and the local mean need
_MEANS = 7  # input pixels to either side over which a repair keeps the mean


def generator(channels: int = 64, blocks: int = 6, repair: bool = False) -> keras.Model:
    """A residual network that adds detail to the input's bicubic upscaling, fully convolutional, x4.

    Args:
        channels: of the trunk.
        blocks: residual blocks in the trunk.
        repair: whether the input may be repaired; the network is the same, but without this its repairs are
            0 and are not trained.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)`, about [0, 1] but not clipped; H and W at least 5.
    """

    inputs = keras.Input((None, None, 3))
    means = fixed_conv(_padded(inputs, _REACH), mean_kernel(_REACH), FULL)
    features = _trunk(layers.Subtract()([inputs, means]), channels, blocks)
    change = _conv(features, 3, "zeros", trainable=repair)
    near = layers.AveragePooling2D(2 * _MEANS + 1, 1, padding="same", dtype=FULL)(change)
    change = layers.Subtract(dtype=FULL)([change, near])
    low = layers.Add(dtype=FULL)([inputs, change])
    detail = _conv(features, 3 * SCALE**2, keras.initializers.RandomNormal(stddev=1e-3))
    up, down = bicubic_kernel(SCALE, _REACH), _reduction()
    wanted = fixed_conv(_padded(low, 2 * _REACH), _twice_less(up, down), FULL)
    there = fixed_conv(_framed(detail, _REACH), down, FULL)
    base = layers.Subtract(dtype=FULL)([wanted, there])
    x = layers.Add(dtype=FULL)([detail, fixed_conv(_padded(base, _REACH), up, FULL)])
    return keras.Model(inputs, ops.depth_to_space(x, SCALE), name="photo")


def _trunk(x: keras.KerasTensor, channels: int, blocks: int) -> keras.KerasTensor:
    """Residual blocks between two convolutions, with a skip around them; 0 stays 0."""
    first = x = _conv(x, channels, "he_normal")
    for _ in range(blocks):
        x = _residual_block(x, channels)
    return layers.LeakyReLU(0.2)(layers.Add()([_conv(x, channels, "he_normal"), first]))


def _conv(
    x: keras.KerasTensor, channels: int, initializer: object, trainable: bool = True
) -> keras.KerasTensor:
    """A 3x3 convolution without biases."""
    options = {"use_bias": False, "kernel_initializer": initializer, "trainable": trainable}
    return layers.Conv2D(channels, 3, padding="same", **options)(x)


def _residual_block(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    y = layers.LeakyReLU(0.2)(_conv(x, channels, "he_normal"))
    small = keras.initializers.RandomNormal(stddev=0.01 / math.sqrt(channels))
    return layers.Add()([x, _conv(y, channels, small)])


def _padded(x: keras.KerasTensor, reach: int) -> keras.KerasTensor:
    return ops.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="reflect")


def _framed(x: keras.KerasTensor, reach: int) -> keras.KerasTensor:
    """Padded by 0: beyond the border there is no detail."""
    return ops.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))


def _reduction() -> np.ndarray:
    """MATLAB's bicubic reduction as a 5x5 convolution of 16 sub-pixels of 3 colours, `(5, 5, 48, 3)`."""
    side = 2 * _REACH + 1
    places = np.arange(side * SCALE) + 0.5 - side * SCALE / 2  # of HR pixels around the middle of an LR pixel
    taps = keys_cubic(places / SCALE)
    taps = (taps / taps.sum()).reshape(side, SCALE)  # (tap, phase)
    return np.einsum("ia,jb,co->ijabco", taps, taps, np.eye(3)).reshape(side, side, -1, 3)


def _twice_less(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Twice the input less what its bicubic upscaling is reduced to: a 9x9 convolution."""
    side = 4 * _REACH + 1
    kernel = np.zeros((side, side, 3, 3))
    kernel[2 * _REACH, 2 * _REACH] = 2 * np.eye(3)
    for row in range(2 * _REACH + 1):
        for column in range(2 * _REACH + 1):
            window = kernel[row : row + 2 * _REACH + 1, column : column + 2 * _REACH + 1]
            window -= np.einsum("ijcs,so->ijco", up, down[row, column])
    return kernel
