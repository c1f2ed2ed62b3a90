"""What a model is run with: its fidelity and how far it repairs."""

from dataclasses import dataclass

from srez.errors import ModelError, OptionError
from srez.models.card import Card


@dataclass(frozen=True)
class ModelSettings:
    """What a picture is upscaled with.

    Attributes:
        model: its name.
        fidelity: from 0 (vivid) to 1 (faithful); None for samples, which have none.
        repair: from 0 (none) to 1 (full).
    """

    model: str
    fidelity: float | None
    repair: float

    def __str__(self) -> str:
        """As in "photo, fidelity 0.7, repair 0.5", without what leaves the picture as it is."""
        parts = [self.model]
        if self.fidelity is not None and self.fidelity < 1:
            parts.append(f"fidelity {self.fidelity:g}")
        if self.repair:
            parts.append(f"repair {self.repair:g}")
        return ", ".join(parts)


def chosen_fidelity(card: Card, fidelity: float | None) -> float:
    """The fidelity to run a model with.

    Args:
        card: the model's.
        fidelity: that was asked for, if any.

    Raises:
        ModelError: the model has no vivid weights, and a fidelity was asked for.
        OptionError: it is out of range.
    """
    if fidelity is None:
        return card.fidelity if card.vivid else 1.0
    if not card.vivid:
        raise ModelError(f"model {card.name} has no vivid weights: omit the fidelity")
    if not 0 <= fidelity <= 1:
        raise OptionError(f"fidelity {fidelity}: choose one from 0 (vivid) to 1 (faithful)")
    return fidelity


def check_repair(card: Card, repair: float | None) -> None:
    """Refuse a repair that a model cannot do.

    Raises:
        ModelError: the model does not repair, and a repair was asked for.
        OptionError: it is out of range.
    """
    if repair is None:
        return
    if not card.repair:
        raise ModelError(f"model {card.name} does not repair: omit the repair")
    if not 0 <= repair <= 1:
        raise OptionError(f"repair {repair}: choose one from 0 (none) to 1 (full)")
