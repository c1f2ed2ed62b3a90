"""Several sets of weights of one network, and every model between them.

Each set is a complete ONNX file. They differ in the values of their float32 initializers and are byte for
byte the same elsewhere, so that values can be mixed in place. Linear mixing of networks' weights is network
interpolation (Wang et al., "ESRGAN", ECCVW 2018, section 3.4).
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from srez.errors import ModelError
from srez.models import protobuf
from srez.models.card import Card, weight_files

# The numbers of fields in onnx.proto.
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_TYPE, _TENSOR_NAME, _TENSOR_VALUES = 2, 8, 9

_FLOAT32 = 1  # a value of TensorProto.DataType

_PARTING = 2  # kernels with which a network of samples parts the picture from the random numbers

_DIFFERENT = "the sets of weights are not of the same network"


def blend(parts: Sequence[tuple[bytes, float]]) -> bytes:
    """The model between several sets of weights: the sum of `share * weights`.

    Args:
        parts: .onnx files of the same network, as `transplant` makes them, each with its share; the shares
            add up to 1. A file with a share of 0 makes no difference.

    Returns:
        An .onnx file; exactly the file that has all of the share, if one has.

    Raises:
        ModelError: the files are damaged, or differ in more than the values of weights.
    """
    parts = [(file, share) for file, share in parts if share]
    first = parts[0][0]
    if len(parts) == 1:
        return first
    places = _places(first)
    rest = _all_but(first, places)
    if any(_places(file) != places or _all_but(file, places) != rest for file, _ in parts[1:]):
        raise ModelError(_DIFFERENT)
    mixed = bytearray(first)
    for place in places.values():
        values = sum(np.float32(share) * np.frombuffer(file[place], "<f4") for file, share in parts)
        mixed[place] = np.asarray(values, "<f4").tobytes()
    return bytes(mixed)


def weights(model: Path, card: Card, fidelity: float, repair: float) -> bytes:
    """A model's network with the weights for a fidelity and a repair.

    A model's sets of weights stand at the corners of a square, with fidelity and repair as its sides; between
    them, the mix is bilinear.

    Args:
        model: the .onnx file.
        card: of it.
        fidelity: from 0 (vivid) to 1 (faithful); 1 if the model has no vivid weights.
        repair: from 0 (none) to 1 (full); 0 if the model has no weights that repair.

    Returns:
        An .onnx file.

    Raises:
        ModelError: the files are damaged, or not of the same network.
        OSError: a file cannot be read.
    """
    shares = {
        "vivid": (1 - fidelity) * (1 - repair),
        "repair": fidelity * repair,
        "vivid_repair": (1 - fidelity) * repair,
    }
    files = {key: file for key, file in weight_files(model, card).items() if shares.get(key)}
    parts = [(model, fidelity * (1 - repair)), *((file, shares[key]) for key, file in files.items())]
    try:
        return blend([(file.read_bytes(), share) for file, share in parts if share])
    except ModelError as error:
        raise ModelError(f"{' and '.join(file.name for file, _ in parts)}: {error}") from None


def transplant(model: bytes, weights: bytes) -> bytes:
    """A file with another one's weights in the places of its own.

    Two exports of one network differ in more than weights: Keras numbers layers on through a process, and
    names go into the file. So weights are matched in the natural order of their names, which is that in which
    the layers were made; compare the result with the network that it comes from.

    Args:
        model: an .onnx file.
        weights: another of the same network.

    Returns:
        An .onnx file that can be blended with the model.

    Raises:
        ModelError: the files are damaged, or do not hold weights of the same sizes.
    """
    targets, sources = (_in_natural_order(_places(file)) for file in (model, weights))
    if [_length(place) for place in targets] != [_length(place) for place in sources]:
        raise ModelError(_DIFFERENT)
    result = bytearray(model)
    for target, source in zip(targets, sources, strict=True):
        result[target] = weights[source]
    return bytes(result)


def sampler(samples: bytes, plain: bytes, share: float, strength: float = 1.0) -> bytes:
    """A network of samples, mixed with one of the same design that takes no random numbers.

    Args:
        samples: an .onnx file of a network that takes planes of random numbers.
        plain: one of the same network without them; weights are matched as for `transplant`.
        share: of the plain one's weights, from 0 to 1.
        strength: what the random numbers are multiplied by.

    Returns:
        The file of samples with other weights.

    Raises:
        ModelError: the files are damaged, or do not hold weights of the same sizes.
    """
    result, sources, others = bytearray(samples), _in_natural_order(_places(plain)), []
    for place in _in_natural_order(_places(samples)):
        if not sources or _length(place) != _length(sources[0]):
            others.append(place)
            continue
        ours, theirs = np.frombuffer(samples[place], "<f4"), np.frombuffer(plain[sources.pop(0)], "<f4")
        result[place] = ((1 - share) * ours + share * theirs).astype("<f4").tobytes()
    if sources or len(others) < _PARTING:
        raise ModelError(_DIFFERENT)
    for place in others[_PARTING:]:
        result[place] = (strength * np.frombuffer(samples[place], "<f4")).astype("<f4").tobytes()
    return bytes(result)


def places(model: bytes) -> list[slice]:
    """Where the values lie in a model's file that its sets of weights differ in, for others who blend."""
    return list(_places(model).values())


def _places(model: bytes) -> dict[str, slice]:
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
