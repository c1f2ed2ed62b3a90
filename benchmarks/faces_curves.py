"""Keep the validation figures of training runs, for docs/faces.md.

    python benchmarks/faces_curves.py runs/faces runs/faces_vivid runs/srez

Writes benchmarks/results/faces/curves.json: for every run its steps, the minutes at the last logged one, and
the points measured while it trained.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import mistakes
from srez import runs
from srez.runs.layout import VALIDATION

OUT = Path(__file__).parent / "results/faces/curves.json"


def points(run: runs.Run) -> list[dict[str, Any]]:
    seconds = dict(run.series("seconds"))
    names = ("psnr", "ssim", "consistency")
    values = {name: dict(run.series(f"{VALIDATION}{name}")) for name in names}
    return [
        {"step": step, "minutes": round(seconds[step] / 60, 2)}
        | {name: round(values[name][step], 4) for name in names}
        for step in values["psnr"]
    ]


def main(folders: Annotated[list[Path], typer.Argument(exists=True, file_okay=False)]) -> None:
    curves = {
        run.folder.name: {
            "steps": run.steps,
            "minutes": round((run.seconds or 0) / 60, 2),
            "points": points(run),
        }
        for run in map(runs.read, folders)
    }
    OUT.write_text(json.dumps(curves, indent=1) + "\n")


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
