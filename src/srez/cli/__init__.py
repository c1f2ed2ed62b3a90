"""The command line: arguments only; every command is a few lines over the API."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from srez import __version__
from srez.cli import data, devices, evaluate, export, models, recipes, runs, serve, train, upscale, watch, web
from srez.cli.display import complain, out_console, print_any_name
from srez.errors import SrezError


class _Commands(TyperGroup):
    """Answers a user's mistake with one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SrezError as error:
            if ctx.params["debug"]:
                raise
            complain(error)
            ctx.exit(error.exit_code)


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False
)
for commands in (upscale, watch, evaluate, models, devices, train, recipes, export, runs, serve, web, data):
    app.add_typer(commands.app)


def main() -> None:
    """The entry point of the `srez` command."""
    print_any_name()
    app()


def _version(wanted: bool) -> None:
    if wanted:
        out_console.print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Image super-resolution: train models, measure them, and upscale pictures."""
