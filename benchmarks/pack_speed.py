"""How many faces a second a pack gives to tf.data, in the training's order: drawn, then with augmentation."""

import argparse
import json
import time
from pathlib import Path

import tensorflow as tf

from srez.datasets import packs
from srez.train import data, recipe
from srez.train.data.faces import as_tensors, picker

BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path, help="a folder that `srez data pack` wrote")
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    index = packs.read(arguments.pack)
    count = index.count("train")
    face = picker(as_tensors(packs.faces(arguments.pack, index, "train")))
    seed = tf.constant([1, 1], tf.int64)

    def shuffled(position: tf.Tensor) -> tf.Tensor:
        return face(tf.random.experimental.index_shuffle(tf.math.floormod(position, count), seed, count - 1))

    stop = count * arguments.epochs
    read = tf.data.Dataset.range(stop).map(shuffled, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)
    loaded = data.load(recipe.load("faces").data, [str(arguments.pack)])
    figures = {
        "read": rate(read, stop),
        "read and augmented": rate(data.batches(loaded.training, BATCH, 1, 0, stop), stop),
    }
    for what, faces in figures.items():
        print(f"{what}: {faces:,.0f} faces a second")
    print(json.dumps({"faces": count, "epochs": arguments.epochs, **figures}))


def rate(dataset: tf.data.Dataset, count: int) -> float:
    next(iter(dataset))  # warm: the functions are traced
    began = time.monotonic()
    for batch in dataset.prefetch(tf.data.AUTOTUNE):
        del batch
    return count / (time.monotonic() - began)


if __name__ == "__main__":
    main()
