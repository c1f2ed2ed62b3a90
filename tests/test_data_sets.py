"""`benchmarks/data_sets.py`, with sources on this machine."""

import csv
import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from PIL import Image

from helpers.drawn_faces import drawn_face

ROOT = Path(__file__).parents[1]
COLUMNS = "name\trepository\tcommit\tpath\tlicence\n"


def data_sets(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks/data_sets.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_pairs_are_those_that_the_figures_were_measured_on(shared: Path, tmp_path: Path) -> None:
    """From a copy of the source; fetching over the network was not tried."""
    source = tmp_path / "source/Set5/image_SRF_4"
    source.mkdir(parents=True)
    for kind, folder in (("HR", "HR"), ("LR", "LR_x4")):
        for path in (shared / "benchmarks/Set5" / folder).glob("*.png"):
            shutil.copyfile(path, source / f"{path.stem}_SRF_4_{kind}.png")
    done = data_sets("pairs", "Set5", "--out", tmp_path, "--source", (tmp_path / "source").as_uri())
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "Set5").glob("*.png"))) == 10


def test_other_pictures_are_not_taken_for_a_set(tmp_path: Path) -> None:
    source = tmp_path / "source/Set5/image_SRF_4"
    source.mkdir(parents=True)
    for number in range(1, 6):
        for kind in ("HR", "LR"):
            (source / f"img_{number:03}_SRF_4_{kind}.png").write_bytes(b"another picture")
    done = data_sets("pairs", "Set5", "--out", tmp_path, "--source", (tmp_path / "source").as_uri())
    assert done.returncode == 1
    assert "Set5" in done.stderr
    assert not (tmp_path / "Set5").exists()


def test_lfw_is_cut_to_faces_of_at_most_five_of_a_person(tmp_path: Path) -> None:
    archive = tmp_path / "lfw-deepfunneled.tgz"
    with tarfile.open(archive, "w:gz") as file:
        for person, count in (("Ann_A", 6), ("Ben_B", 1)):
            for number in range(1, count + 1):
                picture = io.BytesIO()
                drawn_face(number, (250, 250)).save(picture, "JPEG", quality=100, subsampling=0)
                member = tarfile.TarInfo(f"lfw-deepfunneled/{person}/{person}_{number:04}.jpg")
                member.size = len(picture.getvalue())
                file.addfile(member, io.BytesIO(picture.getvalue()))
    done = data_sets("lfw", archive, tmp_path / "lfw_aligned.zip")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "lfw_aligned.zip") as faces:
        assert len(faces.namelist()) == 6
        assert Image.open(io.BytesIO(faces.read("lfw_aligned/Ben_B_0001.jpg"))).size == (144, 144)


def test_photographs_are_reduced(tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    drawn_face(1, (2000, 1000)).save(tmp_path / "some/large.jpg")
    drawn_face(2, (300, 200)).save(tmp_path / "some/small.jpeg")
    done = data_sets("photographs", tmp_path / "some", tmp_path / "photos.zip")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "photos.zip") as photographs:
        sizes = [Image.open(io.BytesIO(photographs.read(name))).size for name in photographs.namelist()]
    assert sizes == [(1440, 720), (300, 200)]


def test_a_photograph_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    done = data_sets("photographs", tmp_path, tmp_path / "photographs.zip")
    assert done.returncode == 1
    assert "a.jpg: is damaged or no picture" in done.stderr
    assert not (tmp_path / "photographs.zip").exists()


def committed_face(repository: Path) -> str:
    """Make a repository with one picture of 2000x1000, and tell its commit."""
    repository.mkdir(parents=True, exist_ok=True)
    drawn_face(1, (2000, 1000)).save(repository / "a face.jpg")
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "a face"]):
        subprocess.run([*git, *command], check=True)
    found = subprocess.run(
        [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_listed_pictures_are_taken_as_they_were_at_a_commit(tmp_path: Path) -> None:
    clone = tmp_path / "clones/somebody/pictures"
    commit = committed_face(clone)
    (clone / "a face.jpg").unlink()
    table = tmp_path / "table.tsv"
    row = f"000.jpg\tsomebody/pictures\t{commit}\t%s\tCC0\n"
    table.write_text(COLUMNS + row % "a face.jpg")
    done = data_sets("listed", tmp_path / "clones", tmp_path / "listed.zip", "--table", table)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "listed.zip") as pictures:
        assert Image.open(io.BytesIO(pictures.read("000.jpg"))).size == (1000, 500)
    table.write_text(COLUMNS + row % "another.jpg")
    done = data_sets("listed", tmp_path / "clones", tmp_path / "listed.zip", "--table", table)
    assert done.returncode == 1
    assert "another.jpg" in done.stderr
    with zipfile.ZipFile(tmp_path / "listed.zip") as pictures:  # what was there before
        assert len(pictures.namelist()) == 1
    assert "Traceback" not in done.stderr


def test_what_cannot_be_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    clone = tmp_path / "clones/somebody/pictures"
    (clone / "broken").mkdir(parents=True)
    (clone / "broken/a.jpg").write_bytes(b"no picture")
    commit = committed_face(clone)
    table = tmp_path / "table.tsv"
    for text, expected in (
        (f"{COLUMNS}000.jpg\tsomebody/pictures\t{commit}\tbroken/a.jpg\tCC0\n", "broken/a.jpg"),
        ("name\tpath\n000.jpg\tbroken/a.jpg\n", "no column commit, repository"),
    ):
        table.write_text(text)
        done = data_sets("listed", tmp_path / "clones", tmp_path / "listed.zip", "--table", table)
        assert done.returncode == 1
        assert expected in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "listed.zip").exists()


def test_repositories_of_listed_pictures_are_cloned(tmp_path: Path) -> None:
    host = tmp_path / "host"
    kept = committed_face(host / "somebody/pictures")
    table = tmp_path / "table.tsv"
    row = f"000.jpg\tsomebody/pictures\t{kept}\ta face.jpg\tCC0\n"
    table.write_text(COLUMNS + row)
    clone = ["clones", tmp_path / "clones", "--table", table, "--host", host.as_uri()]
    done = data_sets(*clone)
    assert done.returncode == 0, done.stderr
    done = data_sets("listed", tmp_path / "clones", tmp_path / "listed.zip", "--table", table)
    assert done.returncode == 0, done.stderr
    table.write_text(COLUMNS + row + row.replace("somebody", "nobody"))
    done = data_sets(*clone)
    assert done.returncode == 1
    assert "nobody/pictures" in done.stderr
    assert "1 of 2 repositories are missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_all_listed_pictures_may_be_used_commercially() -> None:
    with (ROOT / "benchmarks/open_pictures.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert len({(row["repository"], row["path"]) for row in rows}) == len(rows) > 500
    free = re.compile(r"CC0|public domain|MIT|CC-BY(-SA)?(-\d\.\d)?")
    for row in rows:
        assert all(free.fullmatch(each) for each in re.split(", | or ", row["licence"])), row
