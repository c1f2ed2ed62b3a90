"""What a JPEG file tells about what it has lost."""

from dataclasses import dataclass, replace

from PIL.Image import Image as PillowImage

from srez.images.orientation import turn

BLOCK = 8  # pixels a side

_STANDARD_MEAN = 57.625  # of the luminance table of ITU-T T.81, table K.1, which is quality 50
_RED_GREEN_BLUE = [ord(letter) for letter in "RGB"]  # the numbers of components that are stored as they are


@dataclass(frozen=True)
class Jpeg:
    """What a JPEG file tells about what it has lost.

    Attributes:
        quality: on the scale of libjpeg, from 1 to 100.
        steps: into which the luma of the picture was rounded, 64 for a block, row by row, the lowest
            frequencies first, in grey levels of the orthonormal DCT; None where luma is not stored as such.
        begin: row and column at which the first whole block begins, from 0 to 7.
        chroma_step: into which the means of a block's colours were rounded; None for gray, and as above.
        chroma_halved: whether such a block covers 16 pixels one way at least, for colours are stored at half
            resolution.
    """

    quality: float
    steps: tuple[int, ...] | None = None
    begin: tuple[int, int] = (0, 0)
    chroma_step: int | None = None
    chroma_halved: bool = True

    def part(self, top: int, left: int) -> "Jpeg":
        """The same of a part of the picture that begins at that row and column."""
        down, right = self.begin
        return replace(self, begin=((down - top) % BLOCK, (right - left) % BLOCK))

    def upright(self, orientation: int, size: tuple[int, int]) -> "Jpeg":
        """The same of the picture turned and mirrored as the EXIF orientation asks.

        Args:
            orientation: from 1 to 8.
            size: width and height of the picture then, in pixels.
        """
        steps, (width, height) = self.steps, size
        exchanged, rows, columns = turn(orientation)
        if steps and exchanged:
            steps = tuple(steps[BLOCK * row + column] for column in range(BLOCK) for row in range(BLOCK))
        begin = height % BLOCK if rows else 0, width % BLOCK if columns else 0
        return replace(self, steps=steps, begin=begin)


def told(image: PillowImage) -> Jpeg | None:
    """What a file tells, before its picture is turned upright; None for other files.

    Args:
        image: as Pillow opened it.
    """
    tables: dict[int, list[int]] | None = getattr(image, "quantization", None)
    if not tables:
        return None
    quality = _quality(tables[min(tables)])
    components = _components(image)
    steps = [tables.get(table, [0]) for table, _ in components]
    if not steps or not all(map(all, steps)):  # 0 is not allowed, but may be in a file
        return Jpeg(quality)
    if len(steps) == 1:
        return Jpeg(quality, tuple(steps[0]))
    return Jpeg(quality, tuple(steps[0]), chroma_step=steps[1][0], chroma_halved=components[1][1])


def _quality(luminance: list[int]) -> float:
    """On the scale of libjpeg: other programs' tables are no multiples of the standard's, but have a mean."""
    percent = 100 * sum(luminance) / len(luminance) / _STANDARD_MEAN
    return min(100.0, max(1.0, 100 - percent / 2 if percent < 100 else 5000 / percent))


def _components(image: PillowImage) -> list[tuple[int, bool]]:
    """The table of luma and, unless it is gray, of both chroma, and whether they are halved; else none."""
    components: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    if image.mode not in ("L", "RGB") or len(components) not in (1, 3):
        return []
    numbers, across, down, tables = zip(*components, strict=True)
    by_numbers = "adobe" not in image.info and list(numbers) == _RED_GREEN_BLUE
    if "jfif" not in image.info and (by_numbers or image.info.get("adobe_transform") == 0):
        return []  # red, green and blue as they are
    if (across[0], down[0]) != (max(across), max(down)):
        return []  # luma in less than full resolution
    return [
        (table, (width, height) != (across[0], down[0]))
        for table, width, height in zip(tables, across, down, strict=True)
    ]
