"""SRResNet, the generator of SRGAN (Ledig et al., arXiv 1609.04802, figure 4).

Two choices of the initial weights, on which the paper is silent, make it learn several times faster: every
residual branch starts at 0 (its last batch norm has a scale of 0; Goyal et al., arXiv 1706.02677, section
5.1), and the four sub-pixels of each pixel shuffle start equal (Aitken et al., arXiv 1707.02937).
"""

import keras
import numpy as np
from keras import layers, ops


def generator(channels: int = 64, blocks: int = 16) -> keras.Model:
    """Residual blocks with batch norm at LR size, then two upscalings by pixel shuffle; x4.

    Args:
        channels: of the trunk.
        blocks: residual blocks in the trunk.

    Returns:
        `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)`, about [0, 1] but not clipped.
    """
    inputs = keras.Input((None, None, 3))
    x = layers.Rescaling(2.0, -1.0)(inputs)
    first = x = _prelu(layers.Conv2D(channels, 9, padding="same")(x))
    for _ in range(blocks):
        y = _prelu(_normalised_conv(x, channels))
        x = layers.Add()([x, _normalised_conv(y, channels, scale="zeros")])
    x = layers.Add()([first, _normalised_conv(x, channels, scale="zeros")])
    for _ in range(2):
        x = layers.Conv2D(4 * channels, 3, padding="same", kernel_initializer=EqualSubPixels())(x)
        x = _prelu(ops.depth_to_space(x, 2))
    x = layers.Conv2D(3, 9, padding="same")(x)
    return keras.Model(inputs, layers.Rescaling(0.5, 0.5)(x), name="srresnet")


def _normalised_conv(x: keras.KerasTensor, channels: int, scale: str = "ones") -> keras.KerasTensor:
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, gamma_initializer=scale)(x)


def _prelu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.PReLU(alpha_initializer=keras.initializers.Constant(0.2), shared_axes=[1, 2])(x)


@keras.saving.register_keras_serializable("srez")
class EqualSubPixels(keras.initializers.Initializer):
    """Glorot's uniform weights, the same for the four sub-pixels that a x2 pixel shuffle makes of a pixel."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> np.ndarray:
        """Weights of `(height, width, in, 4 out)`; `depth_to_space` takes sub-pixels as the slower axis."""
        *lead, outputs = shape
        one = keras.initializers.GlorotUniform()((*lead, outputs // 4), dtype)
        return keras.ops.tile(one, (1, 1, 1, 4))
