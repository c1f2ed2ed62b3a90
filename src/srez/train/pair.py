"""One model with two sets of weights, from two exported models of the same network."""

from dataclasses import replace
from pathlib import Path

import tomli_w

from srez.models import blending
from srez.models import card as cards
from srez.output import atomic


def write_pair(faithful: Path, vivid: Path, fidelity: float) -> None:
    """Add the vivid model's weights to the faithful model as its second look.

    The vivid weights are written beside the faithful file as NAME-vivid.onnx, and the faithful model's card
    names that file. Everything else on the card (parameters, licence, ...) must be true of both.

    Args:
        faithful: an .onnx file with its card; the card is rewritten.
        vivid: another .onnx file of the same network, with its card; only read.
        fidelity: the default look, from 0 (vivid) to 1 (faithful).

    Raises:
        ModelError: a file is missing or damaged, or the two are not of the same network.
        OutputError: a file cannot be written.
    """
    card = cards.read(faithful)
    cards.read(vivid)
    data = blending.transplant(faithful.read_bytes(), vivid.read_bytes())
    target = faithful.with_name(f"{faithful.stem}-vivid.onnx")
    with atomic(target) as file:
        file.write(data)
    second = cards.Vivid(target.name, cards.sha256(target))
    with atomic(faithful.with_suffix(".toml")) as file:
        file.write(tomli_w.dumps(cards.as_dict(replace(card, vivid=second, fidelity=fidelity))).encode())
