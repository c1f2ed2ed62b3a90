"""`srez watch`."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from srez import images
from srez.cli.display import complain, error_console, out_console, standard_output, warn
from srez.cli.extras import require
from srez.cli.options import (
    AnyModel,
    AsJson,
    Background,
    Device,
    Faces,
    Fidelity,
    FramesOption,
    Precision,
    Repair,
    Salvage,
    Wrap,
    not_empty,
)
from srez.cli.result_options import (
    Height,
    MaxPixels,
    Quality,
    Recursive,
    ResultFormat,
    Scale,
    Tile,
    Width,
)
from srez.models import box
from srez.models.devices import AUTO, Place
from srez.upscaling.outcome import Outcome

app = typer.Typer()


@app.command(epilog="Examples: `srez watch incoming/ large/`, `srez watch incoming/ large/ --format webp -r`")
def watch(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="IN", parser=not_empty, help="The folder to watch.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", parser=not_empty, help="The folder of results.")],
    model: AnyModel = box.AUTO,
    fidelity: Fidelity = None,
    repair: Repair = None,
    faces: Faces = False,
    scale: Scale = None,
    width: Width = None,
    height: Height = None,
    format_: ResultFormat = None,
    quality: Quality = images.QUALITY,
    recursive: Recursive = False,
    tile: Tile = None,
    device: Device = None,
    precision: Precision = AUTO,
    max_pixels: MaxPixels = images.MAX_PIXELS,
    background: Background = None,
    wrap: Wrap = False,
    salvage: Salvage = False,
    frames: FramesOption = None,
    as_json: AsJson = False,
) -> None:
    """Upscale the pictures in a folder, and those that arrive there, until Ctrl-C.

    A picture is taken when it has not changed for a second, and again when it changes later. Results are
    never taken. With --json, each picture is a line. The exit code is 1 if any picture failed.
    """
    from srez.upscaling import watching
    from srez.upscaling.convert import Options
    from srez.upscaling.loading import chooser
    from srez.upscaling.plan import Rules
    from srez.upscaling.size import Size

    require("srez watch", "watchfiles", extra="watch")
    colour = images.colour_named(background) if background else None
    options = Options(Size(scale, width, height), quality, max_pixels, colour, wrap, salvage, frames)
    rules = Rules(out, format_, recursive=recursive, animated=frames == images.Frames.all)
    choose = chooser(model, fidelity, tile, repair, Place(device, precision), faces)
    show = partial(_show, as_json=as_json, debug=context.find_root().params["debug"])
    watched = watching.watch(folder, rules, choose, options, box.usual(model).scale, show)
    error_console.print(f"Stopped. {watched.done} upscaled, {watched.failed} failed.")
    raise typer.Exit(1 if watched.failed else 0)


def _show(outcome: Outcome, as_json: bool, debug: bool) -> None:
    """Print what became of a picture."""
    for error in outcome.failures.values():
        complain(error, debug)
    warn(outcome.warnings)
    report = outcome.as_json()
    with standard_output():
        if as_json:
            for entry in (*report["done"], *report["failed"]):
                print(json.dumps(entry, default=str), flush=True)
        elif outcome.done:
            out_console.print(str(outcome), soft_wrap=True)
