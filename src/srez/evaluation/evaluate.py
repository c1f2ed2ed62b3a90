"""Measuring methods on pairs: one result that the table, the JSON and the sheet are made of."""

import itertools
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import PIL
import skimage

import srez
from srez.datasets.members import Progress
from srez.evaluation import identity, metrics, perceptual
from srez.evaluation.methods import Method
from srez.evaluation.metrics import Figures
from srez.evaluation.pairs import Pair
from srez.evaluation.protocol import FACES_RGB, Protocol
from srez.images import to_float

BATCH = 64  # inputs of one size that are upscaled together, at most
BATCH_PIXELS = 64 * 256  # and their pixels together, so that no network runs out of memory
UNMEASURED = {
    "st_lpips": "ST-LPIPS: not measured, it needs srez[perceptual]",
    "identity": "identity: not measured, it needs srez[identity]",
}


@dataclass(frozen=True)
class Measured:
    """One method's figures for every pair, in their order, its speed, and what was not measured.

    The figures `st_lpips` and `identity` need the extras `perceptual` and `identity`.
    """

    method: Method
    each: list[Figures]
    images_per_second: float
    missing: list[str]

    @property
    def mean(self) -> dict[str, float | None]:
        """The means over pairs; None for what was not measured."""
        return {**metrics.mean(self.each), **dict.fromkeys(self.missing)}


def evaluate(
    methods: list[Method], pairs: list[Pair], protocol: Protocol, progress: Progress
) -> list[Measured]:
    """Run every method on every pair and measure the results; only the upscaling is timed.

    Args:
        methods: what to measure.
        pairs: what to measure on.
        protocol: how to measure.
        progress: wraps the iteration over batches, given their number, to show how far it is.

    Raises:
        SrezError: whatever a method raises for a picture that it cannot do.
    """
    distances = {"st_lpips": perceptual.st_lpips()}
    if protocol == FACES_RGB:
        distances["identity"] = identity.distance()
    batches = list(_batches(pairs))
    work = [(number, batch) for number in range(len(methods)) for batch in batches]
    each: list[list[Figures]] = [[] for _ in methods]
    seconds = [0.0 for _ in methods]
    for number, batch in progress(work, len(work)):
        lows = np.stack([pair.low for pair in batch])
        began = time.perf_counter()
        outputs = methods[number].upscale(lows, batch)
        seconds[number] += time.perf_counter() - began
        found = [
            metrics.figures(output, pair.high, _as_float(pair.low), protocol)
            for output, pair in zip(outputs, batch, strict=True)
        ]
        truths = np.stack([pair.high for pair in batch])
        for name, distance in distances.items():
            if distance:
                found = [one | {name: far} for one, far in zip(found, distance(outputs, truths), strict=True)]
        each[number] += found
    missing = [name for name, distance in distances.items() if not distance]
    return [
        Measured(method, one, len(pairs) / spent, missing)
        for method, one, spent in zip(methods, each, seconds, strict=True)
    ]


def as_json(results: list[Measured], pairs: list[Pair], protocol: Protocol, source: str) -> dict[str, Any]:
    """All there is to know of an evaluation; the same each time but for `images_per_second`.

    The infinite PSNR of equal pictures is written as "inf", which JSON has no number for.

    Args:
        results: of `evaluate`.
        pairs: what was measured on.
        protocol: how.
        source: the name of the data.
    """
    versions = {module.__name__: module.__version__ for module in (srez, np, PIL, skimage)}
    versions["onnxruntime"] = version("onnxruntime")
    return {
        "protocol": asdict(protocol),
        "data": source,
        "images": len(pairs),
        "versions": {"python": platform.python_version(), **versions},
        "methods": [
            {
                "name": result.method.name,
                **result.method.facts,
                "mean": _strict(result.mean),
                "images_per_second": result.images_per_second,
                "each": {pair.name: _strict(one) for pair, one in zip(pairs, result.each, strict=True)},
            }
            for result in results
        ],
    }


def row(result: Measured) -> dict[str, float | None]:
    """A method's row in the table: mean figures, size, arithmetic, speed; None for what is not known."""
    size = {key: result.method.facts.get(key) for key in ("parameters", "multiply_adds")}
    return {**result.mean, **size, "images_per_second": result.images_per_second}


def exemplary(result: Measured, pairs: list[Pair]) -> dict[str, Pair]:
    """The pairs with the worst, the median and the best SSIM of a method, under labels that say so."""
    order = np.argsort([one["ssim"] for one in result.each], kind="stable")
    chosen = {"worst": order[0], "median": order[len(order) // 2], "best": order[-1]}
    return {
        f"{label}: {pairs[i].name}, SSIM {result.each[i]['ssim']:.3f}": pairs[i]
        for label, i in chosen.items()
    }


def shown(pair: Pair, methods: list[Method]) -> dict[str, np.ndarray]:
    """A pair as a row of a sheet: the input, every method's output, the truth; `(H, W, 3)` uint8 each.

    `nearest` must be among the methods: it draws the input.
    """
    outputs = {method.name: method.upscale(pair.low[None], [pair])[0] for method in methods}
    columns = {"input": outputs.pop("nearest"), **outputs, "truth": pair.high}
    return {
        title: image if image.ndim == 3 else np.repeat(image[..., None], 3, 2)
        for title, image in columns.items()
    }


def _batches(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Neighbouring pairs of one shape together."""
    for shape, alike in itertools.groupby(pairs, key=lambda pair: pair.low.shape):
        together = max(1, min(BATCH, BATCH_PIXELS // (shape[0] * shape[1])))
        group = list(alike)
        yield from (group[start : start + together] for start in range(0, len(group), together))


def _strict(figures: Mapping[str, float | None]) -> dict[str, float | str | None]:
    return {name: "inf" if value == float("inf") else value for name, value in figures.items()}


def _as_float(low: np.ndarray) -> np.ndarray:
    return to_float(low) if low.dtype == np.uint8 else low
