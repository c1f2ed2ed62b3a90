"""How long runs take: some seconds for each run, and some for each pixel."""

from srez.serve.limits import FIRST_PACE, FIRST_RUN

_SHARE = 0.5  # of a surprise that is taken for the rule


class Pace:
    """Foresees how long runs take, and learns from each.

    A run of `p` pixels takes `fixed + p * each` seconds. When one took `r` times as long as foreseen, each
    part grows by a power of `r` that is its share in what was foreseen: a step of gradient descent on the
    logarithm of the time. Both parts stay positive, and a picture of one pixel says nothing about large ones.
    """

    def __init__(self) -> None:
        """Begin with a guess."""
        self._fixed, self._each = FIRST_RUN, FIRST_PACE

    def seconds(self, pixels: int, runs: int = 1) -> float:
        """How long some runs will take.

        Args:
            pixels: of all of them together.
            runs: how many they are.
        """
        return runs * self._fixed + pixels * self._each

    def learn(self, pixels: int, seconds: float) -> None:
        """Note how long one run took.

        Args:
            pixels: of its pictures.
            seconds: that it took.
        """
        foreseen = self.seconds(pixels)
        ratio = max(seconds, 1e-6) / foreseen
        share = self._fixed / foreseen
        self._fixed *= ratio ** (_SHARE * share)
        self._each *= ratio ** (_SHARE * (1 - share))
