"""What to say of a run that ends worse than it began, or than it once was."""

from pathlib import Path

from srez.runs.reading import score
from srez.train.reporter import figure_text
from srez.train.state import Counters


def worse(counters: Counters, out: Path) -> str | None:
    """A sentence about a run whose last validation is below its start or its best; None for any other.

    Differences that do not show in the figures as they are printed do not count.

    Args:
        counters: of the run, at its end.
        out: the run folder.
    """
    by = counters.best_by
    start, last = counters.start.get(by), counters.figures[by]
    end, best = figure_text(by, last), figure_text(by, score(by, counters.best))
    below_start = start is not None and score(by, last) < score(by, start)
    if end == best or not (below_start or score(by, last) < counters.best):
        return None
    if start is not None and counters.best_step == 0:
        return (
            f"Worse than at the start: {end} at the end, {best} at step 0: keep the weights it started from"
        )
    at = f" at step {counters.best_step:,}" if counters.best_step else ""
    began = f", {figure_text(by, start)} at step 0" if below_start and start is not None else ""
    return (
        f"Worse than its best: {end} at the end, {best}{at}{began}: "
        f"`srez export {out} --best` writes the best"
    )
