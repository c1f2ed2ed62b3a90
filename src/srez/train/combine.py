"""One model with several sets of weights, from exported models of the same network."""

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
        ModelError: a file is missing or damaged, or they are not of the same network.
        OutputError: a file cannot be written.
    """
    card, files = cards.read(model), {}
    for key, other in others.items():
        target = _copied(model, blending.transplant(model.read_bytes(), other.read_bytes()), key)
        files[key] = cards.WeightFile(target.name, cards.sha256(target))
    _rewrite(model, replace(card, fidelity=fidelity, **files))


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
    data = other.read_bytes()
    if share or strength != 1:
        data = blending.sampler(data, model.read_bytes(), share, strength)
    target = _copied(model, data, "samples")
    entry = cards.SamplesFile(target.name, cards.sha256(target), number)
    _rewrite(model, replace(cards.read(model), samples=entry))


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
    target = _copied(model, network.read_bytes(), "uncertainty")
    entry = cards.UncertaintyFile(target.name, cards.sha256(target), round(factor, 4), power)
    card = cards.read(model)
    how = {"uncertainty": dict(training)} if training else {}
    _rewrite(model, replace(card, uncertainty=entry, training={**card.training, **how}))


def _copied(model: Path, data: bytes, key: str) -> Path:
    target = model.with_name(f"{model.stem}-{key.replace('_', '-')}.onnx")
    with atomic(target) as file:
        file.write(data)
    return target


def _rewrite(model: Path, card: Card) -> None:
    with atomic(model.with_suffix(".toml")) as file:
        file.write(tomli_w.dumps(cards.as_dict(card)).encode())
