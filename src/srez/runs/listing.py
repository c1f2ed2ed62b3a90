"""Runs as a table and as JSON."""

import math
from typing import Any

from rich import box
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from srez.runs.reading import Run


def summary(run: Run) -> dict[str, Any]:
    """A run for JSON: its folder, state, steps, best figures (those that are finite), seconds and bytes."""
    best = {name: value for name, value in (run.best or {}).items() if math.isfinite(value)}
    return {
        "run": str(run.folder),
        "description": run.description,
        "state": run.state,
        "step": run.step,
        "steps": run.steps,
        "best": best or None,
        "seconds": run.seconds,
        "bytes": run.size(),
        "problems": run.problems,
    }


def table(runs: list[Run]) -> Table:
    """Runs as a table, one a row: the recipe's description under the folder, problems under the state."""
    figures = (
        Column(title, justify="right", no_wrap=True) for title in ("PSNR, dB", "SSIM", "hours", "size")
    )
    grid = Table(Column("run", overflow="fold"), "state, steps", *figures, box=box.SIMPLE)
    for run in runs:
        best = run.best or {}
        at = f"\nat {best['step']:,.0f}" if best else ""
        grid.add_row(
            Text(f"{run.folder}\n{run.description}"),
            Text("\n".join([run.state, progress(run), *run.problems])),
            _decimals(best.get("psnr"), 2) + at,
            _decimals(best.get("ssim"), 4),
            _decimals(run.seconds and run.seconds / 3600, 2),
            decimal(run.size()),
        )
    return grid


def progress(run: Run) -> str:
    """The steps that a run has done, and of how many."""
    return f"{run.step:,} of {run.steps:,}" if run.steps else f"{run.step:,}"


def _decimals(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"
