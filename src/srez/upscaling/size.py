"""How large results are to be."""

from dataclasses import dataclass

from srez.errors import OptionError


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


def is_enlarged(size: tuple[int, int], scale: int, target: tuple[int, int]) -> bool:
    """Whether a result is larger than what the model makes.

    Args:
        size: width and height of the input, in pixels.
        scale: the model's.
        target: width and height of the result.
    """
    return target[0] > size[0] * scale or target[1] > size[1] * scale
