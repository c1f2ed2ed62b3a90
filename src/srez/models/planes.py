"""Random numbers that a model of samples takes beside the picture."""

import numpy as np

_SPREAD = np.float32(12**0.5)  # of uniform numbers of variance 1
_BITS = 24  # of a float32's numbers in [0, 1)


def planes(uniform: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) to uniform ones of mean 0 and variance 1, float32."""
    return (uniform - np.float32(0.5)) * _SPREAD


def drawn(seed: int, sample: int, shape: tuple[int, ...]) -> np.ndarray:
    """The planes of a sample, which depend on nothing but the arguments, on any machine.

    They are made of the bits of Philox, a generator whose stream NumPy keeps as it is.

    Args:
        seed: at least 0, below 2**64.
        sample: its number.
        shape: of the planes.

    Returns:
        Uniform numbers of mean 0 and variance 1, float32.
    """
    bits = np.random.Philox(key=np.array([seed, sample], np.uint64)).random_raw(int(np.prod(shape)))
    uniform = (bits >> np.uint64(64 - _BITS)).astype(np.float32) * np.float32(2.0**-_BITS)
    return planes(uniform).reshape(shape)
