"""Loss terms: functions of network outputs, each a scalar mean over the batch. Images are in [0, 1]."""

import tensorflow as tf


def block_means(images: tf.Tensor, scale: int = 4) -> tf.Tensor:
    """`(N, H, W, C)` to the mean of each block, `(N, H / scale, W / scale, C)`; as `resample.area`."""
    return tf.nn.avg_pool2d(images, scale, scale, "VALID")


def l1(output: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference between output and truth."""
    return tf.reduce_mean(tf.abs(output - truth))


def consistency(output: tf.Tensor, low: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference between the output's block means and the clean input: srez's L1 term."""
    return l1(block_means(output), low)


def adversarial(fake: tf.Tensor) -> tf.Tensor:
    """The generator's side: cross-entropy of the fake logits towards "real"."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def discrimination(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """The discriminator's side: cross-entropy of real logits towards "real" and fake towards "fake"."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
