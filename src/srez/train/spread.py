"""Losses of samples: what several outputs for one input have in common, and how they differ.

A batch holds the samples of its faces one after another: all first samples, then all second ones. The mean
of the samples should be the best guess, and the samples should lie as far from it as the truth does. That is
what regularised conditional GANs reward (Bendel et al., "rcGAN", arXiv 2210.13389, eq. 8 and 13), with one
weight that they tune until the errors of one sample and of the mean of several are in the right ratio. Here
that ratio is what is trained, place by place, so that no weight needs tuning.
"""

from typing import Any

import keras

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types

WINDOW = 8  # pixels a side, over which differences are compared


def mean_l1(output: Tensor, truth: Tensor, samples: int) -> Tensor:
    """Mean absolute difference between the mean of the samples and the truth.

    Args:
        output: `(samples * N, H, W, C)`.
        truth: the same, the truths as often as there are samples.
        samples: of each input.
    """
    mean, truth = (ops.mean(each, axis=0) for each in (_apart(output, samples), _apart(truth, samples)))
    return ops.mean(ops.abs(mean - truth))


def spread(output: Tensor, truth: Tensor, samples: int, share: float) -> Tensor:
    """How far the samples' distances from their mean are from what the mean's error asks for, squared.

    Of P samples, each the conditional mean plus a deviation of variance s v, where the truth's is v, the
    mean is off by v (1 + s / P), and a sample lies s v (P - 1) / P from the mean.

    Args:
        output: `(samples * N, H, W, C)`, H and W multiples of the window.
        truth: the same, the truths as often as there are samples.
        samples: of each input, P.
        share: s, from 0 to 1.
    """
    each, truth = _apart(output, samples), ops.mean(_apart(truth, samples), axis=0)
    mean = ops.mean(each, axis=0)
    apart = ops.mean(ops.abs(each - mean), axis=0)
    ratio = (share * (samples - 1) / (samples + share)) ** 0.5
    wanted = ops.stop_gradient(ratio * ops.abs(mean - truth))
    pooled = ops.average_pool(apart - wanted, WINDOW, WINDOW, "valid", data_format="channels_last")
    return ops.mean(ops.square(pooled))


def _apart(images: Tensor, samples: int) -> Tensor:
    """`(samples * N, H, W, C)` to `(samples, N, H, W, C)`."""
    return ops.reshape(images, (samples, -1, *images.shape[1:]))
