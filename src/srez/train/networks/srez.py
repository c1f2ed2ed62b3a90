"""The seed's generator: an upside-down residual network (David Garcia, srez, 2016)."""

import math

import keras
from keras import layers


def generator(units: tuple[int, int] = (256, 128), tail: int = 96) -> keras.Model:
    """srez's generator, fully convolutional, x4.

    Args:
        units: channels before and after the first of the two x2 upscalings.
        tail: channels of the last convolutions, at full size.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)` in [0, 1].
    """
    inputs = keras.Input((None, None, 3))
    x = inputs
    for channels in units:
        x = _residual_block(x, channels)
        x = _residual_block(x, channels)
        x = layers.UpSampling2D(2, interpolation="nearest")(x)
        x = _normalise(x)
        x = conv(x, channels, 3)
    x = layers.ReLU()(conv(x, tail, 3, gain=2))
    x = layers.ReLU()(conv(x, tail, 1, gain=2))
    x = conv(x, 3, 1)
    return keras.Model(inputs, layers.Activation("sigmoid")(x), name="srez")


def conv(
    x: keras.KerasTensor, channels: int, size: int, gain: float = 1.0, stride: int = 1
) -> keras.KerasTensor:
    """A convolution with srez's initial weights: variance gain / (sqrt(in x out) x size^2)."""
    deviation = math.sqrt(gain / (math.sqrt(x.shape[-1] * channels) * size**2))
    initializer = keras.initializers.TruncatedNormal(stddev=deviation)
    return layers.Conv2D(channels, size, stride, padding="same", kernel_initializer=initializer)(x)


def _residual_block(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    """Pre-activation (He et al., arXiv 1603.05027), with the projection ahead of the shortcut."""
    if x.shape[-1] != channels:
        x = conv(x, channels, 1)
    shortcut = x
    for _ in range(2):
        x = conv(_normalise(x), channels, 3, gain=1e-3)
    return layers.Add()([x, shortcut])


def _normalise(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization(scale=False)(x))
