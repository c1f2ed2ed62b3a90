"""Random numbers that depend on a seed alone, not on which thread asks first."""

import numpy as np
from numba import njit


@njit(cache=True, inline="always")
def following(state: np.unsignedinteger) -> np.unsignedinteger:
    """The next state of a generator: a hash of 32 bits (Wellons' "lowbias32") of the one before."""
    mixed = np.uint32(state + np.uint32(0x9E3779B9))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x7FEB352D))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(mixed ^ (mixed >> np.uint32(16)))


@njit(cache=True, inline="always")
def between(state: np.unsignedinteger, most: np.floating) -> np.floating:
    """A number from `-most` to `most` for a state."""
    return most * (np.float32(state >> np.uint32(8)) * np.float32(2.0**-23) - np.float32(1))
