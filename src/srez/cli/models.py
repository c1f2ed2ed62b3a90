"""`srez models`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich import box as borders
from rich.table import Table

from srez.cli.display import Bars, out_console, print_json
from srez.cli.extras import require, training_recipes
from srez.cli.options import AsJson, Fidelity, LayoutOption, ValueRange, range_named
from srez.errors import OptionError
from srez.models import added, box, convert_torch, exporting
from srez.models import card as cards
from srez.models.card import COVERAGE, Card, Form, WeightFile
from srez.models.exporting import To
from srez.models.foreign import Hints
from srez.upscaling.samples import MOST
from srez.upscaling.settings import check_repair, chosen_fidelity

app = typer.Typer()
models_app = typer.Typer()
app.add_typer(models_app, name="models")


@models_app.callback(
    invoke_without_command=True,
    epilog="Examples: `srez models`, `srez models show faces`, `srez models add 4x-fur.onnx --name fur`",
)
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models: those in the box and those that were added. Or show, add or remove one."""
    if context.invoked_subcommand:
        return
    found = {name: box.card(box.find(name)) for name in [*_in_the_box(), *added.names()]}
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
    card = box.card(path)
    if as_json:
        print_json(cards.as_dict(card))
        return
    facts = Table.grid(padding=(0, 2))
    for label, text in _facts(path, card):
        facts.add_row(label, text)
    out_console.print(facts)
    for data, rows in _figures(card).items():
        out_console.print(f"\n{data}", report.table(rows))
        if guesses := report.guesses(rows):
            out_console.print(guesses)


@models_app.command(
    epilog="Examples: `srez models add 4x-fur.onnx --name fur --licence CC-BY-4.0`, "
    "`srez models add old.onnx --range 255`, `srez models add 4x-fur.safetensors`"
)
def add(
    model: Annotated[
        Path,
        typer.Argument(
            help="Any .onnx file that makes pictures larger; with srez[convert] a .pth or .safetensors too."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call it. [default: the file's name]", show_default=False)
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of its weights.")] = "",
    description: Annotated[str, typer.Option(help="What it is, in one line.")] = "",
    value_range: ValueRange = None,
    layout: LayoutOption = None,
) -> None:
    """Copy a model into your folder of models, with a card that says what was found out about it.

    The folder is that of the environment variable SREZ_MODELS, or srez/models where the system keeps data.
    """
    chosen = name or model.stem
    if chosen in (box.AUTO, *_in_the_box()):
        raise OptionError(f"--name {chosen}: that is a model in the box; choose another name")
    takes = range_named(value_range)
    with _as_onnx(model) as file:
        known = convert_torch.HINTS if _is_torch(model) else Hints()
        hints = Hints(takes or known.takes, layout or known.layout)
        card = added.add(file, chosen, licence, description, hints)
    out_console.print(f"{chosen}: x{card.scale}, {_form(card)}", soft_wrap=True)
    out_console.print(f"Use it with --model {chosen}; srez models show {chosen} says more.", soft_wrap=True)


@models_app.command(epilog="Example: `srez models remove fur`")
def remove(name: Annotated[str, typer.Argument(help="A model that was added.")]) -> None:
    """Remove a model that was added."""
    if name in _in_the_box():
        raise OptionError(f"{name} is in the box: only models that were added can be removed")
    added.remove(name)


@models_app.command(
    epilog="Examples: `srez models export photo -o photo-nchw.onnx`, "
    "`srez models export photo --to float16 -o photo-16.onnx --fidelity 0.5`, "
    "`srez models export photo --to darktable -o photo.dtmodel`"
)
def export(
    name: Annotated[str, typer.Argument(help="A built-in model, or an .onnx file of ours.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    to: Annotated[
        To,
        typer.Option(
            help="onnx-nchw: (N, 3, H, W) in float32, as most programs take it; float16: that in float16; "
            "litert: a .tflite; darktable: a .dtmodel for darktable 5.6."
        ),
    ] = To.onnx_nchw,
    fidelity: Fidelity = None,
    repair: Annotated[
        float,
        typer.Option(min=0, max=1, help="From 0 (none) to 1 (full); an exported model cannot choose."),
    ] = 0.0,
) -> None:
    """Write a model in a form that other programs take; an ONNX file gets a card beside it."""
    if to == To.litert:
        require("--to litert", "ai_edge_litert", "onnx", extra="litert")
    require("exporting", "onnx")
    if output.suffix.lower() != to.suffix:
        raise OptionError(f"-o {output}: the name of {to} must end in {to.suffix}")
    path = box.find(name)
    if box.is_method(path):
        raise OptionError(f"{name} has no network that could be exported: choose another model")
    card = box.card(path)
    check_repair(card, repair or None)
    exporting.export(path, card, to, output, chosen_fidelity(card, fidelity), repair)
    out_console.print(f"Done: {output}", soft_wrap=True)


@models_app.command(
    epilog="Examples: `srez models uncertainty faces.onnx --data img_align_celeba.zip "
    "--partition list_eval_partition.txt`, `srez models uncertainty photo.onnx --data photos.zip`"
)
def uncertainty(
    model: Annotated[Path, typer.Argument(help="An .onnx file of ours, x4, with its card.")],
    data: Annotated[
        list[Path],
        typer.Option(
            help="A zip or folder of undamaged pictures that the model was not made from; repeatable."
        ),
    ],
    partition: Annotated[
        Path | None,
        typer.Option(
            help="A file like CelebA's list_eval_partition.txt: 0 learns, 1 calibrates, 2 is left out. "
            "[default: one picture in eight calibrates]",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of the training. [default: 5000]", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and crops.")] = 1,
) -> None:
    """Train how sure a model is, calibrate it, and add it to the model. It takes minutes.

    The card is rewritten, and NAME-uncertainty.onnx appears beside it.
    """
    training_recipes()
    from srez.train import backend
    from srez.train.native_log import native_log

    with native_log(Path(os.devnull)), Bars() as bars:
        backend.choose()
        from srez.train import uncertainty as training

        card = training.learn(
            model,
            data,
            partition,
            steps or training.STEPS,
            seed,
            lambda items, count: bars.track(items, count, description="upscaling"),
        )
    out_console.print(f"{model}: {_uncertainty(model, card)}", soft_wrap=True)


def _is_torch(model: Path) -> bool:
    return model.suffix.lower() in convert_torch.SUFFIXES


@contextmanager
def _as_onnx(model: Path) -> Iterator[Path]:
    """The .onnx file of a model, converted if it holds weights of PyTorch."""
    if not _is_torch(model):
        yield box.find(model)
        return
    require(f"converting {model}", *convert_torch.PACKAGES, extra="convert")
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{model.stem}.onnx"
        convert_torch.converted(model, file)
        yield file


def _in_the_box() -> list[str]:
    return [*box.names(), *box.methods()]


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
    yield "samples", f"up to {MOST}, by seed; {_file(path, card.samples)}" if card.samples else "none"
    yield "uncertainty", _uncertainty(path, card)
    if card.form != Form():
        yield "takes", _form(card)
    yield "parameters", f"{card.parameters:,}"
    if card.multiply_adds:
        yield "multiply-adds", f"{card.multiply_adds:,} per input pixel"
    yield "files", f"{path}, {_size(path, card) / 1e6:.1f} MB in all"
    yield "sha256", card.sha256
    yield from _flattened(card.training, "training")


def _uncertainty(path: Path, card: Card) -> str:
    """What is known of errors, and how a distance is made of the expected one."""
    if not (known := card.uncertainty):
        return "none"
    distance = f"{known.factor:g} * error ** {known.power:g}"
    clean = f"of clean pictures at fidelity {card.fidelity:g}"
    return f"{clean}, {COVERAGE:.0%} within {distance}; {_file(path, known)}"


def _file(path: Path, file: WeightFile) -> str:
    return f"{file.file}, {path.with_name(file.file).stat().st_size / 1e6:.1f} MB"


def _form(card: Card) -> str:
    """How a graph takes images, in words."""
    form = card.form
    words = [
        form.layout,
        {1: "gray", 3: "RGB", 4: "RGBA"}[form.channels],
        f"{form.type} from {form.takes[0]} to {form.takes[1]}",
        f"tiles overlap by {card.receptive_radius} pixels",
    ]
    if form.gives != form.takes:
        words.insert(3, f"gives {form.gives[0]} to {form.gives[1]}")
    if form.side:
        words.append(f"always {form.side[1]}x{form.side[0]} pixels")
    elif form.multiple > 1:
        words.append(f"in multiples of {form.multiple} pixels")
    return ", ".join(words)


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
