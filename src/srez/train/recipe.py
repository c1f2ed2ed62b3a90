"""What a recipe may say. An unknown key or an impossible value is an error that names it."""

import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from srez.errors import OptionError

Unit = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(gt=0)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Augmentation(_Settings):
    """What happens to a training face; validation faces are never touched."""

    shift: Annotated[int, Field(ge=0, le=4)] = 4  # pixels of 64, either way
    flip: bool = True
    saturation: Unit = 0.0  # factors within 1 +- this
    brightness: Unit = 0.0  # added, within +- this; values are in [0, 1]
    contrast: Unit = 0.0  # factors within 1 +- this
    noise: Unit = 0.0  # standard deviation, on the network's input only


class SrezGenerator(_Settings):
    """The seed's residual generator."""

    network: Literal["srez"]
    units: tuple[Count, Count] = (256, 128)
    tail: Count = 96


class FacesGenerator(_Settings):
    """The block-DCT generator, all of whose arithmetic runs at LR size."""

    network: Literal["faces"]
    channels: Count = 80
    blocks: Count = 7


class SrezDiscriminator(_Settings):
    """The seed's convolutional discriminator."""

    network: Literal["srez"]
    units: tuple[Count, ...] = (64, 128, 256, 512)


class Loss(_Settings):
    """The weights of the generator's loss terms; a term of weight 0 is not computed."""

    l1: Weight = 0.0
    consistency: Weight = 0.0
    adversarial: Weight = 0.0


class Optimizer(_Settings):
    """Adam and its learning rate, for both networks."""

    learning_rate: Annotated[float, Field(gt=0)]
    beta_1: Unit = 0.9
    beta_2: Unit = 0.999
    warmup: Annotated[int, Field(ge=0)] = 0  # steps of linear rise
    cooldown: Unit = 0.0  # the last part of the run, with a linear fall to 0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0  # decay of the averaged generator; 0: none


class Every(_Settings):
    """How often, in steps."""

    log: Count = 50
    validate_: Annotated[int, Field(gt=0, alias="validate")] = 500
    checkpoint: Count = 500


class Recipe(_Settings):
    """One experiment: networks, losses, data treatment, optimiser and length."""

    description: str
    licence: str = "unstated"  # of weights trained with it
    limits: str = "unstated"  # where it fails, and what its output is not
    steps: Count
    batch: Count = 16
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    drawn_faces: Annotated[int, Field(ge=0)] = 0  # so many cartoons instead of data; 0: data is needed
    augmentation: Augmentation = Augmentation()
    generator: Annotated[SrezGenerator | FacesGenerator, Field(discriminator="network")]
    discriminator: SrezDiscriminator | None = None
    loss: Loss
    optimizer: Optimizer
    every: Every = Every()

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        if self.loss.adversarial and not self.discriminator:
            raise ValueError("loss.adversarial needs a [discriminator]")
        if self.discriminator and not self.loss.adversarial:
            raise ValueError("a [discriminator] needs loss.adversarial above 0")
        if not (self.loss.l1 or self.loss.consistency or self.loss.adversarial):
            raise ValueError("every weight in [loss] is 0")
        return self


def names() -> list[str]:
    """The recipes in the box."""
    folder = resources.files("srez.train.recipes")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def text(name: str) -> str:
    """The text of a recipe in the box or in a file.

    Args:
        name: the name of a recipe in the box, or the path of a .toml file.

    Raises:
        OptionError: there is no such recipe, or it cannot be read.
    """
    if name in names():
        return resources.files("srez.train.recipes").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    if not name.endswith(".toml"):
        raise OptionError(f"there is no recipe {name!r}: take one of {', '.join(names())}, or a .toml file")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise OptionError(f"recipe {name} cannot be read as a text file") from None


def load(name: str, changes: Iterable[str] = ()) -> Recipe:
    """Read a recipe from the box or from a file, with changes such as `optimizer.learning_rate=1e-4`.

    Args:
        name: the name of a recipe in the box, or the path of a .toml file.
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
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the recipe"
        reason = "is not a key a recipe may have" if first["type"] == "extra_forbidden" else first["msg"]
        raise OptionError(f"recipe {name}: {key}: {reason}") from None


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
