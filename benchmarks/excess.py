"""Look for noise and halos on even areas: what results have there and the truths have not.

    python benchmarks/excess.py Set14 --damage light --fidelity 0 --fidelity 1
    python benchmarks/excess.py Set14 --damage light --images runs/damaged/light/x4plus

Prints, in grey levels of luma, by how much the standard deviation within 7x7 pixels is above the truth's,
where the truth varies least (a third of all such windows), and everywhere. No halo is 0; perceptual distances
hardly see them.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.lib.stride_tricks import sliding_window_view
from rich.console import Console
from rich.progress import track
from rich.table import Table

import mistakes
from srez.cli.evaluate import Damage
from srez.evaluation import methods, pairs
from srez.images import luma

SIDE = 7  # pixels of a window
APART = 2  # pixels from one to the next
EVEN = 1 / 3


def main(
    benchmark: Annotated[Path, typer.Argument(exists=True)],
    damage: Damage | None = None,
    fidelity: Annotated[list[float] | None, typer.Option(help="[default: the model's]")] = None,
    model: str = "photo",
    results: Annotated[
        list[Path] | None, typer.Option("--images", help="Another program's.", exists=True)
    ] = None,
) -> None:
    pair_set = pairs.from_benchmark(benchmark, degree=damage)
    scale = pair_set.protocol.scale
    measured = [
        methods.baselines(scale)[1],
        *methods.models([model], scale, fidelities=fidelity or ()),
        *(methods.folder(each, pair_set) for each in results or ()),
    ]
    table = Table("", "even areas", "everywhere")
    for method in measured:
        found = [
            excess(method.upscale(pair.low[None], [pair])[0], pair.high)
            for pair in track(pair_set.pairs, method.name, transient=True)
        ]
        table.add_row(method.name, *(f"{value:.2f}" for value in np.mean(found, axis=0)))
    Console().print(table)


def excess(picture: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """On even areas and everywhere, in grey levels."""
    found, wanted = deviations(picture), deviations(truth)
    above = np.maximum(found - wanted, 0)
    return float(above[wanted <= np.quantile(wanted, EVEN)].mean()), float(above.mean())


def deviations(picture: np.ndarray) -> np.ndarray:
    levels = luma.luma(picture)
    return sliding_window_view(levels, (SIDE, SIDE))[::APART, ::APART].std(axis=(2, 3))


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
