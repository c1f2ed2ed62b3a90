"""Learning rates over a run."""

from srez.train.recipe import Optimizer


def learning_rate(settings: Optimizer, step: int, steps: int) -> float:
    """The rate for a step: a linear rise, a plateau, a linear fall to 0 over the last part of the run.

    The plateau does not depend on the length, so a run can be made longer or shorter while it trains
    (Hägele et al., arXiv 2405.18392, section 3).

    Args:
        settings: gives the rate of the plateau and the lengths of rise and fall.
        step: the step about to be taken, from 0.
        steps: the length of the run.
    """
    rise = min(1.0, (step + 1) / (settings.warmup + 1))
    fall = min(1.0, (steps - step) / (settings.cooldown * steps)) if settings.cooldown else 1.0
    return settings.learning_rate * min(rise, fall)
