"""The made kinds, by name; the modules beside this one add theirs."""

from collections.abc import Callable

import numpy as np

Random = np.random.Generator
Make = Callable[[Random], bytes]

MADE: dict[str, Make] = {}


def kind(name: str) -> Callable[[Make], Make]:
    """Names a kind of made file."""

    def add(make: Make) -> Make:
        MADE[name] = make
        return make

    return add
