"""Discriminators: images to logits, above 0 for "real"."""

import keras
from keras import layers

from srez.train.networks.srez import conv


def srez(units: tuple[int, ...] = (64, 128, 256, 512)) -> keras.Model:
    """srez's discriminator: strided convolutions, then 3x3 and 1x1 ones, and the mean over space.

    Args:
        units: channels of the convolutions of stride 2; the last also of the two that follow.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 1)` logits.
    """
    inputs = keras.Input((None, None, 3))
    x = layers.Rescaling(2.0, -1.0)(inputs)
    for channels in units:
        x = _normalised_conv(x, channels, 3, stride=2)
    x = _normalised_conv(x, units[-1], 3)
    x = _normalised_conv(x, units[-1], 1)
    x = conv(x, 1, 1, gain=2)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="srez_discriminator")


def _normalised_conv(x: keras.KerasTensor, channels: int, size: int, stride: int = 1) -> keras.KerasTensor:
    x = conv(x, channels, size, gain=2, stride=stride)
    return layers.ReLU()(layers.BatchNormalization(scale=False)(x))
