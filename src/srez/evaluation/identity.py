"""Whether a face still looks like the same person: the distance of dlib's face recognition.

King, "Dlib-ml", JMLR 2009, and dlib's `dnn_face_recognition_ex`: a ResNet turns a face into 128 numbers, and
faces nearer than 0.6 are taken for one person. The weights come with the package face_recognition_models,
under CC0; none of its code is run.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from srez.errors import ModelError
from srez.evaluation.perceptual import Distance
from srez.models.card import sha256

_PACKAGE, _FILE = "face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"
_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_SIDE = 150  # pixels of what the network takes


def distance() -> Distance | None:
    """The distance, or None where the extra `srez[identity]` is not installed.

    It takes two batches of `(N, 64, 64, 3)` RGB uint8, aligned faces, and returns N numbers: the Euclidean
    distance between the descriptors of the whole pictures, enlarged by bicubic; 0 for equal pictures.

    Raises:
        ModelError: the installed weights are not the published ones.
    """
    package = find_spec(_PACKAGE)
    if not (find_spec("dlib") and package and package.submodule_search_locations):
        return None
    path = Path(package.submodule_search_locations[0]) / _FILE  # importing it would need setuptools
    if sha256(path) != _SHA256:
        raise ModelError(f"{path} is not dlib's face recognition (sha256 differs): install it again")
    dlib: Any = import_module("dlib")  # an extra that type checkers need not have
    network = dlib.face_recognition_model_v1(str(path))

    @cache  # the truths are compared with every method's output
    def descriptor(shape: tuple[int, ...], pixels: bytes) -> np.ndarray:
        face = Image.fromarray(np.frombuffer(pixels, np.uint8).reshape(shape))
        enlarged = np.asarray(face.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
        return np.array(network.compute_face_descriptor(enlarged))

    def distance(ours: np.ndarray, truths: np.ndarray) -> list[float]:
        pairs = zip(ours, truths, strict=True)
        return [
            float(np.linalg.norm(descriptor(a.shape, a.tobytes()) - descriptor(b.shape, b.tobytes())))
            for a, b in pairs
        ]

    return distance
