"""What pictures and results of the page are called."""

import re
from pathlib import Path, PurePath
from typing import Any

from srez import images
from srez.serve.inference.picture import UpscalePlan
from srez.upscaling import plan as plans

_MAX_STEM = 50  # characters of a file's name that its result keeps


def own_name(told: Any, file: Path, body: bytes) -> PurePath:
    """What the visitor calls the picture, without what a file name should not have.

    Pictures from the clipboard have no name; those from elsewhere may have a wrong ending.

    Args:
        told: the name, as the page sends it: unchecked.
        file: where the picture is.
        body: of it.
    """
    name = PurePath(told.replace("\\", "/") if isinstance(told, str) else file.name)
    stem = re.sub(r"[^\w.()+ -]", "_", name.stem)[:_MAX_STEM].strip(". ")
    format = images.format_of_bytes(body)
    known = images.format_of_suffix(name)
    suffix = name.suffix if known and known == format else format.suffix if format else ""
    return PurePath((stem or "picture") + suffix)


def result_name(name: PurePath, plan: UpscalePlan) -> str:
    """As `srez upscale` calls a result beside its input."""
    format = plan.options.file_format
    own = images.format_of_suffix(name) == format
    rules = plans.Rules(
        None, None if own else format, plans.result_suffix(plans.Rules(), plan.options.size, plan.card.scale)
    )
    return plans.result_name(name, rules, lambda: b"")
