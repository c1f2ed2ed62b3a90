"""Upscaling of files: which result goes where, and one file after another."""

from dataclasses import dataclass
from pathlib import Path

from srez import images
from srez.errors import ImageError, OptionError, OutputError, SrezError
from srez.images import Picture
from srez.output import make_folder
from srez.tiling import Progress, ignore
from srez.upscaler import Upscaler


@dataclass(frozen=True)
class Job:
    """One picture to upscale, and the file to write."""

    source: Path
    target: Path


def plan(inputs: list[Path], out: Path) -> tuple[list[Job], list[SrezError]]:
    """Where every result goes.

    One picture goes to `out` if that has a suffix and is not a folder. Otherwise `out` is a folder, made if
    it does not exist, and every result keeps its name (a .bmp becomes a .png). A folder among the inputs
    stands for the pictures in it.

    Args:
        inputs: files and folders.
        out: a file or a folder.

    Returns:
        The jobs, and an error for each input that stands for no picture.

    Raises:
        OptionError: a result would replace an input, or two would have the same name.
        OutputError: the result's format cannot be written, or the folder cannot be made.
    """
    if len(inputs) == 1 and out.suffix and not out.is_dir() and not inputs[0].is_dir():
        if out.suffix.lower() not in images.WRITABLE:
            raise OutputError(f"-o {out}: cannot write {out.suffix}, only {', '.join(images.WRITABLE)}")
        jobs, failures = [Job(inputs[0], out)], []
    else:
        sources, failures = _expand(inputs)
        jobs = [Job(source, out / _result_name(source)) for source in sources]
        make_folder(out)
    _refuse_collisions(jobs)
    return jobs, failures


def upscale(upscaler: Upscaler, job: Job, progress: Progress = ignore) -> None:
    """Upscale one file; the result is written whole or not at all.

    Args:
        upscaler: the model.
        job: what to read and what to write.
        progress: called now and then with the fraction done.

    Raises:
        ImageError: the source cannot be read.
        OutputError: the target cannot be written.
    """
    picture = images.read(job.source)
    if picture.pixels.shape[2:] == (4,):
        images.refuse_alpha(job.target)  # before the work, not after it
    images.write(job.target, Picture(upscaler(picture.pixels, progress), picture.icc, picture.exif))


def _expand(inputs: list[Path]) -> tuple[list[Path], list[SrezError]]:
    sources, failures = [], []
    for entry in inputs:
        try:
            sources += images.find(entry) if entry.is_dir() else [entry]
        except ImageError as error:
            failures.append(error)
    return sources, failures


def _result_name(source: Path) -> str:
    return source.name if source.suffix.lower() in images.WRITABLE else f"{source.stem}.png"


def _refuse_collisions(jobs: list[Job]) -> None:
    taken: dict[Path, Path] = {}
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        target = job.target.resolve()
        if target in sources:
            raise OptionError(f"{job.target} would replace an input: take another -o")
        if target in taken:
            raise OptionError(f"{taken[target]} and {job.source} would both become {job.target}")
        taken[target] = job.source
