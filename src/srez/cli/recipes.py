"""`srez recipes`."""

import sys
from typing import Annotated

import typer
from rich.table import Table

from srez.cli.display import out_console
from srez.cli.extras import training_recipes

app = typer.Typer()
recipes_app = typer.Typer()
app.add_typer(recipes_app, name="recipes")


@recipes_app.callback(
    invoke_without_command=True, epilog="Examples: `srez recipes`, `srez recipes show faces`"
)
def recipes(context: typer.Context) -> None:
    """List the built-in recipes, or show one."""
    if context.invoked_subcommand:
        return
    known = training_recipes()
    table = Table("recipe", "steps", "what")
    for name in known.names():
        recipe = known.load(name)
        table.add_row(name, f"{recipe.steps:,}", recipe.description)
    out_console.print(table)


@recipes_app.command(epilog="Example: `srez recipes show faces > mine.toml`")
def show(
    name: Annotated[str, typer.Argument(help="A built-in recipe or a .toml file.")],
) -> None:
    """Print a recipe: settings, with comments on its command and results."""
    sys.stdout.write(training_recipes().text(name))
