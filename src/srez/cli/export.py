"""`srez export`."""

from pathlib import Path
from typing import Annotated

import typer

from srez.cli.display import out_console
from srez.cli.extras import training_backend, training_recipes
from srez.errors import OptionError

app = typer.Typer()


@app.command(
    epilog="Examples: `srez export runs/faces --best`, `srez export runs/faces --step 5000 -o early.onnx`"
)
def export(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    best: Annotated[bool, typer.Option("--best", help="The checkpoint with the best validation.")] = False,
    step: Annotated[int | None, typer.Option(min=1, help="The checkpoint of this step.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The .onnx file; its card goes beside it. [default: in the run folder]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the model of a checkpoint: the newest, the best, or that of a step.

    It needs no training data, and does not disturb a training in that folder.
    """
    training_recipes()
    if best and step is not None:
        raise OptionError("give either --best or --step")
    if output and output.suffix != ".onnx":
        raise OptionError(f"--output {output}: the name of a model ends with .onnx")

    with training_backend():
        from srez.train import checkpoint_export

        which = "best" if best else step or "newest"
        model = checkpoint_export.export_checkpoint(run, which, output)
    out_console.print(f"Done: {model}", soft_wrap=True)
