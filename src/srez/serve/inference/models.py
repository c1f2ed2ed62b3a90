"""The models that a server offers, and those that are loaded."""

import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from srez.errors import ModelError, OptionError
from srez.models import added, box
from srez.models import card as cards
from srez.models.card import Card
from srez.models.devices import Place
from srez.serve.limits import FOREIGN_SECONDS, MAX_UPSCALERS, TILE
from srez.upscaling import faces
from srez.upscaling.settings import check_repair, chosen_fidelity
from srez.upscaling.upscaler import Upscaler

_Key = tuple[str, float | None, float | None, bool]
"""A model's name, fidelity and repair, and whether it looks for faces."""


class Models:
    """Models by name; the last few used stay loaded. Thread safe.

    Attributes:
        cards: the card of each model, by the name that clients ask for, which the card has too.
        left_out: the .onnx files in the folder that are not offered, because they have no card.
    """

    def __init__(self, folder: Path | None, tile: int, place: Place | None = None) -> None:
        """Read the cards of the built-in models, of those added, and of those in a folder, the last first.

        Args:
            folder: of .onnx files with their cards.
            tile: largest side of a tile, in input pixels.
            place: where models are to run; by default as for `srez.load`.

        Raises:
            ModelError: the folder does not exist, or a model in it is damaged.
        """
        if folder and not folder.is_dir():
            raise ModelError(f"the folder of models {folder} does not exist (--models)")
        self._files = {name: box.find(name) for name in [*box.names(), *added.names()]}
        if folder:
            self._files |= {path.stem: path for path in sorted(folder.glob("*.onnx")) if _has_card(path)}
        # A model is called as its file is; its card says what the recipe was called.
        self.cards: dict[str, Card] = {
            name: replace(cards.read(path), name=name) for name, path in sorted(self._files.items())
        }
        by_file = {path: self.cards[name] for name, path in self._files.items()}
        self.left_out = cards.without_card(folder, by_file) if folder else []
        self._folder, self._tile, self._place = folder, tile, place
        # A tile's time grows with its pixels.
        self._foreign_seconds = FOREIGN_SECONDS * max(tile / TILE, 1) ** 2
        self._loaded: OrderedDict[_Key, Upscaler] = OrderedDict()
        self._lock = threading.Lock()
        self._loading = {name: threading.Lock() for name in self.cards}

    def require(self, name: str) -> None:
        """Refuse a name that is neither a model's nor "auto".

        Raises:
            ModelError: there is no such model.
        """
        if name != box.AUTO and name not in self.cards:
            known = ", ".join((box.AUTO, *self.cards))
            raise ModelError(f"there is no model {name!r}: use one of {known}")

    def fidelity(self, name: str, asked: float | None) -> float:
        """The fidelity to load a model with.

        Args:
            name: of the model.
            asked: by the client; None for the model's own.

        Raises:
            OptionError: the model has no vivid weights, and a fidelity was asked for.
        """
        try:
            return chosen_fidelity(self.cards[name], asked)
        except ModelError as error:
            raise OptionError(str(error)) from None

    def check_repair(self, name: str, asked: float | None) -> None:
        """Refuse a repair that a model cannot do.

        Args:
            name: of the model.
            asked: by the client; None for what suits each picture.

        Raises:
            OptionError: the model does not repair, and a repair was asked for.
        """
        try:
            check_repair(self.cards[name], asked)
        except ModelError as error:
            raise OptionError(str(error)) from None

    def check_faces(self, name: str) -> None:
        """Refuse to put faces into what a model makes.

        Args:
            name: of the model.

        Raises:
            OptionError: they cannot be put into it, or what finds them is not installed.
        """
        try:
            faces.check(self.cards[name])
            faces.model()
        except ModelError as error:
            raise OptionError(str(error)) from None

    def get(
        self, name: str, fidelity: float | None, repair: float | None, with_faces: bool = False
    ) -> Upscaler:
        """A loaded model; loading takes a fraction of a second.

        Args:
            name: of the model.
            fidelity: of `self.fidelity`; None for the default of the model, and of that for faces.
            repair: of `self.check_repair`.
            with_faces: whether it looks for faces, of `self.check_faces`.

        Raises:
            ModelError: the model cannot be loaded.
        """
        key = name, fidelity, repair, with_faces
        if loaded := self._find(key):
            return loaded
        with self._loading[name]:  # holds up requests for this model only
            if loaded := self._find(key):
                return loaded
            card, file = self.cards[name], self._files[name]
            seconds = self._foreign_seconds if file.parent in (self._folder, added.folder()) else None
            upscaler = Upscaler(
                file,
                fidelity if card.vivid else None,
                self._tile,
                repair,
                seconds,
                self._place,
                faces=with_faces,
            )
            with self._lock:
                self._loaded[key] = upscaler
                while len(self._loaded) > MAX_UPSCALERS:
                    self._loaded.popitem(last=False)
            return upscaler

    def _find(self, key: _Key) -> Upscaler | None:
        """A loaded model, which becomes the last used one."""
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
            return self._loaded.get(key)


def _has_card(path: Path) -> bool:
    """Whether a file is a model of its own; the weights of a second look have no card."""
    return path.with_suffix(".toml").is_file()
