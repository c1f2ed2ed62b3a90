"""Fetch or rebuild the sets of docs/data.md from public sources.

    python benchmarks/data_sets.py pairs Set5 Set14 BSD100
    python benchmarks/data_sets.py lfw lfw-deepfunneled.tgz lfw_aligned.zip
    python benchmarks/data_sets.py photographs wallpapers/ more/ photos_train.zip
    python benchmarks/data_sets.py clones clones/
    python benchmarks/data_sets.py listed clones/ runs/open_pictures.zip

The first fetches; the next two work on files that you have fetched under their makers' terms. The last two
clone the repositories of `open_pictures.tsv`, each to clones/OWNER/NAME, and take the pictures out of them.
"""

import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from PIL import Image, ImageOps
from rich.progress import track

import mistakes
from srez.output import atomic

COMMIT = "8f6dd8c1d20cb7e8792a7177b4f6fd677633f598"
SOURCE = f"https://raw.githubusercontent.com/jbhuang0604/SelfExSR/{COMMIT}/data"
# Of each set: how many pairs, and the SHA-256 of all its files one after another, HR and LR in turn.
PAIRS = {
    "Set5": (5, "e5c633c3c72e6566e38d5f26014fd014f7237289412213f024d87602e840145a"),
    "Set14": (14, "147044ef9ffe81b549be3bcba40c7aea84f1a55dbce87760e3abed90835a8d19"),
    "BSD100": (100, "5d780f596a7a447fe16442d02fd16b73ed5c5cc3f2ccb480ee9795131a922586"),
}
FUNNELED, ALIGNED = 250, 144  # sides of LFW's pictures, and of the middles that the recipe faces reads
A_PERSON = 5  # pictures of one person
LONGEST = 1440  # pixels of a photograph's longer side
LISTED = Path(__file__).with_name("open_pictures.tsv")
COLUMNS = {"name", "repository", "commit", "path"}  # of the table, that are read
HOST = "https://github.com"
# To what a listed picture is reduced, by its longer side: so much that what its file lost is not seen.
REDUCTIONS = ((560, 4 / 5), (900, 3 / 4), (1500, 2 / 3), (2600, 1 / 2))
LONGEST_LISTED = 1200  # of those with a longer side still

app = typer.Typer()


@app.command()
def pairs(sets: list[str], out: Path = Path(), source: str = SOURCE) -> None:
    """Fetch the x4 pairs of Set5, Set14 or BSD100, which `srez evaluate --benchmark` reads as they are."""
    for name in sets:
        if name not in PAIRS:
            raise typer.BadParameter(f"{name}: choose of {', '.join(PAIRS)}")
        count, expected = PAIRS[name]
        files = {file: fetched(f"{source}/{name}/image_SRF_4/{file}") for file in names(count)}
        if hashlib.sha256(b"".join(files.values())).hexdigest() != expected:
            raise SystemExit(f"{name}: not the files that the figures were measured on; nothing is written")
        (out / name).mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (out / name / file).write_bytes(data)
        print(f"{out / name}: {count} pairs")


def names(count: int) -> Iterator[str]:
    for number in range(1, count + 1):
        for kind in ("HR", "LR"):
            yield f"img_{number:03}_SRF_4_{kind}.png"


def fetched(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise SystemExit(f"{address}: {error}") from None


@app.command()
def lfw(archive: Annotated[Path, typer.Argument(exists=True)], out: Path) -> None:
    """Cut the faces out of LFW, deep-funneled: the middle of 144x144, at most five of a person."""
    taken: dict[str, int] = {}
    edge = (FUNNELED - ALIGNED) // 2
    with tarfile.open(archive) as source, atomic(out) as file, zipfile.ZipFile(file, "w") as target:
        for member in sorted(source.getmembers(), key=lambda member: member.name):
            path = PurePosixPath(member.name)
            face = source.extractfile(member)
            if path.suffix != ".jpg" or face is None or taken.get(path.parent.name, 0) == A_PERSON:
                continue
            picture = Image.open(face)
            if picture.size != (FUNNELED, FUNNELED):
                raise SystemExit(f"{member.name} is {picture.width}x{picture.height}, not 250x250")
            face = picture.crop((edge, edge, edge + ALIGNED, edge + ALIGNED))
            target.writestr(f"lfw_aligned/{path.name}", jpeg(face, quality=93))
            taken[path.parent.name] = taken.get(path.parent.name, 0) + 1
    print(f"{out}: {sum(taken.values())} faces of {len(taken)} people")


@app.command()
def photographs(
    folders: Annotated[list[Path], typer.Argument(exists=True)], out: Annotated[Path, typer.Argument()]
) -> None:
    """Reduce photographs to at most 1440 pixels, as those were that `photo` was trained on."""
    files = [path for folder in folders for path in sorted(folder.rglob("*.jp*g"))]
    with atomic(out) as file, zipfile.ZipFile(file, "w") as target:
        for number, path in enumerate(files):
            picture = opened(path.read_bytes(), str(path))
            picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
            target.writestr(f"photos/{number:04}_{path.stem}.jpg", jpeg(picture, quality=94))
    print(f"{out}: {len(files)} photographs")


Table = Annotated[Path, typer.Option(exists=True)]


@app.command("clones")
def clone_listed(folder: Path, table: Table = LISTED, host: str = HOST) -> None:
    """Clone the repositories of the listed pictures; their files are fetched when `listed` asks for them."""
    repositories = sorted({row["repository"] for row in rows_of(table)})
    failed = 0
    for repository in track([each for each in repositories if not (folder / each).exists()], "cloning"):
        address, clone = f"{host}/{repository}", str(folder / repository)
        done = git("clone", "--quiet", "--no-checkout", "--filter=blob:none", address, clone)
        if done.returncode:
            failed += 1
            print(f"{address}: {done.stderr.decode(errors='replace').strip()}", file=sys.stderr)
    if failed:
        raise SystemExit(f"{failed} of {len(repositories)} repositories are missing: run this again for them")
    print(f"{folder}: {len(repositories)} repositories")


@app.command()
def listed(
    clones: Annotated[Path, typer.Argument(exists=True, file_okay=False)], out: Path, table: Table = LISTED
) -> None:
    """Take the listed pictures out of clones, reduced as those were that `photo` was trained on."""
    rows = rows_of(table)
    with atomic(out) as file, zipfile.ZipFile(file, "w") as target:
        for row in track(rows, "taking pictures"):
            data = committed(clones / row["repository"], row["commit"], row["path"])
            picture = opened(data, f"{row['repository']}: {row['path']}")
            longer = max(picture.size)
            share = next((each for most, each in REDUCTIONS if longer <= most), LONGEST_LISTED / longer)
            size = round(picture.width * share), round(picture.height * share)
            target.writestr(row["name"], jpeg(picture.resize(size, Image.Resampling.LANCZOS), quality=96))
    print(f"{out}: {len(rows)} pictures")


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        missing = COLUMNS - set(rows.fieldnames or ())
        if missing:
            raise SystemExit(f"{table}: has no column {', '.join(sorted(missing))}, unlike {LISTED.name}")
        return list(rows)


def committed(clone: Path, commit: str, path: str) -> bytes:
    """A file as it was at a commit, whatever the clone has checked out."""
    found = git("-C", str(clone), "show", f"{commit}:{path}")
    if found.returncode:
        raise SystemExit(f"{clone}: {found.stderr.decode(errors='replace').strip()}")
    return found.stdout


def opened(data: bytes, name: str) -> Image.Image:
    try:
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    except (OSError, SyntaxError):  # the second of a broken PNG
        raise SystemExit(f"{name}: is damaged or no picture; nothing is written") from None


def git(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *words], capture_output=True, check=False)
    except FileNotFoundError:
        raise SystemExit("git is not installed: clones are made and read by it") from None


def jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


if __name__ == "__main__":
    with mistakes.told():
        app()
