"""What a batch has to do: the source's pictures, compared with the target and its manifest."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from srez import images
from srez.cluster.upscaling.manifest import DONE, FAILED, KEPT, OPEN, REFUSED, RESULT, Row
from srez.cluster.upscaling.store import Store
from srez.errors import ImageError
from srez.upscaling.plan import Existing, Rules, clash, existing_result, result_name


class Pictures(NamedTuple):
    """What there is in a source.

    Attributes:
        rows: one for every picture, by name: OPEN, but of several whose results would share a name only the
            first, and the others FAILED. So are subfolders that cannot be listed.
        others: how many files are of another kind; hidden ones are not counted.
    """

    rows: list[Row]
    others: int


class Plan(NamedTuple):
    """One row for every picture.

    Attributes:
        to_do: those to upscale, all OPEN.
        standing: those that need no work, or for which nothing can be done.
    """

    to_do: list[Row]
    standing: list[Row]


def find_pictures(source: Store, target: Store, rules: Rules, settings: str) -> Pictures:
    """Look for pictures in the source, but not for results in a target that lies in it.

    Raises:
        ImageError: the source cannot be listed, or holds no pictures.
    """
    files, unlisted = source.listing(rules.recursive)
    rows = [Row(name, name, FAILED, None, None, "", error=error) for name, error in unlisted.items()]
    others = 0
    source_of: dict[str, str] = {}
    for name, file in sorted(files.items()):
        path = PurePosixPath(name)
        if images.is_hidden(path) or target.holds(source, name):
            continue
        read_start = partial(source.read_start, name)
        if not images.is_picture(path, read_start):
            others += 1
            continue
        result = str(path.parent / result_name(path, rules, read_start))
        row = Row(name, result, OPEN, settings, file.bytes, file.version)
        first = source_of.setdefault(result, name)
        if first != name:
            row = replace(row, status=FAILED, settings=None, error=str(clash(first, name, result)))
        rows.append(row)
    if not rows:
        raise ImageError(images.none_found(source.url, others))
    return Pictures(rows, others)


def plan(pictures: Iterable[Row], earlier: dict[str, Row], target: Store, rules: Rules) -> Plan:
    """Which pictures to upscale.

    Args:
        pictures: as `find_pictures` gives them.
        earlier: the manifest of earlier runs, by source.
        target: where results go.
        rules: `existing` says what to do about a file in a result's place that no earlier run made; but
            OVERWRITE does every picture again.

    Raises:
        ImageError: the target cannot be listed.
    """
    overwrite = rules.existing == Existing.OVERWRITE
    results = set() if overwrite else target.files().keys()
    to_do, standing = [], []
    for picture in pictures:
        before = None if overwrite else earlier.get(picture.source)
        exists = picture.target in results
        if picture.status != OPEN:
            standing.append(picture)
        elif before and _still_holds(before, picture, exists, rules.again):
            standing.append(before)
        elif exists and not (before and before.settings and before.target == picture.target):
            standing.append(_not_ours(picture, target, rules.existing))
        else:
            to_do.append(picture)
    return Plan(to_do, standing)


def _still_holds(before: Row, now: Row, exists: bool, again: bool) -> bool:
    settled = {DONE: exists, REFUSED: True, RESULT: not again}
    return settled.get(before.status, False) and before.asks_the_same_as(now)


def _not_ours(picture: Row, target: Store, existing: Existing) -> Row:
    """The row of a picture in whose result's place lies a file that no earlier run made."""
    if existing == Existing.SKIP:
        return replace(picture, status=KEPT, settings=None)
    error = existing_result(target.url_of(picture.target))
    return replace(picture, status=FAILED, settings=None, error=str(error))
