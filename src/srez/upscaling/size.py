"""How large results are to be."""

import enum
from dataclasses import dataclass

from srez.errors import OptionError
from srez.models.card import Card


@dataclass(frozen=True)
class Size:
    """A size for results: a scale factor, or a width or height or both, or nothing for the model's own scale.

    Attributes:
        scale: how many times as large as the input.
        width: in pixels; the height follows, unless it is given too.
        height: in pixels; with a width too, the result is the largest that fits into both.
    """

    scale: int | None = None
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        """Refuse a scale beside a width or height."""
        if self.scale and (self.width or self.height):
            raise OptionError("give either --scale, or --width and --height")

    def of(self, size: tuple[int, int], scale: int) -> tuple[int, int]:
        """Width and height of a result, in pixels.

        Args:
            size: width and height of the input, in pixels.
            scale: the model's.
        """
        width, height = size
        limits = [limit / side for limit, side in ((self.width, width), (self.height, height)) if limit]
        factor = min(limits, default=self.scale or scale)
        return max(1, round(width * factor)), max(1, round(height * factor))

    def __str__(self) -> str:
        """As in file names: "x2", "w800", "h600" or "800x600"; "" for the model's own scale."""
        if self.width and self.height:
            return f"{self.width}x{self.height}"
        names = {"x": self.scale, "w": self.width, "h": self.height}
        return next((f"{letter}{value}" for letter, value in names.items() if value), "")


class Resizing(enum.StrEnum):
    """How a model's result is brought to another size."""

    AREA = "area"
    BICUBIC = "bicubic"
    LANCZOS = "Lanczos"
    NEAREST = "nearest"


def is_enlarged(size: tuple[int, int], scale: int, target: tuple[int, int]) -> bool:
    """Whether a result is larger than what the model makes.

    Args:
        size: width and height of the input, in pixels.
        scale: the model's.
        target: width and height of the result.
    """
    return target[0] > size[0] * scale or target[1] > size[1] * scale


def resizing(
    size: tuple[int, int], card: Card, target: tuple[int, int], wrap: bool = False
) -> Resizing | None:
    """How a result comes to its size.

    Args:
        size: width and height of the input, in pixels.
        card: the model's.
        target: width and height of the result.
        wrap: whether the picture goes on at its other side.

    Returns:
        The card's enlargement for larger ones and its reduction for smaller ones, but area for those that go
        on at their other side, as it needs nothing from there; None for what the model makes.
    """
    if target == (size[0] * card.scale, size[1] * card.scale):
        return None
    if is_enlarged(size, card.scale, target):
        return Resizing(card.enlargement)
    return Resizing.AREA if wrap else Resizing(card.reduction)
