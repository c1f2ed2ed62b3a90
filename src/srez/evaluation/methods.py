"""What is measured: anything that upscales."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez import images
from srez.errors import DataError, ModelError
from srez.evaluation import arithmetic, matching, pixels
from srez.evaluation.foreign import Conventions, ForeignModel
from srez.evaluation.pairs import Pair, PairSet
from srez.images import resample, to_float, to_uint8
from srez.models import box, card
from srez.models.devices import Place
from srez.upscaling.upscaler import Upscaler

Upscale = Callable[[np.ndarray, Sequence[Pair]], np.ndarray]
"""Inputs of one shape and dtype, `(N, h, w, 3)` or gray `(N, h, w)`, uint8, uint16 or float32 in [0, 1], to
uint8 outputs. The pairs that they belong to come along, for methods that go by their names."""


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
        fidelity: the look of a model that has two.
        conventions: the value range and the axes of a foreign model.
    """

    name: str
    upscale: Upscale
    parameters: int | None = None
    multiply_adds: int | None = None
    sha256: str | None = None
    limits: str | None = None
    fidelity: float | None = None
    conventions: Conventions | None = None

    def as_json(self) -> dict[str, str | float]:
        """What is known of it."""
        conventions = self.conventions or Conventions()
        facts = {
            "name": self.name,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "sha256": self.sha256,
            "limits": self.limits,
            "fidelity": self.fidelity,
            "range": conventions.value_range,
            "layout": conventions.layout,
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
    conventions: Conventions | None = None,
    fidelity: float | None = None,
    repair: float | None = None,
    place: Place | None = None,
) -> Method:
    """A built-in model, one of ours by its path, or any other ONNX file.

    Args:
        name: a name that `srez models` lists, or an .onnx file. One without a card is taken as foreign: it
            must map one batch of RGB images to larger ones.
        scale: what the protocol asks for.
        conventions: of a foreign model; found out by default.
        fidelity: from 0 (vivid) to 1 (faithful), for a model with vivid weights; the card's by default.
        repair: from 0 (none) to 1 (full), for a model that repairs; by default what suits each picture.
        place: where it is to run; by default as for `srez.load`.

    Raises:
        ModelError: there is no such model, it cannot be used, its scale is another, or it has no fidelity to
            choose.
    """
    path = box.find(name)
    if _is_foreign(path):
        if fidelity is not None:
            raise ModelError(f"{name} has no model card, and so no vivid weights: omit the fidelity")
        return _foreign_model(path, scale, conventions or Conventions())
    repair = repair if card.read(path).repair else None
    upscaler = Upscaler(path, fidelity, repair=repair, place=place)
    known = upscaler.card
    if known.scale != scale:
        raise ModelError(f"{name} upscales x{known.scale}, but the protocol needs x{scale}")

    def upscale(lows: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
        repairs = [upscaler.repair_for(low, pair.jpeg_quality) for low, pair in zip(lows, pairs, strict=True)]
        if lows.dtype == np.float32:
            return to_uint8(upscaler.batch(lows, repairs))
        results = [upscaler(low, repair=repair) for low, repair in zip(lows, repairs, strict=True)]
        return np.stack([pixels.eight_bits(result) for result in results])

    return Method(
        name if fidelity is None else f"{name}, fidelity {fidelity:g}",
        upscale,
        known.parameters,
        known.multiply_adds,
        known.sha256,
        known.limits,
        upscaler.fidelity if known.vivid else None,
    )


def models(
    names: Sequence[str],
    scale: int,
    conventions: Conventions | None = None,
    fidelities: Sequence[float] = (),
    repair: float | None = None,
    place: Place | None = None,
) -> list[Method]:
    """Several models, those with vivid weights once for every fidelity.

    Args:
        names: as for `model`.
        scale: what the protocol asks for.
        conventions: of foreign models; found out by default.
        fidelities: to measure; each model's own if there are none.
        repair: for models that repair; by default what suits each picture.
        place: where they are to run; by default as for `srez.load`.

    Raises:
        ModelError: as for `model`; or fidelities are asked for, but no model has vivid weights.
    """
    with_vivid = [name for name in names if _has_vivid_weights(box.find(name))]
    if fidelities and not with_vivid:
        model(names[0], scale, conventions, fidelities[0])  # says that it has none
    chosen = {name: fidelities or [None] if name in with_vivid else [None] for name in names}
    return [
        model(name, scale, conventions, fidelity, repair, place)
        for name in names
        for fidelity in chosen[name]
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

    return Method(path.resolve().name, upscale)


def _resampling(function: Callable[[np.ndarray, int], np.ndarray], scale: int) -> Upscale:
    def upscale(lows: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
        del pairs
        with_channels = to_float(lows).reshape(*lows.shape[:3], -1)
        larger = to_uint8(function(with_channels, scale))
        return larger.reshape(*larger.shape[:3], *lows.shape[3:])

    return upscale


def _is_foreign(path: Path) -> bool:
    return path.is_file() and not path.with_suffix(".toml").is_file()


def _has_vivid_weights(path: Path) -> bool:
    return path.with_suffix(".toml").is_file() and card.read(path).vivid is not None


def _foreign_model(path: Path, scale: int, conventions: Conventions) -> Method:
    network = ForeignModel(path, scale, conventions)
    cost = arithmetic.count(path, network.layout)
    return Method(
        str(path),
        lambda lows, _: network(lows),
        cost.parameters,
        cost.multiply_adds,
        card.sha256(path),
        conventions=Conventions(network.value_range, network.layout),
    )


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
