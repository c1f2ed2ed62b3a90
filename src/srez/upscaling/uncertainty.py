"""How far a result may be from the truth, told by a second network that knows the model's errors."""

from pathlib import Path

import numpy as np

from srez.errors import ModelError, OptionError
from srez.models.card import Card
from srez.models.devices import Place
from srez.models.fitting import fitted
from srez.upscaling import tiling
from srez.upscaling.beside import placed
from srez.upscaling.settings import chosen_fidelity

_FEW_PIXELS = 64 * 64  # while the model's own threads wait for more work, others begin late


def check(card: Card, fidelity: float, repair: float | None) -> None:
    """Refuse settings at which a model does not know how sure it is.

    Raises:
        ModelError: it never does.
        OptionError: it does so at other settings.
    """
    if not card.uncertainty:
        raise ModelError(f"model {card.name} does not know how sure it is: omit the uncertainty")
    if fidelity != chosen_fidelity(card, None):
        raise OptionError(
            f"the uncertainty of {card.name} is known at its default fidelity, {card.fidelity:g}: omit the "
            "fidelity"
        )
    if repair:
        raise OptionError(f"the uncertainty of {card.name} is known without repair: omit the repair")


def runner(model: Path, card: Card, place: Place | None, seconds: float | None = None) -> tiling.Run:
    """A function of a tile, `(h, w, 3)` float32 in [0, 1], to the distance of each pixel, three times over.

    Args:
        model: the .onnx file of the model.
        card: of it.
        place: where to run.
        seconds: that the model may take for a tile; no limit by default.

    Raises:
        ModelError: the weights are damaged.
    """
    assert card.uncertainty
    own = placed(model.with_name(card.uncertainty.file), place, seconds)
    whole, alone = (fitted(network, card, own.fixed) for network in (own.whole, own.tile))
    factor, power = np.float32(card.uncertainty.factor), np.float32(card.uncertainty.power)

    def run(tile: np.ndarray) -> np.ndarray:
        network = alone if is_small(tile) else whole
        return (factor * network(tile[None])[0] ** power).clip(0, 1)

    return run


def is_small(image: np.ndarray) -> bool:
    """Whether the caller's thread does a picture, `(h, w, C)`, sooner than others that have to be woken."""
    return image.shape[0] * image.shape[1] <= _FEW_PIXELS
