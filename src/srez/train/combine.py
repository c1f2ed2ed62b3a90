"""One model with several sets of weights, from exported models of the same network."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomli_w

from srez.errors import ModelError
from srez.models import blending
from srez.models import card as cards
from srez.models.card import Card
from srez.output import atomic


def combine(model: Path, others: Mapping[str, Path], fidelity: float = 1.0) -> None:
    """Add other models' weights to a model.

    They are written beside its file as NAME-vivid.onnx and so on, and its card names these files. Everything
    else on the card (parameters, licence, ...) must be true of all.

    Args:
        model: an .onnx file with its card, faithful and for clean pictures; the card is rewritten.
        others: .onnx files of the same network by what they are: "vivid", "repair" or "vivid_repair".
        fidelity: the default, from 0 (vivid) to 1 (faithful).

    Raises:
        ModelError: a file is missing or damaged, they are not of the same network, or the model would have
            "vivid" and "repair" without "vivid_repair". Nothing is written then.
        OutputError: a file cannot be written.
    """
    card, own = cards.read(model), _contents(model)
    moved = {key: blending.transplant(own, _contents(other)) for key, other in others.items()}
    files = {key: cards.WeightFile(_beside(model, key).name, _hash(data)) for key, data in moved.items()}
    card = replace(card, fidelity=fidelity, **files)
    cards.require_corners(card, model.with_suffix(".toml"))
    _write(model, moved, card)


def add_samples(model: Path, other: Path, share: float = 0.0, strength: float = 1.0) -> None:
    """Add a generator of samples to a model, as NAME-samples.onnx.

    Args:
        model: an .onnx file with its card, which is rewritten.
        other: what a recipe for samples has trained, with its card.
        share: of the model's own weights, from 0 to 1, that are mixed in: more of them make the mean of
            samples better, and each of them less sharp.
        strength: what the random numbers are multiplied by: more makes samples differ more.

    Raises:
        ModelError: a file is missing or damaged, or the other makes no samples.
        OutputError: a file cannot be written.
    """
    number = cards.read(other).training.get("generator", {}).get("planes", 0)
    if not number:
        raise ModelError(f"{other} makes no samples: train it with generator.planes above 0")
    card, data = cards.read(model), _contents(other)
    if share or strength != 1:
        data = blending.sampler(data, _contents(model), share, strength)
    entry = cards.SamplesFile(_beside(model, "samples").name, _hash(data), number)
    _write(model, {"samples": data}, replace(card, samples=entry))


def add_uncertainty(
    model: Path, network: Path, factor: float, power: float = 1.0, training: Mapping[str, Any] | None = None
) -> None:
    """Add to a model the network that says how sure it is, as NAME-uncertainty.onnx.

    Args:
        model: an .onnx file with its card, which is rewritten.
        network: an .onnx file of `srez.train.networks.uncertainty`.
        factor: of `srez.train.uncertainty.calibrated`.
        power: likewise.
        training: what the card should say of how it was made.

    Raises:
        ModelError: a file is missing or damaged.
        OutputError: a file cannot be written.
    """
    card, data = cards.read(model), _contents(network)
    name = _beside(model, "uncertainty").name
    entry = cards.UncertaintyFile(name, _hash(data), round(factor, 4), power)
    how = {"uncertainty": dict(training)} if training else {}
    card = replace(card, uncertainty=entry, training={**card.training, **how})
    _write(model, {"uncertainty": data}, card)


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None


def _beside(model: Path, key: str) -> Path:
    return model.with_name(f"{model.stem}-{key.replace('_', '-')}.onnx")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(model: Path, files: Mapping[str, bytes], card: Card) -> None:
    for key, data in files.items():
        with atomic(_beside(model, key)) as file:
            file.write(data)
    with atomic(model.with_suffix(".toml")) as file:
        file.write(tomli_w.dumps(cards.as_dict(card)).encode())
