"""How long the stages of a request take."""

import time


class Stopwatch:
    """Takes laps, from its making on.

    Attributes:
        milliseconds: of each lap, by name.
    """

    def __init__(self) -> None:
        """Start the first lap."""
        self.milliseconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """End a lap."""
        now = time.perf_counter()
        self.milliseconds[name] = (now - self._last) * 1e3
        self._last = now

    def split(self, first: str, second: str, moment: float) -> None:
        """End two laps, the first of which ended at a moment of `time.perf_counter`."""
        self.milliseconds[first] = (moment - self._last) * 1e3
        self._last = moment
        self.lap(second)
