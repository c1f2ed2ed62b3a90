"""Trunks of the photo generator against each other: each trained for the same time on the same crops.

    python benchmarks/photo_search.py --data general_train.zip --data photos_train.zip --minutes 4

Every trunk has at most 0.6 M weights, each used once an input pixel. Figures are of the validation crops that
`srez train photo` holds out.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import keras
import typer
from keras import layers

import search
from srez.train import data, recipe
from srez.train.networks import photo

Tensor = keras.KerasTensor
SIDE = 128  # pixels of the picture that a run is timed on


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
    "plain, 48 channels, 12 blocks": partial(photo.generator, 48, 12),
    "plain, 64 channels, 6 blocks": partial(photo.generator, 64, 6),
    "distillation, 48 channels, 6 blocks": distilled,
    "large kernels (9x9), 48 channels, 17 blocks": large_kernels,
}


def main(
    sources: Annotated[list[str], typer.Option("--data")],
    minutes: Annotated[float, typer.Option()] = 4,
    out: Annotated[Path, typer.Option(help="A folder, for the runs.")] = Path("runs/photo_search"),
    changes: Annotated[list[str] | None, typer.Option("--set", help="Keys of the recipe.")] = None,
) -> None:
    pictures = data.load(recipe.load("photo").data, sources)
    search.compare("photo", TRUNKS, pictures, minutes, (1, SIDE, SIDE), out, changes or [])


if __name__ == "__main__":
    typer.run(main)
