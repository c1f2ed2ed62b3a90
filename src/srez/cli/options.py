"""Options that several commands have."""

from typing import Annotated

import typer

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
