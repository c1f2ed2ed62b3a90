"""One network a file; here they are chosen by their settings and described."""

import math
from dataclasses import dataclass

import keras

from srez.train.networks import discriminators, faces, photo, srez, srresnet
from srez.train.recipe import (
    Discriminator,
    FacesGenerator,
    Generator,
    PatchesDiscriminator,
    PhotoGenerator,
    SrezDiscriminator,
    SrezGenerator,
    SrganDiscriminator,
    SrresnetGenerator,
    UnetDiscriminator,
)


def build_generator(settings: Generator) -> keras.Model:
    """The generator a recipe asks for: `(N, H, W, 3)` in [0, 1] to `(N, 4H, 4W, 3)`.

    One of samples takes `(N, H, W, 3 + planes)`, with random numbers behind the picture.
    """
    match settings:
        case SrezGenerator():
            return srez.generator(settings.units, settings.tail)
        case FacesGenerator():
            return faces.generator(settings.channels, settings.blocks, settings.planes)
        case SrresnetGenerator():
            return srresnet.generator(settings.channels, settings.blocks)
        case PhotoGenerator():
            return photo.generator(settings.channels, settings.blocks, settings.repair)


def build_discriminator(settings: Discriminator, size: int) -> keras.Model:
    """The discriminator a recipe asks for; see `discriminators`.

    Args:
        settings: which.
        size: height and width of the pictures, in pixels.
    """
    match settings:
        case SrezDiscriminator():
            return discriminators.srez(settings.units)
        case SrganDiscriminator():
            return discriminators.srgan(size, settings.units, settings.dense)
        case PatchesDiscriminator():
            return discriminators.patches(settings.units)
        case UnetDiscriminator():
            return discriminators.unet(settings.units)
        case _:
            return discriminators.critic(size, settings.units, settings.conditional)


LAYERS_AT_ONCE = 3  # whose inputs and outputs are in memory: estimates memory within a factor of 1.5


@dataclass(frozen=True)
class Description:
    """What a generator costs and sees.

    Attributes:
        parameters: all weights that the exported file holds.
        multiply_adds: per input pixel, of the convolutions.
        receptive_radius: how far, in input pixels, an output pixel can see (an upper bound).
        minimum_size: the least height and width of the input, in pixels.
        memory: bytes that a run takes for each input pixel, estimated.
    """

    parameters: int
    multiply_adds: int
    receptive_radius: int
    minimum_size: int
    memory: int


def describe(generator: keras.Model) -> Description:
    """Count a generator's parameters and arithmetic by walking its layers in order."""
    scale, multiply_adds, radius, minimum_size, values = 1, 0, 0.0, 1, 0
    for operation in generator.operations:
        if isinstance(operation, keras.layers.Conv2D):
            multiply_adds += math.prod(operation.kernel.shape) * scale**2
            radius += (operation.kernel_size[0] // 2) / scale
            values = max(values, sum(tuple(operation.kernel.shape)[2:]) * scale**2)
        elif isinstance(operation, keras.layers.AveragePooling2D):  # of stride 1
            radius += (operation.pool_size[0] // 2) / scale
        elif isinstance(operation, keras.layers.UpSampling2D):
            scale *= operation.size[0]
        elif type(operation).__name__ == "DepthToSpace":
            scale *= operation.block_size
        elif type(operation).__name__ == "Pad":  # by reflection, which needs a pixel more than it adds
            minimum_size = max(minimum_size, 1 + max(map(max, operation.pad_width)))
    memory = 4 * LAYERS_AT_ONCE * values  # float32
    return Description(generator.count_params(), multiply_adds, math.ceil(radius), minimum_size, memory)
