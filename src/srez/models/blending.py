"""Two sets of weights of one network, and every look between them.

Both sets are complete ONNX files which differ in the values of their float32 initializers and in nothing
else: byte for byte the same elsewhere, so that values can be mixed in place. Linear mixing of two networks'
weights is network interpolation (Wang et al., "ESRGAN", ECCVW 2018, section 3.4).
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from srez.errors import ModelError

# Fields of onnx.proto and the numbers that the wire format knows them by.
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 2, 8, 9
_FLOAT = 1

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types

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
    where = _weights(faithful)
    if where != _weights(vivid) or _without(faithful, where) != _without(vivid, where):
        raise ModelError(_DIFFERENT)
    mixed = bytearray(faithful)
    for start, stop in where.values():
        one, other = (np.frombuffer(data[start:stop], "<f4") for data in (faithful, vivid))
        between = np.float32(fidelity) * one + np.float32(1 - fidelity) * other
        mixed[start:stop] = between.astype("<f4").tobytes()
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
    here, there = (sorted(_weights(model).items(), key=_naturally) for model in (faithful, vivid))
    if [stop - start for _, (start, stop) in here] != [stop - start for _, (start, stop) in there]:
        raise ModelError(_DIFFERENT)
    result = bytearray(faithful)
    for (_, (start, stop)), (_, source) in zip(here, there, strict=True):
        result[start:stop] = vivid[slice(*source)]
    return bytes(result)


def _naturally(weight: tuple[str, Any]) -> list[int | str]:
    """A sorting key that puts conv2d_9 before conv2d_10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", weight[0])]


def _weights(model: bytes) -> dict[str, tuple[int, int]]:
    """Where the float32 initializers' values are in an .onnx file, by name."""
    found = {}
    for graph in _all(model, 0, len(model), _MODEL_GRAPH):
        for tensor in _all(model, *graph, _GRAPH_INITIALIZER):
            fields = dict(_fields(model, *tensor))
            if fields.get(_TENSOR_TYPE) == (_FLOAT, _FLOAT) and _TENSOR_RAW in fields:
                found[model[slice(*fields[_TENSOR_NAME])].decode()] = fields[_TENSOR_RAW]
    if not found:
        raise ModelError("the model holds no weights")
    return found


def _without(model: bytes, where: dict[str, tuple[int, int]]) -> bytes:
    """All of a file but the values of its weights."""
    edges = [0, *(edge for span in sorted(where.values()) for edge in span), len(model)]
    return b"".join(model[start:stop] for start, stop in zip(edges[::2], edges[1::2], strict=True))


def _all(data: bytes, start: int, stop: int, number: int) -> list[tuple[int, int]]:
    return [place for found, place in _fields(data, start, stop) if found == number]


def _fields(data: bytes, position: int, stop: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """The fields of a protobuf message: number, and start and stop (of a varint, twice its value).

    https://protobuf.dev/programming-guides/encoding/
    """
    while position < stop:
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield key >> 3, (value, value)
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ModelError("the model is damaged: it cannot be parsed")
        if position + length > stop:
            raise ModelError("the model is damaged: it is cut short")
        yield key >> 3, (position, position + length)
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte, least first, and where it ends."""
    value = shift = 0
    while position < len(data):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise ModelError("the model is damaged: it is cut short")
