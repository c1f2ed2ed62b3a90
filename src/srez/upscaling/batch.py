"""Run a plan, one picture after another, or rehearse it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from srez import images, output
from srez.errors import DefectError, OptionError, SrezError, TransparencyError, first_line
from srez.models.card import Card
from srez.upscaling import standard
from srez.upscaling.convert import Converted, Options, Source, Target, convert
from srez.upscaling.frames import are_several, convert_all, foreseen
from srez.upscaling.loading import Choose
from srez.upscaling.outcome import Outcome
from srez.upscaling.plan import Item, Plan
from srez.upscaling.resizing import resizing
from srez.upscaling.sources import STANDARD
from srez.upscaling.stopping import stoppable
from srez.upscaling.tiling import Progress


@dataclass(frozen=True)
class Work:
    """What is made of each picture.

    Attributes:
        make: makes it.
        foresee: says what would be made, given the model's card, as far as the header of a file tells.
    """

    make: Callable[[Choose, Item, Options, Progress], Converted]
    foresee: Callable[[Item, Options, Card], Converted]


def rehearse(
    plan: Plan,
    options: Options,
    card: Card,
    failed: Callable[[SrezError], None],
    work: Work | None = None,
) -> Outcome:
    """What `run` would do, as far as the headers of files tell; nothing is decoded or written.

    Args:
        plan: what is to be done.
        options: how.
        card: the model's, as far as it is known without a look at pixels.
        failed: called with each error, those of the plan too.
        work: what to make of each picture; its result alone by default.
    """
    outcome, work = _begin(plan, failed), work or RESULT
    outcome.rehearsed = True
    for item in plan.items:
        try:
            outcome.done.append((item, work.foresee(item, options, card)))
        except SrezError as error:
            outcome.failures[str(item.source)] = error
            failed(error)
    return outcome


def run(
    choose: Choose,
    plan: Plan,
    options: Options,
    progress: Callable[[float, int], None],
    failed: Callable[[SrezError], None],
    work: Work | None = None,
) -> Outcome:
    """Upscale one picture after another; one that fails does not stop the others.

    Ctrl-C, SIGTERM and SIGHUP end it: what is finished stays, and nothing is left of the picture under way.

    Args:
        choose: gives the upscaler for a picture.
        plan: what is to be done.
        options: how.
        progress: called now and then with the input pixels done, and those of all inputs together.
        failed: called at once with each error, those of the plan too.
        work: what to make of each picture; its result alone by default.

    Raises:
        OptionError: a picture would go to a terminal.
    """
    work = work or RESULT
    if plan.to_standard_output:
        standard.refuse_terminal()
    outcome = _begin(plan, failed)
    try:
        with stoppable():
            sizes = [_pixels(item, options) for item in plan.items]
            done, total = 0, sum(sizes)
            for item, pixels in zip(plan.items, sizes, strict=True):
                try:
                    within = partial(_advance, progress, done, pixels, total)
                    outcome.done.append((item, work.make(choose, item, options, within)))
                except Exception as error:
                    failure = _failure(item, error)
                    outcome.failures[str(item.source)] = failure
                    failed(failure)
                done += pixels
                progress(done, total)
    except KeyboardInterrupt:
        outcome.stopped = True
    return outcome


def _begin(plan: Plan, failed: Callable[[SrezError], None]) -> Outcome:
    for error in plan.failures.values():
        failed(error)
    return Outcome(plan, failures=dict(plan.failures))


def _pixels(item: Item, options: Options) -> int:
    """Of an input, as far as its header tells; 0 where reading it will tell what is wrong."""
    if item.source == STANDARD:
        return 1
    try:
        if options.frames == images.Frames.all:
            found = images.sequence(item.source, str(item.source), options.max_pixels)
            return sum(width * height for width, height in found.sizes)
        width, height = options.input_size(item.source)
    except SrezError:
        return 0
    return width * height


def _advance(
    progress: Callable[[float, int], None], done: int, pixels: int, total: int, fraction: float
) -> None:
    """Tell how far all inputs are, where a fraction of one is done."""
    progress(done + fraction * pixels, total)


def upscale(choose: Choose, item: Item, options: Options, progress: Progress) -> Converted:
    """Make an item's result; see `convert` and `convert_all`."""
    given = source(item.source, options)
    make = convert_all if are_several(given.data, options, item.format) else convert
    return make(choose, given, _target(item), options, progress)


def foresee(item: Item, options: Options, card: Card) -> Converted:
    """What `upscale` would make, as far as the header tells.

    Raises:
        SrezError: it cannot be made.
    """
    if item.source == STANDARD:
        raise OptionError("--dry-run cannot look into standard input")
    name = str(item.source)
    if are_several(item.source, options, item.format):
        return foreseen(item.source, str(item.target), item.format, options, card)
    size = options.input_size(item.source)
    try:
        target = options.result_size(size, card.scale)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None
    # As if it were gray: whether alpha is opaque, only the pixels tell.
    images.refuse_unwritable(str(item.target), item.format, 1, target)
    return Converted(target, resizing(size, card, target))


RESULT = Work(upscale, foresee)
"""A larger picture, and nothing else."""


def source(path: Path, options: Options) -> Source:
    """What an item's picture is read from."""
    if path == STANDARD:
        return options.source(standard.picture(options.max_pixels), "standard input")
    return options.source(path, str(path))


def _target(item: Item) -> Target:
    if item.target == STANDARD:
        return Target(output.standard_output, "standard output", item.format)
    return Target(partial(result_file, item.target, item.overwrite), str(item.target), item.format)


@contextmanager
def result_file(path: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    """A file for a result, in a folder that is made if need be; see `output.atomic`."""
    output.make_folder(path.parent)
    with output.atomic(path, overwrite) as file:
        yield file


def _failure(item: Item, error: Exception) -> SrezError:
    """What is told of an error."""
    if isinstance(error, TransparencyError):
        return TransparencyError(f"{error}, or fill it (--background white)")
    return error if isinstance(error, SrezError) else _defect(item, error)


def _defect(item: Item, error: Exception) -> DefectError:
    what = f"{type(error).__name__}: {first_line(error)}"
    defect = DefectError(
        f"{item.source}: this is a bug in srez ({what}): run the same command as `srez --debug upscale ...` "
        "to see where"
    )
    defect.__cause__ = error
    return defect
