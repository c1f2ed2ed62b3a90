"""The values of steps that the device may still be computing: fetched together, not one by one."""

import time
from typing import Any

from srez.runs.layout import RunLayout
from srez.train import health
from srez.train.reporter import Reporter
from srez.train.state import Counters

SECONDS = 0.5  # at most between two steps at which values are fetched
GRADIENT_NORMS = ("generator_gradient", "discriminator_gradient")  # these may overflow in float16


class Pending:
    """Values of the steps since they were last fetched."""

    def __init__(self, counters: Counters, layout: RunLayout, reporter: Reporter) -> None:
        """Nothing is pending yet.

        Args:
            counters: get the values.
            layout: of the run folder, for errors.
            reporter: is told of every step.
        """
        self._counters, self._layout, self._reporter = counters, layout, reporter
        self._values: list[tuple[int, dict[str, Any]]] = []
        self._fetched_at = time.monotonic()

    def add(self, values: dict[str, Any]) -> None:
        """Count a step whose values are not needed yet."""
        self._counters.step += 1
        self._values.append((self._counters.step, values))
        if time.monotonic() > self._fetched_at + SECONDS:
            self.fetch()

    def fetch(self) -> None:
        """Wait for all values, count and report them.

        Raises:
            TrainingError: a loss is not finite.
        """
        for step, tensors in self._values:
            values = {name: float(value) for name, value in tensors.items()}
            losses = [value for name, value in values.items() if name not in GRADIENT_NORMS]
            health.require_finite(self._layout, step, "losses", losses)
            self._counters.add(values)
            self._reporter.step(step, values)
        self._values.clear()
        self._fetched_at = time.monotonic()
