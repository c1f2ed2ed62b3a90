"""Pictures as they arrive in a folder, each when it is complete."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from srez import images
from srez.errors import ImageError
from srez.upscaling.sources import probe

SETTLED = 1.0  # seconds without change after which a file is complete
_STEP = 200  # milliseconds between looks at what has not settled


@dataclass(frozen=True)
class Look:
    """What a file was like.

    Attributes:
        size: in bytes.
        changed: when it was last written to, as it says itself, in nanoseconds.
        since: when it was first seen so, in seconds; two looks at a file that stays the same are equal.
    """

    size: int
    changed: int
    since: float = field(compare=False)


def arrivals(folder: Path, out: Path, recursive: bool) -> Iterator[tuple[Path, Look]]:
    """The pictures that are in a folder and those that arrive, without end; changed ones come again.

    What is written to for longer comes when it has not changed for `SETTLED` seconds. Hidden files, files of
    another kind, and what lies below `out` do not come.

    Args:
        folder: to watch.
        out: a folder whose contents are left out.
        recursive: whether subfolders are watched too.

    Raises:
        ImageError: the folder cannot be read, or is gone.
    """
    from watchfiles import watch  # of an optional package

    pending: dict[Path, Look] = {}
    changes = watch(
        folder,
        watch_filter=None,
        recursive=recursive,
        debounce=_STEP,
        rust_timeout=_STEP,
        yield_on_timeout=True,
    )
    for number, changed in enumerate(changes):
        if not probe(folder.is_dir):
            raise ImageError(f"{folder} is gone: there is nothing to watch any more")
        # All that is there already comes after the watching has begun, so that nothing is missed between.
        places = [Path(path) for _, path in changed] if number else []
        for place in places if number else [folder]:
            for path in _pictures(place, recursive):
                if _belongs(path, folder, out, recursive):
                    pending.setdefault(path, Look(-1, 0, 0.0))
        yield from _settled(pending)


def _pictures(place: Path, recursive: bool) -> list[Path]:
    """The pictures that a changed place stands for: a file, or a folder that was moved here."""
    if not probe(place.is_dir):
        return [place]
    try:
        return images.find(place, recursive).pictures
    except ImageError:
        return []  # none there yet


def _belongs(path: Path, folder: Path, out: Path, recursive: bool) -> bool:
    try:
        inside = path.relative_to(folder)
    except ValueError:
        return False
    is_watched = recursive or path.parent == folder  # a new subfolder is a change to its folder
    return is_watched and not images.is_hidden(inside) and out not in path.parents


def _settled(pending: dict[Path, Look]) -> Iterator[tuple[Path, Look]]:
    """Take what is complete, or gone, from what is pending."""
    for path, before in list(pending.items()):
        try:
            stat = path.stat()
        except OSError:
            del pending[path]
            continue
        look = Look(stat.st_size, stat.st_mtime_ns, time.monotonic())
        if look != before:
            pending[path] = look
        elif look.since - before.since >= SETTLED:
            del pending[path]
            if images.is_picture_file(path):
                yield path, look
