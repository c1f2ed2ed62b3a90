"""Partitions: text files in the format of CelebA's `list_eval_partition.txt` that split pictures by name."""

import enum
from collections.abc import Iterable
from pathlib import Path

from srez.errors import DataError
from srez.wording import counted


class Part(enum.IntEnum):
    """What a picture is for, numbered as CelebA's partition does."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


def read(partition: Path) -> dict[str, Part]:
    """The part of every picture that a partition names, by file name.

    Args:
        partition: a name and 0, 1 or 2 on each line.

    Raises:
        DataError: the file cannot be read, or a line has another form.
    """
    try:
        lines = partition.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"--partition {partition} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"--partition {partition} is not a text file") from None
    parts = {}
    for number, line in enumerate(lines, 1):
        name, _, part = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not name or part not in ("0", "1", "2"):
            place = f"--partition {partition}, line {number}"
            raise DataError(f"{place}: expected a file name and 0, 1 or 2, not {line.strip()!r}")
        parts[name.strip()] = Part(int(part))
    return parts


def require_present(parts: dict[str, Part], names: Iterable[str], partition: Path) -> None:
    """Make sure that all pictures a partition names are there.

    Raises:
        DataError: some are missing.
    """
    absent = sorted(parts.keys() - set(names))
    if absent:
        raise DataError(
            f"--partition {partition} names {counted(len(absent), 'picture')} not in the data, "
            f"such as {absent[0]}"
        )
