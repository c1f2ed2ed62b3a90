"""The errors a user can cause. Each carries one sentence, an exit code and an HTTP status."""

import re

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class SrezError(Exception):
    """Something the user can put right; its text is one sentence that names the file or the option."""

    exit_code = 2
    http_status = 400


class ImageError(SrezError):
    """A picture that cannot be read, or is of a kind that is not supported."""

    http_status = 415


class TooLargeError(ImageError):
    """A picture with more pixels than are allowed."""

    http_status = 413


class SeveralError(ImageError):
    """A file of several pictures where one is wanted: an animation, or pages."""


class CutShortError(ImageError):
    """A picture of which a part is missing or damaged; the rest may be of use."""


class MissingPackageError(ImageError):
    """A picture of a kind that only an optional package reads, which is not installed."""


class OutOfMemoryError(SrezError):
    """Memory did not suffice for a picture; with smaller tiles, or at another time, it may."""

    http_status = 503


class OptionError(SrezError):
    """An option, a recipe key or a value that does not exist or does not fit."""


class ModelError(SrezError):
    """A model that is missing, damaged, or not one of ours."""

    http_status = 404


class SlowModelError(ModelError):
    """A model that takes longer than it may."""

    http_status = 503


class DeviceError(SrezError):
    """A device that is not there or does not work."""

    http_status = 503


class DataError(SrezError):
    """Training data that is missing or does not fit together."""


class OutputError(SrezError):
    """A result that cannot be written."""

    http_status = 507


class TransparencyError(OutputError):
    """A result that is transparent where its format cannot be."""


class MissingToolError(SrezError):
    """Another program that a command needs, which is not installed."""


class DefectError(SrezError):
    """What nobody foresaw, so a fault of srez itself; told as the others are, for a batch to go on."""

    http_status = 500


class TrainingError(SrezError):
    """A training run that cannot go on; its last checkpoint is intact."""

    exit_code = 3
    http_status = 500


def first_line(error: BaseException) -> str:
    """The first line of a foreign error's text, or the name of its kind if it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def printable(text: str) -> str:
    """Text without what a terminal takes for an order, such as ESC, or what is no text: escaped instead.

    File names can hold both. Lines stay lines. What turns the direction of writing is escaped too, because it
    makes a name look like another.
    """
    return _UNPRINTABLE.sub(lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is not UTF-8, as Python keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
