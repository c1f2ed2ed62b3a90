"""`srez models add` and `srez models remove`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from srez.cli.display import out_console
from srez.cli.extras import require
from srez.cli.models import facts
from srez.cli.options import LayoutOption, ValueRange, range_named
from srez.errors import OptionError
from srez.models import added, box, convert_torch
from srez.models.foreign import Hints

app = typer.Typer()


@app.command(
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
    if chosen in (box.AUTO, *box.built_in()):
        raise OptionError(f"--name {chosen}: that is a model in the box; choose another name")
    takes = range_named(value_range)
    with _as_onnx(model) as file:
        known = convert_torch.HINTS if _is_torch(model) else Hints()
        hints = Hints(takes or known.takes, layout or known.layout)
        card = added.add(file, chosen, licence, description, hints)
    out_console.print(f"{chosen}: x{card.scale}, {facts.form(card)}", soft_wrap=True)
    out_console.print(f"Use it with --model {chosen}; srez models show {chosen} says more.", soft_wrap=True)


@app.command(epilog="Example: `srez models remove fur`")
def remove(name: Annotated[str, typer.Argument(help="A model that was added.")]) -> None:
    """Remove a model that was added."""
    if name in box.built_in():
        raise OptionError(f"{name} is in the box: only models that were added can be removed")
    added.remove(name)


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
