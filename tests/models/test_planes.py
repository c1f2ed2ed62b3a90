"""The random numbers of samples: the same on every machine."""

import hashlib

import numpy as np
import pytest

from srez.models import planes


def test_they_follow_from_seed_and_number_alone() -> None:
    first = planes.drawn(1, 0, (5, 4, 8))
    assert np.array_equal(first, planes.drawn(1, 0, (5, 4, 8)))
    assert not np.array_equal(first, planes.drawn(1, 1, (5, 4, 8)))
    assert not np.array_equal(first, planes.drawn(2, 0, (5, 4, 8)))
    # Philox and float32 arithmetic that is exact: equal on every machine and with every NumPy.
    digest = hashlib.sha256(planes.drawn(2**63 - 1, 3, (16, 16, 8)).astype("<f4").tobytes()).hexdigest()
    assert digest == "6a955dc4ba561854569a66c2a01be642e22e95665d36f9eb93623d1fdf231a8d"


def test_they_are_uniform_with_mean_0_and_variance_1() -> None:
    numbers = planes.drawn(0, 0, (200_000,))
    assert numbers.dtype == np.float32
    assert numbers.mean() == pytest.approx(0, abs=0.01)
    assert numbers.var() == pytest.approx(1, abs=0.01)
    assert np.abs(numbers).max() <= 3**0.5 + 1e-6
