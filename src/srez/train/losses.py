"""Loss terms: functions of images or of a discriminator's outputs, each a scalar mean over the batch.

Images are `(N, H, W, 3)` in [0, 1]; `real` and `fake` are `(N, 1)` logits of the truth and of the generator's
output, pair by pair, or `(N, h, w, 1)`, one for every patch.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Function = Callable[..., tf.Tensor]


def l1(output: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference between output and truth."""
    return tf.reduce_mean(tf.abs(output - truth))


def mse(output: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """Mean squared difference between output and truth."""
    return tf.reduce_mean(tf.square(output - truth))


def consistency(output: tf.Tensor, low: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference between the output's block means and the clean input: srez's L1 term."""
    return l1(block_means(output), low)


def block_means(images: tf.Tensor, scale: int = 4) -> tf.Tensor:
    """`(N, H, W, C)` to the mean of each block, `(N, H / scale, W / scale, C)`; as `resample.area`."""
    return tf.nn.avg_pool2d(images, scale, scale, "VALID")


def grid(output: tf.Tensor, truth: tf.Tensor, scale: int = 4, side: int = 7) -> tf.Tensor:
    """Mean absolute difference between the means of each sub-pixel over `side` x `side` input pixels.

    Of fine detail such means hold what repeats from input pixel to input pixel, and nothing else: the grid
    that adversarial and perceptual losses let a network draw, which has other weights for each sub-pixel.
    """
    means = [
        tf.nn.avg_pool2d(tf.nn.space_to_depth(images, scale), side, 1, "VALID") for images in (output, truth)
    ]
    return l1(*means)


def feature_distance(output: list[tf.Tensor], truth: list[tf.Tensor], distance: Function = mse) -> tf.Tensor:
    """The mean over layers of a distance between features, in float32.

    With `mse`, the content loss of SRGAN (Ledig et al., arXiv 1609.04802, eq. 5); with `l1` on a
    discriminator's features, the feature matching of pix2pixHD (Wang et al., arXiv 1711.11585, eq. 4).
    """
    pairs = zip(output, truth, strict=True)
    return tf.add_n([distance(tf.cast(a, tf.float32), tf.cast(b, tf.float32)) for a, b in pairs]) / len(truth)


def _non_saturating(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    del real
    return tf.reduce_mean(tf.nn.softplus(-fake))


def _cross_entropy(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def _least_squares_generator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    del real
    return tf.reduce_mean(tf.square(fake - 1))


def _least_squares(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(real - 1)) + tf.reduce_mean(tf.square(fake))


def _towards_real(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    del real
    return -tf.reduce_mean(fake)


def _hinge(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.relu(1 - real)) + tf.reduce_mean(tf.nn.relu(1 + fake))


def _relativistic_generator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softplus(real - fake))


def _relativistic(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softplus(fake - real))


def _wasserstein(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


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


def mean_score(variant: str, outputs: tf.Tensor) -> tf.Tensor:
    """The mean of a discriminator's outputs, as it is logged.

    With `non-saturating` they are logits, and the mean is of their probabilities; with the others they are
    plain numbers.
    """
    return tf.reduce_mean(tf.sigmoid(outputs) if variant == "non-saturating" else outputs)


def gradient_penalty(critic: Function, real: tf.Tensor, fake: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """How far the critic's gradient at interpolates is from norm 1 (Gulrajani, arXiv 1704.00028, eq. 3).

    Args:
        critic: images to logits.
        real: images.
        fake: images.
        shares: `(N, 1, 1, 1)`, uniform in [0, 1]: how much of each interpolate is real.
    """
    between = shares * real + (1 - shares) * fake
    # Without the small number, the gradient of a zero norm would not be finite.
    norms = tf.sqrt(_squared_gradients(critic, between) + 1e-12)
    return tf.reduce_mean(tf.square(norms - 1))


def r1(discriminator: Function, real: tf.Tensor) -> tf.Tensor:
    """Half the squared gradient at real images (Mescheder et al., arXiv 1801.04406, eq. 9)."""
    return tf.reduce_mean(_squared_gradients(discriminator, real)) / 2


def _squared_gradients(discriminator: Function, images: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = tf.reduce_sum(tf.cast(discriminator(images), tf.float32))
    gradients: Any = tape.gradient(logits, images)
    return tf.reduce_sum(tf.square(tf.cast(gradients, tf.float32)), axis=(1, 2, 3))
