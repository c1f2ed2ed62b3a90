"""The recipes in the box, and reading these and others.

Errors name the key that is unknown or whose value is invalid.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from srez.errors import OptionError
from srez.train.recipe import Recipe


def names() -> list[str]:
    """The names of the built-in recipes."""
    folder = resources.files(__name__)
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def text(name: str) -> str:
    """The text of a built-in recipe or of a file.

    Args:
        name: the name of a built-in recipe, or the path of a .toml file.

    Raises:
        OptionError: there is no such recipe, or it cannot be read.
    """
    if name in names():
        return resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    if not name.endswith(".toml"):
        raise OptionError(f"there is no recipe {name!r}: use one of {', '.join(names())}, or a .toml file")
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError(f"recipe {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OptionError(f"recipe {name} is not a text file") from None


def load(name: str, changes: Iterable[str] = ()) -> Recipe:
    """A built-in recipe or one from a file, with changes such as `optimizer.learning_rate=1e-4`.

    Args:
        name: the name of a built-in recipe, or the path of a .toml file.
        changes: `key=value` each, the key dotted, the value as TOML writes it (bare words are text).

    Raises:
        OptionError: no such recipe, a key it may not have, or a value that does not fit.
    """
    try:
        settings = tomllib.loads(text(name))
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"recipe {name} is not valid TOML: {error}") from None
    for change in changes:
        _apply(settings, change)
    return validate(settings, name)


def validate(settings: dict[str, Any], name: str) -> Recipe:
    """A recipe from parsed TOML.

    Raises:
        OptionError: a key or value that does not fit; the sentence names it.
    """
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        raise OptionError(f"recipe {name}: {_sentence(error.errors()[0])}") from None


def _sentence(error: Any) -> str:
    """One of pydantic's errors as a sentence."""
    kind, place, facts = error["type"], error["loc"], error.get("ctx", {})
    key = ".".join(str(part) for part in (*place[:1], *place[2 if _is_chosen(place) else 1 :]))
    if kind == "value_error":
        return f"{key}: {facts['error']}" if key else str(facts["error"])
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in _table(place[:-1]).model_fields.items()]
        return f"{key} is not a recipe key: use one of {', '.join(known)}"
    if kind.startswith("union_tag"):
        choice = facts["discriminator"].strip("'")
        known = ", ".join(_tag(table) for table in _tables(place[0]))
        wrong = f": {facts['tag']!r} is unknown" if kind == "union_tag_invalid" else " is missing"
        return f"{key}.{choice}{wrong}: use one of {known}"
    if kind == "missing":
        return f"{key} is missing"
    if kind.startswith("model"):
        return f"{key} must be a table, not {error['input']!r}"
    rule = re.sub("^(Input|Tuple) should", "must", error["msg"]).replace("tuple", "list")
    rule = re.split(", (?:unable|got|not) | after", rule)[0]
    return f"{key}: {rule}, not {error['input']!r}"


def _table(place: tuple[Any, ...]) -> type[BaseModel]:
    """The table in which pydantic has found an error."""
    if not place:
        return Recipe
    return next(table for table in _tables(place[0]) if not place[1:] or _tag(table) == place[1])


def _tables(key: str) -> list[type[BaseModel]]:
    """The tables that a key of the recipe may hold: one, or several to choose from."""

    def within(annotation: Any) -> Iterator[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        for part in get_args(annotation):
            yield from within(part)

    return list(within(Recipe.model_fields[key].annotation))


def _tag(table: type[BaseModel]) -> str:
    """What chooses a table among several: the only value of its `network` or `pictures`."""
    fields = table.model_fields
    return get_args(fields["network" if "network" in fields else "pictures"].annotation)[0]


def _is_chosen(place: tuple[Any, ...]) -> bool:
    """Whether pydantic names, after the key of a table, which of several tables it is."""
    return len(place) > 1 and len(_tables(place[0])) > 1


def _apply(settings: dict[str, Any], change: str) -> None:
    key, separator, text = change.partition("=")
    if not separator or not key:
        raise OptionError(f"--set {change}: write it as key=value, for example --set batch=8")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *tables, last = key.split(".")
    for table in tables:
        settings = settings.setdefault(table, {})
        if not isinstance(settings, dict):
            raise OptionError(f"--set {change}: {table} is a value, not a table")
    settings[last] = value
