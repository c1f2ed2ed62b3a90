"""What is measured: anything that upscales."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from srez import images
from srez.errors import DataError, ModelError
from srez.evaluation import arithmetic, matching, pixels
from srez.evaluation.arithmetic import Cost
from srez.evaluation.pairs import Pair, PairSet
from srez.images import resample, to_float, to_uint8
from srez.models import box, card
from srez.models.card import Form
from srez.models.devices import Place
from srez.models.foreign import Hints
from srez.upscaling.samples import check as check_samples
from srez.upscaling.upscaler import Upscaler

Upscale = Callable[[np.ndarray, Sequence[Pair]], np.ndarray]
"""Inputs of one shape and dtype, `(N, h, w, 3)` or gray `(N, h, w)`, uint8, uint16 or float32 in [0, 1], to
uint8 outputs. The pairs that they belong to come along, for methods that go by their names."""

Guess = Callable[[Pair], np.ndarray]
"""Of one pair: all samples, `(S, H, W, 3)` uint8, or how far the output may be from the truth, `(H, W)`."""


@dataclass(frozen=True)
class Method:
    """A way to upscale.

    Attributes:
        name: in tables.
        upscale: does it.
        parameters: how many weights it has; None if unknown, as for all that follow.
        multiply_adds: per input pixel.
        sha256: of the model.
        limits: what its card says of where it fails.
        fidelity: of a model with vivid weights.
        repair: that was asked for; None for what suits each picture.
        form: how a model without a card takes and gives images.
        samples: makes several outputs for one input, which are then measured in place of `upscale`'s.
        uncertainty: says how far an output may be from the truth, as `Upscaler.uncertainty` does.
        timed: whether its speed is known; not if it only reads results that are there.
    """

    name: str
    upscale: Upscale
    parameters: int | None = None
    multiply_adds: int | None = None
    sha256: str | None = None
    limits: str | None = None
    fidelity: float | None = None
    repair: float | None = None
    form: Form | None = None
    samples: Guess | None = None
    uncertainty: Guess | None = None
    timed: bool = True

    def as_json(self) -> dict[str, str | float | list[int]]:
        """What is known of it."""
        facts = {
            "name": self.name,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "sha256": self.sha256,
            "limits": self.limits,
            "fidelity": self.fidelity,
            "repair": self.repair,
            "range": self.form and list(self.form.takes),
            "layout": self.form and self.form.layout,
        }
        return {key: value for key, value in facts.items() if value is not None}


def baselines(scale: int) -> list[Method]:
    """Nearest and bicubic, which stand beside everything."""
    taps = 4  # of bicubic, along each axis in turn, for 3 colours
    return [
        Method("nearest", _resampling(resample.nearest, scale), parameters=0, multiply_adds=0),
        Method(
            "bicubic",
            _resampling(resample.bicubic, scale),
            parameters=0,
            multiply_adds=3 * taps * (scale + scale**2),
        ),
    ]


def model(
    name: str,
    scale: int,
    hints: Hints | None = None,
    fidelity: float | None = None,
    repair: float | None = None,
    place: Place | None = None,
) -> Method:
    """A built-in model, one of ours by its path, or any other ONNX file.

    Args:
        name: a name that `srez models` lists, or an .onnx file. What one without a card takes is found
            out.
        scale: what the protocol asks for.
        hints: what is known of a model without a card.
        fidelity: from 0 (vivid) to 1 (faithful), for a model with vivid weights; the card's by default.
        repair: from 0 (none) to 1 (full), for a model that repairs; by default what suits each picture.
        place: where it is to run; by default as for `srez.load`.

    Raises:
        ModelError: there is no such model, it cannot be used, its scale is another, or it has no fidelity or
            no repair to choose.
    """
    path = box.find(name)
    known = box.card(path, hints)
    upscaler = Upscaler(path, fidelity, repair=repair, place=place, hints=hints)
    has_card = path.with_suffix(".toml").is_file()
    cost = Cost(known.parameters, known.multiply_adds) if has_card else arithmetic.count(path, known.form)
    if known.scale != scale:
        raise ModelError(f"{name} upscales x{known.scale}, but the protocol needs x{scale}")

    def upscale(lows: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
        files = [pair.jpeg for pair in pairs] if known.repair else [None] * len(lows)
        each = list(zip(lows, files, strict=True))
        repairs = [upscaler.repair_for(low, file) for low, file in each]
        if lows.dtype == np.float32:
            return to_uint8(upscaler.batch(lows, repairs, files))
        repaired = zip(each, repairs, strict=True)
        results = [upscaler(low, repair=repair, jpeg=file) for (low, file), repair in repaired]
        return np.stack([pixels.eight_bits(result) for result in results])

    asked = {"fidelity": fidelity, "repair": repair}
    return Method(
        ", ".join([name, *(f"{word} {value:g}" for word, value in asked.items() if value is not None)]),
        upscale,
        cost.parameters,
        cost.multiply_adds,
        known.sha256,
        known.limits,
        upscaler.fidelity if known.vivid else None,
        repair,
        None if has_card else known.form,
        uncertainty=(lambda pair: upscaler.uncertainty(pair.low)) if _is_sure(upscaler, repair) else None,
    )


def _is_sure(upscaler: Upscaler, repair: float | None) -> bool:
    """Whether a model knows at its settings how sure it is."""
    return bool(upscaler.card.uncertainty) and upscaler.fidelity == upscaler.card.fidelity and not repair


def sampled(name: str, scale: int, count: int, place: Place | None = None) -> Method:
    """A model's samples. Their seed follows from the name of the picture.

    Args:
        name: of the model, as for `model`.
        scale: what the protocol asks for.
        count: of samples of each picture.
        place: as for `model`.

    Raises:
        ModelError: the model makes no samples, or its scale is another.
        OptionError: the count is out of range.
    """
    upscaler = Upscaler(box.find(name), place=place)
    check_samples(upscaler.card, count, 0)

    def draw(pair: Pair, number: int = count) -> np.ndarray:
        found = upscaler.samples(pair.low, number, zlib.crc32(pair.name.encode()))
        return to_uint8(to_float(np.stack(found)))

    def upscale(lows: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
        del lows
        return np.concatenate([draw(pair, 1) for pair in pairs])

    return replace(
        model(name, scale, place=place),
        name=f"{name}, samples",
        upscale=upscale,
        samples=draw,
        uncertainty=None,
        fidelity=None,
        sha256=upscaler.card.samples and upscaler.card.samples.sha256,
    )


def models(
    names: Sequence[str],
    scale: int,
    hints: Hints | None = None,
    fidelities: Sequence[float] = (),
    repair: float | None = None,
    place: Place | None = None,
) -> list[Method]:
    """Several models, those with vivid weights once for every fidelity.

    Args:
        names: as for `model`.
        scale: what the protocol asks for.
        hints: what is known of models without a card.
        fidelities: to measure; each model's own if there are none.
        repair: for those of the models that repair; by default what suits each picture.
        place: where they are to run; by default as for `srez.load`.

    Raises:
        ModelError: as for `model`; or fidelities or a repair are asked for, but no model has them.
    """
    has_vivid, repairs = ([_has(name, weights) for name in names] for weights in ("vivid", "repair"))
    if (fidelities and not any(has_vivid)) or (repair is not None and not any(repairs)):
        model(names[0], scale, hints, next(iter(fidelities), None), repair)  # says what it does not have
    return [
        model(name, scale, hints, fidelity, repair if mends else None, place)
        for name, vivid, mends in zip(names, has_vivid, repairs, strict=True)
        for fidelity in (fidelities if vivid else ()) or [None]
    ]


def folder(path: Path, pair_set: PairSet) -> Method:
    """Results that another program made, found by their pictures' names.

    Args:
        path: holds files named as `srez.evaluation.matching` knows them.
        pair_set: what they are results of.

    Raises:
        DataError: the folder does not exist, or a result is missing.
        ImageError: it holds no pictures.
    """
    if not path.is_dir():
        raise DataError(f"--images {path} is not a folder")
    files = matching.by_name(images.find(path).pictures, pair_set.stems, pair_set.protocol.scale)
    for pair in pair_set.pairs:
        if pair.stem not in files:
            raise DataError(f"--images {path} holds no result for {pair.name}")

    def upscale(lows: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
        del lows
        return np.stack([_read_result(files[pair.stem], pair.high) for pair in pairs])

    return Method(path.resolve().name, upscale, timed=False)


def _resampling(function: Callable[[np.ndarray, int], np.ndarray], scale: int) -> Upscale:
    def upscale(lows: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
        del pairs
        with_channels = to_float(lows).reshape(*lows.shape[:3], -1)
        larger = to_uint8(function(with_channels, scale))
        return larger.reshape(*larger.shape[:3], *lows.shape[3:])

    return upscale


def _has(name: str, weights: str) -> bool:
    """Whether a model has "vivid" or "repair" weights."""
    path = box.find(name)
    return path.with_suffix(".toml").is_file() and weights in card.weight_files(path, box.card(path))


def _read_result(path: Path, truth: np.ndarray) -> np.ndarray:
    """A result in the channels of its truth.

    Programs that know only RGB give gray pictures in three channels, which may differ a little.
    """
    result = pixels.eight_bits(pixels.read_opaque(path).pixels)
    if result.shape[:2] == truth.shape[:2]:
        if result.ndim == truth.ndim:
            return result
        if truth.ndim == 2:
            return to_uint8(to_float(result).mean(axis=2))
        if pixels.gray(truth) is not None:
            return np.repeat(result[..., None], 3, axis=2)
    raise DataError(f"{path} is {pixels.described(result)}, but its truth is {pixels.described(truth)}")
