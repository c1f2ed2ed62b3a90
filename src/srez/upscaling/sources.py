"""The pictures that the inputs of a command stand for: files, folders and patterns."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from srez import images
from srez.errors import ImageError, OptionError, SrezError

STANDARD = Path("-")  # standard input, or standard output


@dataclass(frozen=True)
class Source:
    """A picture to upscale.

    Attributes:
        path: the file, or "-".
        folder: its folder, relative to the input that it was found in.
    """

    path: Path
    folder: Path = Path()


@dataclass(frozen=True)
class Sources:
    """What some inputs stand for.

    Attributes:
        pictures: to upscale, each once.
        earlier_results: pictures that srez has made, which are left out.
        other_files: files of another kind in the folders among the inputs.
        failures: inputs and folders that cannot be read, by name.
    """

    pictures: list[Source] = field(default_factory=list)
    earlier_results: list[Path] = field(default_factory=list)
    other_files: list[Path] = field(default_factory=list)
    failures: dict[str, SrezError] = field(default_factory=dict)


def find_sources(inputs: list[Path], out: Path | None, recursive: bool) -> Sources:
    """The pictures that some inputs stand for.

    A folder stands for the pictures in it, a pattern such as "*.jpg" for the files that match it. What they
    hold in the folder of results is not theirs.

    Args:
        inputs: files, folders, patterns, or "-".
        out: where results go, if not beside their inputs.
        recursive: whether to search subfolders too.
    """
    found = Sources()
    known = set()
    for entry in inputs:
        try:
            for source in _expand(entry, out, recursive, found):
                if (absolute := source.path.absolute()) not in known:
                    known.add(absolute)
                    found.pictures.append(source)
        except SrezError as error:
            found.failures[str(entry)] = error
    return found


def without_earlier_results(found: Sources, suffix: str) -> Sources:
    """Sources without the results of earlier runs.

    These are known by a mark in the file. Files without it are told by their names: those of other sources,
    with the suffix.

    Args:
        found: what the inputs stand for.
        suffix: put between name and ending of results that go beside their inputs; "" if they go elsewhere.
    """
    names = {(each.path.parent.absolute(), each.path.stem + suffix) for each in found.pictures if suffix}
    pictures, earlier = [], list(found.earlier_results)
    for source in found.pictures:
        path = source.path
        if (path.parent.absolute(), path.stem) in names or _is_our_result(path):
            earlier.append(path)
        else:
            pictures.append(source)
    return Sources(pictures, earlier, found.other_files, found.failures)


def probe(test: Callable[[], bool]) -> bool:
    """Test a path, as in `probe(path.is_dir)`; False on an OSError: reading or writing will report it."""
    try:
        return test()
    except OSError:
        return False


def real(path: Path) -> Path:
    """Where a path leads to; unlike with `Path.resolve`, a link that leads to itself leads there."""
    return Path(os.path.realpath(path))


def _is_our_result(path: Path) -> bool:
    return path != STANDARD and images.is_our_result(path)


def _expand(entry: Path, out: Path | None, recursive: bool, found: Sources) -> Iterator[Source]:
    """The sources that one input stands for; `found` takes what else there is in folders."""
    if not is_pattern(entry) or probe(entry.exists):
        matches, searched = [entry], None
    else:
        matches, searched = _matches(entry)
    for match in matches:
        if probe(match.is_dir):
            try:
                within = images.find(match, recursive)
            except ImageError as error:
                found.failures[str(match)] = error
                continue
            paths, top, below = within.pictures, match, match
            found.other_files.extend(within.others)
            found.failures.update(within.closed)
        else:
            paths, top, below = [match], match.parent, searched
        for path in paths:
            if not (out and below and _is_result_below(below, path, out)):
                yield Source(path, path.parent.relative_to(top))


def is_pattern(path: Path) -> bool:
    """Whether a path may stand for several, as "*.jpg" does."""
    return not set(str(path)).isdisjoint("*?[")


def _matches(pattern: Path) -> tuple[list[Path], Path | None]:
    """What matches a pattern, and the folder that was searched; the pattern itself where nothing does.

    Most shells have replaced patterns before.

    Raises:
        OptionError: it is no pattern.
    """
    folder = Path(pattern.anchor)
    for part in pattern.relative_to(folder).parts:
        if is_pattern(Path(part)):
            break
        folder /= part
    try:
        found = sorted(folder.glob(str(pattern.relative_to(folder))))
    except ValueError:
        raise OptionError(f"{pattern} is not a valid pattern: ** stands for whole folders only") from None
    return (found, folder) if found else ([pattern], None)


def _is_result_below(searched: Path, path: Path, out: Path) -> bool:
    """Whether a picture lies in the folder of results, if that is below the searched one."""
    out, searched = real(out), real(searched)
    return out in real(path).parents and out not in (searched, *searched.parents)
