"""Model cards: what a model is, beside its weights, as a .toml file of the same name."""

import dataclasses
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srez.errors import ModelError


@dataclass(frozen=True)
class Card:
    """What srez needs to know of a model, and what people should.

    The model is an ONNX graph with one input `(N, H, W, 3)` and one output `(N, scale H, scale W, 3)`, both
    float32 RGB in [0, 1].

    Attributes:
        name: what it is called.
        description: one line.
        licence: under which its weights may be used.
        limits: where it fails, and what its output is not.
        scale: output size over input size.
        minimum_size: the least height and width it takes, in pixels.
        receptive_radius: how far, in input pixels, an output pixel can see; tiles overlap by as much.
        parameters: all its weights.
        multiply_adds: of its convolutions, per input pixel.
        sha256: of the ONNX file.
        training: how it was made: recipe, data, steps, hours and so on.
        figures: what it reached: a table for each method compared, with the protocol.
    """

    name: str
    description: str
    licence: str
    limits: str
    scale: int
    minimum_size: int
    receptive_radius: int
    parameters: int
    multiply_adds: int
    sha256: str
    training: dict[str, Any]
    figures: list[dict[str, Any]]


def read(model: Path) -> Card:
    """The card beside a model, after making sure that it belongs to it.

    Args:
        model: the .onnx file.

    Raises:
        ModelError: either file is missing, the card is damaged, or the sha256 differs.
    """
    path = model.with_suffix(".toml")
    if not model.is_file():
        raise ModelError(f"model {model} does not exist")
    if not path.is_file():
        raise ModelError(f"{model} is not one of ours: there is no model card {path.name} beside it")
    try:
        card = Card(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise ModelError(f"{path} is not a model card: {error}") from None
    if card.sha256 != sha256(model):
        raise ModelError(
            f"{model} is not the file that {path.name} describes (sha256 differs): get both anew"
        )
    return card


def as_dict(card: Card) -> dict[str, Any]:
    """The card as TOML or JSON would hold it."""
    return dataclasses.asdict(card)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
