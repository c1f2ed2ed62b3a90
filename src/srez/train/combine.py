"""One model with several sets of weights, from exported models of the same network."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import tomli_w

from srez.models import blending
from srez.models import card as cards
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
        target = model.with_name(f"{model.stem}-{key.replace('_', '-')}.onnx")
        data = blending.transplant(model.read_bytes(), other.read_bytes())
        with atomic(target) as file:
            file.write(data)
        files[key] = cards.WeightFile(target.name, cards.sha256(target))
    with atomic(model.with_suffix(".toml")) as file:
        file.write(tomli_w.dumps(cards.as_dict(replace(card, fidelity=fidelity, **files))).encode())
