"""SelfExSR: larger pictures from the picture itself, without training.

Huang, Singh and Ahuja, "Single Image Super-Resolution from Transformed Self-Exemplars", CVPR 2015. What is
small becomes large in steps. In each, every patch finds one that looks like it in the input or a smaller copy
of it, moved, turned, stretched or seen in perspective, and takes its detail from there.

All of it but this file needs the package Numba, and is compiled when it is first used.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from srez.errors import ModelError


def require_packages() -> None:
    """Refuse to begin without what the method needs.

    Raises:
        ModelError: it says what to install.
    """
    if not find_spec("numba"):
        raise ModelError("model selfexsr needs the package numba: pip install 'srez[selfexsr]'")


def run(images: np.ndarray, watch: Callable[[float], None]) -> np.ndarray:
    """Upscale pictures as a network would.

    Args:
        images: `(N, H, W, 3)` float32 in [0, 1].
        watch: called with the share of the work that is done, up to 1; what it raises ends the work.

    Returns:
        `(N, 4 H, 4 W, 3)` float32, which may overshoot [0, 1].
    """
    # Threads of GNU's OpenMP wait busily, which on a busy machine takes the cores from those they wait for.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from srez.models.selfexsr import method  # only now: importing Numba takes seconds

    count = len(images) * method.PASSES
    passes = iter(range(1, count + 1))
    return np.stack([method.upscale(image, lambda: watch(next(passes) / count)) for image in images])
