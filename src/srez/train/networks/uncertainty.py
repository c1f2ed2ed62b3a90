"""The uncertainty network: from an input to the expected error of each pixel of its upscaling.

All convolutions run at LR size, as in the generators. It predicts how many times as large as the input's
local contrast the error is: where there is no contrast, there is hardly an error.
"""

import keras
import numpy as np
from keras import layers, ops

from srez.train.networks.fixed import fixed_conv, mean_kernel

SCALE = 4
_REACH = 2  # input pixels to either side over which the contrast is taken
_LEAST_CONTRAST = 0.5 / 255
_LEAST_ERROR = 0.25 / 255  # rounding makes as much


def network(channels: int = 32, blocks: int = 3) -> keras.Model:
    """A residual network that predicts the absolute error of each output pixel.

    Args:
        channels: of the trunk.
        blocks: residual blocks in the trunk.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 1)`, above 0 and in the same unit; H and W at least 3.
    """
    inputs = keras.Input((None, None, 3))
    padded = ops.pad(inputs, ((0, 0), (_REACH, _REACH), (_REACH, _REACH), (0, 0)), mode="reflect")
    mean, square = (fixed_conv(x, mean_kernel(_REACH)) for x in (padded, layers.Multiply()([padded, padded])))
    variance = layers.Subtract()([square, layers.Multiply()([mean, mean])])
    variance = fixed_conv(layers.ReLU()(variance), np.full((1, 1, 3, 1), 1 / 3))
    contrast = layers.Rescaling(0.5)(ops.log(layers.Rescaling(1.0, _LEAST_CONTRAST**2)(variance)))
    # In units of the contrast, patterns look alike in light and shade; colours and contrast come along.
    inverse = ops.exp(layers.Rescaling(-1.0)(contrast))
    details = layers.Multiply()([layers.Subtract()([inputs, mean]), inverse])
    beside = [layers.Rescaling(1.0, -0.5)(inputs), details, layers.Rescaling(0.3)(contrast)]
    x = first = _conv(layers.Concatenate()(beside), channels)
    for _ in range(blocks):
        y = layers.LeakyReLU(0.2)(_conv(x, channels))
        x = layers.Add()([x, _conv(y, channels, scale=0.1)])
    x = layers.LeakyReLU(0.2)(layers.Add()([x, first]))
    ratio = _conv(x, SCALE**2, scale=1e-4)
    error = ops.exp(layers.Add()([ratio, contrast]))
    error = layers.Rescaling(1.0, _LEAST_ERROR)(ops.depth_to_space(error, SCALE))
    return keras.Model(inputs, error, name="uncertainty")


def _conv(x: keras.KerasTensor, channels: int, scale: float = 2.0) -> keras.KerasTensor:
    initializer = keras.initializers.VarianceScaling(scale)
    return layers.Conv2D(channels, 3, padding="same", kernel_initializer=initializer)(x)
