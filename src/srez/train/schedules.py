"""How learning rates change over a run."""

import math

from srez.train.recipe import Optimizer


def rate_factor(settings: Optimizer, step: int, progress: float) -> float:
    """What to multiply the learning rates by: a linear warm-up, then as the schedule says.

    - `plateau`: constant, then a linear fall to 0 over the last part of the run. The constant part does not
      depend on the length, so a run can be made longer or shorter while it trains (Hägele et al., arXiv
      2405.18392, section 3).
    - `cosine`: half a cosine down to 0 (Loshchilov and Hutter, arXiv 1608.03983, eq. 5, without restarts).
    - `step`: halved every so many steps.
    - `milestones`: multiplied by `decay` at each of some shares of the run.

    Args:
        settings: gives the schedule and its lengths.
        step: the step about to be taken, from 0.
        progress: the share of the run that is done, in [0, 1].

    Returns:
        The factor for both networks' learning rates, in [0, 1].
    """
    rise = min(1.0, (step + 1) / (settings.warmup + 1))
    match settings.schedule:
        case "cosine":
            return rise * (1 + math.cos(math.pi * progress)) / 2
        case "step":
            return rise * 0.5 ** (step // settings.halve_every)
        case "milestones":
            return rise * settings.decay ** sum(progress >= milestone for milestone in settings.milestones)
        case _:
            return min(rise, (1 - progress) / settings.cooldown) if settings.cooldown else rise
