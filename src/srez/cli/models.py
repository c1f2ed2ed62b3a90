"""`srez models`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box as borders
from rich.table import Table

from srez.cli.display import out_console, print_json
from srez.cli.options import AsJson
from srez.models import box
from srez.models import card as cards
from srez.models.card import Card

app = typer.Typer()
models_app = typer.Typer()
app.add_typer(models_app, name="models")


@models_app.callback(invoke_without_command=True, epilog="Examples: `srez models`, `srez models show faces`")
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the built-in models, or show one."""
    if context.invoked_subcommand:
        return
    found = {name: cards.read(box.find(name)) for name in box.names()}
    if as_json:
        print_json([cards.as_dict(card) for card in found.values()])
        return
    table = Table("model", "scale", "size", "licence", "what", box=borders.SIMPLE)
    for name, card in found.items():
        size = f"{_size(box.find(name), card) / 1e6:.1f} MB"
        table.add_row(name, f"x{card.scale}", size, card.licence, card.description)
    out_console.print(table)


@models_app.command(epilog="Examples: `srez models show faces`, `srez models show mine.onnx --json`")
def show(
    name: Annotated[str, typer.Argument(help="A built-in model, or an .onnx file with its card.")],
    as_json: AsJson = False,
) -> None:
    """Show a model's card: limits, licence, training, figures."""
    from srez.evaluation import report

    path = box.find(name)
    card = cards.read(path)
    if as_json:
        print_json(cards.as_dict(card))
        return
    facts = Table.grid(padding=(0, 2))
    for label, text in _facts(path, card):
        facts.add_row(label, text)
    out_console.print(facts)
    for data, rows in _figures(card).items():
        out_console.print(f"\n{data}", report.table(rows))


def _size(path: Path, card: Card) -> int:
    """Bytes of the model's files."""
    files = [path, *cards.weight_files(path, card).values()]
    return sum(file.stat().st_size for file in files)


def _facts(path: Path, card: Card) -> Iterator[tuple[str, str]]:
    yield "name", card.name
    yield "what", card.description
    yield "limits", card.limits
    yield "licence", card.licence
    yield "scale", f"x{card.scale}"
    yield "fidelity", f"0 (vivid) to 1 (faithful), by default {card.fidelity:g}" if card.vivid else "1 only"
    yield "repair", "0 to 1, by default what suits each picture" if card.repair else "none"
    yield "parameters", f"{card.parameters:,}"
    yield "multiply-adds", f"{card.multiply_adds:,} per input pixel"
    yield "files", f"{path}, {_size(path, card) / 1e6:.1f} MB in all"
    yield "sha256", card.sha256
    yield from _flattened(card.training, "training")


def _flattened(table: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{name}.{key}")
        else:
            yield f"{name}.{key}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _figures(card: Card) -> dict[str, dict[str, dict[str, float | None]]]:
    """The rows of each table of figures, by the set and the protocol."""
    tables: dict[str, dict[str, dict[str, float | None]]] = {}
    for row in card.figures:
        data = ", ".join(str(row[key]) for key in ("set", "protocol") if key in row) or "figures"
        numbers = {key: value for key, value in row.items() if not isinstance(value, str)}
        tables.setdefault(data, {})[row["method"]] = numbers
    return tables
