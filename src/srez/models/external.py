"""Refusing models whose weights lie in other files, which a card's hash does not cover."""

from collections.abc import Iterator
from pathlib import Path

from srez.errors import ModelError
from srez.models import protobuf

# Where tensors can be in an .onnx file: numbers of fields in onnx.proto, and the messages that they hold.
_INNER = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _LOCATION = 13, 14  # of a tensor


def refuse_external(model: bytes | Path, name: str) -> None:
    """Refuse a model with weights in other files; ONNX Runtime would look for them in the current folder.

    Args:
        model: an .onnx file, or its contents.
        name: what errors call the model.

    Raises:
        ModelError: it has such weights, or is damaged or cannot be read.
    """
    try:
        data = model.read_bytes() if isinstance(model, Path) else model
    except OSError as error:
        raise ModelError(f"{name} cannot be read: {error.strerror}") from None
    try:
        is_external = any(_is_external(data))
    except ModelError as error:
        raise ModelError(f"{name} cannot be loaded as an ONNX model: {error}") from None
    if is_external:
        raise ModelError(
            f"{name} keeps weights in another file: save it as one file (onnx.save_model without "
            "save_as_external_data)"
        )


def _is_external(data: bytes) -> Iterator[bool]:
    """For every field of every tensor, whether it says that values are elsewhere."""
    waiting = [("model", slice(0, len(data)))]
    while waiting:
        kind, place = waiting.pop()
        for field in protobuf.fields(data, place):
            if kind == "tensor":
                yield field.number == _EXTERNAL_DATA or (field.number == _LOCATION and field.value != 0)
            if field.value is None and (inner := _INNER[kind].get(field.number)):
                waiting.append((inner, field.place))
