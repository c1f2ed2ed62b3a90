"""`srez web`."""

from pathlib import Path
from typing import Annotated

import typer

from srez.cli.display import out_console

app = typer.Typer()
web_app = typer.Typer(no_args_is_help=True)
app.add_typer(web_app, name="web")


@web_app.callback()
def web() -> None:
    """Make the page that upscales in the browser, without a server."""


@web_app.command(epilog="Example: `srez web build site/`")
def build(
    out: Annotated[Path, typer.Argument(help="Folder to write; an earlier page there is replaced.")],
) -> None:
    """Build the page, for any web server. This needs Node 20.19 or later; the page needs nothing."""
    from srez import browser

    browser.build(out)
    out_console.print(f"Done: {out}", soft_wrap=True)
