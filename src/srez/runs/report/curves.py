"""The curves of a run as SVG drawings that take their colours and font from the page they stand in."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from srez.runs import Run
from srez.runs.layout import VALIDATION

WIDTH = 5.6  # inches of 72 units each: at this size the labels stay legible on a phone
INKS = {"#000001": "var(--ink)", "#000002": "var(--line)"}
PENS = {f"#0001{number:02}": f"var(--pen-{number})" for number in range(4)}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: to be read out, searched, and set in the page's font
    "svg.hashsalt": "srez",  # the same run gives the same file
    "text.parse_math": False,  # names come from a file: a dollar sign in one is no formula
    "font.size": 11,
    "lines.linewidth": 1.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), "#000001"),
    **dict.fromkeys(("axes.edgecolor", "grid.color", "xtick.color", "ytick.color"), "#000002"),
    "axes.prop_cycle": cycler("color", list(PENS)),
}
UNITS = {
    f"{VALIDATION}psnr": "PSNR, dB",
    f"{VALIDATION}ssim": "SSIM",
    f"{VALIDATION}consistency": "consistency,\ngrey levels",
}


@dataclass(frozen=True)
class Panel:
    """One pair of axes: the values drawn in it, what they are, and the scale that suits them.

    A log scale is taken only where it helps: all values positive, the greatest ten times the least.
    """

    names: list[str]
    label: str
    scale: Literal["free", "from 0", "0 to 1", "log"] = "free"


@dataclass(frozen=True)
class Family:
    """Values that belong in one figure."""

    title: str
    what: str
    panels: list[Panel]


@dataclass(frozen=True)
class Curves:
    """A figure for the page.

    Attributes:
        title: of the figure.
        what: it shows.
        alt: says in words what the drawing shows.
        legend: the values that share axes, with their colours as CSS has them.
        svg: the drawing, an `<svg>` element.
    """

    title: str
    what: str
    alt: str
    legend: list[tuple[str, str]]
    svg: str


def draw(run: Run) -> list[Curves]:
    """A figure for each family of values that the run logged."""
    with mpl.rc_context():
        mpl.rcdefaults()  # a page looks the same whatever the user's own style is
        mpl.rcParams.update(STYLE)
        return [
            Curves(family.title, family.what, _alt(run, family), _legend(family), _svg(run, family))
            for family in _families(run)
        ]


def names(run: Run) -> list[str]:
    """Everything the run logged with at least one finite value, but for steps and seconds."""
    logged = dict.fromkeys(name for record in run.records for name in record)
    return [name for name in logged if name not in ("step", "seconds") and run.series(name)]


def bicubic_of(run: Run, name: str) -> float | None:
    """What bicubic reaches of a value on the validation pictures; None if the run does not say."""
    validation = run.facts.get("validation")
    figures = validation.get("bicubic") if isinstance(validation, dict) else None
    value = figures.get(name.removeprefix(VALIDATION)) if isinstance(figures, dict) else None
    return value if name.startswith(VALIDATION) and isinstance(value, int | float) else None


def title(name: str) -> str:
    """The name of a value as people write it."""
    return {"psnr": "PSNR", "ssim": "SSIM", "st_lpips": "ST-LPIPS"}.get(name, name.replace("_", " "))


def _families(run: Run) -> Iterator[Family]:
    logged = names(run)
    validation = [name for name in logged if name.startswith(VALIDATION)]
    verdicts = [name for name in logged if name in ("real", "fake")]
    gradients = [name for name in logged if name.endswith("_gradient")]
    rates = [name for name in logged if name.endswith("learning_rate")]
    losses = [name for name in logged if name not in {*validation, *verdicts, *gradients, *rates}]
    if validation:
        yield Family(
            "Validation",
            "Measured on pictures that are not trained on. "
            "The dot is the best validation, the dotted line bicubic.",
            [Panel([name], UNITS.get(name, _plain(name))) for name in validation],
        )
    if losses:
        yield Family(
            "Losses",
            "Each point is a mean over the steps since the one before.",
            [Panel([name], _plain(name).replace(" ", "\n"), "log") for name in losses],
        )
    if verdicts:
        yield Family(
            "Discriminator",
            "Its mean output on real and on generated pictures. Where both meet, it cannot tell them apart.",
            [Panel(verdicts, "mean output", "0 to 1")],
        )
    if gradients:
        yield Family(
            "Gradients",
            "The norms of the gradients.",
            [Panel(gradients, "L2 norm", "log")],
        )
    if rates:
        yield Family(
            "Learning rate", "The step size of the optimisers.", [Panel(rates, "learning rate", "from 0")]
        )


def _plain(name: str) -> str:
    return title(name.removeprefix(VALIDATION))


def _alt(run: Run, family: Family) -> str:
    parts = []
    for name in (name for panel in family.panels for name in panel.names):
        (first, begin), (last, end) = run.series(name)[0], run.series(name)[-1]
        bicubic = bicubic_of(run, name)
        beside = "" if bicubic is None else f" (bicubic {bicubic:.4g})"
        parts.append(
            f"{_plain(name)} from {begin:.4g} at step {first:,} to {end:.4g} at step {last:,}{beside}"
        )
    return f"{family.title} by step: {'; '.join(parts)}."


def _legend(family: Family) -> list[tuple[str, str]]:
    return [
        (_plain(name), pen)
        for panel in family.panels
        if len(panel.names) > 1
        for name, pen in zip(panel.names, cycle(PENS.values()), strict=False)
    ]


def _svg(run: Run, family: Family) -> str:
    count = len(family.panels)
    figure = Figure(figsize=(WIDTH, 2.7 if count == 1 else 0.5 + 1.25 * count), layout="constrained")
    grid = figure.subplots(count, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(grid, family.panels, strict=True):
        _plot(axes, run, panel)
    grid[-1].set_xlabel("training step")
    grid[-1].xaxis.set_major_locator(MaxNLocator(5, integer=True))
    grid[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    figure.align_ylabels()
    file = io.StringIO()
    figure.savefig(
        file,
        format="svg",
        transparent=True,
        metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
    )
    return _for_page(file.getvalue(), family.title.lower().replace(" ", "-"))


def _plot(axes: Axes, run: Run, panel: Panel) -> None:
    values = []
    for name in panel.names:
        series = run.series(name)
        values += [value for _, value in series]
        axes.plot(*zip(*series, strict=True), marker="." * (len(series) == 1))
    axes.set_ylabel(panel.label)
    axes.set_xlim(left=0)
    low, high = min(values), max(values)
    if panel.scale == "from 0":
        axes.set_ylim(bottom=0)
    elif panel.scale == "0 to 1" and low >= 0 and high <= 1:
        axes.set_ylim(0, 1)
    elif panel.scale == "log" and high > 10 * low > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 300 * low else (1,), numticks=6))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    for name in panel.names:
        if (bicubic := bicubic_of(run, name)) is not None:
            axes.axhline(bicubic, color="#000002", linestyle=":")
    if panel.names == [f"{VALIDATION}psnr"] and run.best:
        axes.plot(run.best["step"], run.best["psnr"], "o", color="#000001", markersize=4)


def _for_page(svg: str, prefix: str) -> str:
    """The drawing for use inside HTML: no prolog, ids of its own, the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    for sentinel, variable in (INKS | PENS).items():
        svg = svg.replace(sentinel, variable)
    return svg
