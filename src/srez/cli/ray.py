"""`srez upscale --engine ray`: many files, spread over processes or machines."""

import enum
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from srez.cli.display import Bars, error_console, out_console, print_json

if TYPE_CHECKING:
    from srez.cluster.upscaling import Batch

_FEW_ERRORS = 20  # that are listed one by one; the manifest has all of them


class Engine(enum.StrEnum):
    """What runs an upscaling."""

    local = "local"
    ray = "ray"


ChosenEngine = Annotated[Engine, typer.Option(help="ray spreads many files over processes or machines.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Worker processes for ray, one core each. [default: cores of this machine]",
        show_default=False,
    ),
]


def upscale_with_ray(batch: "Batch", workers: int | None, address: str, as_json: bool) -> int:
    """Upscale a batch, show what became of it, and return the exit code."""
    from srez import machine
    from srez.cluster import upscaling

    batch.model.load()  # so that its faults are reported once, not by every worker
    with Bars() as bars:
        bar = bars.add_task("upscaling", total=None)
        report = upscaling.upscale(
            batch,
            workers or machine.cores(),
            address,
            lambda done, total: bars.update(bar, completed=done, total=total),
        )
    for error in list(report.errors.values())[:_FEW_ERRORS]:
        error_console.print(f"srez: {error}", soft_wrap=True)
    if as_json:
        print_json({"model": batch.model.name, **asdict(report)})
    else:
        out_console.print(str(report), soft_wrap=True)
    if report.stopped:
        error_console.print("Stopped; finished results are kept. Run the same command to continue.")
    return report.exit_code
