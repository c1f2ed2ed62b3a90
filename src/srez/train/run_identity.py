"""What must be the same whenever a run is resumed."""

import json
import tomllib
from dataclasses import dataclass

from srez.errors import DataError, OptionError
from srez.runs.layout import RunLayout
from srez.train.recipe import Recipe
from srez.train.recipes import validate
from srez.train.reporter import Reporter

_MAY_CHANGE = {"steps", "minutes", "description", "licence", "limits", "every", "best_by"}  # of a recipe


@dataclass(frozen=True)
class Identity:
    """What must be the same whenever a run is resumed.

    Attributes:
        recipe: but for `_MAY_CHANGE`.
        data: its fingerprint.
        init: the fingerprint of the weights that it started from; None for random ones.
    """

    recipe: Recipe
    data: str
    init: str | None


def require_same(identity: Identity, layout: RunLayout, reporter: Reporter) -> Recipe | None:
    """Compare a run with the one in a folder, as far as that can be read.

    Args:
        identity: of the run that is to go on there.
        layout: of the folder.
        reporter: is told what is damaged, and cannot be compared.

    Returns:
        The recipe of the run in the folder; None if it cannot be read.

    Raises:
        DataError: that one is on other data.
        OptionError: it is from other weights or of another recipe.
    """
    folder, earlier = layout.folder, _earlier(layout, reporter)
    if earlier:
        if earlier.data != identity.data:
            raise DataError(f"{folder} was trained on other data: use the same --data, or another --out")
        if earlier.init != identity.init:
            raise OptionError(
                f"{folder} was trained from other initial weights: use the same --init, or another --out"
            )
    recipe = earlier.recipe if earlier else _recipe_file(layout, reporter)
    if recipe is None:
        return None
    changed = [
        key
        for key in Recipe.model_fields
        if key not in _MAY_CHANGE and getattr(identity.recipe, key) != getattr(recipe, key)
    ]
    if changed:
        raise OptionError(
            f"{folder} was trained with another recipe ({', '.join(changed)} differ): use another --out, "
            f"or the recipe in {layout.recipe}"
        )
    return recipe


def _earlier(layout: RunLayout, reporter: Reporter) -> Identity | None:
    """What the folder says of its run; None, and reported, if that is damaged."""
    path = layout.run
    try:
        facts = json.loads(path.read_bytes())
        recipe = validate(facts["recipe"], str(path))
        data, init = facts["data"], facts["init"]
        if not isinstance(data, str) or not isinstance(init, str | None):
            raise TypeError
        return Identity(recipe, data, init)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OptionError):
        reporter.say(f"{path} is damaged or missing: cannot check whether --data and --init are the same")
        return None


def _recipe_file(layout: RunLayout, reporter: Reporter) -> Recipe | None:
    """The recipe of the folder's run from its own file; None if that is damaged too."""
    path = layout.recipe
    try:
        return validate(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, RecursionError, OptionError):
        reporter.say(f"{path} is damaged or missing: cannot check whether the recipe is the same")
        return None
