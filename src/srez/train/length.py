"""How long a run is: so many steps, or so many minutes."""

from dataclasses import dataclass

from srez.train.recipe import Recipe

VALIDATIONS_AT_END = 3  # the last one, and those of the card: as long as three at the start


@dataclass(frozen=True)
class Length:
    """The length of a run.

    Attributes:
        steps: how many; 0 if time decides.
        seconds: of training, with its validations; 0 if steps decide.
    """

    steps: int
    seconds: float

    @staticmethod
    def of(recipe: Recipe, validation_seconds: float) -> "Length":
        """The length that a recipe asks for.

        Args:
            recipe: its steps or minutes.
            validation_seconds: how long a validation takes. Within the recipe's minutes there must be time to
                measure the result.
        """
        if not recipe.minutes:
            return Length(recipe.steps, 0.0)
        budget = 60 * recipe.minutes
        return Length(0, max(budget - VALIDATIONS_AT_END * validation_seconds, budget / 2))

    def progress(self, step: int, seconds: float) -> float:
        """The share of the run that is done, 1 at its end.

        Args:
            step: steps done.
            seconds: trained.
        """
        return min(1.0, seconds / self.seconds if self.seconds else step / self.steps)
