"""The models in the box: a card (.toml) and an .onnx file each, and a second one for a second look."""

from pathlib import Path

from srez.errors import ModelError

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The models in the box, by name."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


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
