"""Model cards: what a model is, beside its weights, as a .toml file of the same name."""

import dataclasses
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from srez.errors import ModelError
from srez.models import card_rules

COVERAGE = 0.9  # the share of pixels whose truth lies within the distance that an uncertainty gives

_LFS_POINTER = b"version https://git-lfs"  # how a file begins that Git LFS has not fetched


@dataclass(frozen=True)
class WeightFile:
    """Another set of weights of a model's network, in a file beside the first.

    Attributes:
        file: its name.
        sha256: of it.
    """

    file: str
    sha256: str


@dataclass(frozen=True)
class SamplesFile(WeightFile):
    """A network of its own that makes samples: with planes of random numbers behind the input's channels.

    Attributes:
        planes: how many.
    """

    planes: int


@dataclass(frozen=True)
class UncertaintyFile(WeightFile):
    """A network of its own that predicts the errors of the model's at its default settings.

    Attributes:
        factor: with the power, what the expected error of a pixel becomes that holds the truth in nine of ten
            pixels: `factor * error ** power`, where 1 is the distance from black to white.
        power: less than 1 makes pixels differ less.
    """

    factor: float
    power: float = 1.0


@dataclass(frozen=True)
class Form:
    """How a graph takes and gives images; srez's own as the defaults say.

    Attributes:
        layout: the order of axes, "NHWC" or "NCHW".
        channels: 1 gray, 3 RGB or 4 RGBA, of which the alpha is given as opaque.
        type: of the input's values: "float32", "float16" or "uint8".
        takes: the values of black and white in the input.
        gives: the same in the output.
        multiple: what tiles begin at and height and width are multiples of, in pixels.
        side: height and width that all inputs have, in pixels; empty for any.
        one_by_one: whether it takes one image at a time.
    """

    layout: str = "NHWC"
    channels: int = 3
    type: str = "float32"
    takes: tuple[int, int] = (0, 1)
    gives: tuple[int, int] = (0, 1)
    multiple: int = 1
    side: tuple[int, ...] = ()
    one_by_one: bool = False


@dataclass(frozen=True)
class Card:
    """What srez needs to know about a model, and what people should.

    The model is an ONNX graph with one input and one output of images; see `Form`.

    Attributes:
        name: what it is called.
        description: one line.
        licence: the licence of its weights.
        limits: where it fails, and what its output is not.
        scale: output size over input size.
        minimum_size: the least height and width it takes, in pixels.
        receptive_radius: how far, in input pixels, an output pixel can see; tiles overlap by as much.
        parameters: how many weights it has.
        multiply_adds: of its convolutions, per input pixel.
        sha256: of the ONNX file, or of the code of a method without weights.
        training: how it was made: recipe, data, steps, hours and so on.
        figures: what it reached, a row for each method compared, with the protocol.
        edge: pixels of its own reflection that a picture gets on all sides before it is run, so that its
            border is not made from a network's zero padding.
        trained_at: the side of the pictures that it was trained on whole, in pixels: one no larger gets no
            edge, because the network knows such pictures by their borders. 0 if trained on crops.
        memory: bytes that a run takes for each input pixel; the default suits networks with 100 channels at
            output size.
        vivid: the weights for fidelity 0, if the model has them; its own are those for 1.
        repair: the weights for repair 1, if the model repairs damaged pictures; its own are those for 0.
        vivid_repair: the weights for fidelity 0 and repair 1; a model with both of the above has them.
        samples: the network that makes several results for one input, if the model has one.
        uncertainty: the network that says how far results may be from the truth, if the model has one.
        fidelity: the default, from 0 (vivid) to 1 (faithful).
        form: how the graph takes and gives images.
        keeps_flat: whether what is one colour all around stays exactly that colour.
        reduction: what its results are reduced by to smaller sizes, "area" or "bicubic": that by which a
            result becomes the input again.
        enlargement: what its results are enlarged by to larger sizes, "Lanczos" or "nearest": the latter for
            those whose edges must stay hard.
    """

    name: str
    description: str
    licence: str
    limits: str
    scale: int
    minimum_size: int
    receptive_radius: int
    parameters: int
    multiply_adds: int
    sha256: str
    training: dict[str, Any]
    figures: list[dict[str, Any]]
    edge: int = 0
    trained_at: int = 0
    memory: int = 20_000
    vivid: WeightFile | None = None
    repair: WeightFile | None = None
    vivid_repair: WeightFile | None = None
    samples: SamplesFile | None = None
    uncertainty: UncertaintyFile | None = None
    fidelity: float = 1.0
    form: Form = Form()
    keeps_flat: bool = True
    reduction: str = "bicubic"
    enlargement: str = "Lanczos"


def read(model: Path) -> Card:
    """The card beside a model, checked: every key, and that the weights are those it describes.

    Args:
        model: the .onnx file.

    Raises:
        ModelError: a file is missing or cannot be read, a key of the card is missing, unknown or has a value
            that does not fit, or a sha256 differs.
    """
    try:
        return _read(model, model.with_suffix(".toml"))
    except OSError as error:
        raise ModelError(f"{error.filename or model} cannot be read: {error.strerror}") from None


def read_method(path: Path) -> Card:
    """The card of a method without weights, checked; its sha256 is that of its code, beside the card.

    Args:
        path: the card.

    Raises:
        ModelError: it cannot be read, or a key is missing, unknown or has a value that does not fit.
    """
    code = hashlib.sha256()
    try:
        for file in sorted(path.parent.glob("*.py")):
            code.update(file.read_bytes())
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{error.filename or path} cannot be read: {error.strerror}") from None
    return _checked(Card, {**values, "sha256": code.hexdigest()}, path)


def weight_files(model: Path, card: Card) -> dict[str, Path]:
    """The other files that a model has, by their keys in the card: "vivid", "samples" ..."""
    files: dict[str, WeightFile | None] = {key: getattr(card, key) for key in _FILES}
    return {key: model.with_name(file.file) for key, file in files.items() if file}


def without_card(folder: Path, known: Mapping[Path, Card]) -> list[Path]:
    """The .onnx files of a folder that have no card, and are no weights of a model that has one.

    Args:
        folder: to look into; it need not exist.
        known: the cards of the models in it, by their .onnx files.
    """
    weights = {file for model, card in known.items() for file in weight_files(model, card).values()}
    files = (path for path in folder.glob("*.onnx") if not path.with_suffix(".toml").is_file())
    return sorted(path for path in files if path not in weights)


def as_dict(card: Card) -> dict[str, Any]:
    """The card as TOML or JSON would hold it, without what it does not have."""
    values = {key: value for key, value in dataclasses.asdict(card).items() if value is not None}
    form = {key: list(value) if isinstance(value, tuple) else value for key, value in values["form"].items()}
    if card.form == Form():  # nothing to say of srez's own
        del values["form"]
        return values
    return {**values, "form": form}


def require_corners(card: Card, path: Path) -> None:
    """Refuse a card whose sets of weights do not reach all corners of fidelity and repair.

    Args:
        card: to check.
        path: of its file.

    Raises:
        ModelError: it has vivid weights and such that repair, and none for both; or the other way round.
    """
    if bool(card.vivid and card.repair) != bool(card.vivid_repair):
        raise ModelError(
            f"{path} is not a valid model card: vivid_repair belongs to a model with vivid and repair"
        )


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(model: Path, path: Path) -> Card:
    if not model.is_file():
        raise ModelError(f"model {model} does not exist")
    if not path.is_file():
        raise ModelError(f"{model} has no model card: expected {path.name} beside it")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not a valid model card: {error}") from None
    card = _checked(Card, values, path)
    if isinstance(card.form, dict):
        form = _checked(Form, card.form, path, "form.")
        pairs = {key: tuple(getattr(form, key)) for key in ("takes", "gives", "side")}
        card = dataclasses.replace(card, form=dataclasses.replace(form, **pairs))
    tables = {key: kind for key, kind in _FILES.items() if key in values}
    files = {key: _checked(kind, values[key], path, f"{key}.") for key, kind in tables.items()}
    card = dataclasses.replace(card, **files)
    require_corners(card, path)
    _require_hash(model, card.sha256, path)
    for key, file in weight_files(model, card).items():
        if not file.is_file():
            raise ModelError(f"{file}, the {key} weights of {model.name}, does not exist")
        _require_hash(file, files[key].sha256, path)
    return card


_FILES: dict[str, type[WeightFile]] = {
    **dict.fromkeys(("vivid", "repair", "vivid_repair"), WeightFile),  # of one network, to be mixed
    "samples": SamplesFile,
    "uncertainty": UncertaintyFile,
}
_RULES: dict[type, card_rules.Rules] = {
    Card: card_rules.CARD,
    Form: card_rules.FORM,
    WeightFile: card_rules.WEIGHTS,
    SamplesFile: card_rules.SAMPLES,
    UncertaintyFile: card_rules.UNCERTAINTY,
}

_Table = TypeVar("_Table", Card, Form, WeightFile)


def _checked(table: type[_Table], values: dict[str, Any], path: Path, prefix: str = "") -> _Table:
    """A table of the card at `path`, made of its values; `prefix` goes before keys in errors."""
    card_rules.check(values, _RULES[table], path, prefix)
    for field in dataclasses.fields(table):
        if field.name not in values and field.default is dataclasses.MISSING:
            raise ModelError(f"{path} is not a valid model card: the key {prefix}{field.name} is missing")
    return table(**values)


def _require_hash(model: Path, expected: str, card: Path) -> None:
    if sha256(model) != expected:
        with model.open("rb") as file:
            is_pointer = file.read(len(_LFS_POINTER)) == _LFS_POINTER
        remedy = "it is a Git LFS pointer: run git lfs pull" if is_pointer else "get both files again"
        raise ModelError(f"{model} is not the file that {card.name} describes (sha256 differs): {remedy}")
