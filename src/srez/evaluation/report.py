"""What people look at: the table, and the sheet that srez made known."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.table import Column, Table

from srez import resample
from srez.evaluation.metrics import Figures

_GAP = 6
_HEADER = 18


def sheet(columns: dict[str, np.ndarray], zoom: int = 2) -> np.ndarray:
    """Rows of pictures side by side under their titles, as in srez: input, bicubic, network, truth.

    Args:
        columns: title to pictures, `(N, H, W, 3)` uint8, all of the same shape.
        zoom: how many times larger to draw every pixel.

    Returns:
        One `(H', W', 3)` uint8 picture.
    """
    stacks = [resample.nearest(pictures, zoom) for pictures in columns.values()]
    count, height, width, _ = stacks[0].shape
    size = (len(stacks) * (width + _GAP) + _GAP, _HEADER + count * (height + _GAP) + _GAP)
    canvas = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    for column, (title, stack) in enumerate(zip(columns, stacks, strict=True)):
        left = _GAP + column * (width + _GAP)
        draw.text(
            (left + width / 2, _HEADER / 2 + 2), title, "black", ImageFont.load_default(12), anchor="mm"
        )
        for row, picture in enumerate(stack):
            canvas.paste(Image.fromarray(picture), (left, _HEADER + row * (height + _GAP)))
    return np.asarray(canvas)


def table(rows: dict[str, Figures]) -> Table:
    """Figures as a table, a method a row; print the protocol under it."""
    grid = Table("", *(Column(title, justify="right") for title in ("PSNR dB", "SSIM", "consistency")))
    for name, figures in rows.items():
        psnr, ssim, consistency = (figures[key] for key in ("psnr", "ssim", "consistency"))
        grid.add_row(name, f"{psnr:.2f}", f"{ssim:.4f}", f"{consistency:.3f}")
    return grid
