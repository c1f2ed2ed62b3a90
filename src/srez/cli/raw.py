"""`srez upscale --raw`: frames of video from pipe to pipe."""

import re
from typing import Annotated

import typer

from srez.cli.display import Bars, complain, error_console
from srez.errors import OptionError, SrezError
from srez.upscaling.convert import Options
from srez.upscaling.loading import Choose
from srez.upscaling.raw import PIXEL_FORMATS, FrameSize, Raw, upscale
from srez.wording import counted

# What frames can be told; what else `srez upscale` takes is about files.
_FOR_FRAMES = {
    "device", "fidelity", "height", "inputs", "max_pixels", "model", "output", "pixel_format", "precision",
    "raw", "repair", "scale", "tile", "width",
}  # fmt: skip


def _size(text: str) -> FrameSize:
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no size: give width and height as in 640x360")
    return FrameSize(int(found[1]), int(found[2]))


def _pixel_format(text: str) -> str:
    if text not in PIXEL_FORMATS:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(PIXEL_FORMATS)}")
    return text


RawSize = Annotated[
    FrameSize | None,
    typer.Option(
        "--raw",
        parser=_size,
        metavar="WIDTHxHEIGHT",
        help="Read raw frames of this size from standard input, and write raw frames to standard output, as "
        "ffmpeg's rawvideo.",
        show_default=False,
    ),
]
PixelFormat = Annotated[
    str,
    typer.Option(
        "--pixel-format",
        parser=_pixel_format,
        metavar=f"[{'|'.join(PIXEL_FORMATS)}]",
        help="Pixel format of raw frames, by the name that ffmpeg gives it.",
    ),
]


def check(context: typer.Context) -> None:
    """Refuse what cannot go with --raw, or --pixel-format without it.

    Raises:
        OptionError: it names the option.
    """
    values = context.params
    given = {
        parameter.name: parameter.opts[0]
        for parameter in context.command.params
        if parameter.name and _is_given(context, parameter.name)
    }
    if values["raw"] is None:
        if "pixel_format" in given:
            raise OptionError("--pixel-format is for raw frames: give their size too (--raw)")
        return
    if others := [option for name, option in given.items() if name not in _FOR_FRAMES]:
        raise OptionError(f"--raw and {others[0]} cannot be combined")
    if values["inputs"] != ["-"] or str(values["output"] or "-") != "-":
        raise OptionError("--raw goes from pipe to pipe: give - as the only input, and no output or -o -")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def upscale_raw(choose: Choose, raw: Raw, options: Options, debug: bool) -> int:
    """Upscale frames, show how many, and return the exit code."""
    with Bars() as bars:
        bar = bars.add_task("frames", total=None)
        try:
            stream = upscale(choose, raw, options, lambda count: bars.update(bar, completed=count))
        except SrezError as error:
            complain(error, debug)
            return 1
    if stream.stopped:
        error_console.print(f"Stopped after {counted(stream.frames, 'frame')}.")
    return 130 if stream.stopped else 0
