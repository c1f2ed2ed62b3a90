"""Stops runs that cannot go on: values that are not finite, a discriminator that has won."""

from typing import Any

import numpy as np

from srez.errors import TrainingError
from srez.runs.layout import RunLayout
from srez.train import checkpoint
from srez.train.recipe import Recipe

PARALYSED = 1e-3  # a discriminator's loss below which it teaches the generator nothing
PATIENCE = 5  # logs in a row


def require_finite(layout: RunLayout, step: int, what: str, values: list[Any]) -> None:
    """Refuse losses or weights that are not finite.

    Raises:
        TrainingError: some are not; the last checkpoint is kept.
    """
    if not all(np.isfinite(value).all() for value in values):
        raise TrainingError(
            f"{layout.folder}: the {what} of step {step} are not finite; {_last_checkpoint(layout)}: lower "
            "optimizer.learning_rate and start a new run"
        )


def paralysed(recipe: Recipe, means: dict[str, float]) -> bool:
    """Whether the discriminator's mean loss is so low that the generator learns nothing from it."""
    return recipe.loss.variant != "wasserstein" and means.get("discriminator", 1.0) < PARALYSED


def require_alive(layout: RunLayout, recipe: Recipe, step: int, paralysed_logs: int) -> None:
    """Stop when the discriminator has won for good.

    Args:
        layout: of the run folder.
        recipe: of the run.
        step: the steps done.
        paralysed_logs: for how many logs in a row it has been `paralysed`.

    Raises:
        TrainingError: `PATIENCE` logs or more; the last checkpoint is kept.
    """
    if paralysed_logs >= PATIENCE:
        raise TrainingError(
            f"{layout.folder}: the discriminator tells every output from the truth (its loss stayed below "
            f"{PARALYSED} for {PATIENCE * recipe.every.log} steps, up to step {step}), so the generator "
            f"learns nothing from it; {_last_checkpoint(layout)}: raise loss.r1 or lower "
            "optimizer.discriminator_learning_rate and start a new run"
        )


def _last_checkpoint(layout: RunLayout) -> str:
    saved, _ = checkpoint.load(layout)
    if not saved:
        return "there is no checkpoint yet"
    return f"the last checkpoint, of step {saved[1]['step']}, is intact"
