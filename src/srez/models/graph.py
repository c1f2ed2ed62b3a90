"""What an .onnx file says of itself, without running it.

The numbers of fields are those of onnx.proto.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from srez.errors import ModelError, first_line
from srez.models import protobuf
from srez.models.external import refuse_external
from srez.models.protobuf import Field

MOST_BYTES = 2 * 1024**3  # of a file: more than protobuf can hold is never in one

_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OPERATOR, _NODE_DOMAIN = 4, 7
_FUNCTION_DOMAIN = 10
_TENSOR_DIMENSIONS = 1
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}  # whose operators ONNX Runtime brings


@dataclass(frozen=True)
class Facts:
    """What a graph holds.

    Attributes:
        parameters: how many weights.
        foreign_operators: those that ONNX Runtime does not bring, as `domain.name`.
    """

    parameters: int
    foreign_operators: frozenset[str]


def read(path: Path) -> bytes:
    """The contents of an .onnx file that can be run from here.

    Args:
        path: the .onnx file.

    Raises:
        ModelError: it does not exist, cannot be read, is too large, is no ONNX file, keeps weights in other
            files, or needs operators that ONNX Runtime does not have.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ModelError(f"{path} is larger than {MOST_BYTES // 1024**3} GB: use a smaller model")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or first_line(error)}") from None
    refuse_external(data, str(path))
    found = facts(data)
    if found.foreign_operators:
        names = ", ".join(sorted(found.foreign_operators))
        raise ModelError(f"{path} needs operators that ONNX Runtime does not have: {names}")
    return data


def facts(data: bytes) -> Facts:
    """What the contents of an .onnx file say.

    Raises:
        ModelError: the file is damaged.
    """
    known, operators, parameters = set(_DOMAINS), set(), 0
    for part in protobuf.fields(data, slice(0, len(data))):
        if part.number == _MODEL_FUNCTIONS:
            known |= set(_texts(data, part, _FUNCTION_DOMAIN))
        if part.number != _MODEL_GRAPH:
            continue
        for entry in protobuf.fields(data, part.place):
            if entry.number == _GRAPH_NODE:
                domain = "".join(_texts(data, entry, _NODE_DOMAIN))
                operators |= {(domain, name) for name in _texts(data, entry, _NODE_OPERATOR)}
            elif entry.number == _GRAPH_INITIALIZER:
                parameters += _size(data, entry)
    foreign = frozenset(f"{domain}.{name}" for domain, name in operators if domain not in known)
    return Facts(parameters, foreign)


def _texts(data: bytes, message: Field, number: int) -> list[str]:
    fields = protobuf.fields(data, message.place)
    return [data[field.place].decode(errors="replace") for field in fields if field.number == number]


def _size(data: bytes, tensor: Field) -> int:
    """How many values a tensor has; its dimensions are stored one by one, or packed into one field."""
    sides: list[int] = []
    for field in protobuf.fields(data, tensor.place):
        if field.number == _TENSOR_DIMENSIONS:
            sides += [field.value] if field.value is not None else protobuf.varints(data, field.place)
    return math.prod(sides) if sides else 0
