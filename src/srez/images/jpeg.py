"""What a JPEG file tells about its own quality."""

from PIL.Image import Image as PillowImage

_STANDARD_MEAN = 57.625  # of the luminance table of ITU-T T.81, table K.1, which is quality 50


def quality(image: PillowImage) -> float | None:
    """The quality of a JPEG file by its luminance table, on the scale of libjpeg; None for other files.

    Other programs' tables are not multiples of the standard's; the mean of theirs is compared with its mean.

    Args:
        image: as Pillow opened it.

    Returns:
        From 1 to 100.
    """
    tables: dict[int, list[int]] | None = getattr(image, "quantization", None)
    if not tables:
        return None
    luminance = tables[min(tables)]
    percent = 100 * sum(luminance) / len(luminance) / _STANDARD_MEAN
    return min(100.0, max(1.0, 100 - percent / 2 if percent < 100 else 5000 / percent))
