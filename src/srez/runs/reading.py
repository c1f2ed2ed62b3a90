"""Reading run folders: how each run stands and the best it reached."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from srez.errors import OptionError
from srez.runs.layout import RUN, VALIDATION, RunLayout, step_of

State = Literal["running", "finished", "stopped", "damaged"]
Record = dict[str, float]


@dataclass(frozen=True)
class Run:
    """A training run, as its folder shows it.

    Attributes:
        folder: the run folder.
        facts: `run.json`: recipe, hash of the data, versions, skipped files; empty if that file is damaged.
        records: the lines of `metrics.jsonl`, in their order: `step` and the values of that step, some of
            which may not be finite. A last line that was cut off is not among them.
        running: whether a training holds the folder's lock at this moment.
        problems: a sentence for each thing that is damaged.
    """

    folder: Path
    facts: dict[str, Any]
    records: list[Record]
    running: bool
    problems: list[str]

    @property
    def layout(self) -> RunLayout:
        """Where everything is in the folder."""
        return RunLayout(self.folder)

    @property
    def state(self) -> State:
        """Running, finished (all steps done and the model exported), stopped, or damaged (its `run.json`)."""
        if self.running:
            return "running"
        if not self.facts:
            return "damaged"
        finished = self._is_at_its_end() and self.layout.model.is_file()
        return "finished" if finished else "stopped"

    def _is_at_its_end(self) -> bool:
        budget = 60 * self._minutes
        # Within its minutes a run measures its result, too.
        return (self.seconds or 0) > budget / 2 - 1 if budget else self.step == self.steps

    @property
    def _minutes(self) -> float:
        """Of training, where that ends the run; else 0."""
        minutes = self.facts.get("recipe", {}).get("minutes", 0)
        return minutes if isinstance(minutes, int | float) else 0

    @property
    def description(self) -> str:
        """What the recipe says of itself, else the folder's name."""
        return str(self.facts.get("recipe", {}).get("description") or self.folder.resolve().name)

    @property
    def step(self) -> int:
        """Steps done, as far as they were logged or saved: a run that is stopped saves, but does not log."""
        logged = int(self.records[-1]["step"]) if self.records else 0
        return max([logged, *map(step_of, self.layout.all_checkpoints())])

    @property
    def steps(self) -> int | None:
        """Steps to do in all; None if minutes end the run, or `run.json` is damaged."""
        return None if not self.facts or self._minutes else self.facts["recipe"]["steps"]

    @property
    def seconds(self) -> float | None:
        """Training time so far; None if it was not logged."""
        logged = self.series("seconds")
        return logged[-1][1] if logged else None

    @property
    def best(self) -> Record | None:
        """The best validation, its names without their prefix; None before the first.

        By the figure that the recipe names; by PSNR where that was not measured.
        """
        chosen = str(self.facts.get("recipe", {}).get("best_by", "psnr"))
        by = chosen if self.series(f"{VALIDATION}{chosen}") else "psnr"
        name = f"{VALIDATION}{by}"
        measured = [record for record in self.records if math.isfinite(record.get(name, math.nan))]
        if not measured:
            return None
        record = max(measured, key=lambda each: score(by, each[name]))
        return {name.removeprefix(VALIDATION): value for name, value in record.items()}

    def series(self, name: str) -> list[tuple[int, float]]:
        """The steps at which a value was logged, with the value, where it is finite."""
        points = [(int(record["step"]), record[name]) for record in self.records if name in record]
        return [(step, value) for step, value in points if math.isfinite(value)]

    def size(self) -> int:
        """Bytes in all files of the folder at this moment; a running training adds and removes files."""
        paths = (Path(folder, name) for folder, _, names in os.walk(self.folder) for name in names)
        return sum(map(_size, paths))


def score(name: str, value: float) -> float:
    """A validation figure as a number of which more is better."""
    return -value if name in ("consistency", "st_lpips") else value


def find(folder: Path) -> list[Run]:
    """The runs in a folder: itself, or one or two levels deeper; those without a `run.json` are none.

    Raises:
        OptionError: there is no such folder.
    """
    if not folder.is_dir():
        raise OptionError(f"{folder} is not a folder: name the one that holds your training runs")
    found = [path for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}{RUN}")]
    return [read(path.parent) for path in sorted(found)]


def read(folder: Path) -> Run:
    """Read a run folder; nothing in it is changed.

    What is damaged is named in the run's `problems`.

    Raises:
        OptionError: the folder holds no `run.json`.
    """
    layout = RunLayout(folder)
    if not layout.run.is_file():
        raise OptionError(f"{folder} is not a training run: there is no {RUN} in it")
    problems: list[str] = []
    facts = _read_facts(layout.run, problems)
    records = _read_records(layout.metrics, problems)
    return Run(folder, facts, records, _is_locked(layout.lock, problems), problems)


def read_record(line: bytes) -> Record | None:
    """A line of a log, its step and the values that are numbers; None if it is damaged."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("step"), int):
        return None
    return {name: value for name, value in record.items() if isinstance(value, int | float)}


def _read_facts(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_bytes())
        kinds = (
            (facts["recipe"]["steps"], int),
            (facts.get("versions", {}), dict),
            (facts.get("skipped", []), list),
        )
        if not all(isinstance(value, kind) for value, kind in kinds):
            raise TypeError
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError, RecursionError):
        problems.append(f"{path.name} is damaged")
    else:
        return facts
    return {}


def _read_records(path: Path, problems: list[str]) -> list[Record]:
    """The lines of a log that can be understood.

    Args:
        path: of `metrics.jsonl`; it need not exist.
        problems: gets a sentence for each line that is damaged. A last line that a kill cut off is none.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []  # a run that has only begun
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}")
        return []
    records = []
    for number, line in enumerate(lines, start=1):
        record = read_record(line)
        if record:
            records.append(record)
        elif number < len(lines):
            problems.append(f"{path.name} is damaged in line {number}")
    return records


def _is_locked(path: Path, problems: list[str]) -> bool:
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
