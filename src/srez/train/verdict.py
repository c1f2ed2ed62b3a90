"""What to say of a run that ends worse than it began, or than it once was."""

from pathlib import Path

from srez.train.reporter import figure_text
from srez.train.state import Counters


def worse(counters: Counters, by: str, out: Path) -> str | None:
    """A sentence about a run whose last validation is below its start or its best; None for any other.

    Differences that do not show in the figures as they are printed do not count.

    Args:
        counters: of the run, at its end.
        by: the figure that decides which is better.
        out: the run folder.
    """
    end, best = (figure_text(by, value) for value in (counters.figures[by], counters.best))
    below_start = counters.start and counters.figures[by] < counters.start[by]
    if end == best or not (below_start or counters.figures[by] < counters.best):
        return None
    if counters.start and counters.best_step == 0:
        return (
            f"Worse than at the start: {end} at the end, {best} at step 0: keep the weights it started from"
        )
    start = f", {figure_text(by, counters.start[by])} at step 0" if below_start else ""
    at = f" at step {counters.best_step:,}" if counters.best_step else ""
    return (
        f"Worse than its best: {end} at the end, {best}{at}{start}: "
        f"`srez export {out} --best` writes the best"
    )
