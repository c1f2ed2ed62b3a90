"""Faces in photographs: which are enlarged by the model of faces, and which are not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from srez.errors import ModelError, OptionError
from srez.images import to_uint8
from srez.models import box, face_finder
from srez.models.card import Card
from srez.models.face_finder import Face
from srez.upscaling import beside

MODEL = "photo-faces"  # of the box
HEIGHTS = 8.0, 40.0  # of the boxes of faces that the model is used for, in pixels of the photograph
NUMBERS = r"([1-9][0-9]{0,3}(,[1-9][0-9]{0,3})*)?"
"""A pattern of `numbers`."""


@dataclass(frozen=True)
class Treated:
    """A face that was found, and what is done to it.

    Attributes:
        number: from 1, the surest first.
        face: where it is.
        left: why it is left to the photograph's model, "too small", "too large" or "not chosen"; None for one
            that is enlarged.
    """

    number: int
    face: Face
    left: str | None

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "number": self.number,
            "box": [round(each, 2) for each in self.face.box],
            "score": round(self.face.score, 4),
            "enlarged": self.left is None,
            "left": self.left,
        }


def model() -> Path:
    """The model of faces, where faces can be found.

    Raises:
        ModelError: the package with the finder's networks is missing; it says what to install.
    """
    face_finder.require_package()
    return box.find(MODEL)


def check(card: Card) -> None:
    """Refuse a model that faces cannot be put into.

    Raises:
        ModelError: the model enlarges faces itself, or by another scale.
    """
    if card.name == MODEL:
        raise ModelError(f"model {MODEL} enlarges faces itself: use another for the photograph around them")
    scale = box.card(box.find(MODEL)).scale
    if card.scale != scale:
        raise ModelError(
            f"model {card.name} makes pictures x{card.scale}, and {MODEL} x{scale}: its results cannot have "
            "faces put in"
        )


def find(image: np.ndarray) -> list[Face]:
    """The faces of a picture, the surest first.

    Args:
        image: `(H, W, C)`, of any kind.

    Raises:
        ModelError: the package with the finder's networks is missing.
    """
    plain = image.dtype == np.uint8 and image.shape[2] == 3
    return face_finder.find(image if plain else to_uint8(beside.colours(image)))


def fits(face: Face) -> bool:
    """Whether the model knows faces of this size."""
    return _unfit(face) is None


def treated(found: Sequence[Face], only: Sequence[int] | None) -> tuple[Treated, ...]:
    """What is done to each face of a picture.

    Args:
        found: as `find` gives them.
        only: numbers of those to enlarge, from 1; all by default.

    Raises:
        OptionError: a number is none of a face.
    """
    if unknown := sorted(set(only or ()) - set(range(1, len(found) + 1))):
        raise OptionError(f"there is no face {unknown[0]}: this picture has {len(found)}")
    return tuple(
        Treated(number, face, _unfit(face) or (None if only is None or number in only else "not chosen"))
        for number, face in enumerate(found, 1)
    )


def numbers(text: str) -> tuple[int, ...]:
    """Numbers of faces from text such as "1,3"; none from "".

    Raises:
        OptionError: it is something else.
    """
    if not re.fullmatch(NUMBERS, text):
        raise OptionError(f"only-faces {text!r}: give numbers of faces, as in 1,3")
    return tuple(map(int, text.split(","))) if text else ()


def _unfit(face: Face) -> str | None:
    height = face.box[2] - face.box[0] if face.turn % 2 else face.box[3] - face.box[1]
    return "too small" if height < HEIGHTS[0] else "too large" if height > HEIGHTS[1] else None
