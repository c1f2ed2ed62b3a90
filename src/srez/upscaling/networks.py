"""The networks of a model: one for each repair, the last few of which stay loaded."""

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from srez.models import blending
from srez.models.card import Card
from srez.models.devices import Place
from srez.models.placing import Placed
from srez.upscaling.settings import check_repair

LOADED_REPAIRS = 2  # each keeps its weights once for tiles, and once for each priority

_UNPICKLED = ("_process", "_loading", "_looking", "_loaded")
_ABANDONED: list[Any] = []  # networks of a parent process: to release them would wait for threads of its


class Networks:
    """Loads networks when they are asked for, and anew in another process. Several threads may use it.

    Attributes:
        place: where they are to run; once one is loaded, where it does.
    """

    def __init__(
        self, model: Path, card: Card, fidelity: float, place: Place | None, seconds: float | None
    ) -> None:
        """Load none yet.

        Args:
            model: the .onnx file.
            card: of it.
            fidelity: from 0 (vivid) to 1 (faithful).
            place: where they are to run; by default the best device that works.
            seconds: that a network may take for a tile or a batch; no limit by default.
        """
        self._model, self._card, self._fidelity = model, card, fidelity
        self.place, self._seconds = place, seconds
        self._begin()

    def at(self, repair: float) -> Placed:
        """The network for a repair.

        Raises:
            ModelError: the weights are corrupt, or the model does not repair.
            OptionError: the repair is out of range, or the device is not installed.
        """
        if self._process != os.getpid():  # after a fork, which leaves the threads of ONNX Runtime behind
            _ABANDONED.append(self._loaded)
            self._begin()
        if found := self._found(repair):
            return found
        check_repair(self._card, repair or None)
        with self._loading:  # holds up nobody whose network is loaded
            if found := self._found(repair):
                return found
            weights = blending.weights(self._model, self._card, self._fidelity, repair)
            network = Placed(weights, f"model {self._model.name}", self.place, self._seconds)
            self.place = network.place  # tried once is enough
            with self._looking:
                self._loaded[repair] = network
                while len(self._loaded) > LOADED_REPAIRS:
                    self._loaded.popitem(last=False)
            return network

    def _found(self, repair: float) -> Placed | None:
        """A loaded network, which becomes the last used one."""
        with self._looking:
            if repair in self._loaded:
                self._loaded.move_to_end(repair)
            return self._loaded.get(repair)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: not the networks, which are loaded again from the model's file."""
        return {key: value for key, value in self.__dict__.items() if key not in _UNPICKLED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def _begin(self) -> None:
        """Without a network yet, in this process."""
        self._process = os.getpid()
        self._loading, self._looking = threading.Lock(), threading.Lock()
        self._loaded: OrderedDict[float, Placed] = OrderedDict()
