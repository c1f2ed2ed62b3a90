"""`srez models`: the list, and below it one file for each thing to do with a model."""

import typer
from rich import box as borders
from rich.table import Table

from srez.cli.display import out_console, print_json, warn
from srez.cli.models import adding, export, facts, show, uncertainty
from srez.cli.options import AsJson
from srez.models import added, box
from srez.models import card as cards

app = typer.Typer()
models_app = typer.Typer()
app.add_typer(models_app, name="models")
for commands in (show, adding, export, uncertainty):
    models_app.add_typer(commands.app)


@models_app.callback(
    invoke_without_command=True,
    epilog="Examples: `srez models`, `srez models show faces`, `srez models add 4x-fur.onnx --name fur`",
)
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models: those in the box and those that were added. Or show, add or remove one."""
    if context.invoked_subcommand:
        return
    found = {name: box.card(box.find(name)) for name in [*box.built_in(), *added.names()]}
    ours = {added.find(name): found[name] for name in added.names()}
    warn(
        f"{path} has no card and is left out: write one with srez models add {path}"
        for path in cards.without_card(added.folder(), ours)
    )
    if as_json:
        print_json([cards.as_dict(card) for card in found.values()])
        return
    table = Table("model", "scale", "size", "licence", "what", box=borders.SIMPLE)
    for name, card in found.items():
        size = facts.size(box.find(name), card)
        table.add_row(name, f"x{card.scale}", size, card.licence, card.description)
    out_console.print(table)
