"""SRResNet, the generator of SRGAN (Ledig et al., arXiv 1609.04802, figure 4).

The paper says nothing of the initial weights, and they decide how fast it learns. Here the untrained network
is bicubic upscaling: every residual branch starts at 0 (its last batch norm has a scale of 0; Goyal et al.,
arXiv 1706.02677, section 5.1), and six of the channels carry the three colours through to the last layer.
A PReLU of slope 0.2 bends a single channel, but not the difference of a channel and its negative:
prelu(x) - prelu(-x) = 1.2 x. So each colour takes two channels.
"""

import keras
import numpy as np
from keras import layers, ops

from srez.images.resample import keys_cubic

SLOPE = 0.2  # of the PReLUs, to begin with, below 0


def generator(channels: int = 64, blocks: int = 16) -> keras.Model:
    """Residual blocks with batch norm at LR size, then two upscalings by pixel shuffle; x4.

    Args:
        channels: of the trunk; at least 6.
        blocks: residual blocks in the trunk.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)`, about [0, 1] but not clipped. Untrained, this is the
        bicubic upscaling, but for the border and for taps beyond 3x3.
    """
    inputs = keras.Input((None, None, 3))
    enter = layers.Conv2D(channels, 9, padding="same")
    first = x = _prelu(enter(layers.Rescaling(2.0, -1.0)(inputs)))
    for _ in range(blocks):
        y = _prelu(_normalised_conv(x, channels))
        x = layers.Add()([x, _normalised_conv(y, channels, scale="zeros")])
    x = layers.Add()([first, _normalised_conv(x, channels, scale="zeros")])
    enlarge = [layers.Conv2D(4 * channels, 3, padding="same") for _ in range(2)]
    for layer in enlarge:
        x = _prelu(ops.depth_to_space(layer(x), 2))
    leave = layers.Conv2D(3, 9, padding="same")
    network = keras.Model(inputs, layers.Rescaling(0.5, 0.5)(leave(x)), name="srresnet")
    _start_as_bicubic(enter, enlarge, leave)
    return network


def _normalised_conv(x: keras.KerasTensor, channels: int, scale: str = "ones") -> keras.KerasTensor:
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, gamma_initializer=scale)(x)


def _prelu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.PReLU(alpha_initializer=keras.initializers.Constant(SLOPE), shared_axes=[1, 2])(x)


def _start_as_bicubic(enter: layers.Layer, enlarge: list[layers.Layer], leave: layers.Layer) -> None:
    """Let six channels of each layer carry the colours, each with its negative."""
    pairs = np.concatenate([np.eye(3), -np.eye(3)])  # (channel, colour)
    colours = pairs.T[None, None]
    join = pairs / (1 + SLOPE)

    kernel, bias = enter.get_weights()
    kernel[..., :6] = 0
    kernel[4, 4, :, :6] = colours
    enter.set_weights([kernel, bias])

    taps = keys_cubic(np.array([-1, 0, 1]) - np.array([[-0.25], [0.25]]))  # (sub-pixel, tap)
    taps /= taps.sum(axis=1, keepdims=True)
    for layer in enlarge:
        kernel, bias = layer.get_weights()
        sub_pixels = kernel.reshape(3, 3, kernel.shape[2], 2, 2, -1)  # depth_to_space takes them so
        sub_pixels[..., :6] = 0
        sub_pixels[:, :, :6, :, :, :6] = np.einsum("ai,bj,co->ijcabo", taps, taps, join @ pairs.T)
        layer.set_weights([sub_pixels.reshape(kernel.shape), bias])

    kernel, bias = leave.get_weights()
    kernel[...] = 0
    kernel[4, 4, :6] = join
    leave.set_weights([kernel, bias])
