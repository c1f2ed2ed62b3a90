"""`srez devices`."""

import typer
from rich import box as borders
from rich.table import Table

from srez.cli.display import out_console, print_json
from srez.cli.options import AsJson
from srez.models import box, placing
from srez.models.placing import Found

app = typer.Typer()


@app.command(epilog="Examples: `srez devices`, `srez devices --json`")
def devices(as_json: AsJson = False) -> None:
    """List what models can run on here, time a tile on each, and say what brings those that are missing."""
    model = box.find("photo")
    found = placing.survey(model.read_bytes(), model.name)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    table = Table("device", "hardware", "here", "one tile", box=borders.SIMPLE)
    for each in found:
        time = "" if each.milliseconds is None else f"{each.milliseconds:.0f} ms"
        state = each.error or ("works" if each.is_installed else "not installed")
        table.add_row(each.device.name, each.device.hardware, state, time)
    out_console.print(table)
    out_console.print("A tile of 64x64 pixels, or of the one size that a device takes, by photo in float32.")
    for each in found:  # not in the table, where a long command is cut off
        if not each.is_installed:
            out_console.print(f"To install {each.device.name}: {each.device.install}", soft_wrap=True)


def _as_json(found: Found) -> dict[str, str | bool | float | None]:
    return {
        "name": found.device.name,
        "hardware": found.device.hardware,
        "provider": found.device.provider,
        "installed": found.is_installed,
        "error": found.error,
        "milliseconds": found.milliseconds,
        "install": found.device.install,
    }
