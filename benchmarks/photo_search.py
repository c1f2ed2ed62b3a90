"""Trunks of the photo generator against each other: each trained for the same time on the same crops.

    python benchmarks/photo_search.py --data general_train.zip --data photos_train.zip --minutes 6

Every trunk has at most 0.6 M weights, each used once an input pixel. The speed of a training step is measured
first, and the number of steps follows from it, so that other work on the machine does not decide. Figures are
of the validation crops that `srez train photo` holds out.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import tensorflow as tf
from keras import layers
from rich.progress import track

from machine import in_turn, report, seconds
from srez import images
from srez.evaluation import metrics
from srez.train import data, export, losses, recipe, schedules
from srez.train.networks import photo

Tensor = keras.KerasTensor
SIDE = 128  # pixels of the picture that a run is timed on


def plain(channels: int, blocks: int) -> keras.Model:
    """Residual blocks of two 3x3 convolutions: what `photo` is."""
    return photo.generator(channels, blocks)


def distilled(channels: int = 48, blocks: int = 6) -> keras.Model:
    """Residual feature distillation (Liu et al., arXiv 2009.11551, figure 2), without its attention.

    In each block, half of the channels are set aside three times and joined at the end. The attention looks
    further than the margin of a tile and is left out.
    """

    def block(x: Tensor) -> Tensor:
        kept, y = [], x
        for _ in range(3):
            kept.append(layers.LeakyReLU(0.05)(_conv(y, channels // 2, 1)))
            y = layers.LeakyReLU(0.05)(layers.Add()([_conv(y, channels), y]))
        kept.append(layers.LeakyReLU(0.05)(_conv(y, channels // 2)))
        return layers.Add()([_small(layers.Concatenate()(kept), channels), x])

    def trunk(x: Tensor) -> Tensor:
        first = x = _conv(x, channels)
        outputs = []
        for _ in range(blocks):
            x = block(x)
            outputs.append(x)
        x = layers.LeakyReLU(0.05)(_conv(layers.Concatenate()(outputs), channels, 1))
        return layers.Add()([_conv(x, channels), first])

    return photo.around(trunk)


def large_kernels(channels: int = 48, blocks: int = 17, size: int = 9) -> keras.Model:
    """A 3x3 convolution, whose output is multiplied by a large depthwise convolution of itself, and a 1x1.

    The gate stands for attention, as in the visual attention network (Guo et al., arXiv 2202.09741, eq. 1).
    """

    def block(x: Tensor) -> Tensor:
        y = layers.LeakyReLU(0.2)(_conv(x, channels))
        gate = layers.DepthwiseConv2D(size, padding="same", use_bias=False)(y)
        y = layers.Multiply()([y, _conv(gate, channels, 1)])
        return layers.Add()([x, _small(y, channels)])

    def trunk(x: Tensor) -> Tensor:
        first = x = _conv(x, channels)
        for _ in range(blocks):
            x = block(x)
        return layers.Add()([_conv(x, channels), first])

    return photo.around(trunk)


def _small(x: Tensor, channels: int) -> Tensor:
    """The last convolution of a block, which makes it begin as nearly nothing."""
    return photo.conv(x, channels, keras.initializers.RandomNormal(stddev=0.01), 1)


def _conv(x: Tensor, channels: int, size: int = 3) -> Tensor:
    return photo.conv(x, channels, "he_normal", size)


TRUNKS: dict[str, Callable[[], keras.Model]] = {
    "plain, 48 channels, 12 blocks": partial(plain, 48, 12),
    "plain, 64 channels, 6 blocks": partial(plain, 64, 6),
    "distillation, 48 channels, 6 blocks": distilled,
    "large kernels (9x9), 48 channels, 17 blocks": large_kernels,
}


def make_step(
    generator: keras.Model, average: keras.Model, settings: recipe.Optimizer
) -> Callable[..., None]:
    """A training step: L1, Adam, and the average that follows."""
    optimizer = keras.optimizers.Adam(settings.learning_rate)
    optimizer.build(generator.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(low: tf.Tensor, high: tf.Tensor, share: tf.Tensor, keep: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = losses.l1(generator(low, training=True), high)
        optimizer.learning_rate.assign(share * settings.learning_rate)
        optimizer.apply(tape.gradient(loss, generator.trainable_variables))
        for mean, variable in zip(average.variables, generator.variables, strict=True):
            mean.assign(keep * mean + (1 - keep) * variable)

    return step


def step_seconds(make: Callable[[], keras.Model], chosen: recipe.Recipe, pictures: data.Data) -> float:
    step = make_step(make(), make(), chosen.optimizer)
    _, low, high = next(iter(data.batches(pictures, chosen.batch, 1, 0, chosen.batch)))
    step(low, high, tf.constant(0.0), tf.constant(1.0))
    return seconds(lambda: step(low, high, tf.constant(0.0), tf.constant(1.0)), at_least=5)


def trained(
    make: Callable[[], keras.Model], steps: int, chosen: recipe.Recipe, pictures: data.Data, name: str
) -> keras.Model:
    keras.utils.set_random_seed(chosen.seed)
    generator, average = make(), make()
    average.set_weights(generator.get_weights())
    step = make_step(generator, average, chosen.optimizer)
    batches = data.batches(pictures, chosen.batch, chosen.seed, 0, steps * chosen.batch)
    for done, (noisy, _, high) in track(enumerate(batches), name, steps):
        share = schedules.share(chosen.optimizer, done, steps)
        keep = min(chosen.optimizer.ema, (2 + done) / (11 + done))
        step(noisy, high, tf.constant(share, tf.float32), tf.constant(keep, tf.float32))
    return average


def figures(generator: keras.Model, pictures: data.Data) -> metrics.Figures:
    raw = np.asarray(generator(pictures.validation_low, training=False))
    each = zip(images.to_uint8(raw), pictures.validation, pictures.validation_low, strict=True)
    return metrics.mean([metrics.figures(*one, pictures.protocol) for one in each])


def runner(generator: keras.Model, file: Path) -> Callable[[], float]:
    """What gives the seconds of one run of the exported network, by ONNX Runtime."""
    about = {"name": file.stem, "description": "", "licence": "", "limits": "", "training": {}, "figures": []}
    export.export(generator, file, about)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    low = np.random.default_rng(0).random((1, SIDE, SIDE, 3), np.float32)
    name = session.get_inputs()[0].name
    return lambda: seconds(lambda: session.run(None, {name: low}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--trunks", default="", help="only those whose names contain this")
    parser.add_argument("--out", type=Path, default=Path("runs/photo_search"))
    arguments = parser.parse_args()
    chosen = recipe.load("photo")
    pictures = data.load(chosen.data, arguments.data)
    trunks = {name: make for name, make in TRUNKS.items() if arguments.trunks in name}
    speeds = in_turn({n: lambda m=m: step_seconds(m, chosen, pictures) for n, m in trunks.items()}, rounds=2)
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows, runners = [], {}
    for number, (name, make) in enumerate(trunks.items()):
        steps = round(60 * arguments.minutes / speeds[name])
        generator = trained(make, steps, chosen, pictures, name)
        figure = figures(generator, pictures)
        rows.append([name, generator.count_params() / 1e6, steps, figure["psnr"], figure["ssim"]])
        runners[name] = runner(generator, arguments.out / f"{number}.onnx")
    times = in_turn(runners)
    rows = [[*row, 1000 * times[row[0]]] for row in rows]
    columns = ["trunk", "M weights", "steps", "PSNR", "SSIM", f"ms at {SIDE}x{SIDE}"]
    report("photo: trunks", columns, rows, Path("runs/benchmarks/photo_search.json"))


if __name__ == "__main__":
    main()
