"""Two sets of weights of one network, and every look between them.

Both sets are complete ONNX files which differ in the values of their float32 initializers and in nothing
else: byte for byte the same elsewhere, so that values can be mixed in place. Linear mixing of two networks'
weights is network interpolation (Wang et al., "ESRGAN", ECCVW 2018, section 3.4).
"""

import re

import numpy as np

from srez.errors import ModelError
from srez.models import protobuf

# The numbers of fields in onnx.proto.
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_TYPE, _TENSOR_NAME, _TENSOR_VALUES = 2, 8, 9

_FLOAT32 = 1  # a value of TensorProto.DataType

_DIFFERENT = "the two sets of weights are not of the same network"


def blend(faithful: bytes, vivid: bytes, fidelity: float) -> bytes:
    """The model between two sets of weights: `fidelity * faithful + (1 - fidelity) * vivid`.

    Args:
        faithful: an .onnx file.
        vivid: another of the same network, as `transplant` makes it.
        fidelity: from 0 (exactly `vivid`) to 1 (exactly `faithful`).

    Returns:
        An .onnx file.

    Raises:
        ModelError: the files are damaged, or differ in more than the values of weights.
    """
    if fidelity in (0, 1):
        return faithful if fidelity else vivid
    places = _weights(faithful)
    if places != _weights(vivid) or _all_but(faithful, places) != _all_but(vivid, places):
        raise ModelError(_DIFFERENT)
    mixed = bytearray(faithful)
    for place in places.values():
        one, other = (np.frombuffer(data[place], "<f4") for data in (faithful, vivid))
        between = np.float32(fidelity) * one + np.float32(1 - fidelity) * other
        mixed[place] = between.astype("<f4").tobytes()
    return bytes(mixed)


def transplant(faithful: bytes, vivid: bytes) -> bytes:
    """The faithful file with the vivid one's weights in the places of its own.

    Two exports of one network differ in more than weights: Keras numbers layers on through a process, and
    names go into the file. So weights are matched in the natural order of their names, which is that in which
    the layers were made; compare the result with the network that it comes from.

    Args:
        faithful: an .onnx file.
        vivid: another of the same network.

    Returns:
        An .onnx file that can be blended with the faithful one.

    Raises:
        ModelError: the files are damaged, or do not hold weights of the same sizes.
    """
    targets, sources = (_in_natural_order(_weights(model)) for model in (faithful, vivid))
    if [_length(place) for place in targets] != [_length(place) for place in sources]:
        raise ModelError(_DIFFERENT)
    result = bytearray(faithful)
    for target, source in zip(targets, sources, strict=True):
        result[target] = vivid[source]
    return bytes(result)


def _weights(model: bytes) -> dict[str, slice]:
    """Where the values of the float32 initializers lie in an .onnx file, by name."""
    places = {}
    for part in protobuf.fields(model, slice(0, len(model))):
        if part.number == _MODEL_GRAPH:
            for entry in protobuf.fields(model, part.place):
                if entry.number == _GRAPH_INITIALIZER:
                    name, place = _tensor(model, entry.place)
                    if place:
                        places[name] = place
    if not places:
        raise ModelError("the model holds no weights")
    return places


def _tensor(model: bytes, message: slice) -> tuple[str, slice | None]:
    """A tensor's name, and where its values lie if they are float32 in one piece."""
    found = {field.number: field for field in protobuf.fields(model, message)}
    if not {_TENSOR_TYPE, _TENSOR_NAME, _TENSOR_VALUES} <= found.keys():
        return "", None
    name, values = model[found[_TENSOR_NAME].place], found[_TENSOR_VALUES].place
    is_float32 = found[_TENSOR_TYPE].value == _FLOAT32 and _length(values) % 4 == 0
    return name.decode(errors="replace"), values if is_float32 else None


def _all_but(model: bytes, places: dict[str, slice]) -> bytes:
    """A file without the values of its weights."""
    rest, position = [], 0
    for place in sorted(places.values(), key=lambda place: place.start):
        rest.append(model[position : place.start])
        position = place.stop
    return b"".join([*rest, model[position:]])


def _in_natural_order(places: dict[str, slice]) -> list[slice]:
    """Places by name, conv2d_9 before conv2d_10."""

    def key(name: str) -> list[int | str]:
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]

    return [places[name] for name in sorted(places, key=key)]


def _length(place: slice) -> int:
    return place.stop - place.start
