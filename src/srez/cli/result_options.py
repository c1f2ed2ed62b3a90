"""Options about results: their size, format and how they are computed."""

from typing import Annotated

import typer

from srez import images

Scale = Annotated[
    int | None,
    typer.Option(min=1, help="Scale factor; 1 repairs only. [default: the model's]", show_default=False),
]
Width = Annotated[int | None, typer.Option(min=1, help="Width of the result in pixels; the height follows.")]
Height = Annotated[
    int | None,
    typer.Option(min=1, help="Height of the result in pixels; with --width, it fits into both."),
]
ResultFormat = Annotated[
    images.Format | None,
    typer.Option(
        "--format",
        parser=images.format_named,
        metavar=f"[{'|'.join(each.name for each in images.WRITABLE)}]",
        help="Format of the results. [default: the input's; PNG for BMP, GIF and standard output]",
        show_default=False,
    ),
]
Quality = Annotated[int, typer.Option(min=1, max=100, help="Quality of JPEG, WebP, AVIF and HEIC.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Search subfolders too.")]
Tile = Annotated[
    int | None,
    typer.Option(
        help="Largest side of a tile in input pixels. [default: what fits into free memory]",
        show_default=False,
    ),
]
MaxPixels = Annotated[
    int, typer.Option(min=1, help="Refuse larger inputs: a small file can be made to fill the memory.")
]
