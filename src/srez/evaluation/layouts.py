"""The folders in which benchmarks come: where the truths are, and where the inputs."""

import re
from dataclasses import dataclass
from pathlib import Path

from srez import images
from srez.errors import DataError
from srez.evaluation import matching

# Patterns of folders' paths inside a benchmark, whatever their case.
_TRUTHS = r"([^/]+_)?(hr|gt|gtmod\d+)"  # HR, DIV2K_valid_HR, GTmod12
_UNCROPPED_TRUTHS = "original"  # BasicSR has it beside GTmod12


def _inputs(scale: int) -> str:
    # LR_x4, LR_bicubic/X4, DIV2K_valid_LR_bicubic/X4, LRbicx4, LR/x4, LR
    return rf"([^/]+_)?lr(_?bic(ubic)?)?([_/]?x{scale})?"


@dataclass(frozen=True)
class Layout:
    """The files of a benchmark.

    Attributes:
        truths: by the pictures' names, in their order.
        inputs: likewise, of the same pictures; None if the benchmark has none.
    """

    truths: dict[str, Path]
    inputs: dict[str, Path] | None


def find(folder: Path, scale: int) -> Layout:
    """Find the truths and the inputs of a benchmark.

    These are known, in upper or lower case:

    - `HR/a.png` and `LR_x4/a.png`;
    - `HR/a.png` and `LR_bicubic/X4/ax4.png`, as EDSR and DIV2K (`DIV2K_valid_HR/`) have it;
    - `GTmod12/a.png` and `LRbicx4/a.png`, as BasicSR has it;
    - `a_SRF_4_HR.png` and `a_SRF_4_LR.png` in one folder, or in `image_SRF_4/`, as SelfExSR has it;
    - truths alone, in one of these folders or in `folder` itself.

    Args:
        folder: the benchmark.
        scale: the 4 in these names.

    Raises:
        DataError: no truths, a picture without its partner, several folders or files where one is expected.
        ImageError: a folder that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"benchmark {folder} is not a folder")
    folders = _folders_of_pictures(folder)
    truths = _only(folders, _TRUTHS) or _only(folders, _UNCROPPED_TRUTHS)
    inputs = _only(folders, _inputs(scale))
    if truths:
        return _paired(images.find(truths).pictures, images.find(inputs).pictures if inputs else None, scale)
    if inputs:
        raise DataError(f"benchmark {folder} has the inputs {inputs.name}, but no truths: expected HR/")
    together = _only(folders, f"image_srf_{scale}") or _only(folders, r"\.")
    if not together:
        raise DataError(
            f"benchmark {folder} holds no pictures in a known layout: expected folders HR and LR_x{scale}"
        )
    files = images.find(together).pictures
    highs = [path for path in files if path.stem.upper().endswith("_HR")]
    lows = [path for path in files if path.stem.upper().endswith("_LR")]
    return _paired(highs or files, lows or None, scale)


def _folders_of_pictures(folder: Path) -> list[tuple[str, Path]]:
    """The folders with pictures directly in them, two levels down at most: path inside, path."""
    candidates = [path for path in (folder, *folder.glob("*"), *folder.glob("*/*")) if path.is_dir()]
    return [
        (path.relative_to(folder).as_posix(), path)
        for path in candidates
        if any(images.format_of_suffix(entry) for entry in path.iterdir())
    ]


def _only(folders: list[tuple[str, Path]], pattern: str) -> Path | None:
    """The folder whose path inside the benchmark fits a pattern."""
    fitting = sorted(path for name, path in folders if re.fullmatch(pattern, name, re.IGNORECASE))
    if len(fitting) > 1:
        raise DataError(f"{fitting[0]} and {fitting[1]} could both be the benchmark's folder: move one away")
    return fitting[0] if fitting else None


def _paired(highs: list[Path], lows: list[Path] | None, scale: int) -> Layout:
    truths: dict[str, Path] = {}
    for path in highs:
        name = re.sub(rf"(_SRF_{scale})?_(HR|GT)$", "", path.stem, flags=re.IGNORECASE)
        if name in truths:
            raise DataError(f"{truths[name]} and {path} both belong to {name}: remove or rename one of them")
        truths[name] = path
    if lows is None:
        return Layout(truths, None)
    inputs = matching.by_name(lows, truths, scale)
    for path in sorted({*lows} - {*inputs.values()}):
        raise DataError(f"{path} has no partner in {highs[0].parent}")
    for name in sorted(truths.keys() - inputs.keys()):
        raise DataError(f"{truths[name]} has no partner in {lows[0].parent}")
    return Layout(truths, inputs)
