"""A whole run: pictures in, a model with its card out."""

from pathlib import Path

import numpy as np

from srez import __version__
from srez.datasets.faces import FACE, SCALE
from srez.train import data, export, replicas, trainer
from srez.train.recipe import FacesData, Recipe

FACES_EDGE = 8  # pixels of reflection around larger pictures: see docs/adr/0010


def train_and_export(
    recipe: Recipe,
    name: str,
    pictures: data.Data,
    out: Path,
    watch: trainer.Watcher = trainer.unwatched,
    tell: trainer.Teller = trainer.untold,
    init: list[np.ndarray] | None = None,
    strategy: replicas.Strategy | None = None,
) -> Path | None:
    """Train to the recipe's end and write `model.onnx` with its card into the run folder.

    Args:
        recipe: what to do.
        name: what to call the model.
        pictures: what to do it on.
        out: the run folder.
        watch: see `trainer.train`.
        tell: see `trainer.train`.
        init: weights for the generator to start from.
        strategy: see `trainer.train`.

    Returns:
        The model, or None if the run was interrupted before its end or another process is the chief.
    """
    result = trainer.train(recipe, pictures, out, watch, tell, init, strategy)
    if result.step < recipe.steps or (strategy and not replicas.is_chief(strategy)):
        return None
    about = {
        "name": name,
        "description": recipe.description,
        "licence": recipe.licence,
        "limits": recipe.limits,
        # Cut-outs have taught a network what the border of a picture looks like, whole faces have not.
        "edge": FACES_EDGE if isinstance(recipe.data, FacesData) else 0,
        "trained_at": FACE // SCALE if isinstance(recipe.data, FacesData) else 0,
        "training": {
            "data": pictures.sources,
            "data_sha256": pictures.fingerprint,
            "pictures": pictures.pictures,
            "generator": recipe.generator.model_dump(mode="json"),
            "steps": result.step,
            "batch": recipe.batch,
            "seed": recipe.seed,
            "hours": round(result.seconds / 3600, 2),
            "srez": __version__,
        },
        "figures": export.figures(result.average, name, pictures),
    }
    model = out / "model.onnx"
    export.export(result.average, model, about)
    return model
