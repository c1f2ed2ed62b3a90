"""Bringing images into the form that a graph takes, and its output back."""

from collections.abc import Callable

import numpy as np

from srez.errors import ModelError
from srez.models.card import Card, Form

Run = Callable[[np.ndarray], np.ndarray]


def fitted(run: Run, card: Card, side: int | None = None) -> Run:
    """A graph that takes images of any size and form.

    They are `(N, H, W, C)` float32 in [0, 1]: RGB, or gray for a graph of one channel, which gets the
    channels of RGB one by one. Those of a size that it does not take are extended at the right and the
    bottom, and the results cut.

    Args:
        run: the graph, with images in its own form.
        card: of the graph.
        side: height and width that all inputs must have, because of the device; None for any.

    Raises:
        ModelError: when the function is called: the graph does not give images of the right shape.
    """

    def run_any(images: np.ndarray) -> np.ndarray:
        height, width = images.shape[1:3]
        padded = _padded(images, card, side)
        batch = in_form(padded, card.form)
        alone = card.form.one_by_one or side is not None
        output = np.concatenate([run(image[None]) for image in batch]) if alone else run(batch)
        larger = _from_form(output, padded.shape, card)
        inside = larger[:, : height * card.scale, : width * card.scale]
        return inside if inside.shape == larger.shape else np.ascontiguousarray(inside)

    return run_any


def _padded(images: np.ndarray, card: Card, side: int | None) -> np.ndarray:
    """Images of a size that the graph takes."""
    if card.form.side or side:
        sides = card.form.side or (side, side)
    else:
        multiple = card.form.multiple
        sides = [-(-max(length, card.minimum_size) // multiple) * multiple for length in images.shape[1:3]]
    down, right = (wanted - length for wanted, length in zip(sides, images.shape[1:3], strict=True))
    if not down and not right:
        return images
    return np.pad(images, ((0, 0), (0, down), (0, right), (0, 0)), mode="edge")


def in_form(images: np.ndarray, form: Form) -> np.ndarray:
    """Images, `(N, H, W, C)` float32 in [0, 1], as a graph takes them."""
    if form.channels == 1:
        images = images.transpose(0, 3, 1, 2).reshape(-1, *images.shape[1:3], 1)
    elif form.channels == 4:
        images = np.concatenate([images, np.ones_like(images[..., :1])], axis=3)
    black, white = form.takes
    if (black, white) != (0, 1):
        images = images * np.float32(white - black) + np.float32(black)
    if form.layout == "NCHW":
        images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return np.rint(images).astype(np.uint8) if form.type == "uint8" else images.astype(form.type, copy=False)


def _from_form(output: np.ndarray, shape: tuple[int, ...], card: Card) -> np.ndarray:
    """A graph's output as `(N, scale H, scale W, C)` float32 in [0, 1].

    Args:
        output: of the graph.
        shape: of the images, as they were before they were brought into its form.
        card: of the graph.
    """
    count, height, width, channels = shape
    form, scale = card.form, card.scale
    if form.layout == "NCHW" and output.ndim == 4:
        output = output.transpose(0, 2, 3, 1)
    copies = channels if form.channels == 1 else 1
    expected = (count * copies, height * scale, width * scale)
    if output.ndim != 4 or output.shape[:3] != expected or output.shape[3] not in (1, 3, 4):
        raise ModelError(
            f"model {card.name} makes {output.shape} of {shape}, but its card says scale {scale}: correct "
            "the card"
        )
    output = output.astype(np.float32, copy=False)
    if form.channels == 1:
        output = output[..., 0].reshape(count, channels, *expected[1:]).transpose(0, 2, 3, 1)
    else:
        output = np.repeat(output, 3, axis=3) if output.shape[3] == 1 else output[..., :3]
    black, white = form.gives
    if (black, white) != (0, 1):
        output = (output - np.float32(black)) / np.float32(white - black)
    return np.ascontiguousarray(output)
