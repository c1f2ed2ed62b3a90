"""Running a network on any kind of pixels, and making exact what needs no guess."""

import numpy as np

from srez.images import from_float, hidden, masks, resample, to_float
from srez.models.card import Card
from srez.models.fitting import Run
from srez.upscaling import clipping, exact


def run_tile(network: Run, card: Card, tile: np.ndarray, alpha_network: Run | None = None) -> np.ndarray:
    """Upscale a tile of any kind, with its alpha if it has one.

    Args:
        network: as for `run`.
        card: of it.
        tile: `(h, w, C)`: gray, RGB, or either with straight alpha; integers, or floats from 0 to 1.
        alpha_network: for alpha; by default the same.

    Returns:
        `(scale h, scale w, C)` of the same dtype.
    """
    values = to_float(tile).astype(np.float32, copy=False)
    if tile.shape[2] in (1, 3):
        return from_float(_run_colours(network, card, values), tile.dtype)
    colours, alpha = values[..., :-1], values[..., -1:]
    if card.keeps_flat:
        larger_alpha = _run_colours(
            alpha_network or network, card, alpha
        )  # as gray: edges are as sharp as the inside
    else:  # what is opaque must stay so
        larger_alpha = resample.bicubic(alpha[None], card.scale)[0]
    larger = _run_colours(network, card, hidden.fill_hidden(colours, alpha))
    return from_float(np.concatenate([larger, larger_alpha], axis=2), tile.dtype)


def run(network: Run, card: Card, images: np.ndarray) -> np.ndarray:
    """Upscale images; what needs no guess is made exact, if the model is one that keeps flat areas.

    Args:
        network: takes `(N, H, W, C)` float32 in [0, 1].
        card: of it.
        images: likewise.

    Returns:
        `(N, scale H, scale W, C)` float32.
    """
    if not card.keeps_flat:
        return network(images)
    flat = masks.flat(images, card.receptive_radius)
    if flat.all():
        return resample.nearest(images, card.scale)
    output = clipping.clip(network(images), card.scale)
    exact.make(output, images, flat, card)
    return output


def _run_colours(network: Run, card: Card, values: np.ndarray) -> np.ndarray:
    """`(h, w, 3)` RGB or `(h, w, 1)` gray, float32."""
    if values.shape[2] == 3 or card.form.channels == 1:
        return run(network, card, values[None])[0]
    larger = run(network, card, np.repeat(values[None], 3, axis=3))[0]
    return larger[..., :1] if card.keeps_flat else larger.mean(axis=2, keepdims=True)
