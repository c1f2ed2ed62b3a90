"""The page of a run: one HTML file that needs nothing else, neither scripts nor a network."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from rich.filesize import decimal

from srez import __version__, images, runs
from srez.errors import ImageError, ModelError
from srez.models import card
from srez.models.card import Card
from srez.output import atomic
from srez.runs import Run
from srez.runs.layout import VALIDATION, step_of
from srez.runs.report import curves

SHEETS = 6  # the first, the last, and those that are evenly spread between them

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Grid:
    """A table of texts: the titles of its columns, and its rows, each begun by its own title."""

    titles: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Sheet:
    """A sheet of validation pictures: the step it shows, its size in pixels, its PNG in base64."""

    step: int
    width: int
    height: int
    png: str


def write(run: Run, out: Path) -> None:
    """Write the page of a run, whole or not at all.

    Curves and sheets are inside, so the file can be moved, sent, and opened without a network. What is
    damaged or not there yet is said in its place.

    Raises:
        OutputError: the page cannot be written.
    """
    page = render(run)
    with atomic(out) as file:
        file.write(page.encode())


def render(run: Run) -> str:
    """The page of a run, as HTML."""
    problems = list(run.problems)
    sheets, recipe, model = _sheets(run, problems), _recipe(run, problems), _card(run, problems)
    return _TEMPLATES.get_template("page.html").render(
        name=run.folder.resolve().name,
        run=run,
        progress=runs.progress(run),
        problems=problems,
        highlights=_highlights(run),
        curves=curves.draw(run),
        ranges=_ranges(run),
        validations=_validations(run),
        sheets=sheets,
        recipe=recipe,
        card=model,
        facts=_facts(model) if model else None,
        figures=_columns(model.figures) if model else None,
        versions=[[str(name), str(version)] for name, version in run.facts.get("versions", {}).items()],
        skipped=[str(reason) for reason in run.facts.get("skipped", [])],
        srez=__version__,
    )


def _highlights(run: Run) -> list[tuple[str, str, str]]:
    """What to read first: title, value, remark."""
    best = run.best or {}
    found = []
    if "psnr" in best:
        found.append(("PSNR", f"{best['psnr']:.2f} dB", f"best validation, at step {best['step']:,.0f}"))
    if "ssim" in best:
        found.append(("SSIM", f"{best['ssim']:.4f}", "at that step"))
    if run.seconds:
        step, seconds = run.series("seconds")[-1]
        found.append(("Training", f"{seconds / 3600:.2f} h", f"{step / seconds:.2f} steps/s"))
    return [*found, ("Size on disk", decimal(run.size()), "of the run folder")]


def _ranges(run: Run) -> Grid:
    """Where every value began and ended, and where it was least and greatest."""
    titles = ["value", "first", "last", "least", "at step", "greatest", "at step"]
    rows = []
    for name in curves.names(run):
        series = run.series(name)
        least, greatest = (choose(series, key=lambda point: point[1]) for choose in (min, max))
        numbers = [series[0][1], series[-1][1], least[1], least[0], greatest[1], greatest[0]]
        rows.append([name.replace("_", " "), *map(_text, numbers)])
    return Grid(titles, rows)


def _validations(run: Run) -> Grid:
    """Every validation, the last first."""
    measured = [record for record in run.records if any(name.startswith(VALIDATION) for name in record)]
    return _columns(
        [{name.removeprefix(VALIDATION): record[name] for name in record} for record in measured[::-1]]
    )


def _columns(records: list[dict[str, Any]]) -> Grid:
    """Records as rows; a record without one of the values leaves that cell empty."""
    names = list(dict.fromkeys(name for record in records for name in record))
    rows = [[_cell(record.get(name, "")) for name in names] for record in records]
    return Grid([curves.title(name) for name in names], rows)


def _sheets(run: Run, problems: list[str]) -> list[Sheet]:
    paths = run.layout.all_sheets()
    if len(paths) > SHEETS:
        paths = [paths[number * (len(paths) - 1) // (SHEETS - 1)] for number in range(SHEETS)]
    found = []
    for path in paths:
        try:
            data = path.read_bytes()
            height, width = images.read(data, path.name).pixels.shape[:2]
            found.append(Sheet(step_of(path), width, height, base64.b64encode(data).decode()))
        except (ImageError, OSError, ValueError) as error:
            problems.append(f"sheet {path.name} cannot be shown: {error}")
    return found


def _recipe(run: Run, problems: list[str]) -> str:
    try:
        return run.layout.recipe.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{run.layout.recipe.name} cannot be read: {error}")
        return ""


def _card(run: Run, problems: list[str]) -> Card | None:
    if not run.layout.model.is_file():
        return None
    try:
        return card.read(run.layout.model)
    except ModelError as error:
        problems.append(str(error))
        return None


def _facts(model: Card) -> list[list[str]]:
    """The card's single facts, then how the model was made, as pairs of title and text."""
    facts = {
        name: value for name, value in card.as_dict(model).items() if name not in ("training", "figures")
    }
    return [[curves.title(name), _text(value)] for name, value in _flat(facts | model.training)]


def _flat(facts: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Facts with those of a group, such as the file of other weights, under the group's name."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name} ")
        else:
            yield before + name, value


def _cell(value: Any) -> str:
    """A figure with as many decimals as those above and below it."""
    return f"{value:.4f}" if isinstance(value, float) else _text(value)


def _text(value: Any) -> str:
    """A value of a card or a log as people write it."""
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"
