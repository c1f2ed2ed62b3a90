"""Measuring a generator on the validation set while it trains, and for its card."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import keras
import numpy as np

from srez import images
from srez.evaluation import metrics, perceptual
from srez.images import resample
from srez.models import planes
from srez.train import backend
from srez.train.data import SCALE, ValidationSet
from srez.train.data.pairs import Pictures
from srez.train.recipe import Recipe
from srez.train.reporter import Reporter
from srez.wording import counted

BATCH = 50

Evaluate = Callable[[keras.Model, int], metrics.Figures]
"""From a generator and the number of steps done to its figures."""

WriteSheet = Callable[[int, list[np.ndarray], np.ndarray], None]
"""Steps done, the outputs, `(H, W, 3)` uint8 each, and all values as the network gave them, `(N,)`."""


def evaluator(validation: ValidationSet, write_sheet: WriteSheet) -> Evaluate:
    """A function that evaluates a generator while it trains.

    Args:
        validation: what to measure on.
        write_sheet: called with the outputs of every evaluation.
    """

    def evaluate(generator: keras.Model, step: int) -> metrics.Figures:
        raw = _outputs(generator, validation.low)
        outputs = [images.to_uint8(picture) for picture in raw]
        write_sheet(step, outputs, np.concatenate([picture.ravel() for picture in raw]))
        return _figures(outputs, validation)

    return evaluate


def bicubic_figures(validation: ValidationSet, reporter: Reporter) -> metrics.Figures:
    """The figures of bicubic enlargement, which a network is compared with.

    Args:
        validation: what to measure on.
        reporter: is told of pictures that are exact, because they raise the mean PSNR of a network as well.
    """
    outputs = _enlarged(resample.bicubic, validation)
    each = _each(outputs, validation)
    exact = metrics.exact(each)
    if exact:
        are = "is" if exact == 1 else "are"
        reporter.say(
            f"{exact} of {counted(len(outputs), 'validation picture')} {are} exact by bicubic, "
            f"as flat ones are: in the means, an exact picture counts as a PSNR of {metrics.EXACT:.0f} dB"
        )
    return _means(each, outputs, validation)


def card_figures(generator: keras.Model, name: str, validation: ValidationSet) -> list[dict[str, Any]]:
    """A card's figures: nearest, bicubic and the generator beside each other.

    Args:
        generator: the network.
        name: what to call it.
        validation: what to measure on.
    """
    outputs = {
        "nearest": _enlarged(resample.nearest, validation),
        "bicubic": _enlarged(resample.bicubic, validation),
        name: [images.to_uint8(picture) for picture in _outputs(generator, validation.low)],
    }
    return [
        {
            "set": validation.name,
            "protocol": validation.protocol.name,
            "method": method,
            **{key: round(value, 4) for key, value in _figures(output, validation).items()},
        }
        for method, output in outputs.items()
    ]


def deciding_figure(recipe: Recipe, reporter: Reporter) -> str:
    """The figure that decides which checkpoint is best.

    Args:
        recipe: names it.
        reporter: is told if it cannot be measured here, and PSNR is taken.
    """
    if recipe.best_by != "st_lpips" or perceptual.st_lpips():
        return recipe.best_by
    reporter.say("ST-LPIPS needs the extra srez[perceptual]: the best checkpoint is chosen by PSNR")
    return "psnr"


def _outputs(generator: keras.Model, low: Pictures) -> list[np.ndarray]:
    """What a generator makes of inputs of any sizes, float, neither clipped nor rounded."""
    with backend.current().without_gradients():
        made = (
            generator(_with_planes(np.stack(part), generator), training=False) for part in _of_one_size(low)
        )
        return [picture for part in made for picture in backend.as_numpy(part)]


def _with_planes(low: np.ndarray, generator: keras.Model) -> np.ndarray:
    """The inputs as a generator takes them: with random numbers behind them for one of samples."""
    count = generator.input_shape[-1] - low.shape[-1]
    return np.concatenate([low, planes.drawn(0, 0, (*low.shape[:3], count))], axis=3) if count else low


def _of_one_size(pictures: Pictures) -> Iterator[list[np.ndarray]]:
    """Pictures in their order, at most `BATCH` of one size at a time."""
    for _, group in groupby(pictures, key=np.shape):
        same = list(group)
        yield from (same[start : start + BATCH] for start in range(0, len(same), BATCH))


def _enlarged(
    enlarge: Callable[[np.ndarray, int], np.ndarray], validation: ValidationSet
) -> list[np.ndarray]:
    return [images.to_uint8(enlarge(low[None], SCALE)[0]) for low in validation.low]


def _figures(outputs: list[np.ndarray], validation: ValidationSet) -> metrics.Figures:
    """The mean figures of outputs, `(H, W, 3)` uint8 each; ST-LPIPS among them where it is installed."""
    return _means(_each(outputs, validation), outputs, validation)


def _each(outputs: list[np.ndarray], validation: ValidationSet) -> list[metrics.Figures]:
    pictures = zip(outputs, validation.truth, validation.low, strict=True)
    return [metrics.figures(*one, validation.protocol) for one in pictures]


def _means(
    each: list[metrics.Figures], outputs: list[np.ndarray], validation: ValidationSet
) -> metrics.Figures:
    found = metrics.mean(each)
    distance = perceptual.st_lpips()
    if distance:
        pairs = zip(outputs, validation.truth, strict=True)
        distances = [distance(output[None], truth[None])[0] for output, truth in pairs]
        found["st_lpips"] = float(np.mean(distances))
    return found
