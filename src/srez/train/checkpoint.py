"""Checkpoints: one .npz file each, whole or absent, without pickle."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from srez.errors import TrainingError
from srez.output import atomic, make_folder

KEPT = 2
_PREFIX = "step-"


def save(folder: Path, step: int, arrays: dict[str, np.ndarray], facts: dict[str, Any]) -> Path:
    """Write a checkpoint and remove all but the last two.

    Args:
        folder: where checkpoints are kept; made if absent.
        step: the steps done so far.
        arrays: every variable, by name.
        facts: whatever else is needed to go on, as JSON can hold it.

    Raises:
        OutputError: the file cannot be written; the earlier checkpoints are untouched.
    """
    make_folder(folder)
    path = folder / f"{_PREFIX}{step:08d}.npz"
    facts_array = np.frombuffer(json.dumps({"step": step, **facts}).encode(), np.uint8)
    with atomic(path) as file:
        np.savez(file, **arrays, facts=facts_array)
    unfinished = folder.glob(f".{_PREFIX}*")  # of a run that was killed while it wrote
    for old in [*_by_age(folder)[:-KEPT], *unfinished]:
        old.unlink()
    return path


def load(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The newest checkpoint that is whole, or None where there is none.

    Every array's checksum is verified.

    Returns:
        The arrays and the facts that `save` was given, with the facts' "step".

    Raises:
        TrainingError: there are checkpoints but none is whole.
    """
    found = _by_age(folder)
    for path in reversed(found):
        try:
            # NumPy leaves a damaged file open if it opened it itself.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue
        return arrays, json.loads(arrays.pop("facts").tobytes())
    if found:
        raise TrainingError(f"no checkpoint in {folder} can be read: remove the folder to start anew")
    return None


def _by_age(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*.npz"))
