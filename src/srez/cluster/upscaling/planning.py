"""Plans a batch: compares the source's pictures with the target and its manifest."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from srez import images
from srez.cluster.upscaling.manifest import DONE, FAILED, KEPT, OPEN, REFUSED, RESULT, Row
from srez.cluster.upscaling.store import Store
from srez.errors import ImageError, printable
from srez.upscaling.plan import Existing, Rules, clash_error, exists_error, result_name


class Pictures(NamedTuple):
    """What a source holds.

    Attributes:
        rows: one for every picture, sorted by name. They are OPEN, or FAILED if an earlier picture's result
            takes the same name. Subfolders that cannot be listed have FAILED rows too.
        others: how many files are not pictures; hidden ones are not counted.
    """

    rows: list[Row]
    others: int


class Plan(NamedTuple):
    """One row for every picture.

    Attributes:
        to_do: those to upscale, all OPEN.
        settled: those that need no work, or cannot be upscaled.
    """

    to_do: list[Row]
    settled: list[Row]


def find_pictures(source: Store, target: Store, rules: Rules, settings: str) -> Pictures:
    """Find the pictures in the source, except results in a target inside it.

    Raises:
        ImageError: the source cannot be listed, or holds no pictures.
    """
    files, unlisted = source.listing(rules.recursive)
    rows = [_failed(name, error) for name, error in unlisted.items()]
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
        if printable(name) != name:
            rows.append(_failed(name, "its name is not UTF-8 or has control characters: rename it"))
            continue
        result = str(path.parent / result_name(path, rules, read_start))
        row = Row(name, result, OPEN, settings, file.bytes, file.version)
        first = source_of.setdefault(result, name)
        if first != name:
            row = replace(row, status=FAILED, settings=None, error=str(clash_error(first, name, result)))
        rows.append(row)
    if not rows:
        raise ImageError(images.none_found(source.url, others))
    return Pictures(rows, others)


def plan(pictures: Iterable[Row], earlier: dict[str, Row], target: Store, rules: Rules) -> Plan:
    """Decide which pictures to upscale.

    Args:
        pictures: as `find_pictures` gives them.
        earlier: the manifest of earlier runs, by source.
        target: where results go.
        rules: `existing` decides about files in a result's place that no earlier run made; OVERWRITE
            upscales every picture again.

    Raises:
        ImageError: the target cannot be listed.
    """
    overwrite = rules.existing == Existing.OVERWRITE
    results = set() if overwrite else target.files().keys()
    to_do, settled = [], []
    for picture in pictures:
        before = None if overwrite else earlier.get(picture.source)
        exists = picture.target in results
        if picture.status != OPEN:
            settled.append(picture)
        elif before and _still_holds(before, picture, exists, rules.again):
            settled.append(before)
        elif exists and not (before and before.settings and before.target == picture.target):
            settled.append(_not_ours(picture, target, rules.existing))
        else:
            to_do.append(picture)
    return Plan(to_do, settled)


def _failed(name: str, error: str) -> Row:
    """The row of what cannot be upscaled; a manifest is UTF-8."""
    return Row(printable(name), printable(name), FAILED, None, None, "", error=printable(error))


def _still_holds(before: Row, now: Row, exists: bool, again: bool) -> bool:
    """Whether the outcome of an earlier run is still valid for a picture.

    Args:
        before: the picture's row of an earlier run.
        now: its row of this run.
        exists: whether the target holds a file in the result's place.
        again: whether results of srez are upscaled too.
    """
    if not before.is_same_request(now):
        return False
    return {DONE: exists, REFUSED: True, RESULT: not again}.get(before.status, False)


def _not_ours(picture: Row, target: Store, existing: Existing) -> Row:
    """The row of a picture whose result's place is taken by a file that no earlier run made."""
    if existing == Existing.SKIP:
        return replace(picture, status=KEPT, settings=None)
    error = exists_error(target.url_of(picture.target))
    return replace(picture, status=FAILED, settings=None, error=str(error))
