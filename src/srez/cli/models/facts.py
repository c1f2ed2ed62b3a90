"""What a model's card says, in words for the terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from srez.models import card as cards
from srez.models.card import COVERAGE, Card, Form, WeightFile
from srez.upscaling.samples import MOST
from srez.wording import counted


def of(path: Path, card: Card) -> Iterator[tuple[str, str]]:
    """What a card says, line by line: a label and a text."""
    yield "name", card.name
    yield "what", card.description
    yield "limits", card.limits
    yield "licence", card.licence
    yield "scale", f"x{card.scale}"
    yield "fidelity", f"0 (vivid) to 1 (faithful), by default {card.fidelity:g}" if card.vivid else "1 only"
    yield "repair", "0 to 1, by default what suits each picture" if card.repair else "none"
    yield "samples", f"up to {MOST}, by seed; {_file(path, card.samples)}" if card.samples else "none"
    yield "uncertainty", uncertainty(path, card)
    if card.form != Form():
        yield "takes", form(card)
    yield "parameters", f"{card.parameters:,}"
    if card.multiply_adds:
        yield "multiply-adds", f"{card.multiply_adds:,} per input pixel"
    yield "files", f"{path}, {size(path, card)} in all"
    yield "sha256", card.sha256
    yield from _flattened(card.training, "training")


def uncertainty(path: Path, card: Card) -> str:
    """What is known of errors, and how a distance is made of the expected one."""
    if not (known := card.uncertainty):
        return "none"
    distance = f"{known.factor:g} * error ** {known.power:g}"
    clean = f"of clean pictures at fidelity {card.fidelity:g}"
    return f"{clean}, {COVERAGE:.0%} within {distance}; {_file(path, known)}"


def form(card: Card) -> str:
    """How a graph takes images, in words."""
    taken = card.form
    words = [
        taken.layout,
        {1: "gray", 3: "RGB", 4: "RGBA"}[taken.channels],
        f"{taken.type} from {taken.takes[0]} to {taken.takes[1]}",
    ]
    if taken.gives != taken.takes:
        words.append(f"gives {taken.gives[0]} to {taken.gives[1]}")
    words.append(f"tiles overlap by {counted(card.receptive_radius, 'pixel')}")
    if taken.side:
        words.append(f"always {taken.side[1]}x{taken.side[0]} pixels")
    elif taken.multiple > 1:
        words.append(f"in multiples of {taken.multiple} pixels")
    return ", ".join(words)


def size(path: Path, card: Card) -> str:
    """The size of all of a model's files together."""
    return _megabytes(path, *cards.weight_files(path, card).values())


def _flattened(table: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{name}.{key}")
        else:
            yield f"{name}.{key}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _file(path: Path, file: WeightFile) -> str:
    return f"{file.file}, {_megabytes(path.with_name(file.file))}"


def _megabytes(*files: Path) -> str:
    return f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB"
