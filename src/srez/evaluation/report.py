"""Results for people: the table, and the sheet that srez made known."""

from collections.abc import Collection, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich import box
from rich.table import Column, Table

from srez.images import resample

_TITLES = {
    "psnr": "PSNR\ndB",
    "ssim": "SSIM",
    "lr_psnr": "LR-PSNR\ndB",
    "consistency": "consis-\ntency",
    "st_lpips": "ST-\nLPIPS",
    "identity": "iden-\ntity",
    "psnr_best": "PSNR,\nbest",
    "psnr_of_mean": "PSNR,\nof mean",
    "diversity": "diver-\nsity, %",
    "coverage": "cover-\nage, %",
    "width": "width",
    "width_by_gradient": "width by\ngradient",
    "parameters": "para-\nmeters",
    "multiply_adds": "multiply-\nadds/px",
    "images_per_second": "images/s",
}
_DECIMALS = {
    **dict.fromkeys(("psnr", "psnr_best", "psnr_of_mean", "width", "width_by_gradient"), 2),
    **dict.fromkeys(("lr_psnr", "diversity", "coverage", "images_per_second"), 1),
    **dict.fromkeys(("consistency", "st_lpips", "identity"), 3),
    "ssim": 4,
}
GUESSES = (
    "lr_psnr", "psnr_best", "psnr_of_mean", "diversity", "coverage", "width", "width_by_gradient",
)  # fmt: skip
_GAP = 6
_HEADER = 20


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
        draw.text((left + width / 2, _HEADER / 2), title, "black", ImageFont.load_default(12), anchor="mm")
        for row, picture in enumerate(stack):
            canvas.paste(Image.fromarray(picture), (left, _HEADER + row * (height + _GAP)))
    return np.asarray(canvas)


def labelled(rows: dict[str, dict[str, np.ndarray]], zoom: int = 1) -> np.ndarray:
    """Sheets of one row each under each other, every one below its label; sizes may differ between rows.

    Args:
        rows: label to columns: title to picture, `(H, W, 3)` uint8.
        zoom: how many times larger to draw every pixel.

    Returns:
        One `(H', W', 3)` uint8 picture.
    """
    strips = []
    for label, columns in rows.items():
        pictures = sheet({title: picture[None] for title, picture in columns.items()}, zoom)
        header = Image.new("RGB", (pictures.shape[1], _HEADER), "white")
        ImageDraw.Draw(header).text(
            (_GAP, _HEADER / 2), label, "black", ImageFont.load_default(12), anchor="lm"
        )
        strips += [np.asarray(header), pictures]
    width = max(strip.shape[1] for strip in strips)
    padded = [np.pad(s, ((0, 0), (0, width - s.shape[1]), (0, 0)), constant_values=255) for s in strips]
    return np.concatenate(padded)


def table(rows: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Figures as a table, a method a row, without those that no method has; print the protocol under it."""
    return _grid({method: _without(row, GUESSES) for method, row in rows.items()})


def guesses(rows: Mapping[str, Mapping[str, float | None]]) -> Table | None:
    """A second table, of what samples and uncertainties add; None where no method has any."""
    found = {
        method: {name: row[name] for name in GUESSES if name in row}
        for method, row in rows.items()
        if {"psnr_of_mean", "coverage"} & row.keys()
    }
    return _grid(found) if found else None


def _without(row: Mapping[str, float | None], names: Collection[str]) -> dict[str, float | None]:
    return {name: value for name, value in row.items() if name not in names}


def _grid(rows: Mapping[str, Mapping[str, float | None]]) -> Table:
    present = [name for row in rows.values() for name, value in row.items() if value is not None]
    order = [*next(iter(rows.values())), *present]
    names = [name for name in dict.fromkeys(order) if name in present]
    columns = (Column(_TITLES.get(name, name), justify="right", no_wrap=True) for name in names)
    grid = Table(Column("", overflow="fold"), *columns, box=box.SIMPLE, padding=(0, 1, 0, 0))
    for method, figures in rows.items():
        grid.add_row(method, *(_format(name, figures.get(name)) for name in names))
    return grid


def _format(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name in ("parameters", "multiply_adds") and value >= 1e5:
        return f"{value / 1e6:,.2f} M"
    return f"{value:,.{_DECIMALS.get(name, 0)}f}"
