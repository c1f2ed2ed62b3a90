"""The models that a server offers, and those that are loaded."""

import threading
from collections import OrderedDict
from pathlib import Path

from srez.errors import ModelError, OptionError
from srez.models import box
from srez.models import card as cards
from srez.models.card import Card
from srez.serve.limits import MAX_UPSCALERS
from srez.upscaling.upscaler import Upscaler


class Models:
    """Models by name; the last few that were used stay loaded. Thread safe.

    Attributes:
        cards: the card of each model, by name.
    """

    def __init__(self, folder: Path | None, tile: int) -> None:
        """Read the cards of the models in the box and of those in a folder, which come first.

        Args:
            folder: of .onnx files with their cards; None for none.
            tile: the largest side of a tile, in input pixels.

        Raises:
            ModelError: the folder does not exist, or a model in it is damaged.
        """
        if folder and not folder.is_dir():
            raise ModelError(f"the folder of models {folder} does not exist")
        self._files = {name: box.find(name) for name in box.names()}
        if folder:
            self._files |= {path.stem: path for path in sorted(folder.glob("*.onnx")) if _has_card(path)}
        self.cards: dict[str, Card] = {name: cards.read(path) for name, path in sorted(self._files.items())}
        self._tile = tile
        self._loaded: OrderedDict[tuple[str, float], Upscaler] = OrderedDict()
        self._lock = threading.Lock()
        self._loading = {name: threading.Lock() for name in self.cards}

    def require(self, name: str) -> None:
        """Turn down a name that is neither a model's nor "auto".

        Raises:
            ModelError: always then.
        """
        if name != box.AUTO and name not in self.cards:
            known = ", ".join((box.AUTO, *self.cards))
            raise ModelError(f"there is no model {name!r}: take one of {known}")

    def fidelity(self, name: str, asked: float | None) -> float:
        """The fidelity that a request means.

        Args:
            name: of a model.
            asked: what it asked for; None for the model's own.

        Raises:
            OptionError: the model has one look only, and a fidelity was asked for.
        """
        card = self.cards[name]
        if asked is None:
            return card.fidelity if card.vivid else 1.0
        if not card.vivid:
            raise OptionError(f"model {name} has only one look: leave the fidelity out")
        return asked

    def get(self, name: str, fidelity: float) -> Upscaler:
        """A loaded model; the first call for it takes a fraction of a second.

        Args:
            name: of a model.
            fidelity: as `fidelity` gives it.

        Raises:
            ModelError: the model cannot be loaded.
        """
        key = name, fidelity
        if known := self._known(key):
            return known
        with self._loading[name]:  # who wants another model does not wait for this one
            if known := self._known(key):
                return known
            upscaler = Upscaler(self._files[name], fidelity if self.cards[name].vivid else None, self._tile)
            with self._lock:
                self._loaded[key] = upscaler
                while len(self._loaded) > MAX_UPSCALERS:
                    self._loaded.popitem(last=False)
            return upscaler

    def _known(self, key: tuple[str, float]) -> Upscaler | None:
        """A model that is loaded, which makes it the last used one."""
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
            return self._loaded.get(key)


def _has_card(path: Path) -> bool:
    """Whether a file is a model of its own; a second look's weights have no card."""
    return path.with_suffix(".toml").is_file()
