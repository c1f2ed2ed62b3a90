"""Reading protobuf messages in place, and writing them, as far as .onnx files need it.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from dataclasses import dataclass

from srez.errors import ModelError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_MOST_VARINT_BYTES = 10  # 64 bits, 7 in each byte


@dataclass(frozen=True)
class Field:
    """A field of a message.

    Attributes:
        number: which field it is, as numbered in the .proto file.
        place: where its payload lies in the data.
        whole: where it lies with what says its number and its kind.
        value: its value, if it is a varint.
    """

    number: int
    place: slice
    whole: slice
    value: int | None = None


def fields(data: bytes, message: slice) -> Iterator[Field]:
    """The fields of a message, in the order in which they are stored.

    Args:
        data: holds the message.
        message: where it lies.

    Raises:
        ModelError: the message is damaged.
    """
    position = message.start
    while position < message.stop:
        begin = position
        key, position = _varint(data, begin, message.stop)
        number, wire_type = key >> 3, key & 7
        start, value = position, None
        if wire_type == _VARINT:
            value, position = _varint(data, position, message.stop)
        elif wire_type == _FIXED64:
            position += 8
        elif wire_type == _FIXED32:
            position += 4
        elif wire_type == _BYTES:
            length, start = _varint(data, position, message.stop)
            position = start + length
        else:
            raise ModelError("the model is damaged: it cannot be parsed")
        if position > message.stop:
            raise ModelError("the model is damaged: it is cut short")
        yield Field(number, slice(start, position), slice(begin, position), value)


def varints(data: bytes, packed: slice) -> list[int]:
    """The numbers of a packed field.

    Args:
        data: holds the field.
        packed: where its payload lies.

    Raises:
        ModelError: the field is damaged.
    """
    position, numbers = packed.start, []
    while position < packed.stop:
        number, position = _varint(data, position, packed.stop)
        numbers.append(number)
    return numbers


def field(number: int, value: int | str | bytes) -> bytes:
    """A field as it is stored: a varint, a text, or a message or other bytes.

    Args:
        number: which field it is.
        value: an integer is from -2**63 to 2**64 - 1.
    """
    if isinstance(value, int):
        return _stored(number << 3 | _VARINT) + _stored(value % 2**64)
    payload = value.encode() if isinstance(value, str) else value
    return _stored(number << 3 | _BYTES) + _stored(len(payload)) + payload


def _stored(value: int) -> bytes:
    """A number with 7 bits in each byte, the lowest first."""
    if value < 0x80:
        return bytes([value])
    return bytes([value & 0x7F | 0x80]) + _stored(value >> 7)


def _varint(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """A number stored with 7 bits in each byte, the lowest first, and the position after it."""
    value = 0
    for index, byte in enumerate(data[start : min(stop, start + _MOST_VARINT_BYTES)]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, start + index + 1
    raise ModelError("the model is damaged: it is cut short")
