"""`srez runs` and `srez report`."""

from pathlib import Path
from typing import Annotated

import typer

from srez.cli.display import out_console, print_json
from srez.cli.extras import require
from srez.cli.options import AsJson

app = typer.Typer()


@app.command(epilog="Examples: `srez runs`, `srez runs /data/runs --json`")
def runs(
    folder: Annotated[
        Path, typer.Argument(help="A folder that holds run folders, at most two levels down.")
    ] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """List training runs with their state, best figures, hours and size."""
    require("listing runs", "filelock")
    from srez import runs

    found = runs.find(folder)
    if as_json:
        print_json([runs.summary(run) for run in found])
    elif found:
        out_console.print(runs.table(found))
    else:
        typer.echo(f"No training runs in {folder}: create one with `srez train`.")


@app.command(epilog="Example: `srez report runs/faces -o report.html`")
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The page to write. [default: report.html in the run folder]"),
    ] = None,
) -> None:
    """Write a training run as one self-contained HTML page: curves, sheets, recipe and card."""
    require("writing a report", "filelock", "jinja2", "matplotlib")
    from srez import runs
    from srez.runs.layout import RunLayout
    from srez.runs.report import page

    out = output or RunLayout(run).report
    page.write(runs.read(run), out)
    typer.echo(f"The report is in {out}")
