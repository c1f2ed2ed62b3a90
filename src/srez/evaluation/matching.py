"""Which file belongs to which picture, by their names."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from srez.errors import DataError


def by_name(files: Iterable[Path], names: Collection[str], scale: int) -> dict[str, Path]:
    """The file of each picture: named as it is, or as programs name results and inputs after it.

    For the picture `baby`: `baby.png`, `babyx4.png`, `baby_x4.png`, `baby_SR.png`, `baby_SRF_4_LR.png` ... If
    a file may belong to several pictures, it belongs to the one with the longest name.

    Args:
        files: with any suffix.
        names: of the pictures; files that belong to none are left out.
        scale: the 4 in x4.

    Raises:
        DataError: two files belong to one picture.
    """
    known = set(names)
    found: dict[str, Path] = {}
    for path in files:
        name = next((name for name in _possible_names(path.stem, scale) if name in known), None)
        if name in found:
            raise DataError(f"{found[name]} and {path} both belong to {name}: remove or rename one of them")
        if name is not None:
            found[name] = path
    return found


def _possible_names(stem: str, scale: int) -> Iterator[str]:
    """What a file's picture may be called, the longest name first."""
    separators = [match.start() for match in re.finditer(r"[ ._-]", stem)]
    for end in [len(stem), *reversed(separators)]:
        yield stem[:end]
        if stem[:end].lower().endswith(f"x{scale}"):
            yield stem[: end - len(f"x{scale}")]
