"""Options that several commands have."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from srez.errors import OptionError
from srez.images import Frames
from srez.models import devices


class Layout(enum.StrEnum):
    """The order of axes of a model's images."""

    NHWC = "NHWC"
    NCHW = "NCHW"


_MODEL = "A model that `srez models` lists, or any .onnx file that makes pictures larger"
Model = Annotated[str, typer.Option(help=f"{_MODEL}.")]
AnyModel = Annotated[
    str,
    typer.Option(
        help=f"{_MODEL}; auto takes photo, faces for a face of 16x16 pixels, pixels for pixel art, scan for "
        "black and white."
    ),
]
Fidelity = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="From 0 (vivid) to 1 (faithful), for a model with vivid weights. [default: the model's]",
        show_default=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        envvar="SREZ_DEVICE",
        metavar=f"[{'|'.join(devices.names())}]",
        help="What runs the model; see `srez devices`. [default: auto, the best that works]",
        show_default=False,
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        metavar=f"[{'|'.join(devices.PRECISIONS)}]",
        help="What the device computes in; auto is its own choice.",
    ),
]
ValueRange = Annotated[
    int | None,
    typer.Option(
        "--range",
        metavar="[1|255|-1]",
        help="Pixel values of a model without a card: 0 to 1, 0 to 255, or -1 to 1. [default: found out]",
        show_default=False,
    ),
]
LayoutOption = Annotated[
    Layout | None,
    typer.Option(
        "--layout", help="Order of axes of a model without a card. [default: found out]", show_default=False
    ),
]
Address = Annotated[
    str,
    typer.Option(
        envvar="RAY_ADDRESS",
        help='Address of a Ray cluster, "auto" for a running one, or "local" to start Ray here.',
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _repair(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        repair = float(text)
    except ValueError:
        repair = -1.0
    if not 0 <= repair <= 1:
        raise typer.BadParameter(f"{text!r} is neither auto nor a number from 0 to 1")
    return repair


Repair = Annotated[
    float | None,
    typer.Option(
        parser=_repair,
        metavar="[auto|0..1]",
        help="How far to repair the marks of JPEG, noise and blur: from 0 (not at all) to 1 (fully). "
        "[default: auto, as each picture needs]",
        show_default=False,
    ),
]


Background = Annotated[
    str | None,
    typer.Option(
        metavar="COLOUR",
        help="Colour behind transparent pixels, in formats without transparency: white, #c04020 ... "
        "[default: refuse]",
        show_default=False,
    ),
]
Wrap = Annotated[
    bool,
    typer.Option("--wrap", help="Upscale a seamless texture: opposite edges meet in the result too."),
]
Salvage = Annotated[
    bool,
    typer.Option(
        "--salvage", help="Upscale what there is of files that are cut short; what is missing becomes gray."
    ),
]


Faces = Annotated[
    bool,
    typer.Option(
        "--faces", help="Find the faces in photographs, and enlarge small ones by the model of faces."
    ),
]
OnlyFaces = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBERS",
        help="Of the faces that --faces finds, enlarge only these, numbered as --json lists them: 1,3. "
        "[default: all]",
        show_default=False,
    ),
]
FramesOption = Annotated[
    Frames | None,
    typer.Option(
        "--frames",
        help="Of animations (GIF, PNG, WebP, AVIF) and files of several pages (TIFF, HEIC), upscale the "
        "first picture or all. [default: refuse]",
        show_default=False,
    ),
]
Partition = Annotated[
    Path | None,
    typer.Option(
        help="A file like CelebA's list_eval_partition.txt: 0 training, 1 validation, 2 unused. It applies "
        "to the first source that holds all pictures it names."
    ),
]


def not_empty(text: str) -> Path:
    """A path that is not empty: an unset variable in a script must not stand for the current folder."""
    if not text:
        raise typer.BadParameter("it is empty")
    return Path(text)


def range_named(value: int | None) -> tuple[int, int] | None:
    """The values of black and white that --range stands for; None if it was not given.

    Raises:
        OptionError: it stands for none.
    """
    if value is None:
        return None
    named = {1: (0, 1), 255: (0, 255), -1: (-1, 1)}
    if value not in named:
        raise OptionError(f"--range {value}: choose 1, 255 or -1")
    return named[value]
