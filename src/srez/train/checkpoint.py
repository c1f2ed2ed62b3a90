"""Checkpoints: one .npz file each, whole or absent, without pickle."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from srez.errors import TrainingError
from srez.output import atomic, make_folder
from srez.runs.layout import RunLayout

Saved = tuple[dict[str, np.ndarray], dict[str, Any]]
"""The arrays and the facts that `save` was given, with the facts' "step"."""


def save(
    layout: RunLayout,
    step: int,
    arrays: dict[str, np.ndarray],
    facts: dict[str, Any],
    keep: int,
    best: bool = False,
) -> None:
    """Write a checkpoint and remove all but the last few, and the best.

    Those of later steps go too: none of them was whole, or the run would have resumed from it.

    Args:
        layout: of the run folder; its folder of checkpoints is made if absent.
        step: the steps done so far.
        arrays: every variable, by name.
        facts: whatever else is needed to resume, as JSON can hold it.
        keep: how many to keep.
        best: whether it replaces the best checkpoint as well.

    Raises:
        OutputError: the file cannot be written; the earlier checkpoints are untouched.
    """
    make_folder(layout.checkpoints)
    facts_array = np.frombuffer(json.dumps({"step": step, **facts}).encode(), np.uint8)
    # The best comes first: a run that is killed in between does these steps again, and then writes it again.
    for path in [*([layout.best_checkpoint] if best else []), layout.checkpoint(step)]:
        with atomic(path) as file:
            np.savez(file, **arrays, facts=facts_array)  # pyright: ignore[reportArgumentType]
    checkpoints, current = layout.all_checkpoints(), layout.checkpoint(step)
    earlier = [path for path in checkpoints if path <= current]
    later = [path for path in checkpoints if path > current]
    for old in [*earlier[:-keep], *later, *layout.unfinished_checkpoints()]:
        old.unlink()


def load(layout: RunLayout) -> tuple[Saved | None, list[Path]]:
    """The newest checkpoint that is whole, the best if no other is, or None where there is none.

    Every array's checksum is verified.

    Returns:
        The checkpoint, and the files that were passed over because they are damaged.

    Raises:
        TrainingError: there are checkpoints but none is whole.
    """
    damaged = []
    best = [layout.best_checkpoint] if layout.best_checkpoint.exists() else []
    for path in [*reversed(layout.all_checkpoints()), *best]:
        saved = read(path)
        if saved:
            return saved, damaged
        damaged.append(path)
    if damaged:
        raise TrainingError(
            f"no checkpoint in {layout.checkpoints} can be read: remove {layout.folder} to start again"
        )
    return None, []


def read(path: Path) -> Saved | None:
    """One checkpoint, or None if it is damaged."""
    try:
        # NumPy leaves a damaged file open if it opened it itself.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        return arrays, json.loads(arrays.pop("facts").tobytes())
    # RuntimeError: what a zip asks for whose directory is damaged (a password, an unknown compression).
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile):
        return None
