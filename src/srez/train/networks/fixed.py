"""Convolutions that are not trained."""

import keras
import numpy as np
from keras import layers


def fixed_conv(x: keras.KerasTensor, kernel: np.ndarray) -> keras.KerasTensor:
    """A convolution that is not trained, without padding; the kernel is `(height, width, in, out)`."""
    layer = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], use_bias=False, trainable=False)
    y = layer(x)
    layer.set_weights([kernel.astype(np.float32)])
    return y
