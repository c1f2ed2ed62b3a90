"""What commands print: results on standard output, errors and progress on standard error."""

import io
import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import typer
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from srez.errors import SrezError, printable
from srez.output import output_failure

if os.environ.get("COLUMNS") == "0":
    del os.environ["COLUMNS"]  # Rich would print nothing


_FEW_PIXELS = 50_000  # less than 0.1 million


class _Plain(Console):
    """Prints file names and model cards as they are, "[...]" and ":name:" too, but no orders to terminals."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)


out_console = _Plain(highlight=False, markup=False, emoji=False)
error_console = _Plain(stderr=True, highlight=False, markup=False, emoji=False)


def print_any_name() -> None:
    """Print file names that a stream cannot encode with escapes, instead of raising UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def complain(error: SrezError, debug: bool = False) -> None:
    """Print an error as one line on standard error, with its traceback if `debug`."""
    error_console.print(f"srez: {error}", soft_wrap=True)
    if debug:
        error_console.print("".join(traceback.format_exception(error)), soft_wrap=True)


def warn(warnings: Iterable[str]) -> None:
    """Print each warning as a line on standard error."""
    for warning in warnings:
        error_console.print(f"srez: warning: {warning}", soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    with standard_output():
        print(
            json.dumps(value, indent=2, default=str), flush=True
        )  # dates as text; nothing if standard output is closed


@contextmanager
def standard_output() -> Iterator[None]:
    """Report standard output that is full or has no reader in a sentence, with exit code 1."""
    try:
        yield
    except OSError as error:
        complain(output_failure(error))
        raise typer.Exit(1) from None


class Bars(Progress):
    """Progress bars on standard error, with a line of news under them; none unless it is a terminal."""

    def __init__(self) -> None:
        """Bars without tasks yet; use them in a `with` statement."""
        self.news = ""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        super().__init__(*columns, console=error_console, disable=not error_console.is_terminal)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, then the news."""
        yield self.make_tasks_table(self.tasks)
        if self.news:
            yield self.news


class PixelBars(Bars):
    """A bar over the pixels of all inputs together, from when the first of them is known to be a picture."""

    def __init__(self) -> None:
        """A bar without a task yet; use it in a `with` statement."""
        super().__init__()
        self.columns = (*self.columns[:2], _Megapixels(), *self.columns[3:])

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def stop(self) -> None:
        """Leave the bar as it is, if there is one."""
        if self.live.is_started:
            super().stop()

    def watch(self, done: float, pixels: int) -> None:
        """Say how many of all pixels are done."""
        if not pixels:
            return
        if not self.tasks:
            self.add_task("upscaling", total=pixels)
            self.start()
        self.update(self.tasks[0].id, completed=done, total=pixels)


class _Megapixels(ProgressColumn):
    """What is done and what there is, in millions of pixels."""

    def render(self, task: Task) -> Text:
        """One bar's text; none where it would be 0.0/0.0."""
        total = task.total or 0
        return Text(f"{task.completed / 1e6:.1f}/{total / 1e6:.1f} MP" if total >= _FEW_PIXELS else "")
