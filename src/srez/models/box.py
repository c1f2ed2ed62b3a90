"""The models in the box: a card (.toml) and an .onnx file each, and a second one for a second look."""

from pathlib import Path

from srez.errors import ModelError
from srez.models import card

AUTO = "auto"  # in place of a name: `suited`
FACE = (16, 16)  # what `faces` makes larger
_FOLDER = Path(__file__).parent / "weights"


def names() -> list[str]:
    """The models in the box, by name."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def suited(model: str, size: tuple[int, int]) -> str:
    """The model to take for a picture: `faces` for 16x16 pixels, `photo` for all others, if it is "auto".

    Args:
        model: "auto", or anything else, which is kept.
        size: width and height of the picture, in pixels.
    """
    if model != AUTO:
        return model
    return "faces" if size == FACE else "photo"


def scale(model: str) -> int:
    """How many times larger a model makes pictures; those that "auto" chooses from do it alike.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    return card.read(find(suited(model, FACE))).scale


def find(model: str | Path) -> Path:
    """The .onnx file for the name of a model in the box, or for a path.

    Raises:
        ModelError: there is no such model.
    """
    if str(model) in names():
        return _FOLDER / f"{model}.onnx"
    if Path(model).suffix == ".onnx":
        return Path(model)
    raise ModelError(f"there is no model {str(model)!r}: take one of {', '.join(names())}, or an .onnx file")
