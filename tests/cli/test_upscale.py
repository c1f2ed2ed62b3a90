"""`srez upscale`: names, patterns, existing and earlier results."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from helpers.waiting import PATIENCE, until
from srez.cli import app
from srez.upscaling import batch
from srez.upscaling.convert import Options
from srez.upscaling.loading import chooser
from srez.upscaling.plan import Existing, Rules, make_plan
from srez.upscaling.size import Size


def upscale(*words: object) -> Result:
    return CliRunner().invoke(app, ["upscale", *(str(word) for word in words)])


def test_an_impossible_pattern_costs_one_input(picture, tmp_path: Path) -> None:
    picture("in/a.png")
    for pattern in ("foo**.jpg", "**foo/a.png"):
        result = upscale(tmp_path / pattern, tmp_path / "in", "-o", tmp_path / "out", "--overwrite")
        assert result.exit_code == 1
        assert f"srez: {tmp_path / pattern} is not a valid pattern" in result.stderr
        assert (tmp_path / "out/a.png").exists()


@pytest.mark.parametrize("words", [[""], ["a.png", ""], ["a.png", "-o", ""], ["a.png", "--output="]])
def test_an_empty_name_is_not_the_current_folder(
    picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    source = picture("a.png")
    monkeypatch.chdir(tmp_path)
    result = upscale(*words)
    assert result.exit_code == 2
    assert "empty" in result.stderr
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_console_that_cannot_encode_a_name(picture, tmp_path: Path, encoding: str) -> None:
    names = [b"\xe6\x97\xa5.png", b"\xff.png"]  # the second one is no text in any encoding that we print
    source = picture("in/a.png")
    for name in names:
        (source.parent / os.fsdecode(name)).write_bytes(source.read_bytes())
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    words = [sys.executable, "-m", "srez", "upscale", str(source.parent), "-o", str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, env=environment, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert b"3 upscaled" in done.stdout
    assert {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()} == {*names, b"a.png"}
    words = [sys.executable, "-m", "srez", "runs", str(tmp_path / "日")]
    done = subprocess.run(words, capture_output=True, env=environment, check=False)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("existing", ["--skip", "--overwrite"])
def test_a_folder_in_the_place_of_a_result_is_no_result(picture, tmp_path: Path, existing: str) -> None:
    source = picture("a.png")
    (tmp_path / "out/a.png").mkdir(parents=True)
    result = upscale(source, "-o", tmp_path / "out", existing, "--json")
    assert result.exit_code == 1
    assert f"{tmp_path / 'out/a.png'} is a folder" in result.stderr
    report = json.loads(result.stdout)
    assert (report["skipped"], [each["source"] for each in report["failed"]]) == ([], [str(source)])


def pictures(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def test_earlier_results_are_not_upscaled_again(picture, tmp_path: Path) -> None:
    folder = picture("in/a.jpg").parent
    for words, made in (
        ([], "a_x4.jpg"),
        (["--scale", 2], "a_x2.jpg"),
        (["--format", "webp"], "a_x4.webp"),
        (["--suffix", "-big", "--format", "png"], "a-big.png"),
    ):
        before = pictures(folder)
        result = upscale(folder, *words, "--json")
        assert result.exit_code == 0, result.output
        assert pictures(folder) == sorted([*before, made])
        assert json.loads(result.stdout)["earlier_results"] == [
            str(folder / name) for name in before[1:-1]
        ] or (len(json.loads(result.stdout)["earlier_results"]) == len(before) - 1)
    assert upscale(folder, "-o", tmp_path / "out").exit_code == 0
    assert pictures(tmp_path / "out") == ["a.jpg"]


def test_earlier_results_are_counted_and_taken_with_again(picture, tmp_path: Path) -> None:
    source = picture("a.png")
    assert upscale(source).exit_code == 0
    renamed = (tmp_path / "a_x4.png").rename(tmp_path / "renamed.png")
    for words in ([tmp_path], [source, renamed], [tmp_path / "*.png"]):
        result = upscale(*words, "-o", tmp_path / "out", "--dry-run")
        assert result.exit_code == 0
        assert f"{renamed} is a result of an earlier run and left out: --again upscales it" in result.stdout
        assert "renamed.png:" not in result.stdout
    result = upscale(renamed, "-o", tmp_path / "b.png")
    assert result.exit_code == 1
    assert f"{renamed} is a result of an earlier run" in result.stderr
    assert not (tmp_path / "b.png").exists()
    assert upscale(renamed, "-o", tmp_path / "b.png", "--again").exit_code == 0
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == (9 * 16, 12 * 16)


def test_the_second_of_two_names_is_the_result(picture, tmp_path: Path) -> None:
    source, target = picture("a.jpg", (6, 5, 3)), tmp_path / "b.webp"
    assert upscale(source, target).exit_code == 0
    with Image.open(target) as image:
        assert (image.format, image.size) == ("WEBP", (20, 24))
    made = target.read_bytes()
    again = upscale(source, target, "--scale", 2)
    assert (again.exit_code, target.read_bytes()) == (1, made)
    assert f"{target} exists: use --overwrite" in again.stderr
    assert upscale(source, target, "--scale", 2, "--overwrite").exit_code == 0
    with Image.open(target) as image:
        assert image.size == (10, 12)
    assert pictures(tmp_path) == ["a.jpg", "b.webp"]
    with source.open("rb") as stdin:
        assert srez("upscale", "-", str(tmp_path / "c.png"), stdin=stdin).returncode == 0
    with Image.open(tmp_path / "c.png") as image:
        assert image.size == (20, 24)


def test_two_names_of_pictures_are_two_inputs(picture, tmp_path: Path) -> None:
    sources = [picture(name, (6, 5, 3)) for name in ("a.png", "b.png")]
    before = [source.read_bytes() for source in sources]
    assert upscale(*sources, "--overwrite").exit_code == 0
    assert [source.read_bytes() for source in sources] == before
    assert pictures(tmp_path) == ["a.png", "a_x4.png", "b.png", "b_x4.png"]


@pytest.mark.parametrize(
    "words",
    [
        ["a.png", "nowhere/b.png"],
        ["a.png", "-o", "nowhere/b.png"],
        ["a.png", "-o", "nowhere/further"],
        ["a.png", "nowhere/"],
        ["a.png", "b.gif"],
        [".", "b.png"],
        ["nowhere.png", "b.png"],
    ],
)
def test_a_mistyped_name_makes_no_folder_and_no_file(
    picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    source = picture("a.png", (6, 5, 3))
    monkeypatch.chdir(tmp_path)
    result = upscale(*words)
    assert result.exit_code in (1, 2)
    assert "srez: " in result.stderr
    assert {path for path in tmp_path.iterdir() if path.name != "a_x4.png"} == {source}


def test_a_background_for_what_cannot_be_transparent(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:] = 0, 0, 255, 255
    Image.fromarray(pixels).save(source := tmp_path / "a.png")
    assert upscale(source, tmp_path / "b.jpg").exit_code == 1
    assert upscale(source, tmp_path / "b.jpg", "--background", "nocolour").exit_code == 2
    assert not (tmp_path / "b.jpg").exists()
    assert upscale(source, tmp_path / "b.jpg", "--background", "#ff0000").exit_code == 0
    with Image.open(tmp_path / "b.jpg") as image:
        red, blue = (np.array(image.getpixel((x, 16))) for x in (2, 29))
    assert np.abs(red - [255, 0, 0]).max() < 12
    assert np.abs(blue - [0, 0, 255]).max() < 12
    assert upscale(source, tmp_path / "b.webp", "--background", "red").exit_code == 0
    with Image.open(tmp_path / "b.webp") as image:
        assert image.mode == "RGBA"


def test_gray_on_a_gray_background_stays_gray(tmp_path: Path) -> None:
    Image.new("LA", (8, 8), (0, 0)).save(source := tmp_path / "a.png")
    for colour, mode in (("#808080", "L"), ("#ff8000", "RGB")):
        assert upscale(source, tmp_path / "b.jpg", "--background", colour, "--overwrite").exit_code == 0
        with Image.open(tmp_path / "b.jpg") as image:
            assert image.mode == mode
            assert image.convert("RGB").getpixel((9, 9)) == pytest.approx(
                tuple(bytes.fromhex(colour[1:])), abs=2
            )


def test_what_there_is_of_a_file_that_is_cut_short(picture, tmp_path: Path) -> None:
    source = picture("a.png", (40, 30, 3))
    source.write_bytes(source.read_bytes()[:2000])
    assert upscale(source, "-o", tmp_path / "b.png").exit_code == 1
    result = upscale(source, "-o", tmp_path / "b.png", "--salvage", "--json")
    assert result.exit_code == 0, result.output
    (warning,) = json.loads(result.stdout)["done"][0]["warnings"]
    assert re.fullmatch(r"\d+ of 40 rows, which cannot be read", warning)
    with Image.open(tmp_path / "b.png") as image:
        assert (image.size, image.getpixel((60, 150))) == ((120, 160), (128, 128, 128))


def test_contents_decide_what_a_picture_is_and_others_are_counted(picture, tmp_path: Path) -> None:
    folder = picture("in/a.jpg").parent
    for name in ("b.jpg_large", "c"):
        (folder / name).write_bytes((folder / "a.jpg").read_bytes())
    for name in ("notes.txt", "table.csv"):
        (folder / name).write_text("words")
    for words in (["--dry-run"], []):
        result = upscale(folder, "-o", tmp_path / "out", *words)
        assert result.exit_code == 0, result.output
        assert "2 files of another kind left out" in result.stdout
    assert pictures(tmp_path / "out") == ["a.jpg", "b.jpg", "c.jpg"]
    report = json.loads(upscale(folder, "-o", tmp_path / "out", "--skip", "--json").stdout)
    assert sorted(report["other_files"]) == [str(folder / name) for name in ("notes.txt", "table.csv")]


def test_a_file_that_appears_while_srez_works_is_left(picture, tmp_path: Path) -> None:
    source, target = picture("a.png"), tmp_path / "out/a.png"

    def progress(done: float, pixels: int) -> None:
        if not target.exists():  # called before the result is written, and once more after that
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(b"theirs")

    for existing, expected in (("refuse", 1), ("skip", 1), ("overwrite", 0)):
        rules = Rules(target.parent, existing=Existing(existing))
        plan = make_plan([source], rules, Size(), 4)
        outcome = batch.run(chooser("faces"), plan, Options(), progress, print)
        assert outcome.exit_code == expected
        assert (target.read_bytes() == b"theirs") == bool(expected)
        target.unlink()


@pytest.mark.parametrize("where", ["name", "pattern"])
def test_names_give_no_orders_to_the_terminal(picture, tmp_path: Path, where: str) -> None:
    name = "a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.png"
    source = picture(name)
    done = upscale(source if where == "name" else tmp_path / "*.png", "-o", tmp_path / "out")
    failed = upscale(source.rename(tmp_path / f"{name}.txt"), "-o", tmp_path / "out2")
    for output in (done.stdout, done.stderr, failed.stderr):
        assert not set(output) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert r"a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.png" in done.stdout + done.stderr


def srez(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "srez", *words], capture_output=True, check=False, **options)


def test_standard_input_that_never_ends() -> None:
    with Path("/dev/zero").open("rb") as endless:
        done = srez("upscale", "-", "-o", "-", stdin=endless, timeout=PATIENCE)
    assert done.returncode == 1
    assert b"nothing but zeros" in done.stderr
    start = b"\x89PNG\r\n\x1a\n"
    done = srez("upscale", "-", "-o", "-", "--max-pixels", "10", input=start + bytes(70 * 1024**2))
    assert done.returncode == 1
    assert b"--max-pixels" in done.stderr


def test_a_terminal_without_columns(tmp_path: Path) -> None:
    done = srez("upscale", str(tmp_path / "nowhere.png"), env={**os.environ, "COLUMNS": "0"})
    assert done.returncode == 1
    assert b"nowhere.png does not exist" in done.stderr


def test_ctrl_c_while_srez_is_imported_leaves_no_traceback() -> None:
    command = [sys.executable, "-m", "srez", "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        maps = Path(f"/proc/{process.pid}/maps")
        until(lambda: "numpy" in maps.read_text() or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in stderr
    assert process.returncode != 0
    assert not stdout


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif"])
def test_a_disk_that_is_full_for_the_last_bytes_leaves_no_half_file(
    picture, tmp_path: Path, name: str
) -> None:
    """A limit on the size of files stands for a full disk: of what is too long, both take a part."""
    source, target = picture("in/a.png", (60, 60, 3)), tmp_path / name
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))"
    code = f"{limit}\nfrom srez.cli import main\nmain()"
    words = [sys.executable, "-c", code, "upscale", str(source), str(target)]
    done = subprocess.run(words, capture_output=True, check=False)
    assert (done.returncode, pictures(tmp_path)) == (1, ["in/a.png"])
    assert f"{target} cannot be written".encode() in done.stderr
