"""`srez evaluate` and `srez demo`."""

import enum
import json
from pathlib import Path
from typing import Annotated

import typer

from srez import images
from srez.cli.display import Bars, out_console, print_json
from srez.cli.options import AsJson, Fidelity, Model
from srez.errors import OptionError
from srez.output import atomic

app = typer.Typer()


class Split(enum.StrEnum):
    """The parts of a partition, as --split names them."""

    train = "train"
    val = "val"
    test = "test"


class Layout(enum.StrEnum):
    """The axes of a foreign model's images."""

    NHWC = "NHWC"
    NCHW = "NCHW"


@app.command(epilog="Example: `srez demo -o sheet.png`")
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="The sheet to write.")] = Path(
        "srez-demo.png"
    ),
    model: Model = "faces",
    fidelity: Fidelity = None,
    as_json: AsJson = False,
) -> None:
    """Bring a 16x16 portrait back to 64x64 and compare it with bicubic and the truth.

    The portrait is scikit-image's astronaut; nothing is downloaded and nothing is opened.
    """
    from srez.evaluation import demo, report
    from srez.evaluation.protocol import FACES_RGB
    from srez.upscaling.upscaler import load

    upscaler = load(model, fidelity)
    sheet, rows = demo.run(upscaler)
    images.write(output, images.Picture(sheet))
    if as_json:
        print_json({"sheet": str(output), "protocol": str(FACES_RGB), "figures": rows})
        return
    out_console.print(report.table(rows))
    out_console.print(f"{FACES_RGB}\nThe sheet is in {output}. {upscaler.card.limits}")


@app.command(
    epilog="Examples: `srez evaluate --faces img_align_celeba.zip --partition list_eval_partition.txt`, "
    "`srez evaluate --benchmark Set5 --model mine.onnx --images results/ --json set5.json`"
)
def evaluate(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model in the box, one of yours, or any ONNX file that makes images larger; may be "
            "repeated. [default: faces with --faces, photo with --benchmark]",
            show_default=False,
        ),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--images", help="A folder of results of another program, by file name; may be repeated."
        ),
    ] = None,
    benchmark: Annotated[
        Path | None, typer.Option(help="A folder with HR/ and LR_x4/: protocol y-matlab-x4.")
    ] = None,
    faces: Annotated[
        Path | None, typer.Option(help="A zip or folder of aligned faces: protocol faces-rgb.")
    ] = None,
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt, for --faces.")
    ] = None,
    split: Annotated[Split, typer.Option(help="The part of the partition to measure on.")] = Split.val,
    limit: Annotated[int | None, typer.Option(min=1, help="Measure on the first so many pictures.")] = None,
    json_out: Annotated[
        Path | None,
        typer.Option("--json", help="Write every picture's figures, the protocol, hashes, versions."),
    ] = None,
    sheet_out: Annotated[
        Path | None,
        typer.Option("--sheet", help="Write a PNG of the worst, median and best picture by SSIM."),
    ] = None,
    value_range: Annotated[
        int | None,
        typer.Option("--range", help="Largest value of a foreign model's images, 1 or 255; found out."),
    ] = None,
    layout: Annotated[
        Layout | None, typer.Option(help="Axes of a foreign model's images; read off the model.")
    ] = None,
    fidelity: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            max=1,
            help="Of models with two looks: 0 vivid, 1 faithful; may be repeated. [default: the model's]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure models beside nearest and bicubic: PSNR, SSIM, consistency, speed.

    The protocol is printed underneath. Models without a card of ours are taken as they are: one batch of RGB
    images in, larger ones out.
    """
    from srez.evaluation import evaluate, methods, pairs, report
    from srez.evaluation.protocol import FACES_RGB, Y_MATLAB_X4

    if (benchmark is None) == (faces is None):
        raise OptionError("give either --benchmark or --faces")
    if benchmark and partition:
        raise OptionError("--partition goes with --faces, not with --benchmark")
    if value_range not in (None, 1, 255):
        raise OptionError(f"--range {value_range}: images hold values up to 1 or up to 255")
    if faces is not None:
        protocol, source = FACES_RGB, faces
        measured_on = pairs.from_faces(faces, partition, list(Split).index(split), limit)
    else:
        assert benchmark is not None
        protocol, source = Y_MATLAB_X4, benchmark
        measured_on = pairs.from_benchmark(benchmark, protocol, limit)
    chosen = methods.baselines(protocol.scale)
    names = model if model is not None else ["faces" if faces else "photo"]
    chosen += methods.models(names, protocol.scale, value_range, layout and layout.value, fidelity or [])
    chosen += [methods.folder(path) for path in results or []]
    with Bars() as bars:
        found = evaluate.evaluate(
            chosen, measured_on, protocol, lambda work, n: bars.track(work, n, description="measuring")
        )
    out_console.print(report.table({result.method.name: evaluate.row(result) for result in found}))
    out_console.print(f"{len(measured_on)} images of {source.name}. {protocol}")
    for figure in found[0].missing:
        out_console.print(evaluate.UNMEASURED[figure])
    for sentence in dict.fromkeys(method.facts.get("limits") for method in chosen):
        if sentence:
            out_console.print(sentence)
    if json_out:
        with atomic(json_out) as file:
            file.write(
                json.dumps(evaluate.as_json(found, measured_on, protocol, source.name), indent=1).encode()
            )
    if sheet_out:
        best = evaluate.exemplary(found[-1], measured_on)
        rows = {label: evaluate.shown(pair, chosen) for label, pair in best.items()}
        images.write(sheet_out, images.Picture(report.labelled(rows, zoom=2 if faces else 1)))
