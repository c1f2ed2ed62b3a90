"""`srez upscale`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srez import images
from srez.cli import guesses, ray
from srez.cli import raw as raw_frames
from srez.cli.display import (
    PixelBars,
    complain,
    error_console,
    out_console,
    print_json,
    standard_output,
    warn,
)
from srez.cli.extras import require
from srez.cli.options import (
    Address,
    AnyModel,
    AsJson,
    Background,
    Device,
    Faces,
    Fidelity,
    FramesOption,
    OnlyFaces,
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
from srez.errors import OptionError
from srez.models import box
from srez.models.devices import AUTO, Place

if TYPE_CHECKING:
    from srez.upscaling.outcome import Outcome

app = typer.Typer()


@app.command(
    epilog="Examples: `srez upscale photo.jpg`, `srez upscale photo.jpg large.png`, "
    "`srez upscale photos/ --recursive -o large/ --skip`, "
    "`srez upscale photo.jpg --width 3000 --format webp`, "
    "`srez upscale - -o - < small.png > large.png`, "
    "`srez upscale s3://photos s3://large --recursive --engine ray --workers 64`"
)
def upscale(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(
            help='Pictures, folders, patterns such as "*.jpg", or - for standard input. Or one picture, and '
            "a name for its result. With --engine ray: a folder or URL to read from, and one to write to."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            parser=not_empty,
            metavar="PATH",
            help="A file for one picture, else a folder; - for standard output. [default: beside each input]",
            show_default=False,
        ),
    ] = None,
    model: AnyModel = box.AUTO,
    fidelity: Fidelity = None,
    repair: Repair = None,
    faces: Faces = False,
    only_faces: OnlyFaces = None,
    scale: Scale = None,
    width: Width = None,
    height: Height = None,
    format_: ResultFormat = None,
    quality: Quality = images.QUALITY,
    suffix: Annotated[
        str | None,
        typer.Option(
            help="Appended to the names of results. [default: _x4, _w800 or the like; none with -o]",
            show_default=False,
        ),
    ] = None,
    recursive: Recursive = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")] = False,
    skip: Annotated[
        bool, typer.Option("--skip", help="Keep existing results, as to continue a run that was stopped.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Upscale results of earlier runs too."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")
    ] = False,
    tile: Tile = None,
    device: Device = None,
    precision: Precision = AUTO,
    max_pixels: MaxPixels = images.MAX_PIXELS,
    samples: guesses.Samples = None,
    seed: guesses.Seed = 0,
    uncertainty: guesses.Uncertainty = False,
    background: Background = None,
    wrap: Wrap = False,
    salvage: Salvage = False,
    frames: FramesOption = None,
    raw: raw_frames.RawSize = None,
    pixel_format: raw_frames.PixelFormat = "rgb24",
    engine: ray.ChosenEngine = ray.Engine.local,
    ray_address: Address = "local",
    workers: ray.Workers = None,
    as_json: AsJson = False,
) -> None:
    """Make pictures four times as large, or any other size.

    A picture that fails is named, and does not stop the others; the exit code is then 1.
    """
    from srez.upscaling import batch
    from srez.upscaling import faces as found_faces
    from srez.upscaling.convert import Options
    from srez.upscaling.loading import chooser
    from srez.upscaling.plan import Existing, Rules, make_plan
    from srez.upscaling.raw import Raw
    from srez.upscaling.size import Size

    raw_frames.check(context)
    sized = bool(scale or width or height)
    work = guesses.work(samples, seed, uncertainty, model, fidelity, repair, sized)
    if "" in inputs:
        raise OptionError("an input is empty: give a file, a folder, a pattern, or - for standard input")
    if overwrite and skip:
        raise OptionError("give either --overwrite or --skip")
    existing = Existing.OVERWRITE if overwrite else Existing.SKIP if skip else Existing.REFUSE
    every = frames == images.Frames.all
    others = {"--wrap": wrap, "--frames all": every, "--faces": faces}
    if work and any(others.values()):
        other = next(option for option, given in others.items() if given)
        raise OptionError(f"--samples and --uncertainty cannot be combined with {other}")
    if only_faces is not None and not faces:
        raise OptionError("--only-faces requires --faces")
    only = None if only_faces is None else found_faces.numbers(only_faces)
    rules = Rules(output, format_, suffix, recursive, existing, again, guesses.label(samples), every)
    colour = images.colour_named(background) if background else None
    options = Options(Size(scale, width, height), quality, max_pixels, colour, wrap, salvage, frames, only)
    place = Place(device, precision)
    if engine == ray.Engine.ray:
        if work:
            raise OptionError("--engine ray makes results alone: omit --samples and --uncertainty")
        if every:
            raise OptionError("--frames all cannot be combined with --engine ray")
        if only is not None:
            raise OptionError("--only-faces cannot be combined with --engine ray")
        if output or dry_run or len(inputs) != 2:
            raise OptionError("--engine ray takes a source and a target, but no -o or --dry-run")
        require("--engine ray", "fsspec", "pyarrow", "ray", extra="cluster")
        from srez.cluster.upscaling import Batch, ModelChoice

        source, target = inputs
        choice = ModelChoice(model, fidelity, tile, repair, place, faces)
        whole = Batch(source, target, choice, rules, options)
        raise typer.Exit(ray.upscale_with_ray(whole, workers, ray_address, as_json))
    if workers:
        raise OptionError("--workers requires --engine ray")
    choose = chooser(model, fidelity, tile, repair, place, faces)
    debug = context.find_root().params["debug"]
    if raw:
        raise typer.Exit(raw_frames.upscale_raw(choose, Raw(raw, pixel_format), options, debug))
    card = box.usual(model)
    plan = make_plan([Path(entry) for entry in inputs], rules, options.size, card.scale)
    if only is not None and len(plan.items) > 1:
        raise OptionError(f"--only-faces is for one picture, not for {len(plan.items)}")
    if as_json and plan.to_standard_output:
        raise OptionError("--json and a picture cannot both go to standard output")
    failed = partial(complain, debug=debug)
    if dry_run:
        outcome = batch.rehearse(plan, options, card, failed, work)
    else:
        with PixelBars() as bars:
            outcome = batch.run(choose, plan, options, bars.watch, failed, work)
    _show(outcome, model, as_json)
    raise typer.Exit(outcome.exit_code)


def _show(outcome: "Outcome", model: str, as_json: bool) -> None:
    """Print what became of all pictures; a picture may have standard output for itself."""
    warn(outcome.warnings)
    if as_json:
        print_json({"model": model, **outcome.as_json()})
    elif str(outcome) and not outcome.plan.to_standard_output:
        with standard_output():
            out_console.print(str(outcome), soft_wrap=True)
    if outcome.stopped:
        error_console.print(
            "Stopped. Finished results are kept: run the same command with --skip to continue."
        )
