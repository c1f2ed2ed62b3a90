"""`srez models export`."""

from pathlib import Path
from typing import Annotated

import typer

from srez.cli.display import out_console
from srez.cli.extras import require
from srez.cli.options import Fidelity
from srez.errors import OptionError
from srez.models import box, exporting
from srez.models.exporting import To
from srez.upscaling.settings import check_repair, chosen_fidelity

app = typer.Typer()


@app.command(
    epilog="Examples: `srez models export photo -o photo-nchw.onnx`, "
    "`srez models export photo --to float16 -o photo-16.onnx --fidelity 0.5`, "
    "`srez models export photo --to darktable -o photo.dtmodel`"
)
def export(
    name: Annotated[str, typer.Argument(help="A built-in model, or an .onnx file of ours.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    to: Annotated[
        To,
        typer.Option(
            help="onnx-nchw: (N, 3, H, W) in float32, as most programs take it; float16: that in float16; "
            "litert: a .tflite; darktable: a .dtmodel for darktable 5.6."
        ),
    ] = To.onnx_nchw,
    fidelity: Fidelity = None,
    repair: Annotated[
        float,
        typer.Option(min=0, max=1, help="From 0 (none) to 1 (full); an exported model cannot choose."),
    ] = 0.0,
) -> None:
    """Write a model in a form that other programs take; an ONNX file gets a card beside it."""
    if to == To.litert:
        require("--to litert", "ai_edge_litert", "onnx", extra="litert")
    require("exporting", "onnx")
    if output.suffix.lower() != to.suffix:
        raise OptionError(f"-o {output}: the name of {to} must end in {to.suffix}")
    path = box.find(name)
    if box.is_method(path):
        raise OptionError(f"{name} has no network that could be exported: choose another model")
    card = box.card(path)
    check_repair(card, repair or None)
    exporting.export(path, card, to, output, chosen_fidelity(card, fidelity), repair)
    out_console.print(f"Done: {output}", soft_wrap=True)
