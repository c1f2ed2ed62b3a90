"""PSNR, SSIM and consistency of one picture against its truth, and their means over many."""

from typing import Any

import numpy as np

from srez import resample
from srez.evaluation.protocol import Protocol

Figures = dict[str, float]


def psnr(output: np.ndarray, truth: np.ndarray, protocol: Protocol) -> float:
    """Peak signal-to-noise ratio in dB, one mean squared error over all channels.

    Args:
        output: `(H, W, C)` uint8.
        truth: the same shape and dtype.
        protocol: gives the border and the peak.
    """
    from skimage.metrics import peak_signal_noise_ratio  # slow to import

    output, truth = _crop(output, protocol), _crop(truth, protocol)
    if np.array_equal(output, truth):
        return float("inf")
    return float(peak_signal_noise_ratio(truth, output, data_range=protocol.peak))


def ssim(output: np.ndarray, truth: np.ndarray, protocol: Protocol) -> float:
    """Structural similarity (Wang et al. 2004), the mean over channels; 1 is equal.

    Args:
        output: `(H, W, C)` uint8, at least as large as the window.
        truth: the same shape and dtype.
        protocol: gives the border, the peak and the window.
    """
    from skimage.metrics import structural_similarity  # slow to import

    score: Any = structural_similarity(
        _crop(truth, protocol),
        _crop(output, protocol),
        gaussian_weights=True,
        sigma=protocol.ssim_sigma,
        win_size=protocol.ssim_window,
        use_sample_covariance=False,
        data_range=protocol.peak,
        channel_axis=-1,
    )
    return float(score)


def consistency(output: np.ndarray, low: np.ndarray, protocol: Protocol) -> float:
    """Mean absolute difference between the input and the block means of the output, in grey levels.

    SR3's measure (Saharia et al., arXiv 2104.07636, section 4) and srez's own L1 term.

    Args:
        output: `(H, W, C)` uint8.
        low: the input, `(H / scale, W / scale, C)` float in [0, 1], not rounded.
        protocol: gives the scale.
    """
    return float(np.abs(resample.area(output, protocol.scale) - low * 255).mean())


def measure(outputs: np.ndarray, truths: np.ndarray, lows: np.ndarray, protocol: Protocol) -> Figures:
    """The mean PSNR, SSIM and consistency of many pictures of one size.

    Args:
        outputs: `(N, H, W, C)` uint8.
        truths: the same shape and dtype.
        lows: the inputs, `(N, H / scale, W / scale, C)` float in [0, 1].
        protocol: how to measure.
    """
    each = [
        (psnr(output, truth, protocol), ssim(output, truth, protocol), consistency(output, low, protocol))
        for output, truth, low in zip(outputs, truths, lows, strict=True)
    ]
    return dict(zip(("psnr", "ssim", "consistency"), np.mean(each, axis=0).tolist(), strict=True))


def _crop(image: np.ndarray, protocol: Protocol) -> np.ndarray:
    border = protocol.border
    return image[border : image.shape[0] - border, border : image.shape[1] - border]
