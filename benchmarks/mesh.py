"""Look for a grid in results: peaks in their mean spectrum at multiples of a quarter cycle a pixel.

    python benchmarks/mesh.py Set14 --fidelity 0 --fidelity 1

A network that makes the 16 pixels of an input pixel unequal repeats a pattern every 4 pixels, which shows as
power at frequencies (i/4, j/4). Each of the 15 is compared with the median of the frequencies around it, on
flat and on textured areas, the calmest and the liveliest third of the picture's 64x64 squares. 1 is no peak;
above 1.3 people see a mesh on walls, skies and skin.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

import mistakes
from srez.cli.evaluate import Damage
from srez.evaluation import methods, pairs
from srez.images import luma

SIDE = 64  # pixels of a square, a multiple of 4
NEAR, FAR = 1, 4  # how far away the frequencies around a peak are, in steps of 1/64 cycle


def squares(picture: np.ndarray) -> np.ndarray:
    """The luma of a picture in grey levels, as `(N, 64, 64)`."""
    levels = luma.luma(picture)
    rows, columns = (side // SIDE for side in levels.shape)
    cut = levels[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2)
    return cut.reshape(-1, SIDE, SIDE)


def peak(pieces: np.ndarray) -> float:
    """The largest power at a multiple of a quarter cycle, over that of the frequencies around it."""
    window = np.hanning(SIDE)[:, None] * np.hanning(SIDE)
    centred = pieces - pieces.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(centred * window)) ** 2
    typical = np.exp(np.log(power + 1e-3).mean(axis=0))  # so that no square outweighs the others
    quarters = np.arange(0, SIDE, SIDE // 4)
    return max(over_surroundings(typical, i, j) for i in quarters for j in quarters if i or j)


def over_surroundings(power: np.ndarray, row: int, column: int) -> float:
    """Upright and level edges make a ridge along the axes: there, only what lies on it is around."""
    around = np.roll(power, (FAR - row, FAR - column), (0, 1))[: 2 * FAR + 1, : 2 * FAR + 1].copy()
    at = around[FAR, FAR]
    around[FAR - NEAR : FAR + NEAR + 1, FAR - NEAR : FAR + NEAR + 1] = np.nan
    if not row:
        around = around[FAR]
    elif not column:
        around = around[:, FAR]
    return float(at / np.nanmedian(around))


def main(
    benchmark: Annotated[Path, typer.Argument(exists=True)],
    fidelity: Annotated[list[float] | None, typer.Option(help="[default: the model's]")] = None,
    model: str = "photo",
    damage: Damage | None = None,
) -> None:
    pair_set = pairs.from_benchmark(benchmark, degree=damage)
    scale = pair_set.protocol.scale
    measured = [
        methods.Method("truth", lambda _, pairs: np.stack([pair.high for pair in pairs])),
        methods.baselines(scale)[1],
        *methods.models([model], scale, fidelities=fidelity or ()),
    ]
    table = Table("", "flat", "textured")
    for method in measured:
        flat, textured = [], []
        for pair in track(pair_set.pairs, method.name, transient=True):
            order = np.argsort(squares(pair.high).std(axis=(1, 2)))
            third = max(1, len(order) // 3)
            pieces = squares(method.upscale(pair.low[None], [pair])[0])
            flat.append(pieces[order[:third]])
            textured.append(pieces[order[-third:]])
        table.add_row(method.name, *(f"{peak(np.concatenate(part)):.2f}" for part in (flat, textured)))
    Console().print(table)


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
