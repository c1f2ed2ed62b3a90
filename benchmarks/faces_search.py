"""Trunks of the faces generator against each other: each trained for the same time on the same faces.

    python benchmarks/faces_search.py --data img_align_celeba.zip --data lfw_aligned.zip \
        --partition list_eval_partition.txt --minutes 20 --set precision=bfloat16

All end in the details of 4x4 blocks, so that all are consistent with their input; all but the last have about
0.8 M weights and 0.2 G multiply-adds a face. Figures are of the validation faces.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import keras
import typer
from keras import layers, ops

import mistakes
import search
from srez.train import data, recipes
from srez.train.networks import faces

Tensor = keras.KerasTensor
TIMED = (16, 16, 16)


def two_sizes(channels: int = 64, blocks: int = 7, large: int = 32, large_blocks: int = 2) -> keras.Model:
    """Most blocks at 16x16, the last at 32x32, whose features are then laid side by side again."""

    def trunk(inputs: Tensor, random: Tensor | None) -> Tensor:
        del random
        first = x = _conv(inputs, channels)
        for _ in range(blocks):
            x = faces.residual_block(x, channels)
        x = layers.LeakyReLU(0.2)(layers.Add()([x, first]))
        x = ops.depth_to_space(_conv(x, 4 * large), 2)
        for _ in range(large_blocks):
            x = faces.residual_block(x, large)
        features: Any = ops.space_to_depth(layers.LeakyReLU(0.2)(x), 2)
        return features

    return faces.around(trunk)


def modulated(channels: int = 64, blocks: int = 14, size: int = 9) -> keras.Model:
    """Features multiplied by a large depthwise convolution of themselves (Guo et al., arXiv 2202.09741)."""

    def block(x: Tensor) -> Tensor:
        y = layers.LeakyReLU(0.2)(_conv(x, channels))
        gate = layers.DepthwiseConv2D(size, padding="same", use_bias=False)(y)
        y = layers.Multiply()([y, _conv(gate, channels, 1)])
        small = keras.initializers.RandomNormal(stddev=0.01)
        return layers.Add()([x, layers.Conv2D(channels, 1, kernel_initializer=small)(y)])

    def trunk(inputs: Tensor, random: Tensor | None) -> Tensor:
        del random
        first = x = _conv(inputs, channels)
        for _ in range(blocks):
            x = block(x)
        return layers.LeakyReLU(0.2)(layers.Add()([_conv(x, channels), first]))

    return faces.around(trunk)


def _conv(x: Tensor, channels: int, size: int = 3) -> Tensor:
    return layers.Conv2D(channels, size, padding="same", kernel_initializer="he_normal")(x)


TRUNKS: dict[str, Callable[[], keras.Model]] = {
    "plain": partial(faces.generator, 64, 10),
    "two_sizes": two_sizes,
    "modulated": modulated,
    "small": partial(faces.generator, 48, 5),  # a third of the arithmetic
}


def main(
    sources: Annotated[list[str], typer.Option("--data")],
    partition: Annotated[Path, typer.Option(exists=True)],
    minutes: Annotated[float, typer.Option()] = 20,
    out: Annotated[Path, typer.Option(help="A folder, for the runs.")] = Path("runs/faces_search"),
    only: Annotated[list[str] | None, typer.Option(help="These trunks; may be repeated.")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="Keys of the recipe.")] = None,
) -> None:
    chosen = {name: make for name, make in TRUNKS.items() if name in (only or TRUNKS)}
    pictures = data.load(recipes.load("faces").data, sources, partition)
    search.compare("faces", chosen, pictures, minutes, TIMED, out, changes or [])


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
