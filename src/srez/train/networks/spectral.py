"""Convolutions with spectral normalisation (Miyato et al., arXiv 1802.05957)."""

from typing import Any

import keras
from keras import layers

SQUARINGS = 6  # of the matrix in the power method: as good as 64 iterations

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types


def spectral_conv(x: keras.KerasTensor, channels: int, size: int, stride: int = 1) -> keras.KerasTensor:
    """A convolution whose kernel has a spectral norm of 1, before the first step and after each.

    Args:
        x: what is convolved.
        channels: of the output.
        size: of the kernel, in pixels.
        stride: of the convolution, in pixels.
    """
    options = {"kernel_initializer": "he_normal", "kernel_constraint": Normalised()}
    layer: Any = layers.Conv2D(channels, size, stride, padding="same", **options)
    y = layer(x)
    layer.kernel.assign(layer.kernel.constraint(layer.kernel))
    return y


@keras.saving.register_keras_serializable("srez")
class Normalised(keras.constraints.Constraint):
    """Divides a kernel by its spectral norm.

    The optimiser applies it after its update, so all passes of a step see the same kernel, and nothing has to
    be remembered: each time the power method starts from the same vector.
    """

    def __call__(self, w: Tensor) -> Tensor:
        """The kernel, `(height, width, in, out)`, as one matrix of `out` columns, of norm 1."""
        kernel = ops.convert_to_tensor(w)
        columns = ops.reshape(kernel, (-1, kernel.shape[-1]))
        square = ops.matmul(ops.transpose(columns), columns)
        for _ in range(SQUARINGS):
            square = ops.matmul(square, square)
            square = square / (ops.norm(square) + 1e-12)
        vector = ops.matmul(square, ops.ones((kernel.shape[-1], 1), kernel.dtype))
        vector = vector / (ops.norm(vector) + 1e-12)
        return kernel / (ops.norm(ops.matmul(columns, vector)) + 1e-12)
