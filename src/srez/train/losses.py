"""Loss terms: functions of images or of a discriminator's outputs, each a scalar mean over the batch.

Written in `keras.ops`, for any backend.

Images are `(N, H, W, 3)` in [0, 1]; `real` and `fake` are `(N, 1)` logits of the truth and of the generator's
output, pair by pair, or `(N, h, w, 1)`, one for every patch.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from srez.images.luma import LUMA
from srez.train import backend

Tensor = Any
Function = Callable[..., Tensor]
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types
_WINDOW, _SIGMA = 11, 1.5  # pixels, of SSIM
_C1, _C2 = 0.01**2, 0.03**2  # SSIM's constants, for values of 0 to 1


def l1(output: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference between output and truth."""
    return ops.mean(ops.abs(output - truth))


def mse(output: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference between output and truth."""
    return ops.mean(ops.square(output - truth))


def ssim(output: Tensor, truth: Tensor) -> Tensor:
    """One less SSIM of the luma (Wang et al., IEEE TIP 13(4), 2004, eq. 13), in windows of 11x11."""
    x, y = (ops.dot(images, ops.convert_to_tensor(LUMA, "float32"))[..., None] for images in (output, truth))
    moments = ops.concatenate([x, y, x * x, y * y, x * y], axis=0)
    for axis in (1, 2):
        moments = _averaged(moments, axis)
    mean_x, mean_y, square_x, square_y, product = ops.split(moments, 5, axis=0)
    variance_x, variance_y = square_x - mean_x * mean_x, square_y - mean_y * mean_y
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    return 1 - ops.mean(luminance * (2 * covariance + _C2) / (variance_x + variance_y + _C2))


def _averaged(moments: Tensor, axis: int) -> Tensor:
    """Local means along an axis, by a Gaussian.

    Not by a convolution: cards round what goes into one to 10 bits, and local variances are small
    differences.
    """
    weights = np.exp(-0.5 * ((np.arange(_WINDOW) - _WINDOW // 2) / _SIGMA) ** 2).astype(np.float32)
    size = moments.shape[axis] - _WINDOW + 1
    parts = [ops.take(moments, range(start, start + size), axis=axis) for start in range(_WINDOW)]
    return sum(weight * part for weight, part in zip(weights / weights.sum(), parts, strict=True))


def consistency(output: Tensor, low: Tensor) -> Tensor:
    """Mean absolute difference between the output's block means and the clean input: srez's L1 term."""
    return l1(block_means(output), low)


def block_means(images: Tensor, scale: int = 4) -> Tensor:
    """`(N, H, W, C)` to the mean of each block, `(N, H / scale, W / scale, C)`; as `resample.area`."""
    return ops.average_pool(images, scale, scale, "valid", data_format="channels_last")


def grid(output: Tensor, truth: Tensor, scale: int = 4, side: int = 7) -> Tensor:
    """Mean absolute difference between the means of each sub-pixel over `side` x `side` input pixels.

    Of fine detail such means hold what repeats from input pixel to input pixel, and nothing else: the grid
    that adversarial and perceptual losses let a network draw, which has other weights for each sub-pixel.
    """
    means = [
        ops.average_pool(ops.space_to_depth(images, scale), side, 1, "valid", data_format="channels_last")
        for images in (output, truth)
    ]
    return l1(*means)


def feature_distance(output: list[Tensor], truth: list[Tensor], distance: Function = mse) -> Tensor:
    """The mean over layers of a distance between features, in float32.

    With `mse`, the content loss of SRGAN (Ledig et al., arXiv 1609.04802, eq. 5); with `l1` on a
    discriminator's features, the feature matching of pix2pixHD (Wang et al., arXiv 1711.11585, eq. 4).
    """
    pairs = zip(output, truth, strict=True)
    distances = [distance(ops.cast(a, "float32"), ops.cast(b, "float32")) for a, b in pairs]
    return sum(distances) / len(truth)


def _non_saturating(real: Tensor, fake: Tensor) -> Tensor:
    del real
    return ops.mean(ops.softplus(-fake))


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def _least_squares_generator(real: Tensor, fake: Tensor) -> Tensor:
    del real
    return ops.mean(ops.square(fake - 1))


def _least_squares(real: Tensor, fake: Tensor) -> Tensor:
    return ops.mean(ops.square(real - 1)) + ops.mean(ops.square(fake))


def _towards_real(real: Tensor, fake: Tensor) -> Tensor:
    del real
    return -ops.mean(fake)


def _hinge(real: Tensor, fake: Tensor) -> Tensor:
    return ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake))


def _relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    return ops.mean(ops.softplus(real - fake))


def _relativistic(real: Tensor, fake: Tensor) -> Tensor:
    return ops.mean(ops.softplus(fake - real))


def _wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    return ops.mean(fake) - ops.mean(real)


ADVERSARIAL: dict[str, tuple[Function, Function]] = {
    "non-saturating": (_non_saturating, _cross_entropy),
    "least-squares": (_least_squares_generator, _least_squares),
    "hinge": (_towards_real, _hinge),
    "relativistic": (_relativistic_generator, _relativistic),
    "wasserstein": (_towards_real, _wasserstein),
}
"""By name, the generator's and the discriminator's loss, both functions of (real, fake).

- non-saturating: Goodfellow et al., arXiv 1406.2661, section 3; srez's own.
- least-squares: Mao et al., arXiv 1611.04076, eq. 9.
- hinge: Lim and Ye, arXiv 1705.02894, eq. 6 and 7.
- relativistic, of each output with its own truth: Jolicoeur-Martineau, arXiv 1807.00734, eq. 4 and 5.
- wasserstein: Arjovsky et al., arXiv 1701.07875, eq. 3; needs a gradient penalty.
"""


def mean_score(variant: str, outputs: Tensor) -> Tensor:
    """The mean of a discriminator's outputs, as it is logged.

    With `non-saturating` they are logits, and the mean is of their probabilities; with the others they are
    plain numbers.
    """
    return ops.mean(ops.sigmoid(outputs) if variant == "non-saturating" else outputs)


def gradient_penalty(critic: Function, real: Tensor, fake: Tensor, shares: Tensor) -> Tensor:
    """How far the critic's gradient at interpolates is from norm 1 (Gulrajani, arXiv 1704.00028, eq. 3).

    Args:
        critic: images to logits.
        real: images.
        fake: images.
        shares: `(N, 1, 1, 1)`, uniform in [0, 1]: how much of each interpolate is real.
    """
    between = shares * real + (1 - shares) * fake
    # Without the small number, the gradient of a zero norm would not be finite.
    norms = ops.sqrt(_squared_gradients(critic, between) + 1e-12)
    return ops.mean(ops.square(norms - 1))


def r1(discriminator: Function, real: Tensor) -> Tensor:
    """Half the squared gradient at real images (Mescheder et al., arXiv 1801.04406, eq. 9)."""
    return ops.mean(_squared_gradients(discriminator, real)) / 2


def _squared_gradients(discriminator: Function, images: Tensor) -> Tensor:
    def score(images: Tensor) -> Tensor:
        return ops.sum(ops.cast(discriminator(images), "float32"))

    gradients = ops.cast(backend.current().input_gradient(score, images), "float32")
    return ops.sum(ops.square(gradients), axis=(1, 2, 3))


def global_norm(gradients: list[Tensor]) -> Tensor:
    """The Euclidean norm of all gradients together."""
    return ops.sqrt(sum(ops.sum(ops.square(ops.cast(gradient, "float32"))) for gradient in gradients))
