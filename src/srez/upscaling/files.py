"""Upscaling of files: which result goes where, and one file after another."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, Any

import numpy as np

from srez import images, output
from srez.errors import (
    DefectError,
    ImageError,
    ModelError,
    OptionError,
    OutOfMemoryError,
    OutputError,
    SrezError,
)
from srez.images import Format, resample
from srez.upscaling.tiling import Progress, ignore_progress
from srez.upscaling.upscaler import Choose

_FEW = 20  # results that are listed one by one

STANDARD = Path("-")  # standard input, or standard output


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
                f"a {width}x{height} picture cannot become {round(share, 2):.10g} times as large: the model "
                f"makes it {scale} times, {width * scale}x{height * scale}"
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
        format: of the results; each input's own by default.
        quality: of lossy formats, from 1 to 100.
        suffix: put between a result's name and its ending; by default "_x4" or the like beside the input, and
            nothing in another folder.
        recursive: whether to look in subfolders too.
        existing: what to do where a result exists: "refuse", "skip" or "overwrite".
        max_pixels: of an input.
    """

    out: Path | None = None
    size: Size = field(default_factory=Size)
    format: Format | None = None
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
    pictures in it, a pattern such as "*.jpg" for the files that it fits. Results of before are left out: what
    lies in `wish.out` below a folder or pattern, and what is called as another input with the suffix. Of
    several inputs whose results would have one name, the first gets it.

    Args:
        inputs: files, folders, patterns, "-" for standard input.
        wish: what is to be made of them.
        scale: the model's.

    Raises:
        OptionError: options contradict each other, or a result would replace an input.
        OutputError: the result's format cannot be written, or several pictures would go to one file.
    """
    out = STANDARD if inputs == [STANDARD] and wish.out is None else wish.out
    suffix = wish.suffix
    if suffix is None:
        suffix = "" if out else f"_{wish.size}" if str(wish.size) else f"_x{scale}"
    if set(suffix) & {os.sep, os.altsep}:
        raise OptionError(f"--suffix {suffix} would name a folder: that is what -o is for")
    sources, failures = _expand(inputs, wish)
    if not out:
        sources = _without_earlier_results(sources, suffix)
    if out and _is_one_file(out, inputs):
        _refuse_other_format(out, wish.format)
        if len(sources) > 1:
            raise OptionError(f"-o {out} is one file, but there are {len(sources)} pictures: give a folder")
        jobs = [Job(source, out) for source, _ in sources]
    else:
        if out and _surely(out.is_file):
            raise OutputError(f"-o {out} is a file: several pictures need a folder")
        jobs = [
            Job(source, (out / below if out else source.parent) / result_name(source, suffix, wish.format))
            for source, below in sources
        ]
    jobs, clashing = _apart(jobs)
    failures |= clashing
    to_do, skipped = [], []
    for job in jobs:
        exists = job.target != STANDARD and _surely(job.target.exists)
        if exists and wish.existing == "skip":
            skipped.append(job)
        elif exists and (_surely(job.target.is_dir) or wish.existing == "refuse"):
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
        rehearsed: whether nothing was written, and what is done only would be.
    """

    done: list[tuple[Job, tuple[int, int]]]
    skipped: list[Job]
    failures: dict[str, SrezError]
    stopped: bool = False
    rehearsed: bool = False

    def as_json(self) -> dict[str, Any]:
        """The report as JSON holds it; a rehearsal has "planned" instead of "done"."""
        return {
            "planned" if self.rehearsed else "done": [
                {"source": str(job.source), "target": str(job.target), "width": width, "height": height}
                for job, (width, height) in self.done
            ],
            "skipped": [{"source": str(job.source), "target": str(job.target)} for job in self.skipped],
            "failed": [{"source": name, "error": str(error)} for name, error in self.failures.items()],
            "stopped": self.stopped,
        }

    def __str__(self) -> str:
        """A line for each result if they are few or a rehearsal, and the counts if one result is not all."""
        count = len(self.done) + len(self.skipped) + len(self.failures)
        listed = self.done if self.rehearsed else self.done[:_FEW]
        lines = [f"{job.target}: {width}x{height}" for job, (width, height) in listed]
        if len(self.done) > len(listed):
            lines.append(f"and {len(self.done) - len(listed)} more")
        if count != 1 or self.skipped:
            done = "to upscale" if self.rehearsed else "upscaled"
            counts = {done: len(self.done), "skipped": len(self.skipped), "failed": len(self.failures)}
            lines.append(", ".join(f"{n} {what}" for what, n in counts.items() if n or what != "skipped"))
        return "\n".join(lines)


def rehearse(plan: Plan, wish: Wish, scale: int, complain: Callable[[SrezError], None]) -> Report:
    """What `run` would report, as far as headers tell; nothing is decoded and nothing written.

    Args:
        plan: of `plan`.
        wish: the same.
        scale: the model's.
        complain: as for `run`.
    """
    report = Report([], list(plan.skipped), dict(plan.failures), rehearsed=True)
    for job in plan.jobs:
        try:
            if job.source == STANDARD:
                raise OptionError("--dry-run cannot look into standard input")
            size = images.size(job.source, max_pixels=wish.max_pixels)
            size = _result_size(size, scale, str(job.source), wish)
            # As if it were gray: whether alpha is opaque, only the pixels tell.
            images.refuse_unwritable(str(job.target), _format(job.target, wish.format), 1, size)
            report.done.append((job, size))
        except SrezError as error:
            report.failures[str(job.source)] = error
            complain(error)
    return report


def run(
    choose: Choose,
    plan: Plan,
    wish: Wish,
    watch: Callable[[float, int], None],
    complain: Callable[[SrezError], None],
) -> Report:
    """Upscale one file after another; one that fails is noted, and the others are done.

    Ctrl-C, SIGTERM and SIGHUP stop it: what is finished stays, and of the file under way nothing is left.

    Args:
        choose: gives the model for a picture's size.
        plan: of `plan`.
        wish: the same.
        watch: called now and then with the input pixels done, and those of all inputs together.
        complain: called with what went wrong with a file, at once; not with what the plan tells already.
    """
    report = Report([], list(plan.skipped), dict(plan.failures))
    try:
        with _stoppable():
            pixels = {job: _pixels(job, wish) for job in plan.jobs}
            done, total = 0, sum(pixels.values())
            for job in plan.jobs:
                share = pixels[job]

                def progress(part: float, before: int = done, share: int = share) -> None:
                    watch(before + part * share, total)

                try:
                    report.done.append((job, upscale(choose, job, wish, progress)))
                except Exception as error:
                    failure = error if isinstance(error, SrezError) else _defect(job, error)
                    report.failures[str(job.source)] = failure
                    complain(failure)
                done += share
                watch(done, total)
    except KeyboardInterrupt:
        report.stopped = True
    return report


def _defect(job: Job, error: Exception) -> DefectError:
    what = f"{job.source}: this is a defect of srez ({type(error).__name__}: {error})"
    defect = DefectError(f"{what}: srez --debug upscale with the same words shows where")
    defect.__cause__ = error
    return defect


@contextmanager
def _stoppable() -> Iterator[None]:
    """Within this, to be told to end (`kill`, a closed terminal) is as Ctrl-C, unless it is ignored."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # only there signals can be heard
    heard = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


def _pixels(job: Job, wish: Wish) -> int:
    """Of an input, as far as its header tells; 0 where reading it will tell what is wrong."""
    if job.source == STANDARD:
        return 1
    try:
        width, height = images.size(job.source, max_pixels=wish.max_pixels)
    except ImageError:
        return 0
    return width * height


def upscale(choose: Choose, job: Job, wish: Wish, progress: Progress = ignore_progress) -> tuple[int, int]:
    """Upscale one file; the result is written whole or not at all.

    Args:
        choose: gives the model for a picture's size.
        job: what to read and what to write.
        wish: the size, quality and so on.
        progress: called now and then with the fraction done.

    Returns:
        Width and height of the result, in pixels.

    Raises:
        ImageError: the source cannot be read.
        ModelError: the model for it is damaged, or has only one look.
        OptionError: the size cannot be made.
        OutOfMemoryError: memory does not suffice, even for small tiles.
        OutputError: the target cannot be written.
    """
    standard = job.source == STANDARD
    name = "standard input" if standard else str(job.source)
    source = _standard_input() if standard else job.source
    target = "standard output" if job.target == STANDARD else str(job.target)
    format_ = _format(job.target, wish.format)
    return convert(choose, source, name, _opened(job.target), target, format_, wish, progress)


def convert(
    choose: Choose,
    source: Path | bytes,
    name: str,
    opened: AbstractContextManager[IO[bytes]],
    target: str,
    format_: Format,
    wish: Wish,
    progress: Progress = ignore_progress,
) -> tuple[int, int]:
    """Upscale one picture from anywhere to anywhere.

    Args:
        choose: gives the model for a picture's size.
        source: the file, or its bytes.
        name: what to call it in an error.
        opened: gives a file to write to, that can seek; entered once the picture is known to be fine.
        target: what to call that in an error.
        format_: to write.
        wish: the size, quality and so on.
        progress: called now and then with the fraction done.

    Returns:
        Width and height of the result, in pixels.

    Raises:
        ImageError: the source cannot be read.
        ModelError: the model for it is damaged, or has only one look.
        OptionError: the size cannot be made.
        OutOfMemoryError: memory does not suffice, even for small tiles.
        OutputError: the target cannot be written.
    """
    picture = images.fitted(images.read(source, name, wish.max_pixels), format_)
    try:
        upscaler = choose(picture.size)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
    scale = upscaler.card.scale
    size = _result_size(picture.size, scale, name, wish)
    # Before the work, not after it.
    images.refuse_unwritable(target, format_, picture.channels, size, picture.pixels.itemsize)
    try:
        with opened as file:
            bands = upscaler.bands(picture.pixels, progress)
            save(file, target, format_, bands, picture, scale, size, wish.quality)
    except MemoryError:
        raise OutOfMemoryError(f"{name}: out of memory: try a smaller --tile") from None
    return size


def save(
    file: IO[bytes],
    name: str,
    format_: Format,
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
        format_: to write.
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
    images.save(file, name, format_, smaller, size, picture, quality)


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise ImageError("standard input is closed")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise ImageError(f"standard input cannot be read: {error.strerror or error}") from None


def _result_size(size: tuple[int, int], scale: int, name: str, wish: Wish) -> tuple[int, int]:
    try:
        return wish.size.of(size, scale)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None


def _opened(target: Path) -> AbstractContextManager[IO[bytes]]:
    if target == STANDARD:
        return output.standard_output()
    output.make_folder(target.parent)
    return output.atomic(target)


def _is_one_file(out: Path, inputs: list[Path]) -> bool:
    if out == STANDARD:
        return True
    is_folder = _surely(out.is_dir) or _surely(inputs[0].is_dir)
    return len(inputs) == 1 and bool(out.suffix) and not is_folder


def _surely(question: Callable[[], bool]) -> bool:
    """Whether a path is something; not if one may not even look, and reading or writing will tell why."""
    try:
        return question()
    except OSError:
        return False


def _in_the_way(target: Path) -> OutputError:
    if _surely(target.is_dir):
        return OutputError(f"{target} is a folder: take another -o or --suffix")
    return standing(str(target))


def standing(target: str) -> OutputError:
    """What is wrong where a result exists and nothing was said about it."""
    return OutputError(f"{target} exists: --overwrite replaces it, --skip leaves it")


def _expand(inputs: list[Path], wish: Wish) -> tuple[list[tuple[Path, Path]], dict[str, SrezError]]:
    """All sources, each once, with the folder below `wish.out` that its result goes to."""
    sources: dict[Path, tuple[Path, Path]] = {}
    failures: dict[str, SrezError] = {}
    for entry, searched in _matching(inputs):
        found, top = [entry], entry.parent
        if _surely(entry.is_dir):
            searched = top = entry
            closed: dict[str, ImageError] = {}
            try:
                found = images.find(entry, wish.recursive, closed)
            except ImageError as error:
                failures[str(entry)] = error
                continue
            failures |= closed
        for path in found:
            if not (searched and wish.out and _is_among_results(path, searched, wish.out)):
                sources.setdefault(path.absolute(), (path, path.parent.relative_to(top)))
    return list(sources.values()), failures


def _matching(inputs: list[Path]) -> Iterator[tuple[Path, Path | None]]:
    """The inputs, patterns replaced by what they fit, with the folder that was searched for that.

    Shells that know patterns have done so already.
    """
    for entry in inputs:
        if not _is_pattern(str(entry)) or _surely(entry.exists):
            yield entry, None
            continue
        folder = Path(entry.anchor)
        for part in entry.relative_to(folder).parts:
            if _is_pattern(part):
                break
            folder /= part
        found = sorted(folder.glob(str(entry.relative_to(folder))))
        yield from ((path, folder) for path in found) if found else [(entry, None)]


def _is_pattern(name: str) -> bool:
    return not set(name).isdisjoint("*?[")


def _is_among_results(path: Path, searched: Path, out: Path) -> bool:
    """Whether a picture that was found lies in the folder of results, if that lies in the searched one."""
    out, searched = _real(out), _real(searched)
    return out in _real(path).parents and out not in (searched, *searched.parents)


def _without_earlier_results(sources: list[tuple[Path, Path]], suffix: str) -> list[tuple[Path, Path]]:
    """Sources without those that a run like this one made of others, by their names."""
    results = {(path.parent.absolute(), path.stem + suffix) for path, _ in sources if suffix}
    return [each for each in sources if (each[0].parent.absolute(), each[0].stem) not in results]


def _real(path: Path) -> Path:
    """Where a path leads to; unlike `Path.resolve`, a link that leads to itself leads there."""
    return Path(os.path.realpath(path))


def result_name(source: PurePath, suffix: str, format_: Format | None) -> str:
    """The name of a picture's result, with what is put before its suffix."""
    own = images.format_of_suffix(source)
    ending = format_.suffix if format_ else source.suffix if own and own.writable else images.PNG.suffix
    return f"{'picture' if source == STANDARD else source.stem}{suffix}{ending}"


def _format(target: Path, format_: Format | None) -> Format:
    """The format to write."""
    return format_ or images.PNG if target == STANDARD else images.format_to_write(target)


def _refuse_other_format(out: Path, format_: Format | None) -> None:
    if out == STANDARD:
        return
    try:
        named = images.format_to_write(out)
    except OutputError as error:
        raise OutputError(f"{error}; if it is to be a folder, make it first") from None
    if format_ and named != format_:
        raise OptionError(f"-o {out} and --format {format_.name} contradict each other: leave one out")


def _apart(jobs: list[Job]) -> tuple[list[Job], dict[str, SrezError]]:
    """The jobs whose results have names of their own, and what is wrong with the others."""
    taken: dict[Path, Job] = {}
    clashing: dict[str, SrezError] = {}
    sources = {_real(job.source) for job in jobs if job.source != STANDARD}
    for job in jobs:
        target = _real(job.target)
        if job.target != STANDARD and target in sources:
            raise OptionError(f"{job.target} would replace an input: take another -o or --suffix")
        if target in taken:
            clashing[str(job.source)] = clash(str(taken[target].source), str(job.source), str(job.target))
        else:
            taken[target] = job
    return list(taken.values()), clashing


def clash(first: str, second: str, target: str) -> OutputError:
    """What is wrong with the second of two inputs whose results would have one name."""
    return OutputError(
        f"{first} and {second} would both become {target}: rename the latter, or upscale it by itself with "
        f"another -o or --suffix"
    )
