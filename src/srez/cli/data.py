"""`srez data`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from srez.cli.display import Bars, error_console, out_console, print_json
from srez.cli.extras import training_backend, training_recipes
from srez.cli.options import AsJson, Partition
from srez.progress import Item
from srez.wording import counted

app = typer.Typer()
data_app = typer.Typer(no_args_is_help=True)
app.add_typer(data_app, name="data")


@data_app.callback(epilog="Examples: `srez data pack faces.zip pack/`, `srez data check pack/`")
def data() -> None:
    """Pack pictures once, so that every training on them starts faster and needs less memory."""


@data_app.command(
    epilog="Example: `srez data pack img_align_celeba.zip celeba/ --partition list_eval_partition.txt`, then "
    "`srez train faces --data celeba/`"
)
def pack(
    sources: Annotated[
        list[str],
        typer.Argument(help="Zips and folders of pictures, or tfds:NAME, as for `srez train`."),
    ],
    folder: Annotated[Path, typer.Argument(help="The folder to write the pack into.")],
    partition: Partition = None,
    photos: Annotated[
        bool, typer.Option("--photos", help="Pack photographs of any size instead of aligned faces.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Crop faces, or decode photographs, and write them as shards with counts and checksums.

    Training on the pack starts at once, and gives the same weights as training on the pictures.
    """
    training_recipes()
    from srez.datasets import packs, pictures

    for source in sources:  # before seconds go into loading TensorFlow
        if not source.startswith("tfds:"):
            pictures.require(Path(source))
    with training_backend(), Bars() as bars:
        from srez.train import data

        def reading(work: Iterable[Item], count: int, /) -> Iterable[Item]:
            return bars.track(work, count, description="reading pictures")

        if photos:
            packed = data.pack_photos(sources, folder, partition, reading)
            files = len(packed.files)
        else:
            packed = data.pack(
                sources,
                folder,
                partition,
                reading,
                lambda work, n: bars.track(work, n, description="writing shards"),
            )
            files = len(packed.shards)
    if as_json:
        print_json({"pack": str(folder), **packed.as_json()})
        return
    for line in packed.provenance.lines(packs.INDEX):
        error_console.print(line, soft_wrap=True)
    out_console.print(f"Done: {counted(files, 'shard')} in {folder}", soft_wrap=True)


@data_app.command(epilog="Example: `srez data check celeba/ --json`")
def check(
    folder: Annotated[Path, typer.Argument(help="A folder that `srez data pack` wrote.")],
    as_json: AsJson = False,
) -> None:
    """Verify the counts and checksums of a pack; the exit code is 1 if a shard is damaged."""
    from srez.datasets import packs, photo_packs

    with Bars() as bars:

        def checking(work: Iterable[Item], count: int, /) -> Iterable[Item]:
            return bars.track(work, count, description="checking")

        if photo_packs.is_photo_pack(folder):
            pack = photo_packs.read(folder)
            faults, shards = photo_packs.check(folder, pack, checking), len(pack.files)
            counts = {"train": len(pack.train), "validation": len(pack.validation)}
        else:
            index = packs.read(folder)
            faults, shards = packs.check(folder, index, checking), len(index.shards)
            counts = {part: index.count(part) for part in ("train", "validation")}
    if as_json:
        print_json({"pack": str(folder), "shards": shards, **counts, "faults": faults})
    else:
        for fault in faults:
            error_console.print(f"srez: {fault}", soft_wrap=True)
        state = f"{len(faults)} damaged" if faults else "intact"
        pictures = (
            f"{counted(counts['train'], 'picture')} to train on, {counts['validation']:,} to validate on"
        )
        out_console.print(f"{folder}: {pictures}, in {counted(shards, 'shard')}: {state}", soft_wrap=True)
    if faults:
        raise typer.Exit(1)
