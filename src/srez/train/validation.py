"""Measuring a generator on the validation set while it trains, and for its card."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from srez import images
from srez.evaluation import metrics
from srez.images import resample
from srez.train.data import SCALE, ValidationSet

BATCH = 50
BEST_BY = "psnr"  # the figure that decides which checkpoint is best: higher is better

Evaluate = Callable[[keras.Model, int], metrics.Figures]
"""From a generator and the number of steps done to its figures."""

WriteSheet = Callable[[int, np.ndarray, np.ndarray], None]
"""Steps done and outputs, `(M, H, W, 3)`, as uint8 and as the network gave them."""


def evaluator(validation: ValidationSet, write_sheet: WriteSheet) -> Evaluate:
    """A function that evaluates a generator while it trains.

    Args:
        validation: what to measure on.
        write_sheet: called with the outputs of every evaluation.
    """

    def evaluate(generator: keras.Model, step: int) -> metrics.Figures:
        low = validation.low
        parts = [low[start : start + BATCH] for start in range(0, len(low), BATCH)]
        raw = np.concatenate([np.asarray(generator(part, training=False)) for part in parts])
        outputs = images.to_uint8(raw)
        write_sheet(step, outputs, raw)
        return _figures(outputs, validation)

    return evaluate


def bicubic_figures(validation: ValidationSet) -> metrics.Figures:
    """The figures of bicubic enlargement, which a network is compared with."""
    return _figures(images.to_uint8(resample.bicubic(validation.low, SCALE)), validation)


def card_figures(generator: keras.Model, name: str, validation: ValidationSet) -> list[dict[str, Any]]:
    """A card's figures: nearest, bicubic and the generator beside each other.

    Args:
        generator: the network.
        name: what to call it.
        validation: what to measure on.
    """
    low = validation.low
    outputs = {
        "nearest": resample.nearest(low, SCALE),
        "bicubic": resample.bicubic(low, SCALE),
        name: generator.predict(low, batch_size=BATCH, verbose=0),  # pyright: ignore[reportArgumentType]
    }
    return [
        {
            "set": validation.name,
            "protocol": validation.protocol.name,
            "method": method,
            **{key: round(value, 4) for key, value in _figures(images.to_uint8(output), validation).items()},
        }
        for method, output in outputs.items()
    ]


def _figures(outputs: np.ndarray, validation: ValidationSet) -> metrics.Figures:
    """The mean figures of outputs, `(M, H, W, 3)` uint8."""
    each = zip(outputs, validation.truth, validation.low, strict=True)
    return metrics.mean([metrics.figures(*one, validation.protocol) for one in each])
