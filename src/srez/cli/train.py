"""`srez train` and `srez recipes`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table

from srez.cli.display import TrainingBars, error_console, out_console
from srez.cli.extras import require, training_recipes
from srez.cli.options import Address
from srez.errors import OptionError
from srez.output import make_folder

app = typer.Typer()
recipes_app = typer.Typer()
app.add_typer(recipes_app, name="recipes")


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
    recipes = training_recipes()
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
    require("--workers", "ray", extra="cluster")
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


@recipes_app.callback(
    invoke_without_command=True, epilog="Examples: `srez recipes`, `srez recipes show faces`"
)
def recipes(context: typer.Context) -> None:
    """List the recipes in the box, or show one."""
    if context.invoked_subcommand:
        return
    known = training_recipes()
    table = Table("recipe", "steps", "what")
    for name in known.names():
        recipe = known.load(name)
        table.add_row(name, f"{recipe.steps:,}", recipe.description)
    out_console.print(table)


@recipes_app.command(epilog="Example: `srez recipes show faces > mine.toml`")
def show(name: Annotated[str, typer.Argument(help="A recipe in the box, or a .toml file.")]) -> None:
    """Print a recipe: what it reaches, its command, its settings."""
    sys.stdout.write(training_recipes().text(name))
