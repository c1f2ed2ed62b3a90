"""PSNR, SSIM and consistency of one picture against its truth, and their means over many."""

import numpy as np

from srez.evaluation.protocol import FACES_RGB, Protocol
from srez.images import resample

Figures = dict[str, float]
EXACT = 100.0
"""The PSNR, in dB, for which a picture without any error counts in a mean, as in much published code.

Left out, it would lower the mean of a method that improves until it is exact.
"""
_PSNRS = ("psnr", "psnr_best", "psnr_of_mean", "lr_psnr")


def psnr(output: np.ndarray, truth: np.ndarray, protocol: Protocol) -> float:
    """Peak signal-to-noise ratio in dB, one mean squared error over all channels; infinite if equal.

    Args:
        output: `(H, W, 3)` or gray `(H, W)`, uint8.
        truth: the same shape and dtype.
        protocol: gives colour, border and peak.
    """
    output, truth = _compared(output, protocol), _compared(truth, protocol)
    if np.array_equal(output, truth):
        return float("inf")
    error = np.mean(np.square(output.astype(np.float64) - truth))
    return float(10 * np.log10(protocol.peak**2 / error))


def ssim(output: np.ndarray, truth: np.ndarray, protocol: Protocol) -> float:
    """Structural similarity (Wang et al. 2004), the mean over channels; 1 is equal.

    Args:
        output: `(H, W, 3)` or gray `(H, W)`, uint8, at least as large as the window.
        truth: the same shape and dtype.
        protocol: gives colour, border, peak and window.
    """
    window = _gaussian(protocol.ssim_sigma, protocol.ssim_window)
    x, y = (_compared(image, protocol).astype(np.float64) for image in (truth, output))
    mean_x, mean_y = _weighted(x, window), _weighted(y, window)
    variance_x = _weighted(x * x, window) - mean_x**2
    variance_y = _weighted(y * y, window) - mean_y**2
    covariance = _weighted(x * y, window) - mean_x * mean_y
    c1, c2 = (0.01 * protocol.peak) ** 2, (0.03 * protocol.peak) ** 2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    likeness /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return float(likeness.mean())


def _gaussian(sigma: float, size: int) -> np.ndarray:
    """The weights of a window along one axis; they add up to 1."""
    weights = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    return weights / weights.sum()


def _weighted(image: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The weighted mean around every pixel that has a whole window: `(H, W, C)` to `(H', W', C)`."""
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(image, len(window), axis=axis)
        image = windows @ window
    return image


def consistency(output: np.ndarray, low: np.ndarray, protocol: Protocol) -> float:
    """Mean absolute difference between the input and the block means of the output, in grey levels.

    SR3's measure (Saharia et al., arXiv 2104.07636, section 4) and srez's own L1 term.

    Args:
        output: `(H, W, C)` uint8.
        low: the input, `(H / scale, W / scale, C)` float in [0, 1], not rounded.
        protocol: gives the scale.
    """
    return float(np.abs(resample.area(output, protocol.scale) - low * 255).mean())


def lr_psnr(output: np.ndarray, low: np.ndarray, protocol: Protocol) -> float:
    """How well the reduced output agrees with the input, in dB, peak 255; infinite if it is the same.

    As in the NTIRE 2022 challenge on the super-resolution space (Lugmayr et al., CVPRW 2022, section 3).

    Args:
        output: `(H, W, 3)` or gray `(H, W)`, uint8.
        low: the input, `(H / scale, W / scale[, 3])` float in [0, 1], not rounded.
        protocol: gives the scale, and how the output is reduced.
    """
    channels = output.reshape(*output.shape[:2], -1)
    if protocol.reduction == "area":
        reduced = resample.area(channels, protocol.scale)
    else:
        reduced = resample.bicubic_reduce(channels, protocol.scale).astype(np.float64)
    error = np.mean(np.square(reduced - low.reshape(reduced.shape).astype(np.float64) * 255))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def figures(output: np.ndarray, truth: np.ndarray, low: np.ndarray, protocol: Protocol) -> Figures:
    """PSNR, SSIM and, where the protocol has it, consistency of one picture.

    Args:
        output: `(H, W, 3)` or gray `(H, W)`, uint8.
        truth: the same shape and dtype.
        low: the input, for consistency; float in [0, 1].
        protocol: how to measure.
    """
    found = {"psnr": psnr(output, truth, protocol), "ssim": ssim(output, truth, protocol)}
    if protocol.reduction == "area":
        found["consistency"] = consistency(output, low, protocol)
    return found


def mean(each: list[Figures]) -> Figures:
    """The means of figures over pictures; an infinite PSNR, and one above `EXACT`, counts as that."""
    return {name: float(np.mean([_counted(name, one[name]) for one in each])) for name in each[0]}


def exact(each: list[Figures]) -> int:
    """How many pictures have no error, and so an infinite PSNR."""
    return sum(one["psnr"] == float("inf") for one in each)


def _counted(name: str, value: float) -> float:
    return min(value, EXACT) if name in _PSNRS else value


def measure_faces(outputs: np.ndarray, truths: np.ndarray, lows: np.ndarray) -> Figures:
    """The mean figures of many faces under `FACES_RGB`.

    Args:
        outputs: `(N, 64, 64, 3)` uint8.
        truths: the same shape and dtype.
        lows: the inputs, `(N, 16, 16, 3)` float in [0, 1].
    """
    each = zip(outputs, truths, lows, strict=True)
    return mean([figures(output, truth, low, FACES_RGB) for output, truth, low in each])


def luma(image: np.ndarray) -> np.ndarray:
    """MATLAB's `rgb2ycbcr` Y of a uint8 picture: BT.601 in 16-235, rounded; gray stays as it is.

    Args:
        image: `(H, W, 3)` or `(H, W)`, uint8.

    Returns:
        `(H, W)` uint8.
    """
    if image.ndim == 2:
        return image
    return np.rint(16 + image @ np.array([65.481, 128.553, 24.966]) / 255).astype(np.uint8)


def _compared(image: np.ndarray, protocol: Protocol) -> np.ndarray:
    """The channels and the part of a picture that a protocol compares, `(H', W', C)`."""
    channels = image if protocol.colour == "RGB" else luma(image)
    border = protocol.border
    inside = channels[border : image.shape[0] - border, border : image.shape[1] - border]
    return inside.reshape(*inside.shape[:2], -1)
