"""`srez models show`."""

from typing import Annotated

import typer
from rich.table import Table

from srez.cli.display import out_console, print_json
from srez.cli.models import facts
from srez.cli.options import AsJson
from srez.models import box
from srez.models import card as cards
from srez.models.card import Card

app = typer.Typer()


@app.command(epilog="Examples: `srez models show faces`, `srez models show mine.onnx --json`")
def show(
    name: Annotated[str, typer.Argument(help="A built-in model, or an .onnx file with its card.")],
    as_json: AsJson = False,
) -> None:
    """Show a model's card: limits, licence, training, figures."""
    from srez.evaluation import report

    path = box.find(name)
    card = box.card(path)
    if as_json:
        print_json(cards.as_dict(card))
        return
    labelled = Table.grid(padding=(0, 2))
    labelled.add_column()
    labelled.add_column(overflow="fold")  # a hash or a path that is cut off is of no use
    for label, text in facts.of(path, card):
        labelled.add_row(label, text)
    out_console.print(labelled)
    for data, rows in _figures(card).items():
        out_console.print(f"\n{data}", report.table(rows))
        if guesses := report.guesses(rows):
            out_console.print(guesses)


def _figures(card: Card) -> dict[str, dict[str, dict[str, float | None]]]:
    """The rows of each table of figures, by the set and the protocol."""
    tables: dict[str, dict[str, dict[str, float | None]]] = {}
    for row in card.figures:
        data = ", ".join(str(row[key]) for key in ("set", "protocol") if key in row) or "figures"
        numbers = {key: value for key, value in row.items() if not isinstance(value, str)}
        tables.setdefault(data, {})[row["method"]] = numbers
    return tables
