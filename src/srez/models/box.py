"""The built-in models: an .onnx file and its card (.toml) each, and a second .onnx for a second look."""

from pathlib import Path

from srez.errors import ModelError
from srez.models import card

AUTO = "auto"  # instead of a name: the model that `suited` picks
FACES_INPUT = (16, 16)  # width and height of the pictures that `faces` was made for, in pixels
_FOLDER = Path(__file__).parent / "weights"


def names() -> list[str]:
    """The names of the built-in models."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def suited(model: str, size: tuple[int, int]) -> str:
    """The model for a picture: with "auto", `faces` for 16x16 pixels and `photo` for all others.

    Args:
        model: "auto", or anything else, which is returned as it is.
        size: width and height of the picture, in pixels.
    """
    if model != AUTO:
        return model
    return "faces" if size == FACES_INPUT else "photo"


def scale(model: str) -> int:
    """A model's scale factor; the models that "auto" picks from have the same.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    return card.read(find(suited(model, FACES_INPUT))).scale


def find(model: str | Path) -> Path:
    """The .onnx file of a model: a built-in name, even if a file has that name too, or a path.

    Raises:
        ModelError: there is no such model.
    """
    if str(model) in names():
        return _FOLDER / f"{model}.onnx"
    if Path(model).suffix.lower() == ".onnx":
        return Path(model)
    raise ModelError(f"there is no model {str(model)!r}: use one of {', '.join(names())}, or an .onnx file")
