"""The options of a request: parsed and validated."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from srez import images
from srez.errors import OptionError
from srez.images import Format
from srez.models import box
from srez.serve.errors import HttpError
from srez.serve.limits import MAX_FIELD_BYTES, MAX_SIDE
from srez.upscaling.faces import NUMBERS, numbers
from srez.upscaling.samples import MOST
from srez.upscaling.size import Size

ZIP = ".zip", "application/zip"  # the suffix and the type of an answer of several pictures
FORMATS = tuple(each.name for each in images.WRITABLE if each.is_available)


STORED = {"stored": True}  # context to validate what was valid when it was stored, with other packages


def _writable(name: str, info: ValidationInfo) -> str:
    """The name of the format that is called so, or has that suffix."""
    known = [each.name for each in images.WRITABLE] if info.context == STORED else FORMATS
    with suppress(OptionError):
        found = images.format_named(name).name
        if found in known:
            return found
    sentence = f"there is no format {name!r}: use one of {', '.join(FORMATS)}"
    raise PydanticCustomError("format", "{sentence}", {"sentence": sentence})


def _none_if_auto(repair: object) -> object:
    return None if repair == "auto" else repair


class Options(BaseModel):
    """The options of `POST /v1/upscale` and `POST /v1/jobs`, all of them optional."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        default=box.AUTO,
        max_length=200,
        description="A model that /v1/models lists, or auto: faces for a face of 16x16 pixels, pixels for "
        "pixel art, scan for black and white, else photo.",
        examples=[box.AUTO],
    )
    fidelity: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="0 vivid to 1 faithful, for a model with vivid weights (default: the model's).",
        examples=[0.5],
    )
    repair: Annotated[float | None, BeforeValidator(_none_if_auto)] = Field(
        default=None,
        ge=0,
        le=1,
        description="0 none to 1 full, for a model that repairs, or auto (default: as the picture needs).",
        examples=[0.5],
    )
    scale: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="Scale factor (default: the model's).",
        examples=[2],
    )
    width: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SIDE,
        description="Width of the result in pixels; the height follows. Excludes scale.",
        examples=[800],
    )
    height: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SIDE,
        description="Height of the result in pixels; with a width, it fits into both. Excludes scale.",
        examples=[600],
    )
    format: Annotated[str, AfterValidator(_writable)] = Field(
        default="png",
        description="File format of the result; a suffix of its files, such as jpg or tif, stands for it.",
        json_schema_extra={"enum": list(FORMATS)},
        examples=["png"],
    )
    quality: int = Field(
        default=images.QUALITY, ge=1, le=100, description="Quality of lossy formats.", examples=[90]
    )

    samples: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        description="Answer with a zip of so many plausible results, 1.png and so on, and sheet.png, with a "
        "model that makes samples: faces. Excludes fidelity, repair and uncertainty.",
        examples=[2],
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**63 - 1,
        description="Of the random numbers of samples: the same seed gives the same samples.",
        examples=[1],
    )
    uncertainty: bool = Field(
        default=False,
        description="Answer with a zip of result.png and uncertainty.png, gray with 16 bits: in 9 of 10 "
        "pixels the truth is no farther off, where 65535 is the distance from black to white. Excludes "
        "samples, and needs the default fidelity and size.",
        examples=[False],
    )

    faces: bool = Field(
        default=False,
        description="Find the faces in a photograph, and enlarge small ones by the model of faces. They are "
        "listed in X-Srez-Faces, or in the job. Excludes samples and uncertainty.",
        examples=[True],
    )
    only_faces: str | None = Field(
        default=None,
        max_length=MAX_FIELD_BYTES,
        pattern=f"^{NUMBERS}$",
        description="Of the faces found, enlarge only these, by their numbers: 1,3 (default: all).",
        examples=["1"],
    )

    @property
    def chosen_faces(self) -> tuple[int, ...] | None:
        """The numbers of the faces to enlarge; None for all."""
        return None if self.only_faces is None else numbers(self.only_faces)

    @property
    def several(self) -> bool:
        """Whether the answer is a zip of several pictures."""
        return bool(self.samples) or self.uncertainty

    @property
    def answer(self) -> tuple[str, str]:
        """The suffix and the media type of the answer."""
        return ZIP if self.several else (self.file_format.suffix, self.file_format.media_type)

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            HttpError: they do (400).
        """
        if self.samples and self.uncertainty:
            raise HttpError(400, "give either samples or uncertainty")
        if self.samples and not (self.fidelity is None and self.repair is None):
            raise HttpError(400, "samples have no fidelity and no repair to choose: omit it")
        if self.seed and not self.samples:
            raise HttpError(400, "seed requires samples")
        if self.faces and self.several:
            raise HttpError(400, "faces cannot be combined with samples or uncertainty")
        if self.only_faces is not None and not self.faces:
            raise HttpError(400, "only_faces requires faces")
        if self.uncertainty and (self.scale or self.width or self.height):
            raise HttpError(400, "uncertainty is of the model's own size: omit scale, width and height")

    @property
    def size(self) -> Size:
        """The size of the result.

        Raises:
            HttpError: a scale and a width or height were given (400).
        """
        if self.scale and (self.width or self.height):
            raise HttpError(400, "give either scale, or width and height")
        return Size(self.scale, self.width, self.height)

    @property
    def file_format(self) -> Format:
        """The format of the result."""
        return images.format_named(self.format)


def parse(values: Mapping[str, Any]) -> Options:
    """Options from values, or from text as a query or form has it.

    Raises:
        HttpError: there is no such option, or a value is invalid (422).
    """
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        raise invalid_option(error.errors()[0]) from None


def parse_pairs(pairs: Iterable[tuple[str, str]]) -> Options:
    """Options from the pairs of name and text of a query and a form, where a name may occur twice.

    Raises:
        HttpError: as for `parse`, or an option is given twice with different values (422).
    """
    values: dict[str, Any] = {}
    for name, text in pairs:
        value = getattr(parse({name: text}), name)  # parsed alone, so that 1 and 1.0 count as equal
        if values.setdefault(name, value) != value:
            raise HttpError(422, f"option {name} is given as {values[name]!r} and as {value!r}: give it once")
    return parse(values)


def invalid_option(error: ErrorDetails) -> HttpError:
    """The error (422) for the first fault that pydantic found."""
    name = error["loc"][-1]
    if error["type"] == "extra_forbidden":
        return HttpError(422, f"there is no option {name!r}: use {', '.join(Options.model_fields)}")
    if error["type"] == "format":
        return HttpError(422, error["msg"])
    return HttpError(422, f"{name}: {error['msg']}")
