"""Run folders, as `srez train` leaves them: how each stands and the best it reached."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from rich import box
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from srez.errors import OptionError

VALIDATION = "validation_"

State = Literal["running", "finished", "stopped", "damaged"]
Record = dict[str, float]


@dataclass(frozen=True)
class Run:
    """What a run folder says of its run.

    Attributes:
        folder: the run folder.
        facts: `run.json`: recipe, hash of the data, versions, skipped files; empty if that file is damaged.
        records: the lines of `metrics.jsonl`, in their order: `step` and the values of that step, some of
            which may not be finite. A last line that was cut off is not among them.
        held: whether a training holds the folder's lock, that is, runs at this moment.
        problems: a sentence for each thing that is damaged.
    """

    folder: Path
    facts: dict[str, Any]
    records: list[Record]
    held: bool
    problems: list[str]

    @property
    def state(self) -> State:
        """Running, finished (all steps done and the model exported), stopped, or damaged (its `run.json`)."""
        if self.held:
            return "running"
        if not self.facts:
            return "damaged"
        finished = self.step == self.steps and (self.folder / "model.onnx").is_file()
        return "finished" if finished else "stopped"

    @property
    def description(self) -> str:
        """What the recipe says of itself, else the folder's name."""
        return str(self.facts.get("recipe", {}).get("description") or self.folder.resolve().name)

    @property
    def step(self) -> int:
        """Steps done, as far as they were logged."""
        return int(self.records[-1]["step"]) if self.records else 0

    @property
    def steps(self) -> int | None:
        """Steps to do in all; None if `run.json` is damaged."""
        return self.facts["recipe"]["steps"] if self.facts else None

    @property
    def seconds(self) -> float | None:
        """Training time so far; None if it was not logged."""
        logged = self.series("seconds")
        return logged[-1][1] if logged else None

    @property
    def best(self) -> Record | None:
        """The validation with the highest PSNR, its names without their prefix; None before the first."""
        psnr = f"{VALIDATION}psnr"
        measured = [record for record in self.records if math.isfinite(record.get(psnr, math.nan))]
        if not measured:
            return None
        record = max(measured, key=lambda each: each[psnr])
        return {name.removeprefix(VALIDATION): value for name, value in record.items()}

    def series(self, name: str) -> list[tuple[int, float]]:
        """The steps at which a value was logged, with the value, where it is finite."""
        points = [(int(record["step"]), record[name]) for record in self.records if name in record]
        return [(step, value) for step, value in points if math.isfinite(value)]

    def size(self) -> int:
        """Bytes in all files of the folder at this moment; a running training adds and removes files."""
        paths = (Path(folder, name) for folder, _, names in os.walk(self.folder) for name in names)
        return sum(map(_size, paths))


def find(folder: Path) -> list[Run]:
    """The runs in a folder: itself, or one or two levels deeper; those without a `run.json` are none.

    Raises:
        OptionError: there is no such folder.
    """
    if not folder.is_dir():
        raise OptionError(f"{folder} is not a folder: name the one that holds your training runs")
    places = [path for pattern in ("run.json", "*/run.json", "*/*/run.json") for path in folder.glob(pattern)]
    return [read(path.parent) for path in sorted(places)]


def read(folder: Path) -> Run:
    """Read a run folder; nothing in it is changed.

    What is damaged in it is told in the run's `problems`.

    Raises:
        OptionError: the folder holds no `run.json`.
    """
    if not (folder / "run.json").is_file():
        raise OptionError(f"{folder} is not a training run: there is no run.json in it")
    problems: list[str] = []
    facts = _read_facts(folder / "run.json", problems)
    records = _read_records(folder / "metrics.jsonl", problems)
    return Run(folder, facts, records, _is_held(folder / "lock", problems), problems)


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
    """Runs as a table, one a row, with what the recipe says under the folder and problems under the state."""
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


def _read_facts(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_bytes())
        steps = facts["recipe"]["steps"]
        if not isinstance(steps, int):
            raise TypeError
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        problems.append(f"{path.name} is damaged")
    else:
        return facts
    return {}


def _read_records(path: Path, problems: list[str]) -> list[Record]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []  # a run that has only begun
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}")
        return []
    records = []
    for number, line in enumerate(lines, start=1):
        record = _read_record(line)
        if record:
            records.append(record)
        elif number < len(lines):  # a kill cuts the last line off: that is no damage
            problems.append(f"{path.name} is damaged in line {number}")
    return records


def _read_record(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("step"), int):
        return None
    return {name: value for name, value in record.items() if isinstance(value, int | float)}


def _is_held(path: Path, problems: list[str]) -> bool:
    """Whether someone holds the lock; it is taken for an instant, and only where there is one."""
    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError as error:
        problems.append(f"{path.name} cannot be probed ({error.strerror}): it may be running")
        return False


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0  # removed since it was listed
