"""`srez evaluate` and `srez demo`."""

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from srez import images
from srez.cli.display import Bars, out_console, print_json
from srez.cli.options import (
    AsJson,
    Device,
    Fidelity,
    LayoutOption,
    Model,
    Precision,
    Repair,
    ValueRange,
    range_named,
)
from srez.datasets.partition import Part
from srez.errors import OptionError
from srez.images.formats import format_to_write
from srez.models.devices import AUTO, Place
from srez.models.foreign import Hints
from srez.output import atomic, refuse_no_file
from srez.upscaling.destination import refuse_missing_folder

if TYPE_CHECKING:
    from srez.evaluation.pairs import PairSet

app = typer.Typer()


class Split(enum.StrEnum):
    """The parts of a partition, as --split names them."""

    train = "train"
    val = "val"
    test = "test"


_PARTS = {Split.train: Part.TRAIN, Split.val: Part.VALIDATION, Split.test: Part.TEST}


class Damage(enum.StrEnum):
    """The degrees of damage that --damage knows."""

    light = "light"
    medium = "medium"
    heavy = "heavy"


@app.command(epilog="Example: `srez demo -o sheet.png`")
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="The image to write.")] = Path(
        "srez-demo.png"
    ),
    model: Model = "faces",
    fidelity: Fidelity = None,
    as_json: AsJson = False,
) -> None:
    """Upscale a 16x16 portrait to 64x64 and compare it with bicubic and the truth.

    The portrait is that of an astronaut, by NASA; nothing is downloaded and no window opens.
    """
    from srez.evaluation import demo, report
    from srez.evaluation.protocol import FACES_RGB
    from srez.upscaling.loading import load

    upscaler = load(model, fidelity)
    sheet, rows = demo.run(upscaler)
    images.write(output, images.Picture(sheet))
    if as_json:
        print_json({"sheet": str(output), "protocol": str(FACES_RGB), "figures": rows})
        return
    out_console.print(report.table(rows))
    out_console.print(str(FACES_RGB), upscaler.card.limits, sep="\n")
    out_console.print(f"The sheet is in {output}", soft_wrap=True)


@app.command(
    epilog="Examples: `srez evaluate --faces img_align_celeba.zip --partition list_eval_partition.txt`, "
    "`srez evaluate --benchmark Set5 --model mine.onnx --images results/ --json set5.json`, "
    "`srez evaluate --benchmark Set14 --damage medium`"
)
def evaluate(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A built-in model, one of your own, or any ONNX file that upscales images; repeatable. "
            "[default: faces with --faces, photo with --benchmark]",
            show_default=False,
        ),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--images",
            help="A folder of another program's results, named like the pictures; repeatable.",
        ),
    ] = None,
    benchmark: Annotated[
        Path | None,
        typer.Option(
            help="A folder with HR/ and LR_x4/, or in the layout of DIV2K, EDSR, BasicSR or SelfExSR. "
            "Measured by the protocol y-matlab-x4."
        ),
    ] = None,
    damage: Annotated[
        Damage | None,
        typer.Option(help="Make the inputs of --benchmark from its truths, with blur, noise and JPEG."),
    ] = None,
    faces: Annotated[
        Path | None,
        typer.Option(help="A zip or folder of aligned faces. Measured by the protocol faces-rgb."),
    ] = None,
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt, for --faces.")
    ] = None,
    split: Annotated[Split, typer.Option(help="Part of the partition to measure.")] = Split.val,
    limit: Annotated[int | None, typer.Option(min=1, help="Measure only the first N pictures.")] = None,
    json_out: Annotated[
        Path | None,
        typer.Option(
            "--json", help="Write a JSON file: figures of every picture, protocol, hashes and versions."
        ),
    ] = None,
    sheet_out: Annotated[
        Path | None,
        typer.Option("--sheet", help="Write an image of the pictures with the worst, median and best SSIM."),
    ] = None,
    value_range: ValueRange = None,
    layout: LayoutOption = None,
    fidelity: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            max=1,
            help="From 0 (vivid) to 1 (faithful), for models with vivid weights; repeatable. "
            "[default: the model's]",
            show_default=False,
        ),
    ] = None,
    repair: Repair = None,
    samples: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=64,
            help="Also measure this many samples of each picture, with models that make them: 10 for the "
            "diversity score.",
            show_default=False,
        ),
    ] = None,
    uncertainty: Annotated[
        bool,
        typer.Option("--uncertainty", help="Measure how sure models say they are: coverage and width."),
    ] = False,
    device: Device = None,
    precision: Precision = AUTO,
) -> None:
    """Compare models with nearest and bicubic: PSNR, SSIM, consistency, speed.

    The protocol is printed under the table.
    """
    from srez.evaluation import methods, report
    from srez.evaluation.evaluate import evaluate

    for out in filter(None, (json_out, sheet_out)):
        refuse_missing_folder(out)  # before hours of measuring, and so is an unknown suffix
        refuse_no_file(out)
    if sheet_out:
        format_to_write(sheet_out)
    pair_set = _pair_set(benchmark, damage, faces, partition, split, limit)
    names, place = model if model is not None else ["faces" if faces else "photo"], Place(device, precision)
    plain = methods.models(
        names,
        pair_set.protocol.scale,
        Hints(range_named(value_range), layout and layout.value),
        fidelity or [],
        repair,
        place,
    )
    chosen = [
        *methods.baselines(pair_set.protocol.scale),
        *plain,
        *(methods.sampled(name, pair_set.protocol.scale, samples, place) for name in names if samples),
        *(methods.folder(path, pair_set) for path in results or []),
    ]
    with Bars() as bars:
        evaluation = evaluate(
            chosen,
            pair_set,
            lambda tasks, n: bars.track(tasks, n, description="measuring"),
            uncertainty,
        )
    out_console.print(report.table(evaluation.rows))
    if guesses := report.guesses(evaluation.rows):
        out_console.print(guesses)
    for note in evaluation.notes:
        out_console.print(note)
    if json_out:
        with atomic(json_out) as file:
            file.write(json.dumps(evaluation.as_json(), indent=1).encode())
    if sheet_out:
        sheet = report.labelled(evaluation.examples(), zoom=2 if faces else 1)
        images.write(sheet_out, images.Picture(sheet))


def _pair_set(
    benchmark: Path | None,
    damage: Damage | None,
    faces: Path | None,
    partition: Path | None,
    split: Split,
    limit: int | None,
) -> "PairSet":
    from srez.evaluation import pairs

    if benchmark and partition:
        raise OptionError("--partition requires --faces, not --benchmark")
    if faces and damage:
        raise OptionError("--damage requires --benchmark, not --faces")
    if benchmark and not faces:
        return pairs.from_benchmark(benchmark, limit, damage and damage.value)
    if faces and not benchmark:
        return pairs.from_faces(faces, partition, _PARTS[split], limit)
    raise OptionError("give either --benchmark or --faces")
