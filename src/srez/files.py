"""Upscaling of files: which result goes where, and one file after another."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, Any

import numpy as np

from srez import images, output, resample
from srez.errors import ImageError, OptionError, OutputError, SrezError
from srez.tiling import Progress, ignore
from srez.upscaler import Choose

_FEW = 20  # results that are listed one by one

STANDARD = Path("-")  # standard input, or standard output

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif", "avif": ".avif", "heic": ".heic"}


@dataclass(frozen=True)
class Size:
    """How large results are to be: at most one of a scale, and a width or height or both.

    Attributes:
        scale: times the input.
        width: in pixels; the height follows, unless it is given too.
        height: in pixels; with a width too, the result is as large as fits into both.
    """

    scale: int | None = None
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.scale and (self.width or self.height):
            raise OptionError("give either --scale, or --width and --height")

    def of(self, size: tuple[int, int], scale: int) -> tuple[int, int]:
        """Width and height of the result for an input's, in pixels.

        Args:
            size: the input's.
            scale: the model's.

        Raises:
            OptionError: the model does not make pictures as large.
        """
        width, height = size
        if self.width or self.height:
            shares = [
                wanted / side for wanted, side in ((self.width, width), (self.height, height)) if wanted
            ]
            share = min(shares)
        else:
            share = self.scale or scale
        if share > scale:
            raise OptionError(
                f"a {width}x{height} picture cannot become {share:.3g} times as large: the model makes it "
                f"{scale} times"
            )
        return max(1, round(width * share)), max(1, round(height * share))

    def __str__(self) -> str:
        """As names of files have it: "x2", "w800", "h600", "800x600"; "" for the model's own."""
        if self.width and self.height:
            return f"{self.width}x{self.height}"
        names = {"x": self.scale, "w": self.width, "h": self.height}
        return next((f"{letter}{value}" for letter, value in names.items() if value), "")


@dataclass(frozen=True)
class Wish:
    """What is to be made of some files.

    Attributes:
        out: a file, a folder, or "-" for standard output; None puts each result beside its input.
        size: how large.
        format: a key of `SUFFIXES`; each input's own by default.
        quality: of lossy formats, from 1 to 100.
        suffix: put between a result's name and its ending; by default "_x4" or the like beside the input, and
            nothing in another folder.
        recursive: whether to look in subfolders too.
        existing: what to do where a result exists: "refuse", "skip" or "overwrite".
        max_pixels: of an input.
    """

    out: Path | None = None
    size: Size = field(default_factory=Size)
    format: str | None = None
    quality: int = images.QUALITY
    suffix: str | None = None
    recursive: bool = False
    existing: str = "refuse"
    max_pixels: int = images.MAX_PIXELS


@dataclass(frozen=True)
class Job:
    """One picture to upscale, and the file to write; either may be "-"."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Plan:
    """What is to be done, what is done already, and what cannot be done, by the input's name."""

    jobs: list[Job]
    skipped: list[Job]
    failures: dict[str, SrezError]


def plan(inputs: list[Path], wish: Wish, scale: int) -> Plan:
    """Where every result goes.

    One picture goes to `wish.out` if that has a suffix and is not a folder. Otherwise `wish.out` is a folder,
    and every result keeps its name, a .bmp or .gif becoming a .png. A folder among the inputs stands for the
    pictures in it, a pattern such as "*.jpg" for the files that it fits; results of before are left out.

    Args:
        inputs: files, folders, patterns, "-" for standard input.
        wish: what is to be made of them.
        scale: the model's.

    Raises:
        OptionError: a result would replace an input, or two would have the same name.
        OutputError: the result's format cannot be written.
    """
    out = STANDARD if inputs == [STANDARD] and wish.out is None else wish.out
    suffix = wish.suffix
    if suffix is None:
        suffix = "" if out else f"_{wish.size}" if str(wish.size) else f"_x{scale}"
    sources, failures = _expand(inputs, wish, suffix)
    if out and _is_one_file(out, inputs):
        _refuse_other_format(out, wish.format)
        if len(sources) > 1:
            raise OptionError(f"-o {out} is one file, but there are {len(sources)} pictures: give a folder")
        jobs = [Job(source, out) for source, _ in sources]
    else:
        if out and out.is_file():
            raise OutputError(f"-o {out} is a file: several pictures need a folder")
        jobs = [
            Job(source, (out / below if out else source.parent) / result_name(source, suffix, wish.format))
            for source, below in sources
        ]
    _refuse_collisions(jobs)
    to_do, skipped = [], []
    for job in jobs:
        exists = job.target != STANDARD and job.target.exists()
        if exists and wish.existing == "skip":
            skipped.append(job)
        elif exists and (job.target.is_dir() or wish.existing == "refuse"):
            failures[str(job.source)] = _in_the_way(job.target)
        else:
            to_do.append(job)
    return Plan(to_do, skipped, failures)


@dataclass
class Report:
    """What has become of a plan.

    Attributes:
        done: the jobs that are finished, with width and height of each result.
        skipped: the jobs whose results were there already.
        failures: what went wrong, by the input's name.
        stopped: whether the user stopped it.
    """

    done: list[tuple[Job, tuple[int, int]]]
    skipped: list[Job]
    failures: dict[str, SrezError]
    stopped: bool = False

    def as_json(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "done": [
                {"source": str(job.source), "target": str(job.target), "width": width, "height": height}
                for job, (width, height) in self.done
            ],
            "skipped": [{"source": str(job.source), "target": str(job.target)} for job in self.skipped],
            "failed": [{"source": name, "error": str(error)} for name, error in self.failures.items()],
            "stopped": self.stopped,
        }

    def __str__(self) -> str:
        """A line for each result if they are few, and the counts if there is more than one input."""
        count = len(self.done) + len(self.skipped) + len(self.failures)
        lines = [f"{job.target}: {width}x{height}" for job, (width, height) in self.done[:_FEW]]
        if len(self.done) > _FEW:
            lines.append(f"and {len(self.done) - _FEW} more")
        if count > 1:
            counts = {"upscaled": len(self.done), "skipped": len(self.skipped), "failed": len(self.failures)}
            lines.append(", ".join(f"{n} {what}" for what, n in counts.items() if n or what != "skipped"))
        return "\n".join(lines)


def rehearse(plan: Plan, wish: Wish, scale: int) -> Report:
    """What `run` would report, as far as headers tell; nothing is written.

    Args:
        plan: of `plan`.
        wish: the same.
        scale: the model's.
    """
    report = Report([], list(plan.skipped), dict(plan.failures))
    for job in plan.jobs:
        try:
            if job.source == STANDARD:
                raise OptionError("--dry-run cannot look into standard input")
            size = images.size(job.source, max_pixels=wish.max_pixels)
            report.done.append((job, wish.size.of(size, scale)))
        except SrezError as error:
            report.failures[str(job.source)] = error
    return report


def run(choose: Choose, plan: Plan, wish: Wish, watch: Callable[[float, int], None]) -> Report:
    """Upscale one file after another; one that fails is noted, and the others are done.

    Ctrl-C stops it: what is finished stays, and of the file under way nothing is left.

    Args:
        choose: gives the model for a picture's size.
        plan: of `plan`.
        wish: the same.
        watch: called now and then with the input pixels done, and those of all inputs together.
    """
    report = Report([], list(plan.skipped), dict(plan.failures))
    pixels = {job: _pixels(job, wish) for job in plan.jobs}
    done, total = 0, sum(pixels.values())
    try:
        for job in plan.jobs:
            try:
                share = pixels[job]
                size = upscale(choose, job, wish, lambda part, d=done, s=share: watch(d + part * s, total))
                report.done.append((job, size))
            except SrezError as error:
                report.failures[str(job.source)] = error
            done += pixels[job]
            watch(done, total)
    except KeyboardInterrupt:
        report.stopped = True
    return report


def _pixels(job: Job, wish: Wish) -> int:
    """Of an input, as far as its header tells; 0 where reading it will tell what is wrong."""
    if job.source == STANDARD:
        return 1
    try:
        width, height = images.size(job.source, max_pixels=wish.max_pixels)
    except ImageError:
        return 0
    return width * height


def upscale(choose: Choose, job: Job, wish: Wish, progress: Progress = ignore) -> tuple[int, int]:
    """Upscale one file; the result is written whole or not at all.

    Args:
        choose: gives the model for a picture's size.
        job: what to read and what to write.
        wish: the size, quality and so on.
        progress: called now and then with the fraction done.

    Returns:
        Width and height of the result, in pixels.

    Raises:
        ImageError: the source cannot be read, or memory does not suffice.
        OptionError: the size cannot be made.
        OutputError: the target cannot be written.
    """
    standard = job.source == STANDARD
    name = "standard input" if standard else str(job.source)
    source = sys.stdin.buffer.read() if standard else job.source
    target = "standard output" if job.target == STANDARD else str(job.target)
    kind = _kind(job.target, wish.format)
    return convert(choose, source, name, _opened(job.target), target, kind, wish, progress)


def convert(
    choose: Choose,
    source: Path | bytes,
    name: str,
    opened: AbstractContextManager[IO[bytes]],
    target: str,
    kind: str,
    wish: Wish,
    progress: Progress = ignore,
) -> tuple[int, int]:
    """Upscale one picture from anywhere to anywhere.

    Args:
        choose: gives the model for a picture's size.
        source: the file, or its bytes.
        name: what to call it in an error.
        opened: gives a file to write to, that can seek; entered once the picture is known to be fine.
        target: what to call that in an error.
        kind: the format to write, a value of `images.WRITABLE`.
        wish: the size, quality and so on.
        progress: called now and then with the fraction done.

    Returns:
        Width and height of the result, in pixels.

    Raises:
        ImageError: the source cannot be read, or memory does not suffice.
        OptionError: the size cannot be made.
        OutputError: the target cannot be written.
    """
    picture = images.read(source, name, wish.max_pixels)
    upscaler = choose(picture.size)
    scale = upscaler.card.scale
    try:
        size = wish.size.of(picture.size, scale)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None
    images.refuse_unwritable(target, kind, picture.channels, size)  # before the work, not after it
    try:
        with opened as file:
            bands = upscaler.bands(picture.pixels, progress)
            save(file, target, kind, bands, picture, scale, size, wish.quality)
    except MemoryError:
        raise ImageError(f"{name}: memory does not suffice: try a smaller --tile") from None
    return size


def save(
    file: IO[bytes],
    name: str,
    kind: str,
    bands: Iterable[np.ndarray],
    picture: images.Picture,
    scale: int,
    size: tuple[int, int],
    quality: int = images.QUALITY,
) -> None:
    """Write what a model made of a picture, in the size that was asked for.

    Args:
        file: to write to; for TIFF it must be able to seek.
        name: what to call it in an error.
        kind: a value of `images.WRITABLE`.
        bands: the model's output from top to bottom, `(h, scale W, C)` each.
        picture: the input.
        scale: the model's.
        size: width and height of the result, as `Size.of` gives them, in pixels.
        quality: of lossy formats, from 1 to 100.

    Raises:
        OutputError: the format cannot hold it, or the file cannot be written.
    """
    full = picture.size[0] * scale, picture.size[1] * scale
    smaller = bands if size == full else resample.shrink(bands, full, size)
    images.save(file, name, kind, smaller, size, picture, quality)


def _opened(target: Path) -> AbstractContextManager[IO[bytes]]:
    if target == STANDARD:
        return output.standard_output()
    output.make_folder(target.parent)
    return output.atomic(target)


def _is_one_file(out: Path, inputs: list[Path]) -> bool:
    if out == STANDARD:
        return True
    return len(inputs) == 1 and bool(out.suffix) and not (out.is_dir() or inputs[0].is_dir())


def _in_the_way(target: Path) -> OutputError:
    if target.is_dir():
        return OutputError(f"{target} is a folder: take another -o or --suffix")
    return standing(str(target))


def standing(target: str) -> OutputError:
    """What is wrong where a result exists and nothing was said about it."""
    return OutputError(f"{target} exists: --overwrite replaces it, --skip leaves it")


def _expand(
    inputs: list[Path], wish: Wish, suffix: str
) -> tuple[list[tuple[Path, Path]], dict[str, SrezError]]:
    """All sources, each with the folder below `wish.out` that its result goes to."""
    sources: dict[Path, Path] = {}
    failures: dict[str, SrezError] = {}
    for entry in _matching(inputs):
        if not entry.is_dir():
            sources.setdefault(entry, Path())
            continue
        try:
            found = images.find(entry, wish.recursive)
        except ImageError as error:
            failures[str(entry)] = error
            continue
        for path in found:
            if not _is_earlier_result(path, entry, wish.out, suffix):
                sources.setdefault(path, path.parent.relative_to(entry))
    return list(sources.items()), failures


def _is_earlier_result(path: Path, entry: Path, out: Path | None, suffix: str) -> bool:
    """Whether a picture found in the folder `entry` was written there by a run like this one."""
    if out is None:
        return bool(suffix) and path.stem.endswith(suffix)
    out, folder = out.resolve(), entry.resolve()
    return out in path.resolve().parents and out not in (folder, *folder.parents)


def _matching(inputs: list[Path]) -> Iterator[Path]:
    """The inputs, patterns replaced by what they fit; shells that know patterns have done so already."""
    for entry in inputs:
        if set(str(entry)) & set("*?[") and not entry.exists():
            folder = Path(entry.anchor)
            yield from sorted(folder.glob(str(entry.relative_to(folder)))) or [entry]
        else:
            yield entry


def result_name(source: PurePath, suffix: str, format_: str | None) -> str:
    """The name of a picture's result: with what is put before its ending, and a key of `SUFFIXES` or None."""
    if format_:
        ending = SUFFIXES[format_]
    else:
        ending = source.suffix if source.suffix.lower() in images.WRITABLE else ".png"
    return f"{'picture' if source == STANDARD else source.stem}{suffix}{ending}"


def _kind(target: Path, format_: str | None) -> str:
    """The format to write, as `images` calls it."""
    if target == STANDARD:
        return images.kind_of(Path("a" + SUFFIXES[format_ or "png"]))
    return images.kind_of(target)


def _refuse_other_format(out: Path, format_: str | None) -> None:
    if format_ and out != STANDARD and images.kind_of(out) != images.kind_of(Path("a" + SUFFIXES[format_])):
        raise OptionError(f"-o {out} and --format {format_} contradict each other: leave one out")
    if out != STANDARD:
        images.kind_of(out)


def _refuse_collisions(jobs: list[Job]) -> None:
    taken: dict[Path, Path] = {}
    sources = {job.source.resolve() for job in jobs if job.source != STANDARD}
    for job in jobs:
        target = job.target.resolve()
        if job.target != STANDARD and target in sources:
            raise OptionError(f"{job.target} would replace an input: take another -o or --suffix")
        if target in taken:
            raise OptionError(f"{taken[target]} and {job.source} would both become {job.target}")
        taken[target] = job.source
