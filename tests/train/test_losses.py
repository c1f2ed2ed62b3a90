import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import structural_similarity

from srez.images import resample
from srez.images.luma import LUMA
from srez.train import losses


def test_block_means_are_those_of_resample(random: np.random.Generator) -> None:
    high = random.random((2, 8, 12, 3), np.float32)
    np.testing.assert_allclose(losses.block_means(high), resample.area(high, 4), atol=1e-6)
    assert float(losses.consistency(high, resample.area(high, 4) + np.float32(0.1))) == pytest.approx(
        0.1, abs=1e-6
    )


def test_ssim_is_that_of_the_luma(random: np.random.Generator) -> None:
    truth = random.random((2, 30, 40, 3), np.float32)
    output = truth + random.normal(0, 0.1, truth.shape).astype(np.float32)
    expected = [
        structural_similarity(
            a @ np.array(LUMA),
            b @ np.array(LUMA),
            gaussian_weights=True,
            use_sample_covariance=False,
            data_range=1,
            full=True,
        )[1][5:-5, 5:-5].mean()
        for a, b in zip(output, truth, strict=True)
    ]
    assert float(losses.ssim(output, truth)) == pytest.approx(1 - np.mean(expected), abs=1e-5)
    assert float(losses.ssim(truth, truth)) == pytest.approx(0, abs=1e-6)


def test_a_grid_is_what_repeats_from_input_pixel_to_input_pixel(random: np.random.Generator) -> None:
    truth = random.random((2, 40, 48, 3), np.float32)
    pattern = np.tile(random.normal(0, 0.1, (4, 4, 3)).astype(np.float32), (10, 12, 1))
    assert float(losses.grid(truth, truth)) == 0
    assert float(losses.grid(truth + pattern, truth)) == pytest.approx(np.abs(pattern).mean(), rel=0.01)
    noise = random.choice([-1, 1], truth.shape).astype(np.float32) * np.abs(pattern)
    assert float(losses.grid(truth + noise, truth)) < np.abs(pattern).mean() / 3


LOGITS = np.array([[2.0], [-1.0]], np.float32)
OTHERS = np.array([[0.5], [-3.0]], np.float32)


@pytest.mark.parametrize(
    ("variant", "generator", "discriminator"),
    [
        ("non-saturating", np.log1p(np.exp(-OTHERS)), np.log1p(np.exp(-LOGITS)) + np.log1p(np.exp(OTHERS))),
        ("least-squares", (OTHERS - 1) ** 2, (LOGITS - 1) ** 2 + OTHERS**2),
        ("hinge", -OTHERS, np.maximum(0, 1 - LOGITS) + np.maximum(0, 1 + OTHERS)),
        ("relativistic", np.log1p(np.exp(LOGITS - OTHERS)), np.log1p(np.exp(OTHERS - LOGITS))),
        ("wasserstein", -OTHERS, OTHERS - LOGITS),
    ],
)
def test_adversarial_variants(variant: str, generator: np.ndarray, discriminator: np.ndarray) -> None:
    ours, theirs = losses.ADVERSARIAL[variant]
    real, fake = tf.constant(LOGITS), tf.constant(OTHERS)
    assert float(ours(real, fake)) == pytest.approx(generator.mean(), rel=1e-5)
    assert float(theirs(real, fake)) == pytest.approx(discriminator.mean(), rel=1e-5)


@pytest.mark.parametrize("variant", losses.ADVERSARIAL)
def test_only_logits_are_logged_as_probabilities(variant: str) -> None:
    expected = 1 / (1 + np.exp(-OTHERS)) if variant == "non-saturating" else OTHERS
    assert float(losses.mean_score(variant, tf.constant(OTHERS))) == pytest.approx(expected.mean(), rel=1e-5)


def slope(images: tf.Tensor) -> tf.Tensor:
    """A critic whose gradient has norm 3 * sqrt(12) at every picture of 2x2x3."""
    return 3 * tf.reduce_sum(images, axis=(1, 2, 3))[:, None]


def test_penalties_of_a_known_critic(random: np.random.Generator) -> None:
    real, fake = (tf.constant(random.random((4, 2, 2, 3), np.float32)) for _ in range(2))
    shares = tf.constant(random.random((4, 1, 1, 1), np.float32))
    norm = 3 * np.sqrt(12)
    assert float(losses.r1(slope, real)) == pytest.approx(norm**2 / 2, rel=1e-5)
    assert float(losses.gradient_penalty(slope, real, fake, shares)) == pytest.approx(
        (norm - 1) ** 2, rel=1e-5
    )


def test_a_gradient_penalty_of_a_flat_critic_has_a_gradient(random: np.random.Generator) -> None:
    weight = tf.Variable(0.0)
    images = tf.constant(random.random((4, 2, 2, 3), np.float32))
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(
            lambda x: weight * tf.reduce_sum(x, axis=(1, 2, 3))[:, None],
            images,
            images,
            tf.ones((4, 1, 1, 1)),
        )
    assert np.isfinite(tape.gradient(penalty, weight))
