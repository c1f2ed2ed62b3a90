"""What a training says while it runs, without knowing who listens."""

from collections.abc import Iterable

from srez.progress import Item

Figures = dict[str, float]


class Reporter:
    """Ignores everything; a subclass overrides what it wants to know."""

    def reading(self, pictures: Iterable[Item], count: int, /) -> Iterable[Item]:
        """Called with the pictures about to be read and their number; see `srez.progress.Track`."""
        del count
        return pictures

    def step(self, step: int, values: dict[str, float]) -> None:
        """Called for every step, soon after it, with the steps done, and with losses and gradient norms."""

    def progress(self, share: float) -> None:
        """Called after every step with the share of the run that is done, in [0, 1]."""

    def validation(self, step: int, figures: Figures, beside: dict[str, Figures], /) -> None:
        """Called after every validation, that of step 0 included.

        Args:
            step: the steps done.
            figures: what was measured.
            beside: the figures of "bicubic" and, but at step 0, of the "start".
        """

    def say(self, sentence: str) -> None:
        """Called with sentences, such as where a run resumes and what was damaged."""

    def warn_at_end(self, sentence: str) -> None:
        """Called at the end of a run that is worse than its start or its best: to be said last."""


def figure_text(name: str, value: float) -> str:
    """A validation figure as people write it: "PSNR 25.98 dB"."""
    title, places, unit = _FIGURES.get(name, (name, 4, ""))
    return f"{title} {value:.{places}f}{unit}"


_FIGURES = {  # what it is called, decimal places, unit
    "psnr": ("PSNR", 2, " dB"),
    "ssim": ("SSIM", 4, ""),
    "st_lpips": ("ST-LPIPS", 3, ""),
    "consistency": ("consistency", 3, ""),
}
