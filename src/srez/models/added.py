"""The models that a user has added: a folder of .onnx files with their cards."""

import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from srez.errors import ModelError
from srez.models import card as cards
from srez.models import foreign
from srez.models.card import Card
from srez.models.foreign import Hints
from srez.output import atomic, make_folder


def folder() -> Path:
    """The user's folder of models: SREZ_MODELS, or where the system keeps data of programs."""
    if chosen := os.environ.get("SREZ_MODELS"):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData/Local")
    elif sys.platform == "darwin":
        base = home / "Library/Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return base / "srez/models"


def names() -> list[str]:
    """The names of the models in it."""
    return sorted(path.stem for path in folder().glob("*.toml") if path.with_suffix(".onnx").is_file())


def find(name: str) -> Path:
    """The .onnx file of a name, which need not exist."""
    return folder() / f"{name}.onnx"


def add(model: Path, name: str, licence: str, description: str, hints: Hints) -> Card:
    """Copy a model into the folder, and write what is found out about it into a card beside it.

    A model that has a card already keeps it, but for what is given here.

    Args:
        model: the .onnx file.
        name: what it is to be called.
        licence: of its weights; "" if unknown.
        description: one line; "" for what the card says, or that it was found out.
        hints: what is known about it.

    Returns:
        The card.

    Raises:
        ModelError: the name is taken or no name, the model has a second set of weights, or it cannot be used.
        OutputError: the folder cannot be written.
    """
    if not re.fullmatch(r"[\w][\w.+-]*", name):
        raise ModelError(f"--name {name!r}: use letters, digits, and - _ . + between them")
    if name in names():
        raise ModelError(f"there is a model {name} already: take another --name, or remove it first")
    found = cards.read(model) if model.with_suffix(".toml").is_file() else foreign.describe(model, hints)
    if found.vivid:
        raise ModelError(f"{model} has two sets of weights: copy its files to {folder()} instead")
    given = {"licence": licence, "description": description}
    card = replace(found, name=name, **{key: value for key, value in given.items() if value})
    target = find(name)
    make_folder(target.parent)
    with model.open("rb") as source, atomic(target) as file:
        shutil.copyfileobj(source, file)
    with atomic(target.with_suffix(".toml")) as file:  # last: without it there is no model
        file.write(as_toml(card).encode())
    return cards.read(target)


def remove(name: str) -> None:
    """Remove a model and its card.

    Raises:
        ModelError: there is no such model in the folder, or it cannot be removed.
    """
    if name not in names():
        known = ", ".join(names()) or "none"
        raise ModelError(f"there is no model {name!r} in {folder()} (there: {known})")
    try:
        find(name).with_suffix(".toml").unlink()
        find(name).unlink()
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be removed: {error.strerror}") from None


def as_toml(card: Card) -> str:
    """A card as TOML, of which strings, numbers and lists are written as in JSON."""
    lines, tables = [], []
    for key, value in cards.as_dict(card).items():
        if isinstance(value, dict):
            tables += [f"\n[{key}]", *(f"{name} = {_value(entry)}" for name, entry in value.items())]
        else:
            lines.append(f"{key} = {_value(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
