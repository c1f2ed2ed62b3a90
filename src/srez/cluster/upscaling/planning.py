"""What a batch has to do: the source's pictures, compared with the target and its manifest."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from srez import images
from srez.cluster.upscaling.manifest import DONE, FAILED, KEPT, OPEN, REFUSED, Row
from srez.cluster.upscaling.store import Store
from srez.upscaling.plan import Existing, Rules, clash, existing_result, result_name


class Plan(NamedTuple):
    """One row for every picture.

    Attributes:
        to_do: those to upscale, all OPEN.
        standing: those that need no work, or for which nothing can be done.
    """

    to_do: list[Row]
    standing: list[Row]


def find_pictures(source: Store, target: Store, rules: Rules, settings: str) -> list[Row]:
    """The pictures of the source, by name; not the results, where the target lies in the source.

    All rows are OPEN, but of several whose results would share a name only the first; the others are FAILED.

    Raises:
        ImageError: the source cannot be listed.
    """
    rows = []
    source_of: dict[str, str] = {}
    for name, file in sorted(source.files(rules.recursive).items()):
        path = PurePosixPath(name)
        if images.is_hidden(path) or target.holds(source, name):
            continue
        if not images.is_picture(path, partial(source.read_start, name)):
            continue
        result = str(path.parent / result_name(path, rules.suffix or "", rules.format))
        row = Row(name, result, OPEN, settings, file.bytes, file.version)
        first = source_of.setdefault(result, name)
        if first != name:
            error = clash(first, name, result)
            row = replace(row, status=FAILED, settings=None, error=str(error))
        rows.append(row)
    return rows


def plan(pictures: Iterable[Row], earlier: dict[str, Row], target: Store, existing: Existing) -> Plan:
    """Which pictures to upscale.

    Args:
        pictures: as `find_pictures` gives them.
        earlier: the manifest of earlier runs, by source.
        target: where results go.
        existing: what to do about a file in a result's place that no earlier run made: "refuse" or "skip" it;
            "overwrite" does every picture again.

    Raises:
        ImageError: the target cannot be listed.
    """
    results = set() if existing == Existing.OVERWRITE else target.files().keys()
    to_do, standing = [], []
    for picture in pictures:
        before = None if existing == Existing.OVERWRITE else earlier.get(picture.source)
        exists = picture.target in results
        if picture.status != OPEN:
            standing.append(picture)
        elif before and _still_holds(before, picture, exists):
            standing.append(before)
        elif exists and not (before and before.settings and before.target == picture.target):
            standing.append(_not_ours(picture, target, existing))
        else:
            to_do.append(picture)
    return Plan(to_do, standing)


def _still_holds(before: Row, now: Row, exists: bool) -> bool:
    settled = before.status == REFUSED or (before.status == DONE and exists)
    return settled and before.asks_the_same_as(now)


def _not_ours(picture: Row, target: Store, existing: Existing) -> Row:
    """The row of a picture in whose result's place lies a file that no earlier run made."""
    if existing == Existing.SKIP:
        return replace(picture, status=KEPT, settings=None)
    error = existing_result(target.url_of(picture.target))
    return replace(picture, status=FAILED, settings=None, error=str(error))
