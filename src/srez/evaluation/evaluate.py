"""Measuring methods on pairs: one result that the table, the JSON and the sheet are made of."""

import itertools
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

import srez
from srez.errors import ModelError, OptionError
from srez.evaluation import identity, metrics, perceptual, sampling
from srez.evaluation.certainty import Certainty
from srez.evaluation.methods import Method
from srez.evaluation.metrics import Figures
from srez.evaluation.pairs import Pair, PairSet
from srez.evaluation.perceptual import Distance, StLpips
from srez.evaluation.protocol import FACES_RGB, Protocol
from srez.images import to_float
from srez.models.runtime import runtime
from srez.progress import Track
from srez.wording import counted

BATCH = 64  # inputs of one size that are upscaled together, at most
BATCH_PIXELS = 64 * 256  # and their pixels together, so that no network runs out of memory
_PACKAGES = {"numpy": "numpy", "PIL": "pillow"}
UNMEASURED = {
    "st_lpips": "ST-LPIPS: not measured, it needs srez[perceptual]",
    "identity": "identity: not measured, it needs srez[identity]",
}


@dataclass(frozen=True)
class Result:
    """One method's figures for every pair, in their order, its speed, and what was not measured.

    `images_per_second` is None for results of another program: how fast it was, nobody knows here.
    `certainty` has figures of all pixels together. The figures `st_lpips`, `diversity` and `identity` need
    the extras `perceptual` and `identity`.
    """

    method: Method
    each: list[Figures]
    images_per_second: float | None
    missing: list[str]
    certainty: Mapping[str, float] = field(default_factory=dict)

    @property
    def mean(self) -> dict[str, float | None]:
        """The means over pairs; None for what was not measured."""
        return {**metrics.mean(self.each), **dict.fromkeys(self.missing), **self.certainty}

    @property
    def row(self) -> dict[str, float | None]:
        """The method's row in the table; None for what is not known."""
        size = {"parameters": self.method.parameters, "multiply_adds": self.method.multiply_adds}
        return {**self.mean, **size, "images_per_second": self.images_per_second}


@dataclass(frozen=True)
class Evaluation:
    """The results of several methods on the same pairs."""

    pair_set: PairSet
    results: list[Result]

    @property
    def rows(self) -> dict[str, dict[str, float | None]]:
        """The table: a row for each method, by its name."""
        return {result.method.name: result.row for result in self.results}

    @property
    def notes(self) -> list[str]:
        """What to print under the table: the data, the protocol, what to know of both and of the models."""
        pair_set, count = self.pair_set, len(self.pair_set.pairs)
        limits: dict[str, list[str]] = {}  # two looks of a model share them
        for result in self.results:
            if result.method.limits:
                limits.setdefault(result.method.limits, []).append(result.method.name)
        return [
            f"{counted(count, 'image')} of {pair_set.name}. {pair_set.protocol}",
            *pair_set.notes,
            *self._exact,
            *(UNMEASURED[figure] for figure in self.results[0].missing),
            *(f"{'; '.join(names)}: {text}" for text, names in limits.items()),
        ]

    @property
    def _exact(self) -> list[str]:
        """A sentence about images without any error, where there are some."""
        counts = {result.method.name: metrics.exact(result.each) for result in self.results}
        found = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        return [f"PSNR: an exact image counts as {metrics.EXACT:.0f} dB; exact: {found}."] if found else []

    def as_json(self) -> dict[str, Any]:
        """All there is to know of it; the same each time but for `images_per_second`.

        The infinite PSNR of one exact picture becomes "inf", which JSON has no number for.
        """
        pair_set = self.pair_set
        names = [pair.name for pair in pair_set.pairs]
        return {
            "protocol": asdict(pair_set.protocol),
            "data": pair_set.name,
            "images": len(names),
            "notes": pair_set.notes,
            "versions": {
                "python": platform.python_version(),
                "srez": srez.__version__,
                **{module: version(package) for module, package in _PACKAGES.items()},
                "onnxruntime": runtime().__version__,  # several packages bring it
            },
            "methods": [
                {
                    **result.method.as_json(),
                    "mean": _json_numbers(result.mean),
                    "images_per_second": result.images_per_second,
                    "each": {name: _json_numbers(one) for name, one in zip(names, result.each, strict=True)},
                }
                for result in self.results
            ],
        }

    def examples(self) -> dict[str, dict[str, np.ndarray]]:
        """The pairs with the worst, the median and the best SSIM of the last method, as rows of a sheet.

        Returns:
            By labels that say which: the input, every method's output and the truth, `(H, W, 3)` uint8 each.
        """
        scores = [one["ssim"] for one in self.results[-1].each]
        order = np.argsort(scores, kind="stable")
        chosen = {"worst": order[0], "median": order[len(order) // 2], "best": order[-1]}
        pairs = self.pair_set.pairs
        return {
            f"{label}: {pairs[index].name}, SSIM {scores[index]:.3f}": self._columns(pairs[index])
            for label, index in chosen.items()
        }

    def _columns(self, pair: Pair) -> dict[str, np.ndarray]:
        methods = [result.method for result in self.results]
        outputs = {method.name: method.upscale(pair.low[None], [pair])[0] for method in methods}
        columns = {"input": outputs.pop("nearest"), **outputs, "truth": pair.high}
        return {
            title: image if image.ndim == 3 else np.repeat(image[..., None], 3, 2)
            for title, image in columns.items()
        }


def evaluate(
    methods: list[Method], pair_set: PairSet, track: Track, with_uncertainty: bool = False
) -> Evaluation:
    """Run every method on every pair and measure the results; only the upscaling is timed.

    Args:
        methods: what to measure, with distinct names.
        pair_set: what to measure on, and how.
        track: shows how many batches are done.
        with_uncertainty: whether to measure how sure models say they are, where they do.

    Raises:
        OptionError: two methods have the same name.
        ModelError: a method has not enough memory.
        SrezError: whatever a method raises for a picture that it cannot do.
    """
    _refuse_duplicates(methods)
    distances = _distances(pair_set.protocol)
    batches = list(_batches(pair_set.pairs))
    each: list[list[Figures]] = [[] for _ in methods]
    seconds = [0.0 for _ in methods]
    certainties = [Certainty() for _ in methods]
    tasks = [(number, batch) for number in range(len(methods)) for batch in batches]
    for number, batch in track(tasks, len(tasks)):
        method = methods[number]
        began = time.perf_counter()
        if method.samples:
            with _memory_told(method, batch):
                drawn = [method.samples(pair) for pair in batch]
            seconds[number] += (time.perf_counter() - began) / len(drawn[0])
            each[number] += _figures_of_samples(drawn, batch, pair_set.protocol, distances)
            continue
        with _memory_told(method, batch):
            outputs = method.upscale(np.stack([pair.low for pair in batch]), batch)
        seconds[number] += time.perf_counter() - began
        each[number] += _figures(outputs, batch, pair_set.protocol, distances)
        if with_uncertainty and method.uncertainty:
            with _memory_told(method, batch):
                unsure = [method.uncertainty(pair) for pair in batch]
            for output, pair, each_unsure in zip(outputs, batch, unsure, strict=True):
                certainties[number].add(output, pair.high, each_unsure)
    missing = [name for name, distance in distances.items() if not distance]
    return Evaluation(
        pair_set,
        [
            Result(
                method,
                one,
                len(pair_set.pairs) / spent if method.timed else None,
                missing,
                certainty.figures() if certainty.errors else {},
            )
            for method, one, spent, certainty in zip(methods, each, seconds, certainties, strict=True)
        ],
    )


@contextmanager
def _memory_told(method: Method, pairs: list[Pair]) -> Iterator[None]:
    """A ModelError where memory does not suffice."""
    try:
        yield
    except MemoryError:
        size = f"{pairs[0].low.shape[1]}x{pairs[0].low.shape[0]}"
        raise ModelError(f"{method.name} ran out of memory on {pairs[0].name} ({size})") from None


def _refuse_duplicates(methods: list[Method]) -> None:
    names = [method.name for method in methods]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"two methods are named {name}: give each once, or rename the folder")


def _distances(protocol: Protocol) -> dict[str, Distance | None]:
    """The perceptual distances by their figures' names; None for those whose extra is not installed."""
    distances: dict[str, Distance | None] = {"st_lpips": perceptual.st_lpips()}
    if protocol == FACES_RGB:
        distances["identity"] = identity.distance()
    return distances


def _batches(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Neighbouring pairs of one shape and dtype together."""
    for (shape, _), alike in itertools.groupby(pairs, key=lambda pair: (pair.low.shape, pair.low.dtype)):
        together = max(1, min(BATCH, BATCH_PIXELS // (shape[0] * shape[1])))
        group = list(alike)
        yield from (group[start : start + together] for start in range(0, len(group), together))


def _figures(
    outputs: np.ndarray, pairs: list[Pair], protocol: Protocol, distances: dict[str, Distance | None]
) -> list[Figures]:
    """The figures of each output."""
    found = [
        metrics.figures(output, pair.high, to_float(pair.low), protocol)
        for output, pair in zip(outputs, pairs, strict=True)
    ]
    for one, output, pair in zip(found, outputs, pairs, strict=True):
        one["lr_psnr"] = metrics.lr_psnr(output, to_float(pair.low), protocol)
    truths = np.stack([pair.high for pair in pairs])
    for name, distance in distances.items():
        if distance:
            for one, value in zip(found, distance(outputs, truths), strict=True):
                one[name] = value
    return found


def _figures_of_samples(
    drawn: list[np.ndarray], pairs: list[Pair], protocol: Protocol, distances: dict[str, Distance | None]
) -> list[Figures]:
    """The figures of each picture's samples."""
    found, perceived = [], distances["st_lpips"]
    st_lpips = perceived if isinstance(perceived, StLpips) else None
    for samples, pair in zip(drawn, pairs, strict=True):
        each = _figures(samples, [pair] * len(samples), protocol, distances)
        found.append(sampling.figures(samples, pair.high, each, protocol, st_lpips))
    return found


def _json_numbers(figures: Mapping[str, float | None]) -> dict[str, float | str | None]:
    return {name: "inf" if value == float("inf") else value for name, value in figures.items()}
