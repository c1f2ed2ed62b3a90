"""What commands print."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.table import Table
from typer.testing import CliRunner

from helpers.commands import upscale
from srez.cli import app
from srez.cli.display import Bars, error_console, out_console
from srez.cli.train import TrainingBars

BRACKETS = "x[red]y[/z].png"  # as markup, a colour and an error


def test_names_with_brackets_are_printed_as_they_are(tmp_path: Path) -> None:
    target = tmp_path / "x[red].png"
    result = CliRunner().invoke(app, ["demo", "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert target.exists()
    assert target.name in result.stdout.replace("\n", "")
    unreadable = CliRunner().invoke(app, ["data", "check", str(tmp_path / BRACKETS)])
    assert BRACKETS in unreadable.stderr


@pytest.mark.parametrize("console", [out_console, error_console])
def test_consoles_know_no_markup(console) -> None:
    table = Table(BRACKETS)
    table.add_row(BRACKETS)
    with console.capture() as captured:
        console.print(BRACKETS)
        console.print(table)
    assert captured.get().count(BRACKETS) == 3


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error taken for a terminal."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("make", [Bars, lambda: TrainingBars(9)])
def test_bars_know_no_markup(make: Callable[[], Bars]) -> None:
    with error_console.capture() as captured, make() as bars:
        bars.add_task(BRACKETS, total=1)
        bars.news = BRACKETS
        bars.print(BRACKETS)
        bars.refresh()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", captured.get())
    assert shown.count(BRACKETS) >= 3


def test_no_bars_in_a_file(picture, tmp_path: Path) -> None:
    done = upscale(picture("a.png"), "-o", tmp_path / "b.png")
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.usefixtures("terminal")
def test_no_bar_where_there_is_nothing_to_upscale(picture, tmp_path: Path) -> None:
    shown = upscale(picture("a.png"), "-o", tmp_path / "b.png").stderr
    assert "upscaling" in shown
    assert "0.0/0.0" not in shown
    nothing = upscale(tmp_path / "nowhere.png").stderr
    assert nothing.startswith("srez: ")
    assert len(nothing.splitlines()) == 1
    exists = upscale(tmp_path / "a.png", "-o", tmp_path / "b.png").stderr
    assert len(exists.splitlines()) == 1
