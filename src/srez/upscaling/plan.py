"""Plans which pictures are upscaled, and where each result goes."""

import enum
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from srez import images
from srez.errors import ImageError, OptionError, OutputError, SrezError
from srez.images import Format
from srez.upscaling.destination import named_output, refuse_missing_folder, refuse_special
from srez.upscaling.size import Size
from srez.upscaling.sources import (
    STANDARD,
    Source,
    Sources,
    find_sources,
    probe,
    real,
    without_earlier_results,
)


class Existing(enum.StrEnum):
    """What to do where a result exists."""

    REFUSE = "refuse"
    SKIP = "skip"
    OVERWRITE = "overwrite"


@dataclass(frozen=True)
class Rules:
    """Which pictures are upscaled, and what their results are called.

    Attributes:
        out: a file, a folder, or "-" for standard output; None puts each result beside its input.
        format: of results; each input's own by default, PNG where that cannot be written.
        suffix: put between name and ending of a result; by default "_x4" or the like for results beside their
            inputs, and nothing for others.
        recursive: whether to search subfolders too.
        existing: what to do where a result exists.
        again: whether results of earlier runs are upscaled too, instead of being left out.
        label: put before the ending of every result's name, as in face_x4.sheet.png.
        animated: whether results may be animations: a GIF then stays a GIF.
    """

    out: Path | None = None
    format: Format | None = None
    suffix: str | None = None
    recursive: bool = False
    existing: Existing = Existing.REFUSE
    again: bool = False
    label: str = ""
    animated: bool = False


@dataclass(frozen=True)
class Item:
    """A picture to upscale, and its result; either may be "-".

    Attributes:
        source: the picture.
        target: its result.
        format: of the result.
        overwrite: whether the result takes the place of a file that is there when it is complete.
    """

    source: Path
    target: Path
    format: Format
    overwrite: bool = False


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what is not.

    Attributes:
        items: to upscale.
        skipped: whose results exist and are left as they are.
        earlier_results: pictures among the inputs that srez has made, which are left out.
        other_files: files of another kind in the folders among the inputs.
        failures: why other inputs cannot be upscaled, by name.
    """

    items: list[Item] = field(default_factory=list)
    skipped: list[Item] = field(default_factory=list)
    earlier_results: list[Path] = field(default_factory=list)
    other_files: list[Path] = field(default_factory=list)
    failures: dict[str, SrezError] = field(default_factory=dict)

    @property
    def to_standard_output(self) -> bool:
        """Whether a result goes to standard output."""
        return any(item.target == STANDARD for item in self.items)


def make_plan(inputs: list[Path], rules: Rules, size: Size, scale: int) -> Plan:
    """Decide which pictures to upscale, and where each result goes.

    A single picture goes to `rules.out` if that has a suffix and is not a folder. Otherwise `rules.out` is a
    folder, and results are named after their pictures; only the suffix changes if its format cannot be
    written. If several results would have one name, the first picture gets it.

    Args:
        inputs: files, folders, patterns such as "*.jpg", or "-" for standard input; or a picture and the name
            of its result, see `named_output`.
        rules: which pictures are upscaled, and what their results are called.
        size: of results.
        scale: the model's.

    Raises:
        OptionError: options contradict each other, or a result would replace an input.
        OutputError: the result's format cannot be written, several pictures would go to one file, or
            `rules.out` is in a folder that does not exist, or is neither a file nor a folder.
    """
    if inputs == [STANDARD] and rules.out is None:
        rules = replace(rules, out=STANDARD)
    if rules.out is None and (named := named_output(inputs)) and not (rules.again and probe(named.exists)):
        inputs, rules = inputs[:1], replace(rules, out=named)
    if rules.out:
        refuse_missing_folder(rules.out)
        refuse_special(rules.out, "-o - writes to standard output")
    rules = replace(rules, suffix=result_suffix(rules, size, scale))
    sources = find_sources(inputs, rules.out, rules.recursive)
    if not rules.again:
        sources = without_earlier_results(sources, "" if rules.out else rules.suffix or "")
    planned = _items(sources, inputs, rules)
    if rules.label:
        planned = [replace(item, target=labelled(item.target, rules.label)) for item in planned]
    items, clashes = _one_result_each(planned)
    plan = Plan([], [], sources.earlier_results, sources.other_files, sources.failures | clashes)
    for item in items:
        exists = item.target != STANDARD and probe(item.target.exists)
        if exists and probe(item.target.is_dir):
            plan.failures[str(item.source)] = OutputError(
                f"{item.target} is a folder: choose another -o or --suffix"
            )
        elif exists and rules.existing == Existing.REFUSE:
            plan.failures[str(item.source)] = exists_error(str(item.target))
        elif exists and rules.existing == Existing.SKIP:
            plan.skipped.append(item)
        else:
            plan.items.append(replace(item, overwrite=rules.existing == Existing.OVERWRITE))
    if plan.earlier_results and not (plan.items or plan.skipped or plan.failures):
        plan.failures[str(inputs[0])] = _only_results_error(plan.earlier_results)
    return plan


def result_name(source: PurePath, rules: Rules, read_start: Callable[[], bytes]) -> str:
    """The file name of a result.

    Its format is the one asked for, or that of the source: by its name, or by its contents where the name
    does not tell; PNG if that cannot be written.

    Args:
        source: the picture.
        rules: give format and suffix.
        read_start: gives the first `images.START_BYTES` of the source; only called if needed.
    """
    stem = "picture" if source == STANDARD else source.stem
    own = images.format_of_suffix(source)
    if rules.format:
        ending = rules.format.suffix
    elif own:
        ending = source.suffix if _is_written(own, rules) else images.PNG.suffix
    else:
        found = None if source == STANDARD else images.format_of_bytes(read_start())
        ending = found.suffix if found and _is_written(found, rules) else images.PNG.suffix
    return f"{stem}{rules.suffix or ''}{ending}"


def _is_written(format_: Format, rules: Rules) -> bool:
    return format_.writable or (rules.animated and format_.animated)


def labelled(path: Path, label: str) -> Path:
    """A file's name with a label before its ending: face_x4.png to face_x4.LABEL.png."""
    return path if path == STANDARD else path.with_name(f"{path.stem}.{label}{path.suffix}")


def exists_error(target: str) -> OutputError:
    """The error about a result that exists, if neither --overwrite nor --skip was given."""
    return OutputError(f"{target} exists: use --overwrite to replace it or --skip to leave it")


def clash_error(first: str, second: str, target: str) -> OutputError:
    """The error about the second of two inputs whose results would have one name."""
    return OutputError(
        f"{first} and {second} would both become {target}: rename the second, or upscale it separately with "
        "another -o or --suffix"
    )


def result_suffix(rules: Rules, size: Size, scale: int) -> str:
    """What is put between the name and the ending of a result.

    Raises:
        OptionError: `rules.suffix` contains a slash.
    """
    if rules.suffix is None:
        return "" if rules.out else f"_{size}" if str(size) else f"_x{scale}"
    if set(rules.suffix) & {os.sep, os.altsep}:
        raise OptionError(f"--suffix {rules.suffix} contains a slash: use -o to choose a folder")
    return rules.suffix


def _items(sources: Sources, inputs: list[Path], rules: Rules) -> list[Item]:
    """Pair every source with its result."""
    out = rules.out
    if out is None or not _is_one_file(out, inputs):
        if out and probe(out.is_file):
            raise OutputError(f"-o {out} is a file: several pictures need a folder")
        return [item_in_folder(source, rules) for source in sources.pictures]
    if len(sources.pictures) > 1:
        raise OptionError(
            f"-o {out} is one file, but there are {len(sources.pictures)} pictures: give a folder"
        )
    format_ = _format_of_file(out, rules)
    return [Item(source.path, out, format_) for source in sources.pictures]


def item_in_folder(source: Source, rules: Rules) -> Item:
    """A picture and its result in the folder of results, or beside it."""
    folder = rules.out / source.folder if rules.out else source.path.parent
    target = folder / result_name(source.path, rules, lambda: _read_start(source.path))
    return Item(source.path, target, images.format_to_write(target, rules.animated))


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(images.START_BYTES)
    except OSError:
        return b""  # reading it will tell why


def _is_one_file(out: Path, inputs: list[Path]) -> bool:
    if out == STANDARD:
        return True
    if probe(out.is_dir):
        return False
    is_alone = len(inputs) == 1 and not probe(inputs[0].is_dir)
    return images.format_of_suffix(out) is not None or (is_alone and bool(out.suffix))


def _format_of_file(out: Path, rules: Rules) -> Format:
    wanted = rules.format
    if out == STANDARD:
        return wanted or images.PNG
    try:
        format_ = images.format_to_write(out, rules.animated)
    except OutputError as error:
        raise OutputError(f"{error}; if it is a folder, create it first") from None
    if wanted and wanted != format_:
        raise OptionError(f"-o {out} and --format {wanted.name} contradict each other: leave one out")
    return format_


def _one_result_each(items: list[Item]) -> tuple[list[Item], dict[str, SrezError]]:
    """The items with distinct results, and an error for each of the others."""
    taken: dict[Path, Item] = {}
    clashes: dict[str, SrezError] = {}
    sources = {real(item.source) for item in items if item.source != STANDARD}
    for item in items:
        target = real(item.target)
        if item.target != STANDARD and target in sources:
            raise OptionError(f"{item.target} would replace an input: choose another -o or --suffix")
        if target in taken:
            clashes[str(item.source)] = clash_error(
                str(taken[target].source), str(item.source), str(item.target)
            )
        else:
            taken[target] = item
    return list(taken.values()), clashes


def _only_results_error(earlier_results: list[Path]) -> ImageError:
    """The error about inputs that are all results of earlier runs."""
    what = (
        f"{earlier_results[0]} is a result"
        if len(earlier_results) == 1
        else f"all {len(earlier_results)} pictures are results"
    )
    return ImageError(f"{what} of an earlier run: use --again to upscale it again")
