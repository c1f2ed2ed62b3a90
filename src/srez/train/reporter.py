"""What a training says while it runs, without knowing who listens."""

from collections.abc import Iterable

from srez.progress import Item


class Reporter:
    """Ignores everything; a subclass overrides what it wants to know."""

    def reading(self, pictures: Iterable[Item], count: int, /) -> Iterable[Item]:
        """Called with the pictures about to be read and their number; see `srez.progress.Track`."""
        del count
        return pictures

    def step(self, step: int, values: dict[str, float]) -> None:
        """Called after every step with the number of steps done, and with losses and gradient norms."""

    def validation(self, step: int, figures: dict[str, float]) -> None:
        """Called after every validation."""

    def say(self, sentence: str) -> None:
        """Called with sentences, such as where a run resumes and what was damaged."""
