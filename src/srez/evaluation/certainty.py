"""Whether a model knows how sure it is: the share of pixels that are as close to the truth as it says."""

from dataclasses import dataclass, field

import numpy as np

from srez.images.luma import luma

BINS = 16  # of gradients, with as many pixels each


def errors(output: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The error of each pixel, in grey levels: the largest absolute difference of its channels.

    Args:
        output: `(..., H, W, C)` uint8.
        truth: the same.

    Returns:
        `(..., H, W)` uint8.
    """
    return np.abs(output.astype(np.int16) - truth).max(axis=-1).astype(np.uint8)


@dataclass
class Certainty:
    """What a model said of its errors, and what they were.

    Attributes:
        distances: of each picture, `(H, W)` in grey levels: how far results may be from the truth.
        errors: of each picture, `(H, W)` uint8.
        gradients: of the luminance of each result, `(H, W)`.
    """

    distances: list[np.ndarray] = field(default_factory=list)
    errors: list[np.ndarray] = field(default_factory=list)
    gradients: list[np.ndarray] = field(default_factory=list)

    def add(self, output: np.ndarray, truth: np.ndarray, distance: np.ndarray) -> None:
        """Add a picture.

        Args:
            output: `(H, W, 3)` or gray `(H, W)`, uint8.
            truth: the same.
            distance: `(H, W)` float32, where 1 is the distance from black to white.
        """
        channels = output.reshape(*output.shape[:2], -1)
        self.distances.append(distance * 255)
        self.errors.append(errors(channels, truth.reshape(channels.shape)))
        down, across = np.gradient(luma(channels) / 255)
        self.gradients.append(np.hypot(down, across).astype(np.float32))

    def figures(self) -> dict[str, float]:
        """The coverage in per cent, the mean distance, and what the gradient alone would need for it."""
        distances, errors, gradients = (
            np.concatenate([each.ravel() for each in part])
            for part in (self.distances, self.errors, self.gradients)
        )
        coverage = float((errors <= distances).mean())
        return {
            "coverage": 100 * coverage,
            "width": float(distances.mean()),
            "width_by_gradient": width_by_gradient(errors, gradients, coverage),
        }


def width_by_gradient(errors: np.ndarray, gradients: np.ndarray, coverage: float) -> float:
    """The mean width of intervals that know only how steep the result is: one width for each bin.

    Each is the quantile of the errors in its bin, of the very pixels that are measured, which favours it.

    Args:
        errors: `(N,)`.
        gradients: of the same pixels.
        coverage: the share of errors that the widths hold, from 0 to 1.
    """
    order = np.argsort(gradients, kind="stable")
    bins = np.array_split(errors[order], BINS)
    widths = [np.quantile(each, coverage) for each in bins if each.size]
    return float(np.average(widths, weights=[each.size for each in bins if each.size]))
