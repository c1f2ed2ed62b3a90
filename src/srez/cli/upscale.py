"""`srez upscale`."""

import enum
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from srez import images
from srez.cli.display import (
    Bars,
    PixelBars,
    complain,
    error_console,
    out_console,
    print_json,
    standard_output,
)
from srez.cli.extras import require
from srez.cli.options import Address, AnyModel, AsJson, Fidelity
from srez.errors import OptionError
from srez.models import box

app = typer.Typer()

FEW_ERRORS = 20  # that are listed one by one; the manifest has all of them


class Engine(enum.StrEnum):
    """What runs an upscaling."""

    local = "local"
    ray = "ray"


@app.command(
    epilog="Examples: `srez upscale photo.jpg`, `srez upscale photos/ --recursive -o large/ --skip`, "
    "`srez upscale photo.jpg --width 3000 --format webp`, `srez upscale - -o - < small.png > large.png`, "
    "`srez upscale s3://photos s3://large --recursive --engine ray --workers 64`"
)
def upscale(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(
            help='Pictures, folders of them, patterns such as "*.jpg", or - for standard input. With '
            "--engine ray: a folder or URL to read from, and one to write to."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="A file for one picture, else a folder; - for standard output. By default each result goes "
            "beside its input.",
        ),
    ] = None,
    model: AnyModel = box.AUTO,
    fidelity: Fidelity = None,
    scale: Annotated[
        int | None, typer.Option(min=1, help="Times larger, up to the model's own 4; that by default.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Width of the result in pixels; the height follows.")
    ] = None,
    height: Annotated[
        int | None,
        typer.Option(min=1, help="Height of the result in pixels; with --width, what fits into both."),
    ] = None,
    format_: Annotated[
        images.Format | None,
        typer.Option(
            "--format",
            parser=images.format_named,
            metavar=f"[{'|'.join(each.name for each in images.WRITABLE)}]",
            help="Format of the results; by default the input's, PNG for BMP, GIF and standard output.",
        ),
    ] = None,
    quality: Annotated[
        int, typer.Option(min=1, max=100, help="Of JPEG, WebP, AVIF and HEIC; PNG and TIFF lose nothing.")
    ] = images.QUALITY,
    suffix: Annotated[
        str | None,
        typer.Option(
            help="Put between name and ending. [default: _x4, _x2, _w800 or the like; none with -o]",
            show_default=False,
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Look for pictures in subfolders too.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")] = False,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave results that exist: goes on where a run was stopped.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become what.")] = False,
    tile: Annotated[
        int | None,
        typer.Option(
            help="Largest side of a tile in input pixels. [default: from the memory at hand]",
            show_default=False,
        ),
    ] = None,
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Refuse inputs with more pixels: they may be made to fill memory.")
    ] = images.MAX_PIXELS,
    engine: Annotated[
        Engine, typer.Option(help="ray spreads millions of files over many processes or machines.")
    ] = Engine.local,
    ray_address: Address = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="With ray: processes, of one core each. [default: cores here]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make pictures four times larger, or any size up to that.

    A picture that cannot be read or written is named and the others are done; the exit code is then 1.
    """
    from srez.upscaling import files
    from srez.upscaling.upscaler import chooser

    if overwrite and skip:
        raise OptionError("give either --overwrite or --skip")
    existing = "overwrite" if overwrite else "skip" if skip else "refuse"
    size = files.Size(scale, width, height)
    wish = files.Wish(output, size, format_, quality, suffix, recursive, existing, max_pixels)
    if engine == Engine.ray:
        if output or dry_run or len(inputs) != 2:
            raise OptionError("--engine ray takes a source and a target, and neither -o nor --dry-run")
        _upscale_with_ray(inputs, model, fidelity, tile, wish, ray_address, workers, as_json)
        return
    if workers:
        raise OptionError("--workers goes with --engine ray")
    choose = chooser(model, fidelity, tile)
    scale_of_model = box.scale(model)
    plan = files.plan([Path(entry) for entry in inputs], wish, scale_of_model)
    to_standard = any(job.target == files.STANDARD for job in plan.jobs)
    if as_json and to_standard:
        raise OptionError("--json and a picture cannot both go to standard output")
    if to_standard and not dry_run and sys.stdout and sys.stdout.isatty():
        raise OptionError("a picture does not go to a terminal: write it to a file or a pipe")
    report_failure = partial(complain, debug=context.find_root().params["debug"])
    for failure in plan.failures.values():
        report_failure(failure)
    if dry_run:
        report = files.rehearse(plan, wish, scale_of_model, report_failure)
    else:
        with PixelBars() as bars:
            report = files.run(choose, plan, wish, bars.watch, report_failure)
    if as_json:
        print_json({"model": model, **report.as_json()})
    elif str(report) and not to_standard:
        with standard_output():
            out_console.print(str(report), soft_wrap=True)
    if report.stopped:
        error_console.print("Stopped; what is finished is kept. Go on with the same words and --skip.")
        raise typer.Exit(130)
    if report.failures:
        raise typer.Exit(1)


def _upscale_with_ray(
    places: list[str],
    model: str,
    fidelity: float | None,
    tile: int | None,
    wish: Any,
    address: str,
    workers: int | None,
    as_json: bool,
) -> None:
    require("--engine ray", "fsspec", "pyarrow", "ray", extra="cluster")
    from srez import machine
    from srez.cluster import upscaling

    choice = upscaling.ModelChoice(model, fidelity, tile)
    choice.load()  # so that its faults are reported once, not by every worker
    batch = upscaling.Batch(places[0], places[1], choice, wish)
    with Bars() as bars:
        bar = bars.add_task("upscaling", total=None)
        report = upscaling.upscale(
            batch,
            workers or machine.cores(),
            address,
            lambda done, total: bars.update(bar, completed=done, total=total),
        )
    for error in list(report.errors.values())[:FEW_ERRORS]:
        error_console.print(f"srez: {error}", soft_wrap=True)
    if as_json:
        print_json({"model": model, **asdict(report)})
    else:
        counts = (
            f"{report.done:,} upscaled, {report.kept:,} as they were, {len(report.errors):,} without result"
        )
        out_console.print(f"{counts}: see {report.manifest}", soft_wrap=True)
    if report.stopped:
        error_console.print("Stopped; what is finished is kept. Go on with the same words.")
        raise typer.Exit(130)
    if report.errors:
        raise typer.Exit(1)
