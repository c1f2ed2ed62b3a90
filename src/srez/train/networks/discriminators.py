"""Discriminators and critics: `(picture, input)` to logits, above 0 for "real".

All take the picture, `(N, 4H, 4W, 3)`, and the generator's clean input, `(N, H, W, 3)`, both in [0, 1]; only
conditional ones look at the second. Their second output is the list of their features, for feature matching.
"""

import keras
from keras import layers

from srez.train.networks.spectral import spectral_conv
from srez.train.networks.srez import conv

SCALE = 4


def srez(units: tuple[int, ...] = (64, 128, 256, 512)) -> keras.Model:
    """srez's discriminator: strided convolutions, then 3x3 and 1x1 ones, and the mean over space.

    Args:
        units: channels of the convolutions of stride 2; the last also of the two that follow.

    Returns:
        Logits `(N, 1)`, and features.
    """
    picture, low = _inputs(None)
    x = layers.Rescaling(2.0, -1.0)(picture)
    features = []
    for channels, size, stride in [*((n, 3, 2) for n in units), (units[-1], 3, 1), (units[-1], 1, 1)]:
        x = conv(x, channels, size, gain=2, stride=stride)
        x = layers.ReLU()(layers.BatchNormalization(scale=False)(x))
        features.append(x)
    logits = layers.GlobalAveragePooling2D()(conv(x, 1, 1, gain=2))
    return keras.Model([picture, low], [logits, features], name="srez_discriminator")


def srgan(size: int = 96, units: tuple[int, ...] = (64, 128, 256, 512), dense: int = 1024) -> keras.Model:
    """SRGAN's discriminator (Ledig et al., arXiv 1609.04802, figure 4), for pictures of one size.

    Args:
        size: height and width of the pictures, in pixels.
        units: channels; each has a convolution of stride 1 and one of stride 2.
        dense: units of the hidden layer behind the convolutions.

    Returns:
        Logits `(N, 1)`, and features.
    """
    picture, low = _inputs(size)
    x = layers.Rescaling(2.0, -1.0)(picture)
    features = []
    for channels in units:
        for stride in (1, 2):
            x = layers.Conv2D(channels, 3, stride, padding="same")(x)
            if features:  # the first layer has no batch norm
                x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.LeakyReLU(0.2)(x)
            features.append(x)
    x = layers.LeakyReLU(0.2)(layers.Dense(dense)(layers.Flatten()(x)))
    return keras.Model([picture, low], [layers.Dense(1)(x), features], name="srgan_discriminator")


def critic(
    size: int = 64, units: tuple[int, ...] = (64, 128, 256, 512), conditional: bool = False
) -> keras.Model:
    """Strided 4x4 convolutions and a dense layer, without normalisation, for pictures of one size.

    Without batch norm each logit depends on its own picture alone, as a gradient penalty needs it
    (Gulrajani et al., arXiv 1704.00028, section 4).

    Args:
        size: height and width of the pictures, in pixels.
        units: channels of the convolutions, each of stride 2.
        conditional: whether the enlarged input is looked at beside the picture.

    Returns:
        Logits `(N, 1)`, and features.
    """
    picture, low = _inputs(size)
    x = picture
    if conditional:
        x = layers.Concatenate()([x, layers.UpSampling2D(SCALE, interpolation="nearest")(low)])
    x = layers.Rescaling(2.0, -1.0)(x)
    features = []
    for channels in units:
        x = layers.Conv2D(channels, 4, 2, padding="same", kernel_initializer="he_normal")(x)
        x = layers.LeakyReLU(0.2)(x)
        features.append(x)
    return keras.Model([picture, low], [layers.Dense(1)(layers.Flatten()(x)), features], name="critic")


def patches(units: tuple[int, ...] = (32, 64, 128)) -> keras.Model:
    """A logit for every patch of a picture, fully convolutional, with spectral normalisation.

    It sees neither the input beside the picture nor where the input's pixels begin, so it cannot teach the
    generator a grid. Patches: Isola et al., arXiv 1611.07004, section 2.2.2.

    Args:
        units: channels; the first convolution has stride 1, the others stride 2.

    Returns:
        Logits `(N, h, w, 1)`, and features.
    """
    picture, low = _inputs(None)
    x = layers.Rescaling(2.0, -1.0)(picture)
    features = []
    for channels, size, stride in [(units[0], 3, 1), *((n, 4, 2) for n in units[1:]), (units[-1], 3, 1)]:
        x = layers.LeakyReLU(0.2)(spectral_conv(x, channels, size, stride))
        features.append(x)
    return keras.Model([picture, low], [spectral_conv(x, 1, 3), features], name="patches")


def unet(units: tuple[int, ...] = (32, 64, 128)) -> keras.Model:
    """A logit for every pixel, from what is near it and far, with spectral normalisation.

    Down by strided convolutions and up again, with what was there on the way down added: Real-ESRGAN's (Wang
    et al., arXiv 2107.10833, section 3.3), enlarged by repetition, whose gradient has a gradient everywhere.
    Like `patches`, it sees neither the input nor where the input's pixels begin.

    Args:
        units: channels; each but the first halves the size, which must be possible.

    Returns:
        Logits `(N, H, W, 1)`, and features.
    """
    picture, low = _inputs(None)
    x = layers.Rescaling(2.0, -1.0)(picture)
    features = []
    for channels, size, stride in [(units[0], 3, 1), *((n, 4, 2) for n in units[1:])]:
        x = layers.LeakyReLU(0.2)(spectral_conv(x, channels, size, stride))
        features.append(x)
    for there in reversed(features[:-1]):
        x = layers.UpSampling2D(2, interpolation="nearest")(x)
        x = layers.LeakyReLU(0.2)(spectral_conv(x, there.shape[-1], 3))
        x = layers.Add()([x, there])
        features.append(x)
    return keras.Model([picture, low], [spectral_conv(x, 1, 3), features], name="unet")


def _inputs(size: int | None) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    low = size and size // SCALE
    return keras.Input((size, size, 3)), keras.Input((low, low, 3))
