"""The command line: arguments only; every command is a few lines over the API."""

import enum
import json
import shlex
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from srez import __version__, images
from srez.cli.display import Bars, PixelBars, TrainingBars
from srez.cli.display import console as error_console
from srez.errors import OptionError, SrezError
from srez.models import box
from srez.output import atomic, make_folder, output_failure
from srez.serve import limits

out_console = Console(highlight=False)

FEW_ERRORS = 20  # that are listed one by one; the manifest has all of them


class _Commands(TyperGroup):
    """Commands that answer a user's mistake with one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SrezError as error:
            if ctx.params["debug"]:
                raise
            _complain(error)
            ctx.exit(error.exit_code)


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False
)

recipes_app = typer.Typer(rich_markup_mode="markdown")
app.add_typer(recipes_app, name="recipes")
data_app = typer.Typer(rich_markup_mode="markdown", no_args_is_help=True)
app.add_typer(data_app, name="data")

_MODEL = "A model in the box (see `srez models`) or an .onnx file with its card"
Model = Annotated[str, typer.Option(help=f"{_MODEL}.")]
AnyModel = Annotated[
    str, typer.Option(help=f"{_MODEL}; auto takes faces for pictures of 16x16 pixels, photo for others.")
]
Fidelity = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Of a model with two looks: 0 vivid, 1 faithful. [default: the model's]",
        show_default=False,
    ),
]
Address = Annotated[
    str,
    typer.Option(
        envvar="RAY_ADDRESS",
        help='A Ray cluster, or "auto" for the one here; by default Ray is started here.',
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs to read.")]


class Split(enum.StrEnum):
    """The parts of a partition, as --split names them."""

    train = "train"
    val = "val"
    test = "test"


class Format(enum.StrEnum):
    """The formats of results, as --format names them."""

    png = "png"
    jpeg = "jpeg"
    webp = "webp"
    tiff = "tiff"
    avif = "avif"
    heic = "heic"


class Engine(enum.StrEnum):
    """What runs an upscaling."""

    local = "local"
    ray = "ray"


class Layout(enum.StrEnum):
    """The axes of a foreign model's images."""

    NHWC = "NHWC"
    NCHW = "NCHW"


def main() -> None:
    """The entry point of the `srez` command."""
    app()


def _version(wanted: bool) -> None:
    if wanted:
        out_console.print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Image super-resolution: train it, measure it, upscale with it."""


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
        Format | None,
        typer.Option(
            "--format",
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
    kind = format_ and format_.value
    wish = files.Wish(output, size, kind, quality, suffix, recursive, existing, max_pixels)
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
    complain = partial(_complain, debug=context.find_root().params["debug"])
    for failure in plan.failures.values():
        complain(failure)
    if dry_run:
        report = files.rehearse(plan, wish, scale_of_model, complain)
    else:
        with PixelBars() as bars:
            report = files.run(choose, plan, wish, bars.watch, complain)
    if as_json:
        _print_json({"model": model, **report.as_json()})
    elif str(report) and not to_standard:
        with _standard_output():
            out_console.print(str(report), soft_wrap=True, markup=False)
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
    _require("--engine ray", "fsspec", "pyarrow", "ray", extra="cluster")
    from srez import machine
    from srez.cluster import upscaling
    from srez.upscaling.upscaler import chooser

    chooser(model, fidelity, tile)  # what is wrong with it is said here, not by every actor
    with Bars() as bars:
        bar = bars.add_task("upscaling", total=None)
        report = upscaling.upscale(
            places[0],
            places[1],
            upscaling.Model(model, fidelity, tile),
            wish,
            workers or machine.cores(),
            address,
            lambda done, total: bars.update(bar, completed=done, total=total),
        )
    for error in list(report.errors.values())[:FEW_ERRORS]:
        error_console.print(f"srez: {error}", soft_wrap=True, markup=False)
    manifest = f"{places[1].rstrip('/')}/{upscaling.MANIFEST}"
    if as_json:
        _print_json({"model": model, "manifest": manifest, **asdict(report)})
    else:
        counts = (
            f"{report.done:,} upscaled, {report.kept:,} as they were, {len(report.errors):,} without result"
        )
        out_console.print(f"{counts}: see {manifest}", soft_wrap=True, markup=False)
    if report.stopped:
        error_console.print("Stopped; what is finished is kept. Go on with the same words.")
        raise typer.Exit(130)
    if report.errors:
        raise typer.Exit(1)


@app.command(epilog="Example: `srez demo -o sheet.png`")
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="The sheet to write.")] = Path(
        "srez-demo.png"
    ),
    model: Model = "faces",
    fidelity: Fidelity = None,
    as_json: AsJson = False,
) -> None:
    """Bring a 16x16 portrait back to 64x64 and compare it with bicubic and the truth.

    The portrait is scikit-image's astronaut; nothing is downloaded and nothing is opened.
    """
    from srez.evaluation import demo, report
    from srez.evaluation.protocol import FACES_RGB
    from srez.upscaling.upscaler import load

    upscaler = load(model, fidelity)
    sheet, rows = demo.run(upscaler)
    images.write(output, images.Picture(sheet))
    if as_json:
        _print_json({"sheet": str(output), "protocol": str(FACES_RGB), "figures": rows})
        return
    out_console.print(report.table(rows))
    out_console.print(f"{FACES_RGB}\nThe sheet is in {output}. {upscaler.card.limits}")


@app.command(
    epilog="Examples: `srez evaluate --faces img_align_celeba.zip --partition list_eval_partition.txt`, "
    "`srez evaluate --benchmark Set5 --model mine.onnx --images results/ --json set5.json`"
)
def evaluate(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model in the box, one of yours, or any ONNX file that makes images larger; may be "
            "repeated. [default: faces with --faces, photo with --benchmark]",
            show_default=False,
        ),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--images", help="A folder of results of another program, by file name; may be repeated."
        ),
    ] = None,
    benchmark: Annotated[
        Path | None, typer.Option(help="A folder with HR/ and LR_x4/: protocol y-matlab-x4.")
    ] = None,
    faces: Annotated[
        Path | None, typer.Option(help="A zip or folder of aligned faces: protocol faces-rgb.")
    ] = None,
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt, for --faces.")
    ] = None,
    split: Annotated[Split, typer.Option(help="The part of the partition to measure on.")] = Split.val,
    limit: Annotated[int | None, typer.Option(min=1, help="Measure on the first so many pictures.")] = None,
    json_out: Annotated[
        Path | None,
        typer.Option("--json", help="Write every picture's figures, the protocol, hashes, versions."),
    ] = None,
    sheet_out: Annotated[
        Path | None,
        typer.Option("--sheet", help="Write a PNG of the worst, median and best picture by SSIM."),
    ] = None,
    value_range: Annotated[
        int | None,
        typer.Option("--range", help="Largest value of a foreign model's images, 1 or 255; found out."),
    ] = None,
    layout: Annotated[
        Layout | None, typer.Option(help="Axes of a foreign model's images; read off the model.")
    ] = None,
    fidelity: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            max=1,
            help="Of models with two looks: 0 vivid, 1 faithful; may be repeated. [default: the model's]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure models beside nearest and bicubic: PSNR, SSIM, consistency, speed.

    The protocol is printed underneath. Models without a card of ours are taken as they are: one batch of RGB
    images in, larger ones out.
    """
    from srez.evaluation import evaluate, methods, pairs, report
    from srez.evaluation.protocol import FACES_RGB, Y_MATLAB_X4

    if (benchmark is None) == (faces is None):
        raise OptionError("give either --benchmark or --faces")
    if benchmark and partition:
        raise OptionError("--partition goes with --faces, not with --benchmark")
    if value_range not in (None, 1, 255):
        raise OptionError(f"--range {value_range}: images hold values up to 1 or up to 255")
    if faces is not None:
        protocol, source = FACES_RGB, faces
        measured_on = pairs.from_faces(faces, partition, list(Split).index(split), limit)
    else:
        assert benchmark is not None
        protocol, source = Y_MATLAB_X4, benchmark
        measured_on = pairs.from_benchmark(benchmark, protocol, limit)
    chosen = methods.baselines(protocol.scale)
    names = model if model is not None else ["faces" if faces else "photo"]
    chosen += methods.models(names, protocol.scale, value_range, layout and layout.value, fidelity or [])
    chosen += [methods.folder(path) for path in results or []]
    with Bars() as bars:
        found = evaluate.evaluate(
            chosen, measured_on, protocol, lambda work, n: bars.track(work, n, description="measuring")
        )
    out_console.print(report.table({result.method.name: evaluate.row(result) for result in found}))
    out_console.print(f"{len(measured_on)} images of {source.name}. {protocol}")
    for figure in found[0].missing:
        out_console.print(evaluate.UNMEASURED[figure], markup=False)
    for sentence in dict.fromkeys(method.facts.get("limits") for method in chosen):
        if sentence:
            out_console.print(sentence)
    if json_out:
        with atomic(json_out) as file:
            file.write(
                json.dumps(evaluate.as_json(found, measured_on, protocol, source.name), indent=1).encode()
            )
    if sheet_out:
        best = evaluate.exemplary(found[-1], measured_on)
        rows = {label: evaluate.shown(pair, chosen) for label, pair in best.items()}
        images.write(sheet_out, images.Picture(report.labelled(rows, zoom=2 if faces else 1)))


@app.command(epilog="Example: `srez models`")
def models(as_json: AsJson = False) -> None:
    """List the models in the box: scale, size, licence, figures."""
    from srez.models import card

    cards = [card.read(box.find(name)) for name in box.names()]
    if as_json:
        _print_json([card.as_dict(each) for each in cards])
        return
    table = Table("model", "scale", "parameters", "on", "PSNR", "SSIM")
    for each in cards:
        methods = {row["method"]: row for row in reversed(each.figures)}  # of the first set
        ours, bicubic = methods[each.name], methods["bicubic"]
        psnr = f"{ours['psnr']:.2f} dB\nbicubic {bicubic['psnr']:.2f}"
        ssim = f"{ours['ssim']:.4f}\n{bicubic['ssim']:.4f}"
        size = f"{each.parameters:,}"
        table.add_row(each.name, f"x{each.scale}", size, ours["set"], psnr, ssim)
    out_console.print(table)
    for each in cards:
        sets = ", ".join(dict.fromkeys(f"{row['set']} ({row['protocol']})" for row in each.figures))
        said = (
            f"{each.description}. Measured on {sets}. Licence of the weights: {each.licence}. {each.limits}"
        )
        out_console.print(f"{each.name}: {said}")


@app.command(
    epilog="Examples: `srez train faces --data img_align_celeba.zip --partition list_eval_partition.txt "
    "--out runs/faces`, `srez train faces --data celeba/ --workers 8 --gpus-per-worker 1 --ray-address auto`"
)
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe in the box (see `srez recipes`) or a .toml file.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A zip or a folder of pictures, or tfds:NAME; may be repeated, with @WEIGHT behind each to "
            "mix them. Not for recipes that draw."
        ),
    ] = None,
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt: 0 train, 1 validation, 2 left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; runs/RECIPE if not given.")] = None,
    steps: Annotated[int | None, typer.Option(help="Train this many steps instead of the recipe's.")] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="Start from a model in the box, an .onnx file of ours, a run folder or a checkpoint."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe; may be repeated."),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="Share every batch among so many devices of this machine, without Ray."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Share every batch among so many processes, which Ray starts anywhere."),
    ] = None,
    gpus_per_worker: Annotated[int, typer.Option(min=0, help="GPUs of each process.")] = 0,
    ray_address: Address = "local",
) -> None:
    """Train a network; started again with the same words, it goes on where it was.

    Ctrl-C saves and stops. At the end the run folder holds model.onnx and its card, for
    `srez upscale --model`.
    """
    recipes = _training_extra()
    changes = [*(settings or []), *([f"steps={steps}"] if steps is not None else [])]
    chosen = recipes.load(recipe, changes)
    if bool(data) == bool(chosen.drawn):
        raise OptionError(
            f"recipe {recipe} draws its faces: leave --data out" if data else f"recipe {recipe} needs --data"
        )
    if partition and not data:
        raise OptionError(f"recipe {recipe} draws its faces: leave --partition out")
    if devices and workers:
        raise OptionError("give either --devices, for this machine, or --workers, for many")
    if gpus_per_worker and not workers:
        raise OptionError("--gpus-per-worker goes with --workers")
    folder = out or Path("runs") / Path(recipe).stem
    make_folder(folder)
    if workers:
        _train_with_ray(chosen, recipe, data, partition, folder, init, workers, gpus_per_worker, ray_address)
        return
    # These import TensorFlow: not before the words are known to be right.
    from srez.train import data as pairs
    from srez.train import replicas, run, trainer, weights

    strategy = replicas.on_this_machine(devices) if devices else None
    start = weights.load(init, chosen.generator) if init else None
    trainer.require_possible(chosen, strategy)
    with TrainingBars() as bars:
        pictures = pairs.load(chosen.data, data, partition, bars.reading) if data else pairs.draw(chosen.data)
        for line in pairs.told(pictures, "run.json"):
            bars.print(line)
        bars.watch_until(chosen.steps)
        finished = run.train_and_export(
            chosen, Path(recipe).stem, pictures, folder, bars.watch, bars.print, start, strategy
        )
    if finished is None:
        _say_how_to_go_on("Stopped and saved.")
    out_console.print(f"Done: {folder / 'model.onnx'}", soft_wrap=True)


def _train_with_ray(
    chosen: Any,
    recipe: str,
    places: list[str] | None,
    partition: Path | None,
    folder: Path,
    init: str | None,
    workers: int,
    gpus: int,
    address: str,
) -> None:
    _require("--workers", "ray", extra="cluster")
    from srez.cluster import training

    run = training.Run(chosen, Path(recipe).stem, places, partition, folder, init, Path.cwd())
    with TrainingBars() as bars:
        bars.watch_until(chosen.steps)
        try:
            training.train(run, workers, gpus, address, bars.watch, bars.print)
        except KeyboardInterrupt:
            bars.stop()
            _say_how_to_go_on("Stopped; the last checkpoint stays.")
    out_console.print(f"Done: {folder / 'model.onnx'}", soft_wrap=True)


def _say_how_to_go_on(sentence: str) -> NoReturn:
    again = shlex.join(["srez", *sys.argv[1:]])
    error_console.print(f"{sentence} Go on with: {again}", soft_wrap=True)
    raise typer.Exit(130)


@app.command(epilog="Examples: `srez runs`, `srez runs /data/runs --json`")
def runs(
    folder: Annotated[Path, typer.Argument(help="A folder of run folders, or of folders of them.")] = Path(
        "runs"
    ),
    as_json: AsJson = False,
) -> None:
    """List training runs: their state, best figures, hours and size."""
    _require("listing runs", "filelock")
    from srez import runs

    found = runs.find(folder)
    if as_json:
        _print_json([runs.summary(run) for run in found])
    elif found:
        out_console.print(runs.table(found))
    else:
        typer.echo(f"No training runs in {folder}: `srez train` makes them.")


@app.command(epilog="Example: `srez report runs/faces -o report.html`")
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The page to write. [default: report.html in the run folder]"),
    ] = None,
) -> None:
    """Write a run as one HTML page: curves, sheets, recipe and card. It opens without a network."""
    _require("writing a report", "filelock", "jinja2", "matplotlib")
    from srez import runs
    from srez.runs.report import page

    out = output or run / "report.html"
    page.write(runs.read(run), out)
    typer.echo(f"The report is in {out}")


@app.command(
    epilog="Examples: `srez serve`, `srez serve --host 0.0.0.0 --models models/ --state /var/lib/srez`, "
    "`SREZ_API_KEY=secret srez serve --max-pixels 4000000`"
)
def serve(
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one.")] = 8000,
    state: Annotated[Path, typer.Option(help="A folder for jobs and their results.")] = Path("srez-state"),
    models: Annotated[
        Path | None, typer.Option(help="A folder of further models: .onnx files with their cards.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="SREZ_API_KEY", help="Answer only who knows this key; best given by the environment."
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="A web origin whose pages may call the API, as https://example.org; may be repeated."
        ),
    ] = None,
    page: Annotated[bool, typer.Option(help="Serve the web page beside the API.")] = True,
    max_body: Annotated[int, typer.Option(min=1, help="Bytes of a request.")] = limits.MAX_BODY,
    max_pixels: Annotated[int, typer.Option(min=1, help="Pixels of a job's picture.")] = limits.MAX_PIXELS,
    max_direct_pixels: Annotated[
        int, typer.Option(min=1, help="Pixels of a picture that is answered at once.")
    ] = limits.MAX_DIRECT_PIXELS,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Pictures waiting to be answered at once; others get 429.")
    ] = limits.MAX_QUEUE,
    max_wait: Annotated[
        float,
        typer.Option(min=0.1, help="Seconds that a picture waits for its turn; if longer, 429."),
    ] = limits.MAX_WAIT,
    max_jobs: Annotated[int, typer.Option(min=1, help="Jobs kept, in any state.")] = limits.MAX_JOBS,
    max_memory: Annotated[
        int, typer.Option(min=1, help="Bytes of pictures and results held at one time.")
    ] = limits.MAX_MEMORY,
    max_seconds: Annotated[
        float, typer.Option(min=0.1, help="For an answer at once, waiting included.")
    ] = limits.MAX_SECONDS,
    keep_hours: Annotated[
        float, typer.Option(min=0.01, help="That a finished job's result can be fetched.")
    ] = limits.KEEP_HOURS,
    grace_seconds: Annotated[
        float, typer.Option(min=0, help="For running work when the server is told to stop.")
    ] = limits.GRACE_SECONDS,
    max_batch: Annotated[
        int, typer.Option(min=1, help="Small pictures of one size run together.")
    ] = limits.MAX_BATCH,
    tile: Annotated[int, typer.Option(help="Largest side of a tile in input pixels.")] = limits.TILE,
) -> None:
    """Serve the HTTP API and the web page until stopped."""
    _require("serving", "fastapi", "gradio", "httptools", "prometheus_client", "uvicorn", extra="serve")
    from srez.serve import server

    server.run(
        limits.Settings(
            host, port, state, models, api_key or None, tuple(allow_origin or ()), page, max_body, max_pixels,
            max_direct_pixels, max_queue, max_wait, max_jobs, max_memory, max_seconds, keep_hours,
            grace_seconds, tile, max_batch,
        )
    )  # fmt: skip


@recipes_app.callback(
    invoke_without_command=True, epilog="Examples: `srez recipes`, `srez recipes show faces`"
)
def recipes(context: typer.Context) -> None:
    """List the recipes in the box, or show one."""
    if context.invoked_subcommand:
        return
    known = _training_extra()
    table = Table("recipe", "steps", "what")
    for name in known.names():
        recipe = known.load(name)
        table.add_row(name, f"{recipe.steps:,}", recipe.description)
    out_console.print(table)


@recipes_app.command(epilog="Example: `srez recipes show faces > mine.toml`")
def show(name: Annotated[str, typer.Argument(help="A recipe in the box, or a .toml file.")]) -> None:
    """Print a recipe: what it reaches, its command, its settings."""
    sys.stdout.write(_training_extra().text(name))


@data_app.callback(epilog="Examples: `srez data pack faces.zip pack/`, `srez data check pack/`")
def data() -> None:
    """Cut faces out once, for trainings to read them fast."""


@data_app.command(
    epilog="Example: `srez data pack img_align_celeba.zip celeba/ --partition list_eval_partition.txt`, then "
    "`srez train faces --data celeba/`"
)
def pack(
    sources: Annotated[
        list[str],
        typer.Argument(help="Zips and folders of aligned faces, or tfds:NAME, as `srez train` has."),
    ],
    folder: Annotated[Path, typer.Argument(help="The folder to write the pack into.")],
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt: 0 train, 1 validation, 2 left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cut faces out and write them in shards, with counts and checksums.

    Training on the pack gives the same weights as training on the pictures, and begins at once.
    """
    _training_extra()
    from srez.datasets import packs
    from srez.train import data

    with Bars() as bars:
        packed = data.pack(
            sources,
            folder,
            partition,
            lambda work, n: bars.track(work, n, description="reading pictures"),
            lambda work, n: bars.track(work, n, description="writing shards"),
        )
    if as_json:
        _print_json({"pack": str(folder), **asdict(packed)})
        return
    for line in data.told(packed, packs.INDEX):
        error_console.print(line, soft_wrap=True, markup=False)
    out_console.print(f"Done: {len(packed.shards)} shards in {folder}", soft_wrap=True, markup=False)


@data_app.command(epilog="Example: `srez data check celeba/ --json`")
def check(
    folder: Annotated[Path, typer.Argument(help="A folder that `srez data pack` wrote.")],
    as_json: AsJson = False,
) -> None:
    """Read a pack and compare its counts and checksums; the exit code is 1 if a shard is damaged."""
    from srez.datasets import packs

    index = packs.read(folder)
    with Bars() as bars:
        faults = packs.check(folder, index, lambda work, n: bars.track(work, n, description="checking"))
    counts = {part: index.count(part) for part in ("train", "validation")}
    if as_json:
        _print_json({"pack": str(folder), "shards": len(index.shards), **counts, "faults": faults})
    else:
        for fault in faults:
            error_console.print(f"srez: {fault}", soft_wrap=True, markup=False)
        state = f"{len(faults)} damaged" if faults else "whole"
        faces = f"{counts['train']:,} faces to train on, {counts['validation']:,} to validate on"
        out_console.print(f"{folder}: {faces}, in {len(index.shards)} shards: {state}", soft_wrap=True)
    if faults:
        raise typer.Exit(1)


def _training_extra() -> Any:
    """The module of recipes, after making sure that the training extra is installed."""
    _require("training", "filelock", "pydantic", "tensorflow", "tf2onnx", "tomli_w")
    from srez.train import recipe

    return recipe


def _require(task: str, *packages: str, extra: str = "train") -> None:
    """Name the packages of an extra that a task needs and that are not installed."""
    missing = [name for name in packages if not find_spec(name)]
    if missing:
        raise OptionError(f"{task} needs the packages {', '.join(missing)}: pip install 'srez[{extra}]'")


def _complain(error: SrezError, debug: bool = False) -> None:
    error_console.print(f"srez: {error}", soft_wrap=True, markup=False)
    if debug:
        error_console.print("".join(traceback.format_exception(error)), soft_wrap=True, markup=False)


def _print_json(value: Any) -> None:
    with _standard_output():
        print(json.dumps(value, indent=2), flush=True)  # nothing if standard output is closed


@contextmanager
def _standard_output() -> Iterator[None]:
    """Within this, standard output that is full or has no reader is said in a sentence, with exit code 1."""
    try:
        yield
    except OSError as error:
        _complain(output_failure(error))
        raise typer.Exit(1) from None
