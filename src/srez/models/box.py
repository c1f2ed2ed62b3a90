"""The models at hand: those in the box, those that a user has added, and any other ONNX file.

Each is an .onnx file with its card (.toml), and more .onnx files for further weights. Files without a card
are looked into.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from srez.errors import ModelError
from srez.models import added, convert_torch, detector, drawn, foreign
from srez.models import card as cards
from srez.models.card import Card
from srez.models.foreign import Hints

AUTO = "auto"  # instead of a name: the model that `suited` picks
_RETIRED = {  # what stands in for models that used to be here
    "photo-jpeg": "photo repairs JPEGs by itself",
    "photo-repair": "photo repairs by itself; --repair 1 does so fully",
}
_FOLDER = Path(__file__).parent / "weights"
_METHODS = {"selfexsr": Path(__file__).parent / "selfexsr/selfexsr.toml"}


_UNUSABLE = {  # weights of other programs, by suffix: what they are
    ".h5": "Keras",
    ".keras": "Keras",
    ".pb": "TensorFlow",
    ".tflite": "LiteRT",
    ".param": "ncnn",
    ".bin": "ncnn",
}


def names() -> list[str]:
    """The names of the built-in models."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def methods() -> list[str]:
    """The names of the built-in methods without weights: their cards say what they are."""
    return sorted(_METHODS)


def built_in() -> list[str]:
    """The names of all that is in the box: models, then methods."""
    return [*names(), *methods()]


def is_method(model: Path) -> bool:
    """Whether what `find` gives is the card of a method, and not an .onnx file."""
    return model in _METHODS.values()


def card(model: Path, hints: Hints | None = None) -> Card:
    """The card of a model: the one beside it, or what is found out about a file without one.

    Args:
        model: the .onnx file, or the card of a method.
        hints: what is known of a model without a card.

    Raises:
        ModelError: the file or its card is missing or damaged, or it does not make pictures larger.
    """
    if is_method(model):
        return cards.read_method(model)
    if model.with_suffix(".toml").is_file():
        return cards.read(model)
    return foreign.describe(model, hints)


def candidates(model: str) -> tuple[str, ...]:
    """The models that a name may stand for: several for "auto", else the one of that name."""
    return ("photo", "faces", "pixels", "scan") if model == AUTO else (model,)


def suited(
    model: str, size: tuple[int, int], read: Callable[[], np.ndarray], networks_only: bool = False
) -> str:
    """The model for a picture.

    With "auto", it is `faces` for a face of 16x16 pixels, `pixels` for pixel art, `scan` for black and white,
    and `photo` for all others.

    Args:
        model: "auto", or anything else, which is returned as it is.
        size: width and height of the picture, in pixels.
        read: gives its pixels, as `detector.is_face` takes them; only called for pictures of up to
            `drawn.LARGEST` pixels.
        networks_only: whether the model must have what only networks have, such as a fidelity.
    """
    if model != AUTO or size[0] * size[1] > drawn.LARGEST:
        return "photo" if model == AUTO else model
    pixels = read()
    if size == (detector.SIDE, detector.SIDE) and detector.is_face(pixels):
        return "faces"
    return (None if networks_only else drawn.kind(pixels)) or "photo"


def may_be_face(model: str, size: tuple[int, int]) -> bool:
    """Whether "auto" may take `faces` for a picture of a size; false for another name."""
    return model == AUTO and size == (detector.SIDE, detector.SIDE)


def usual(model: str) -> Card:
    """The card of a model, or with "auto" of `photo`: the others that it picks from have the same scale.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    return card(find(candidates(model)[0]))


def find(model: str | Path) -> Path:
    """The .onnx file of a model, or the card of a method: a built-in name, one that was added, or a path.

    Names come first, even if a file has that name too.

    Raises:
        ModelError: there is no such model.
    """
    if str(model) in names():
        return _FOLDER / f"{model}.onnx"
    if str(model) in _METHODS:
        return _METHODS[str(model)]
    if str(model) in added.names():
        return added.find(str(model))
    suffix = Path(model).suffix.lower()
    if suffix == ".onnx":
        return Path(model)
    if str(model) in _RETIRED:
        raise ModelError(f"there is no model {str(model)!r} any more: {_RETIRED[str(model)]}")
    if suffix in convert_torch.SUFFIXES:
        raise ModelError(
            f"{model} holds weights of PyTorch: convert them with srez models add {model} (pip install "
            "'srez[convert]')"
        )
    if suffix in _UNUSABLE:
        raise ModelError(
            f"{model} holds weights of {_UNUSABLE[suffix]}: convert them to ONNX, with the program that made "
            "them or with chaiNNer"
        )
    known = ", ".join([*built_in(), *added.names()])
    if str(model) == AUTO:
        raise ModelError(
            f"{AUTO!r} is for srez.upscale and `srez upscale`, which choose a model by the picture: "
            f"name one of {known}, or an .onnx file"
        )
    raise ModelError(f"there is no model {str(model)!r}: use one of {known}, or an .onnx file")
