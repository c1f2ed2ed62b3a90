"""One backend's part of the tests of both: tiny trainings in folders that the other goes on with.

    KERAS_BACKEND=tensorflow python both_backends.py FOLDER begin
    KERAS_BACKEND=torch python both_backends.py FOLDER middle
    KERAS_BACKEND=tensorflow python both_backends.py FOLDER end

It needs neither pytest nor the other backend.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import keras

from srez import images
from srez.datasets import cartoons
from srez.runs.layout import RunLayout
from srez.train import data, export, recipe, recipes, run, state, trainer

STEPS = 50
MIXED = {"begin": 20, "middle": 40, "end": 60}  # steps done at the end of each part
MIXED_RECIPE = "photo_vivid"
PACE = ["batch=4", "every.log=1", "every.validate=50", "every.checkpoint=20", "optimizer.cooldown=0"]
RECIPES = {
    "smoke": ["data.drawn=40", "generator.channels=8", "generator.blocks=1"],
    "faces": ["data.drawn=40", "generator.channels=8", "generator.blocks=1"],
    "wgan_gp": ["data.drawn=40", "generator.units=[8, 4]", "generator.tail=6", "discriminator.units=[4, 8]",
                "discriminator.updates=2"],
    "photo_vivid": ["data.crop=48", "generator.channels=8", "generator.blocks=1",
                    "discriminator.units=[4, 8]", "loss.r1=0.1", "loss.r1_every=4"],
}  # fmt: skip


def chosen(name: str, folder: Path, steps: int) -> recipe.Recipe:
    """A recipe of the box, made tiny."""
    return recipes.load(
        name, [*RECIPES[name], *PACE, f"steps={steps}", f"perceptual.network={folder}/eye.keras"]
    )


def pictures(settings: recipe.Recipe, folder: Path) -> data.TrainingData:
    """Drawn faces, or drawn photographs in the folder."""
    faces = settings.data
    if isinstance(faces, recipe.FacesData):
        return data.draw(faces)
    return data.load(faces, [str(folder / "photos")])


def inputs(folder: Path) -> None:
    """Photographs, and a network to compare their features by."""
    (folder / "photos").mkdir()
    for seed in range(6):
        images.write(folder / f"photos/{seed}.png", images.Picture(cartoons.face(seed, 100, 100)))
    layer, seen = keras.Input((None, None, 3)), []
    for number in range(1, 6):
        seen.append(keras.layers.Conv2D(4, 3, activation="relu", name=f"features{number}")(layer))
    keras.Model(layer, seen).save(folder / "eye.keras")


def first_weights(name: str, folder: Path, runs: list[Path]) -> None:
    """Let runs begin with the same weights, which each backend would draw in its own way."""
    prepared = trainer.prepare(chosen(name, folder, STEPS))
    for out in runs:
        state.save(prepared.state, state.Counters(), RunLayout(out), keep=5, best=False)


def train(name: str, folder: Path, out: Path, steps: int) -> float:
    """Train to a step, and say how far the exported model is from the network."""
    settings = chosen(name, folder, steps)
    prepared = trainer.prepare(settings)
    model = run.train_and_export(prepared, name, pictures(settings, folder), out)
    assert model is not None
    return export.parity(prepared.state.average, model)


def main() -> None:
    folder, part = Path(sys.argv[1]), sys.argv[2]
    backend, mixed = keras.backend.backend(), folder / "mixed"
    if part == "begin":
        inputs(folder)
        for name in RECIPES:
            first_weights(name, folder, [folder / kind / name for kind in ("tensorflow", "torch")])
        first_weights(MIXED_RECIPE, folder, [mixed])
    parities = {"mixed": train(MIXED_RECIPE, folder, mixed, MIXED[part])}
    if part != "end":
        for name in RECIPES:
            parities[name] = train(name, folder, folder / backend / name, STEPS)
    others = [name for name in ("tensorflow", "torch") if name != backend and find_spec(name)]
    facts = {"backend": backend, "others": others, "parities": parities}
    (folder / f"{part}.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
