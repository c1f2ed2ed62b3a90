import numpy as np
import pytest
import tensorflow as tf

from srez import resample
from srez.train import losses


def test_block_means_are_those_of_resample(random: np.random.Generator) -> None:
    high = random.random((2, 8, 12, 3), np.float32)
    np.testing.assert_allclose(losses.block_means(high), resample.area(high, 4), atol=1e-6)
    assert float(losses.consistency(high, resample.area(high, 4) + np.float32(0.1))) == pytest.approx(
        0.1, abs=1e-6
    )


def test_cross_entropies() -> None:
    logits = tf.constant([[2.0], [-1.0]])
    real, fake = np.log(1 + np.exp(-logits)), np.log(1 + np.exp(logits))
    assert float(losses.adversarial(logits)) == pytest.approx(real.mean())
    assert float(losses.discrimination(logits, logits)) == pytest.approx(real.mean() + fake.mean())
