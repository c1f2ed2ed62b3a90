"""What is measured: anything that upscales."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from srez import images
from srez.errors import DataError, ModelError
from srez.evaluation import arithmetic
from srez.evaluation.pairs import Pair
from srez.images import resample, to_float, to_uint8
from srez.models import box, card
from srez.models.runtime import Network
from srez.upscaling.upscaler import Upscaler

PROBE = 24  # side of the picture that finds out a foreign model's value range, in pixels


@dataclass(frozen=True)
class Method:
    """A way to upscale.

    Attributes:
        name: in tables.
        upscale: inputs of one shape and dtype, `(N, h, w, 3)` or gray `(N, h, w)`, uint8 or float32 in
            [0, 1], to uint8 outputs; given the pairs too, for those who go by their names.
        facts: parameters, multiply-adds per input pixel, sha256: what is known.
    """

    name: str
    upscale: Callable[[np.ndarray, list[Pair]], np.ndarray]
    facts: dict[str, Any] = field(default_factory=dict)


def baselines(scale: int) -> list[Method]:
    """Nearest and bicubic, which stand beside everything."""
    # Bicubic takes 4 taps along each axis in turn, for 3 colours.
    bicubic = 3 * 4 * (scale + scale**2)
    return [
        _baseline("nearest", resample.nearest, scale, multiply_adds=0),
        _baseline("bicubic", resample.bicubic, scale, multiply_adds=bicubic),
    ]


def model(
    name: str,
    scale: int,
    value_range: float | None = None,
    layout: str | None = None,
    fidelity: float | None = None,
) -> Method:
    """A model in the box, one of ours by its path, or any other ONNX file.

    Args:
        name: a name that `srez models` lists, or an .onnx file. One without a card is taken as foreign: it
            must map one batch of RGB images to larger ones.
        scale: what the protocol asks for.
        value_range: the largest value of a foreign model's images, 1 or 255; found out if None.
        layout: "NHWC" or "NCHW", of a foreign model; read off its input's shape if None.
        fidelity: the look of a model that has two, from 0 (vivid) to 1 (faithful); the card's if None.

    Raises:
        ModelError: there is no such model, it cannot be used, its scale is another, or it has only one look.
    """
    path = box.find(name)
    if path.is_file() and not path.with_suffix(".toml").is_file():
        if fidelity is not None:
            raise ModelError(f"{name} has no model card, and so only one look: leave the fidelity out")
        return _foreign(path, scale, value_range, layout)
    upscaler = Upscaler(path, fidelity)
    if upscaler.card.scale != scale:
        raise ModelError(f"{name} upscales x{upscaler.card.scale}, but the protocol asks for x{scale}")
    known = card.as_dict(upscaler.card)
    facts = {key: known[key] for key in ("parameters", "multiply_adds", "sha256", "limits")}
    if upscaler.card.vivid:
        facts["fidelity"] = upscaler.fidelity

    def upscale(lows: np.ndarray, _: list[Pair]) -> np.ndarray:
        if lows.dtype == np.uint8:
            return np.stack([upscaler(low) for low in lows])
        return to_uint8(upscaler.batch(lows))

    return Method(name if fidelity is None else f"{name}, fidelity {fidelity:g}", upscale, facts)


def models(
    names: Sequence[str],
    scale: int,
    value_range: float | None = None,
    layout: str | None = None,
    fidelities: Sequence[float] = (),
) -> list[Method]:
    """Several models, those that have two looks once for every fidelity.

    Args:
        names: as for `model`, like all but the last.
        scale: what the protocol asks for.
        value_range: of foreign models.
        layout: of foreign models.
        fidelities: the looks to measure; each model's own if there are none.

    Raises:
        ModelError: as for `model`; no model has two looks, but fidelities are asked for.
    """
    two = [name for name in names if _has_two_looks(box.find(name))]
    return [
        model(name, scale, value_range, layout, look)
        for name in names
        # Where none has two looks, `model` says so.
        for look in (fidelities if fidelities and (name in two or not two) else [None])
    ]


def _has_two_looks(path: Path) -> bool:
    return path.with_suffix(".toml").is_file() and card.read(path).vivid is not None


def folder(path: Path) -> Method:
    """Results that another program made, matched to the inputs by file name, with any suffix.

    Raises:
        DataError: the folder does not exist.
        ImageError: it holds no pictures.
    """
    if not path.is_dir():
        raise DataError(f"--images {path} is not a folder")
    found = {entry.stem: entry for entry in images.find(path)}

    def upscale(_: np.ndarray, pairs: list[Pair]) -> np.ndarray:
        return np.stack([_result_for(pair, found, path) for pair in pairs])

    return Method(path.name or str(path), upscale)


def _baseline(
    name: str, function: Callable[[np.ndarray, int], np.ndarray], scale: int, multiply_adds: int
) -> Method:
    def upscale(lows: np.ndarray, _: list[Pair]) -> np.ndarray:
        values = to_float(lows) if lows.dtype == np.uint8 else lows
        with_channels = values if values.ndim == 4 else values[..., None]
        return to_uint8(function(with_channels, scale)).reshape(
            lows.shape[0], lows.shape[1] * scale, lows.shape[2] * scale, *lows.shape[3:]
        )

    return Method(name, upscale, {"parameters": 0, "multiply_adds": multiply_adds})


def _result_for(pair: Pair, found: dict[str, Path], where: Path) -> np.ndarray:
    path = found.get(Path(pair.name).stem)
    if path is None:
        raise DataError(f"--images {where} holds no result for {pair.name}")
    pixels = images.read(path).pixels
    if pixels.shape[2:] == (4,):
        pixels = pixels[..., :3]
    if pixels.shape != pair.high.shape:
        kinds = [f"{'gray' if p.ndim == 2 else 'RGB'} {p.shape[1]}x{p.shape[0]}" for p in (pixels, pair.high)]
        raise DataError(f"{path} is {kinds[0]}, but its truth is {kinds[1]}")
    return pixels


def _foreign(path: Path, scale: int, value_range: float | None, layout: str | None) -> Method:
    network = Network(path, str(path))
    entry = network.inputs[0]
    if len(network.inputs) != 1 or len(entry.shape) != 4 or entry.type != "tensor(float)":
        raise ModelError(f"{path} does not map one float batch of images to another: it cannot be measured")
    layout = layout or _layout_of(entry.shape, path)

    def run(values: np.ndarray, top: float) -> np.ndarray:
        """`(N, h, w, 3)` in [0, 1] to the larger one in [0, 1]."""
        feed = values * np.float32(top)
        feed = feed.transpose(0, 3, 1, 2) if layout == "NCHW" else feed
        output = network.run(np.ascontiguousarray(feed))
        output = output.transpose(0, 2, 3, 1) if layout == "NCHW" else output
        expected = (len(values), values.shape[1] * scale, values.shape[2] * scale, 3)
        if output.shape != expected:
            raise ModelError(f"{path} does not upscale x{scale}: it made {output.shape} of {values.shape}")
        return output / np.float32(top)

    top = value_range or _range_of(run)

    def upscale(lows: np.ndarray, _: list[Pair]) -> np.ndarray:
        values = to_float(lows) if lows.dtype == np.uint8 else lows
        if values.ndim == 3:
            return to_uint8(run(np.repeat(values[..., None], 3, axis=3), top).mean(axis=3))
        return to_uint8(run(values, top))

    facts = {"sha256": card.sha256(path), "range": top, "layout": layout, **arithmetic.count(path, layout)}
    return Method(str(path), upscale, facts)


def _layout_of(shape: list[Any], path: Path) -> str:
    if shape[3] == 3 and shape[1] != 3:
        return "NHWC"
    if shape[1] == 3 and shape[3] != 3:
        return "NCHW"
    raise ModelError(f"{path} has an input of shape {shape}: say --layout NHWC or --layout NCHW")


def _range_of(run: Callable[[np.ndarray, float], np.ndarray]) -> float:
    """1 or 255: whichever brings a smooth picture back closer to its enlargement."""
    ramp = np.linspace(0.2, 0.8, PROBE, dtype=np.float32)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.float32(0.5)), axis=-1)[None]

    def distance(top: float) -> float:
        output = run(picture, top)
        expected = resample.bicubic(picture, output.shape[1] // PROBE)
        return float(np.abs(output - expected).mean())

    return min((1.0, 255.0), key=distance)
