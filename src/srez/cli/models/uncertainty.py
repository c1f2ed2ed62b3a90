"""`srez models uncertainty`."""

from pathlib import Path
from typing import Annotated

import typer

from srez.cli.display import Bars, out_console
from srez.cli.extras import training_backend, training_recipes
from srez.cli.models import facts

app = typer.Typer()


@app.command(
    epilog="Examples: `srez models uncertainty faces.onnx --data img_align_celeba.zip "
    "--partition list_eval_partition.txt`, `srez models uncertainty photo.onnx --data photos.zip`"
)
def uncertainty(
    model: Annotated[Path, typer.Argument(help="An .onnx file of ours, x4, with its card.")],
    data: Annotated[
        list[Path],
        typer.Option(
            help="A zip or folder of undamaged pictures that the model was not made from; repeatable."
        ),
    ],
    partition: Annotated[
        Path | None,
        typer.Option(
            help="A file like CelebA's list_eval_partition.txt: 0 learns, 1 calibrates, 2 is left out. "
            "[default: one picture in eight calibrates]",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of the training. [default: 5000]", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and crops.")] = 1,
) -> None:
    """Train how sure a model is, calibrate it, and add it to the model. It takes minutes.

    The card is rewritten, and NAME-uncertainty.onnx appears beside it.
    """
    training_recipes()
    with training_backend(), Bars() as bars:
        from srez.train import uncertainty as training

        card = training.learn(
            model,
            data,
            partition,
            steps or training.STEPS,
            seed,
            lambda items, count: bars.track(items, count, description="upscaling"),
        )
    out_console.print(f"{model}: {facts.uncertainty(model, card)}", soft_wrap=True)
