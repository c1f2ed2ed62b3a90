"""What the values in a model card must be."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srez.errors import ModelError

_MOST_PIXELS = 4096  # of what a card counts in pixels: far more than any network needs


@dataclass(frozen=True)
class Rule:
    """What a key's value must be: in words, and as a test."""

    words: str
    holds: Callable[[Any], bool]


Rules = dict[str, Rule]
"""Of a table, by its keys."""


def check(values: dict[str, Any], rules: Rules, path: Path, prefix: str = "") -> None:
    """Refuse keys that a table does not have, and values that do not fit.

    Args:
        values: of the table.
        rules: of it.
        path: of the card, for errors.
        prefix: goes before keys in errors.

    Raises:
        ModelError: it names the key.
    """
    for key, value in values.items():
        if key not in rules:
            raise ModelError(f"{path} is not a valid model card: unknown key {prefix}{key}")
        if not rules[key].holds(value):
            raise ModelError(
                f"{path} is not a valid model card: {prefix}{key} must be {rules[key].words}, not "
                f"{_shortened(value)}"
            )


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return math.isfinite(value) if isinstance(value, float) else _is_whole(value)


def _whole(least: int, most: int | None = None) -> Rule:
    words = f"a whole number from {least} to {most:,}" if most else f"a whole number, {least} or more"
    return Rule(words, lambda value: _is_whole(value) and least <= value <= (most or value))


def _is_file_name(value: object) -> bool:
    # Without a folder: a card must not reach files elsewhere.
    return isinstance(value, str) and value.isprintable() and bool(re.fullmatch(r"[^/\\]+\.onnx", value))


def _are_whole(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_whole, value))


def _is_range(value: Any) -> bool:
    return _are_whole(value) and len(value) == 2 and value[0] < value[1]


def _is_row(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("method"), str)
        and all(isinstance(entry, str) or _is_number(entry) for entry in value.values())
    )


_TEXT = Rule("text", lambda value: isinstance(value, str))
_NAME = Rule(
    "text on one line", lambda value: isinstance(value, str) and value.isprintable() and value.strip() != ""
)
_SHA256 = Rule(
    "64 hexadecimal digits",
    lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)),
)
_FILE_NAME = Rule("the name of an .onnx file, without a folder", _is_file_name)
_FRACTION = Rule("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)
_TRUTH = Rule("true or false", lambda value: isinstance(value, bool))
_LAYOUT = Rule('"NHWC" or "NCHW"', lambda value: value in ("NHWC", "NCHW"))
_TYPE = Rule('"float32", "float16" or "uint8"', lambda value: value in ("float32", "float16", "uint8"))
_REDUCTION = Rule('"area" or "bicubic"', lambda value: value in ("area", "bicubic"))
_ENLARGEMENT = Rule('"Lanczos" or "nearest"', lambda value: value in ("Lanczos", "nearest"))
_RANGE = Rule("the values of black and white, such as [0, 255]", _is_range)
_SIDE = Rule(
    f"height and width, each from 1 to {_MOST_PIXELS:,}, or empty",
    lambda value: _are_whole(value) and len(value) in (0, 2) and all(0 < n <= _MOST_PIXELS for n in value),
)
_TABLE = Rule("a table", lambda value: isinstance(value, dict))
_ROWS = Rule(
    "a list of tables, each with the name of its method as text, and else numbers or text",
    lambda value: isinstance(value, list) and all(map(_is_row, value)),
)


_FILE = {"file": _FILE_NAME, "sha256": _SHA256}
CARD: Rules = {
    "name": _NAME,
    "description": _TEXT,
    "licence": _TEXT,
    "limits": _TEXT,
    "scale": _whole(1, 16),
    "minimum_size": _whole(1, _MOST_PIXELS),
    "receptive_radius": _whole(0, _MOST_PIXELS),
    "parameters": _whole(0),
    "multiply_adds": _whole(0),
    "sha256": _SHA256,
    "training": _TABLE,
    "figures": _ROWS,
    "edge": _whole(0, _MOST_PIXELS),
    "trained_at": _whole(0, _MOST_PIXELS),
    "memory": _whole(1),
    **dict.fromkeys(("vivid", "repair", "vivid_repair", "samples", "uncertainty"), _TABLE),
    "fidelity": _FRACTION,
    "form": _TABLE,
    "keeps_flat": _TRUTH,
    "reduction": _REDUCTION,
    "enlargement": _ENLARGEMENT,
}
FORM: Rules = {
    "layout": _LAYOUT,
    "channels": Rule("1, 3 or 4", lambda value: value in (1, 3, 4)),
    "type": _TYPE,
    "takes": _RANGE,
    "gives": _RANGE,
    "multiple": _whole(1, _MOST_PIXELS),
    "side": _SIDE,
    "one_by_one": _TRUTH,
}
WEIGHTS: Rules = _FILE
SAMPLES: Rules = {**_FILE, "planes": _whole(1, 64)}
UNCERTAINTY: Rules = {
    **_FILE,
    "factor": Rule("a number above 0", lambda value: _is_number(value) and value > 0),
    "power": Rule("a number from 0 to 1", lambda value: _is_number(value) and 0 < value <= 1),
}
