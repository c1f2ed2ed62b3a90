"""Write the inputs of `srez evaluate --damage` as files, for other programs: HR/ and LR_x4/ for each degree.

    python benchmarks/damaged_sets.py Set14 --out runs/damaged
    upscayl-bin -i runs/damaged/heavy/LR_x4 -o runs/damaged/heavy/x4plus ...
    srez evaluate --benchmark Set14 --damage heavy --images runs/damaged/heavy/x4plus

The pixels are those after JPEG, as PNG, so that every decoder reads the same.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

import mistakes
from srez import images
from srez.evaluation import damage, pairs


def main(
    benchmark: Annotated[Path, typer.Argument(exists=True)],
    out: Annotated[Path, typer.Option()] = Path("runs/damaged"),
) -> None:
    for degree in damage.DEGREES:
        for folder in ("HR", "LR_x4"):
            (out / degree / folder).mkdir(parents=True, exist_ok=True)
        for pair in track(pairs.from_benchmark(benchmark, degree=degree).pairs, degree):
            images.write(out / degree / "HR" / f"{pair.stem}.png", images.Picture(pair.high))
            images.write(out / degree / "LR_x4" / f"{pair.stem}.png", images.Picture(pair.low))


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
