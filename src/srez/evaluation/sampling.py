"""Several results for one input: how good each is, their mean and their best, and how they differ."""

import numpy as np

from srez.evaluation import metrics
from srez.evaluation.metrics import Figures
from srez.evaluation.perceptual import StLpips
from srez.evaluation.protocol import Protocol
from srez.images import to_uint8


def figures(
    samples: np.ndarray, truth: np.ndarray, each: list[Figures], protocol: Protocol, st_lpips: StLpips | None
) -> Figures:
    """The figures of a picture's samples.

    Args:
        samples: `(S, H, W, 3)` uint8.
        truth: `(H, W, 3)` uint8.
        each: the figures of each sample.
        protocol: how to measure.
        st_lpips: the perceptual distance, for the diversity; None where it is not installed.

    Returns:
        The means over samples by the figures' own names; `psnr_best` of the best sample, `psnr_of_mean` of
        the samples' mean; and `diversity`.
    """
    mean = to_uint8((samples.astype(np.float32) / 255).mean(axis=0))
    found = metrics.mean(each)
    found["psnr_best"] = max(one["psnr"] for one in each)
    found["psnr_of_mean"] = metrics.psnr(mean, truth, protocol)
    if st_lpips:
        found["diversity"] = diversity(st_lpips.maps(samples, np.stack([truth] * len(samples))))
    return found


def diversity(distances: np.ndarray) -> float:
    """How much better the best sample of every place is than the best sample as a whole, in per cent.

    The score of the NTIRE 2022 challenge on the super-resolution space (Lugmayr et al., CVPRW 2022, section
    3): (global best - local best) / global best. 0 for samples that are all the same.

    Args:
        distances: of each sample from the truth, place by place, `(S, H, W)`; lower is better.
    """
    whole, local = distances.mean(axis=(1, 2)).min(), distances.min(axis=0).mean()
    return float(100 * (whole - local) / whole) if whole else 0.0
