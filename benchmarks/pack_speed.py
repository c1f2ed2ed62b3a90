"""How many faces a second a pack gives in the training's order: drawn, then with augmentation as tensors."""

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path

import mistakes
from srez.train import backend, data, recipes

BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, help="a folder that `srez data pack` wrote")
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    settings = recipes.load("faces").data
    loaded = data.load(settings, [str(arguments.pack)])
    count = loaded.training.pictures
    stop = count * arguments.epochs
    convert = backend.current().compiled(data.to_pairs(settings))
    figures = {
        "drawn": rate(data.batches(loaded.training, BATCH, 1, 0, stop), stop),
        "drawn and augmented": rate(map(convert, data.batches(loaded.training, BATCH, 1, 0, stop)), stop),
    }
    for what, faces in figures.items():
        print(f"{what}: {faces:,.0f} faces a second")
    print(json.dumps({"faces": count, "epochs": arguments.epochs, **figures}))


def rate(batches: Iterable[object], count: int) -> float:
    """Faces a second, after the first batch, for which functions are traced."""
    remaining = iter(batches)
    next(remaining)
    began = time.monotonic()
    for batch in remaining:
        del batch
    return (count - BATCH) / (time.monotonic() - began)


if __name__ == "__main__":
    with mistakes.told():
        main()
