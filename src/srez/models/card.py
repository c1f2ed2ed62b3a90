"""Model cards: what a model is, beside its weights, as a .toml file of the same name."""

import dataclasses
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srez.errors import ModelError

_POINTER = b"version https://git-lfs"  # how a file begins that Git LFS has not replaced


@dataclass(frozen=True)
class Vivid:
    """A model's second set of weights, in a file beside the first.

    Attributes:
        file: its name.
        sha256: of it.
    """

    file: str
    sha256: str


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
        edge: pixels of its own reflection that a picture gets on all sides before it is run, so that its
            border is not made from a network's zero padding.
        trained_at: the side of the pictures that it was trained on whole, in pixels: one no larger gets no
            edge, because the network knows such pictures by their borders. 0 if trained on cut-outs.
        memory: bytes that a run takes for each input pixel; the default suits networks with 100 channels at
            output size.
        vivid: the second set of weights, if the model has two looks.
        fidelity: the look that is taken if nobody asks for another, from 0 (vivid) to 1 (faithful).
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
    edge: int = 0
    trained_at: int = 0
    memory: int = 20_000
    vivid: Vivid | None = None
    fidelity: float = 1.0


def read(model: Path) -> Card:
    """The card beside a model, after making sure that it belongs to it.

    Args:
        model: the .onnx file.

    Raises:
        ModelError: a file is missing, the card is damaged, or a sha256 differs.
    """
    path = model.with_suffix(".toml")
    if not model.is_file():
        raise ModelError(f"model {model} does not exist")
    if not path.is_file():
        raise ModelError(f"{model} is not one of ours: there is no model card {path.name} beside it")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        vivid = Vivid(**values.pop("vivid")) if "vivid" in values else None
        card = Card(**values, vivid=vivid)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise ModelError(f"{path} is not a model card: {error}") from None
    _refuse_another_file(model, card.sha256, path)
    if card.vivid:
        second = vivid_file(model, card)
        if not second.is_file():
            raise ModelError(f"model {second}, the vivid look of {model.name}, does not exist")
        _refuse_another_file(second, card.vivid.sha256, path)
    return card


def vivid_file(model: Path, card: Card) -> Path:
    """The second set of weights of a model that has one."""
    assert card.vivid
    return model.with_name(card.vivid.file)


def as_dict(card: Card) -> dict[str, Any]:
    """The card as TOML or JSON would hold it; what it does not have is left out."""
    return {key: value for key, value in dataclasses.asdict(card).items() if value is not None}


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_another_file(model: Path, expected: str, card: Path) -> None:
    if sha256(model) != expected:
        with model.open("rb") as file:
            is_pointer = file.read(len(_POINTER)) == _POINTER
        remedy = "it is a pointer of Git LFS, git lfs pull gets the model" if is_pointer else "get both anew"
        raise ModelError(f"{model} is not the file that {card.name} describes (sha256 differs): {remedy}")
