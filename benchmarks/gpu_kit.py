"""Write a folder that trains `photo`, then its vivid look, on a machine with PyTorch and one large GPU.

    make gpu-kit PHOTOS="photos_train.zip runs/graphics.zip"

It holds srez, wheels of what a bare PyTorch 2.11 on Python 3.12 lacks, the pictures in zips, the network of
the perceptual loss, and one script, `train.py`, which needs no net. No file is larger than 60 MiB.
"""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

MIB = 2**20
PART = 56 * MIB  # of pictures in one zip
LARGEST = 60 * MIB  # file
HERE = Path(__file__).parent
# What `srez train` imports, with what that needs; PyTorch brings the rest.
PACKAGES = (
    "absl-py", "annotated-doc", "annotated-types", "click", "filelock", "flatbuffers", "h5py", "keras",
    "markdown-it-py", "mdurl", "ml-dtypes", "namex", "numpy", "onnx", "onnxruntime", "optree", "packaging",
    "pillow", "protobuf", "pydantic", "pydantic-core", "pygments", "rich", "shellingham", "tensorboard",
    "tomli-w", "typer", "typing-extensions", "typing-inspection",
)  # fmt: skip
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}

Pictures = Iterator[tuple[str, bytes]]


def pictures(source: Path) -> Pictures:
    """The pictures of a zip or a folder, as they are, with their names."""
    if source.is_dir():
        paths = [path for path in sorted(source.rglob("*")) if path.suffix.lower() in PICTURES]
        yield from ((str(path.relative_to(source)), path.read_bytes()) for path in paths)
        return
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist()):
            if Path(name).suffix.lower() in PICTURES:
                yield name, archive.read(name)


def in_parts(source: Path, folder: Path) -> None:
    """Copy the pictures of a source into zips of at most `PART`, each a source of its own."""
    part, size = 0, PART + 1
    archive: zipfile.ZipFile | None = None
    for name, data in pictures(source):
        if len(data) > PART:
            print(f"left out: {source}/{name} is larger than {PART // MIB} MiB")
            continue
        if archive is None or size + len(data) > PART:
            if archive:
                archive.close()
            part, size = part + 1, 0
            archive = zipfile.ZipFile(folder / f"{source.stem}-{part:03d}.zip", "w", zipfile.ZIP_STORED)
        archive.writestr(name, data)
        size += len(data)
    if archive:
        archive.close()


def wheels(folder: Path, python: str) -> None:
    """Download wheels for Linux on x86-64, in the versions of constraints.txt."""
    versions = (HERE.parent / "constraints.txt").read_text().splitlines()
    pinned = [line for line in versions if line.partition("==")[0] in PACKAGES]
    missing = set(PACKAGES) - {line.partition("==")[0] for line in pinned}
    assert not missing, f"constraints.txt has no {missing}"
    platforms = [f"--platform=manylinux_2_{glibc}_x86_64" for glibc in (28, 27, 17)]
    options = ["--no-deps", "--only-binary=:all:", f"--python-version={python}", *platforms]
    options += ["--platform=manylinux2014_x86_64", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, "-d", folder, *pinned], check=True)


def main(
    photos: Annotated[
        list[Path], typer.Argument(help="Zips or folders of photographs to train on.", exists=True)
    ],
    output: Path = Path("runs/gpu-kit"),
    features: Annotated[Path, typer.Option(exists=True)] = Path("runs/features/squeezenet.keras"),
    python: Annotated[str, typer.Option(help="The Python that the wheels are for.")] = "3.12",
) -> None:
    """Write the folder anew."""
    shutil.rmtree(output, ignore_errors=True)
    for name in ("wheels", "data"):
        (output / name).mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.onnx")
    shutil.copytree(HERE.parent / "src/srez", output / "code/srez", ignore=ignored)
    shutil.copy(HERE / "gpu_kit_train.py", output / "train.py")
    shutil.copy(features, output / "features.keras")
    for source in photos:
        in_parts(source, output / "data")
    wheels(output / "wheels", python)
    files = [path for path in output.rglob("*") if path.is_file()]
    large = [str(path) for path in files if path.stat().st_size > LARGEST]
    assert not large, f"larger than {LARGEST // MIB} MiB: {large}"
    total = sum(path.stat().st_size for path in files)
    print(f"{output}: {len(files)} files, {total / MIB:.0f} MiB. There: python train.py --minutes 9.5")


if __name__ == "__main__":
    typer.run(main)
