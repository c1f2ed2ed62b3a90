"""`srez train`."""

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import TaskID

from srez.cli.display import Bars, error_console, out_console
from srez.cli.extras import require, training_recipes
from srez.cli.options import Address, Partition
from srez.errors import OptionError
from srez.output import make_folder
from srez.progress import Item
from srez.train.backend import Name
from srez.train.reporter import Figures, Reporter, figure_text

app = typer.Typer()


@app.command(
    epilog="Examples: `srez train faces --data img_align_celeba.zip --partition list_eval_partition.txt "
    "--out runs/faces`, `srez train faces --data celeba/ --workers 8 --gpus-per-worker 1 --ray-address auto`"
)
def train(
    recipe: Annotated[str, typer.Argument(help="A built-in recipe (see `srez recipes`) or a .toml file.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A zip or folder of pictures, a pack, or tfds:NAME; repeatable. Append @WEIGHT to each "
            "source to mix them by weight."
        ),
    ] = None,
    partition: Partition = None,
    validation: Annotated[
        Path | None,
        typer.Option(
            help="Validate on this benchmark's folder (of faces: on this folder or zip), and train on all of "
            "--data. [default: one in twenty of --data]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder. [default: runs/RECIPE]", show_default=False)
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Number of steps. [default: the recipe's]", show_default=False)
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Train for this long instead: the learning rate falls in time, and the last validation is "
            "within it.",
            show_default=False,
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="Start from the weights of a built-in model, an .onnx file, a run folder or a checkpoint. "
            "Write ./faces for a folder with the name of a model."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a setting of the recipe; repeatable."),
    ] = None,
    backend: Annotated[
        Name | None,
        typer.Option(
            help="What computes. [default: what is installed, TensorFlow before PyTorch]", show_default=False
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="Split every batch among this many devices of this machine, without Ray."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Split every batch among this many processes, which Ray starts."),
    ] = None,
    gpus_per_worker: Annotated[int, typer.Option(min=0, help="GPUs for each worker.")] = 0,
    ray_address: Address = "local",
) -> None:
    """Train a network. Run the same command again to resume.

    Ctrl-C saves a checkpoint and stops; pressed again, it stops at once. The finished run folder holds
    model.onnx with its card, for `srez upscale --model`.
    """
    recipes = training_recipes()
    if steps is not None and minutes is not None:
        raise OptionError("give either --steps or --minutes")
    lengths = {"steps": steps, "minutes": minutes}
    changes = [*(settings or []), *(f"{key}={value}" for key, value in lengths.items() if value is not None)]
    chosen = recipes.load(recipe, changes)
    _check_sources(recipe, chosen.drawn > 0, data, {"--partition": partition, "--validation": validation})
    if devices and workers:
        raise OptionError("give either --devices, for this machine, or --workers, for many")
    if gpus_per_worker and not workers:
        raise OptionError("--gpus-per-worker requires --workers")
    if workers and backend == Name.torch:
        raise OptionError("--workers needs TensorFlow: omit --backend torch")
    if workers:
        require("--workers", "ray", extra="cluster")
    from srez.runs.layout import RunLayout
    from srez.train import start
    from srez.train.native_log import native_log

    name = Path(recipe).stem
    folder = out or Path("runs") / name
    make_folder(folder)
    request = start.Request(chosen, name, data, partition, folder, init, validation)
    steps_known = None if chosen.minutes else chosen.steps
    with native_log(RunLayout(folder).native_log), TrainingBars(steps_known) as bars:
        try:
            if workers:
                from srez.cluster import training

                processes = training.Workers(workers, gpus_per_worker, ray_address)
                training.train(request, Path.cwd(), processes, bars)
                finished = True
            else:
                finished = start.on_this_machine(request, bars, devices, backend) is not None
        except KeyboardInterrupt:
            bars.stop()
            _stop("Stopped; the last checkpoint is kept.")
    if not finished:
        _stop("Stopped and saved.")
    out_console.print(f"Done: {RunLayout(folder).model}", soft_wrap=True)
    if bars.last:
        out_console.print(bars.last, soft_wrap=True)


class TrainingBars(Bars, Reporter):
    """Shows the progress of a training on standard error; each validation leaves a line above the bars."""

    def __init__(self, steps: int | None) -> None:
        """Bars for a training of so many steps, or in per cent; use them in a `with` statement."""
        super().__init__()
        self._steps = steps
        self._bar: TaskID | None = None
        self.last = ""  # what to print when everything else is said

    def reading(self, pictures: Iterable[Item], count: int, /) -> Iterable[Item]:
        """Show how many pictures are read."""
        return self.track(pictures, count, description="reading pictures")

    def step(self, step: int, values: dict[str, float]) -> None:
        """Move the bar to a step and show its values."""
        if self._steps:
            self._move(step, self._steps)
        self.news = "  ".join(
            [f"step {step}", *self._speed(), *(f"{name} {value:.4f}" for name, value in values.items())]
        )

    def progress(self, share: float) -> None:
        """Move the bar of a training that has no number of steps."""
        if not self._steps:
            self._move(int(100 * share), 100)

    def _move(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = self.add_task("training", total=total)
        self.update(self._bar, completed=done)

    def _speed(self) -> list[str]:
        return [f"{self.tasks[-1].speed or 0.0:.1f} steps/s"] if self._steps else []

    def validation(self, step: int, figures: Figures, beside: dict[str, Figures]) -> None:
        """Print the figures of a validation, and behind them what they are compared with."""
        rows = {f"step {step}": figures, **beside}
        texts = {name: ", ".join(figure_text(*each) for each in row.items()) for name, row in rows.items()}
        self.say("; ".join(f"{name}: {text}" for name, text in texts.items()))

    def warn_at_end(self, sentence: str) -> None:
        """Keep the sentence until the bars are gone."""
        self.last = sentence

    def say(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self.print(sentence)


def _check_sources(
    recipe: str, is_drawn: bool, data: list[str] | None, others: dict[str, Path | None]
) -> None:
    """Refuse sources for a recipe that draws its own pictures, and a recipe without any pictures."""
    given = [option for option, value in {"--data": data, **others}.items() if value]
    if is_drawn and given:
        raise OptionError(f"recipe {recipe} draws its own faces: omit {given[0]}")
    if not is_drawn and not data:
        raise OptionError(f"recipe {recipe} needs --data")


def _stop(sentence: str) -> NoReturn:
    """Say how to resume, and exit."""
    command = shlex.join(["srez", *sys.argv[1:]])
    error_console.print(f"{sentence} Run the same command to resume: {command}", soft_wrap=True)
    raise typer.Exit(130)
