"""Run a plan, one picture after another, or rehearse it."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from srez import images, output
from srez.errors import DefectError, ImageError, OptionError, SrezError, TooLargeError, first_line
from srez.upscaling.convert import Converted, Options, Source, Target, convert
from srez.upscaling.frames import are_several, convert_all, foreseen
from srez.upscaling.loading import Choose
from srez.upscaling.plan import Item, Plan
from srez.upscaling.size import resizing
from srez.upscaling.sources import STANDARD
from srez.upscaling.tiling import Progress

_BYTES_A_PIXEL = 8  # of an input at most: 16 bits, with transparency, not packed
_MOST_BESIDE = 64 * 1024**2  # bytes of an input beside its pixels
_FEW = 20  # results that are listed one by one


@dataclass
class Outcome:
    """What became of a plan.

    Attributes:
        plan: what was to be done.
        done: what is finished, or would be after a rehearsal.
        failures: what went wrong, by the input's name; those of the plan too.
        rehearsed: whether nothing was written.
        stopped: whether the user stopped it.
    """

    plan: Plan
    done: list[tuple[Item, Converted]] = field(default_factory=list)
    failures: dict[str, SrezError] = field(default_factory=dict)
    rehearsed: bool = False
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """130 if it was stopped, 1 if something failed, else 0."""
        return 130 if self.stopped else 1 if self.failures else 0

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON has it; a rehearsal has "planned" instead of "done"."""
        return {
            "planned" if self.rehearsed else "done": [
                {
                    **_as_json(item),
                    "width": result.size[0],
                    "height": result.size[1],
                    "frames": result.frames,
                    "resized": result.resized,
                    **(asdict(result.settings) if result.settings else {}),
                    "faces": [each.as_json() for each in result.faces],
                    "warnings": list(result.warnings),
                }
                for item, result in self.done
            ],
            "skipped": [_as_json(item) for item in self.plan.skipped],
            "earlier_results": [str(path) for path in self.plan.earlier_results],
            "other_files": [str(path) for path in self.plan.other_files],
            "failed": [{"source": name, "error": str(error)} for name, error in self.failures.items()],
            "stopped": self.stopped,
        }

    def __str__(self) -> str:
        """A line for each result, if they are few or rehearsed, and counts, if there is more to say."""
        listed = self.done if self.rehearsed else self.done[:_FEW]
        lines = [_line(item, result) for item, result in listed]
        if len(self.done) > len(listed):
            lines.append(f"and {len(self.done) - len(listed)} more")
        if len(self.done) + len(self.failures) != 1 or self.plan.skipped:
            lines.append(self._counts())
        if earlier := self.plan.earlier_results:
            one = len(earlier) == 1
            what = f"{earlier[0]} is a result" if one else f"{len(earlier)} files are results"
            it = "it" if one else "them"
            lines.append(f"{what} of an earlier run and left out: --again upscales {it} too")
        if others := len(self.plan.other_files):
            lines.append(f"{others} {'file' if others == 1 else 'files'} of another kind left out")
        return "\n".join(lines)

    @property
    def warnings(self) -> list[str]:
        """A line for each picture whose result lacks something that the input says beside its pixels."""
        return [
            f"{item.source}: not kept in {item.target}: {'; '.join(result.warnings)}"
            for item, result in self.done
            if result.warnings
        ]

    def _counts(self) -> str:
        counts = [f"{len(self.done)} {'to upscale' if self.rehearsed else 'upscaled'}"]
        if self.plan.skipped:
            counts.append(f"{len(self.plan.skipped)} skipped")
        return ", ".join([*counts, f"{len(self.failures)} failed"])


def _line(item: Item, result: Converted) -> str:
    parts = [str(result.settings)] if result.settings else []
    if result.faces:
        parts.append(f"{sum(not each.left for each in result.faces)} of {len(result.faces)} faces enlarged")
    if result.resized:
        parts.append(f"resized by {result.resized}")
    made_with = f" ({', '.join(parts)})" if parts else ""
    count = f", {result.frames} frames" if result.frames > 1 else ""
    return f"{item.target}: {result.size[0]}x{result.size[1]}{count}{made_with}"


def _as_json(item: Item) -> dict[str, str]:
    return {"source": str(item.source), "target": str(item.target)}


def rehearse(plan: Plan, options: Options, scale: int, failed: Callable[[SrezError], None]) -> Outcome:
    """What `run` would do, as far as the headers of files tell; nothing is decoded or written.

    Args:
        plan: what is to be done.
        options: how.
        scale: the model's.
        failed: called with each error, those of the plan too.
    """
    outcome = _begin(plan, failed)
    outcome.rehearsed = True
    for item in plan.items:
        try:
            outcome.done.append((item, _foreseen(item, options, scale)))
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
    make: "Make | None" = None,
) -> Outcome:
    """Upscale one picture after another; one that fails does not stop the others.

    Ctrl-C, SIGTERM and SIGHUP end it: what is finished stays, and nothing is left of the picture under way.

    Args:
        choose: gives the upscaler for a picture.
        plan: what is to be done.
        options: how.
        progress: called now and then with the input pixels done, and those of all inputs together.
        failed: called at once with each error, those of the plan too.
        make: what to make of each picture; its result alone by default.

    Raises:
        OptionError: a picture would go to a terminal.
    """
    if plan.to_standard_output:
        refuse_terminal()
    outcome = _begin(plan, failed)
    try:
        with stoppable():
            sizes = [_pixels(item, options) for item in plan.items]
            done, total = 0, sum(sizes)
            for item, pixels in zip(plan.items, sizes, strict=True):
                try:
                    within = partial(_advance, progress, done, pixels, total)
                    outcome.done.append((item, (make or upscale)(choose, item, options, within)))
                except Exception as error:
                    failure = error if isinstance(error, SrezError) else _defect(item, error)
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


def _foreseen(item: Item, options: Options, scale: int) -> Converted:
    if item.source == STANDARD:
        raise OptionError("--dry-run cannot look into standard input")
    name = str(item.source)
    if are_several(item.source, options, item.format):
        return foreseen(item.source, str(item.target), item.format, options, scale)
    size = options.input_size(item.source)
    try:
        target = options.result_size(size, scale)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None
    # As if it were gray: whether alpha is opaque, only the pixels tell.
    images.refuse_unwritable(str(item.target), item.format, 1, target)
    return Converted(target, resizing(size, scale, target))


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


Make = Callable[[Choose, Item, Options, Progress], Converted]
"""Makes what is wanted of an item, as `upscale` makes its result."""


def source(path: Path, options: Options) -> Source:
    """What an item's picture is read from."""
    if path == STANDARD:
        return options.source(_standard_input(options.max_pixels), "standard input")
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


def _standard_input(max_pixels: int) -> bytes:
    """What comes in, as long as it may be a picture: it need not end."""
    if sys.stdin is None:
        raise ImageError("standard input is closed")
    most = _BYTES_A_PIXEL * max_pixels + _MOST_BESIDE
    try:
        start = sys.stdin.buffer.read(images.START_BYTES)
        rest = sys.stdin.buffer.read(most) if images.format_of_bytes(start) else b""
    except OSError as error:
        raise ImageError(f"standard input cannot be read: {error.strerror or error}") from None
    if len(rest) == most:
        raise TooLargeError(
            f"standard input has more than {most:,} bytes, so more than {max_pixels:,} pixels: if you trust "
            "it, allow more (--max-pixels)"
        )
    data = start + rest
    if images.is_followed(data):
        raise ImageError(
            "standard input holds several pictures, one behind the other: give files, or raw frames (--raw)"
        )
    return data


def _defect(item: Item, error: Exception) -> DefectError:
    what = f"{type(error).__name__}: {first_line(error)}"
    defect = DefectError(
        f"{item.source}: this is a bug in srez ({what}): run the same command as `srez --debug upscale ...` "
        "to see where"
    )
    defect.__cause__ = error
    return defect


def refuse_terminal() -> None:
    """Refuse to write pictures to a terminal.

    Raises:
        OptionError: standard output is one.
    """
    if sys.stdout and sys.stdout.isatty():
        raise OptionError("a picture cannot go to a terminal: write it to a file or a pipe")


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP (`kill`, a closed terminal) act like Ctrl-C, unless they are ignored."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # signals reach only the main thread
    handled = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
