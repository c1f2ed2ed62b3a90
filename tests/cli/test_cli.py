"""The commands, as a user meets them."""

import errno
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import srez
from helpers import models, pictures
from helpers.waiting import PATIENCE, until
from srez import images
from srez.cli import app
from srez.images import resample
from srez.upscaling.upscaler import Upscaler

LONG = (2000, 2000, 3)  # of a picture that takes seconds on any machine


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(result: Result, exit_code: int = 2) -> str:
    """The one sentence of a refusal; fails if there is more than that."""
    assert result.exit_code == exit_code, result.output
    lines = result.stderr.strip().splitlines()
    sentences = [line for line in lines if line.startswith("srez: ")]
    assert len(sentences) == 1, result.output
    assert "Traceback" not in result.output
    return sentences[0]


@pytest.mark.parametrize(
    "command", ["upscale", "demo", "evaluate", "models", "train", "runs", "report", "recipes", "serve"]
)
def test_help_shows_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"srez {command}" in result.output.split("Example")[1]


def test_version() -> None:
    assert run("--version").output.strip() == srez.__version__


def test_upscale_one_file(picture, tmp_path: Path) -> None:
    source = picture("a.png", (12, 9, 3))
    result = run("upscale", source, "-o", tmp_path / "b.png")
    assert result.exit_code == 0, result.output
    expected = srez.load("photo")(images.read(source).pixels)
    np.testing.assert_array_equal(images.read(tmp_path / "b.png").pixels, expected)


def test_faces_are_told_from_icons_and_from_other_sizes(picture, tmp_path: Path) -> None:
    sources = [picture("in/icon.png", (16, 16, 3)), picture("in/other.png", (16, 17, 3))]
    sources.append(tmp_path / "in/portrait.png")
    Image.fromarray(pictures.portrait()).save(sources[-1])
    result = run("upscale", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert [done["model"] for done in json.loads(result.stdout)["done"]] == ["photo", "photo", "faces"]
    for source, model in zip(sources, ("photo", "photo", "faces"), strict=True):
        expected = srez.load(model)(images.read(source).pixels)
        np.testing.assert_array_equal(images.read(tmp_path / "out" / source.name).pixels, expected)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_upscale_reads_and_writes(picture, tmp_path: Path, suffix: str) -> None:
    source = picture(f"in/a{suffix}", (12, 9, 3))
    assert run("upscale", source, "-o", tmp_path / f"out{suffix}").exit_code == 0
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.size == (36, 48)
        assert f".{image.format}".lower() in (suffix, ".jpeg")


def test_upscale_many_counts_and_goes_on(picture, tmp_path: Path) -> None:
    good = [picture("in/a.png"), picture("in/b.jpg"), picture("in/c.bmp")]
    text = tmp_path / "in/words.jpg"
    text.write_text("these are words")
    missing, empty = tmp_path / "missing.png", tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "out"
    result = run("upscale", *good, text, missing, empty, "-o", out)
    assert result.exit_code == 1
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.jpg", "c.png"]
    for bad in (text, missing, empty):
        assert f"srez: {bad}" in result.stderr.replace("\n", "")
    assert "3 upscaled, 3 failed" in result.stdout


def test_upscale_a_folder_as_json(picture, tmp_path: Path) -> None:
    picture("in/a.png")
    picture("in/b.png")
    result = run("upscale", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0
    assert [Path(entry["target"]).name for entry in json.loads(result.stdout)["done"]] == ["a.png", "b.png"]


def test_upscale_with_a_model_of_ones_own(picture, tmp_path: Path) -> None:
    mine = models.write(tmp_path / "mine.onnx")
    result = run("upscale", picture("a.png"), "-o", tmp_path / "b.png", "--model", mine)
    assert result.exit_code == 0, result.output


def test_upscale_refusals(picture, tmp_path: Path) -> None:
    source, alpha = picture("a.png"), picture("alpha.png", (8, 8, 4))
    plain = models.write(tmp_path / "plain.onnx")
    (tmp_path / "exists.png").write_bytes(b"something")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    out = tmp_path / "b.png"
    for words, sentence in (
        ((source, "-o", tmp_path / "b.gif"), "GIF is written for animations"),
        ((source, "-o", tmp_path), "would replace an input"),
        ((source, "-o", source), "would replace an input"),
        ((source, "--suffix", ""), "would replace an input"),
        ((source, alpha, "-o", source), "is a file: several pictures need a folder"),
        ((source, alpha, "-o", "-"), "is one file, but there are 2 pictures"),
        ((source, "-o", out, "--model", "facez"), "no model 'facez'"),
        ((source, "-o", out, "--model", "photo-jpeg"), "photo repairs JPEGs by itself"),
        ((source, "-o", out, "--model", tmp_path / "a.onnx"), "does not exist"),
        ((source, "-o", out, "--format", "jpeg"), "contradict each other"),
        ((source, "-o", out, "--overwrite", "--skip"), "either --overwrite or --skip"),
        ((source, "-o", out, "--scale", 2, "--width", 7), "either --scale, or --width and --height"),
        (
            (source, "-o", out, "--model", plain, "--fidelity", 0.5),
            "model plain has no vivid weights",
        ),
        (
            (source, "-o", out, "--model", "faces", "--repair", 0.5),
            "model faces does not repair",
        ),
        ((source, "-o", out, "--tile", 5), "choose a side from 32 to 4096 pixels"),
        ((source, "-o", "-", "--json"), "cannot both go to standard output"),
    ):
        assert sentence in refusal(run("upscale", *words))
    for repair in (2, "much", ""):
        result = run("upscale", source, "-o", out, "--repair", repair)
        assert result.exit_code == 2
        assert f"'{repair}' is neither auto nor a number" in result.stderr
    for words, sentence in (
        ((tmp_path / "nowhere.png", "-o", out), "nowhere.png does not exist"),
        ((source, "-o", source / "b.png"), "cannot be created"),
        (
            (source, "-o", tmp_path / "exists.png"),
            "exists: use --overwrite",
        ),
        ((alpha, "-o", tmp_path / "b.jpg"), "JPEG cannot hold transparency"),
        ((source, "-o", out, "--scale", 9999), "a.png: a 9x12 picture cannot become 89991x119988"),
        ((source, "-o", out, "--width", 37, "--max-pixels", 110), "cannot become 37x49"),
        ((source, "-o", out, "--max-pixels", 100), "more than 100 pixels: if you trust it, allow more"),
    ):
        assert sentence in refusal(run("upscale", *words), exit_code=1)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_results_go_beside_their_inputs(picture, tmp_path: Path) -> None:
    inputs = [picture("in/a.jpg"), picture("in/b.bmp"), picture("in/deep/c.webp")]
    assert run("upscale", inputs[0]).stdout.replace("\n", "").endswith("a_x4.jpg: 36x48 (photo, repair 1)")
    assert run("upscale", tmp_path / "in", "--skip").exit_code == 0
    assert run("upscale", tmp_path / "in", "--recursive", "--skip", "--scale", 2).exit_code == 0
    assert run("upscale", tmp_path / "in/[ab].*", "--suffix", "-big", "--format", "avif").exit_code == 0
    names = {str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in").rglob("*.*")}
    made = {"a_x4.jpg", "b_x4.png", "a_x2.jpg", "b_x2.png", "deep/c_x2.webp", "a-big.avif", "b-big.avif"}
    assert names == made | {"a.jpg", "b.bmp", "deep/c.webp"}


def test_folders_keep_their_shape_in_another(picture, tmp_path: Path) -> None:
    picture("in/a.png")
    picture("in/deep/a.png")
    out = tmp_path / "in/large"
    for counts in ("2 upscaled, 0 failed", "0 upscaled, 2 skipped, 0 failed"):
        result = run("upscale", tmp_path / "in", "-r", "-o", out, "--skip")
        assert result.exit_code == 0, result.output
        assert counts in result.stdout
    assert sorted(path for path in out.rglob("*.png")) == [out / "a.png", out / "deep/a.png"]


def test_existing_results_are_left_refused_or_replaced(picture, tmp_path: Path) -> None:
    source, target = picture("a.png"), tmp_path / "b.png"
    target.write_bytes(b"old")
    assert "exists" in refusal(run("upscale", source, "-o", target), exit_code=1)
    assert run("upscale", source, "-o", target, "--skip").exit_code == 0
    assert target.read_bytes() == b"old"
    assert run("upscale", source, "-o", target, "--overwrite").exit_code == 0
    assert images.size(target) == (36, 48)


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["--scale", 2], (18, 24)),
        (["--scale", 3], (27, 36)),
        (["--scale", 1], (9, 12)),
        (["--width", 20], (20, 27)),
        (["--height", 20], (15, 20)),
        (["--width", 30, "--height", 20], (15, 20)),
        (["--width", 36], (36, 48)),
    ],
)
def test_smaller_results_are_area_means_of_the_large_one(picture, tmp_path: Path, words, size) -> None:
    source = picture("a.png")
    report = json.loads(run("upscale", source, "-o", tmp_path / "b.png", "--json", *words).stdout)
    assert (report["done"][0]["width"], report["done"][0]["height"]) == size
    output = images.read(tmp_path / "b.png").pixels
    assert output.shape == (size[1], size[0], 3)
    if 36 % size[0] == 0 and 48 % size[1] == 0:
        large = srez.load("photo")(images.read(source).pixels)
        assert np.abs(output - resample.area(large, 36 // size[0])).max() <= 0.5


@pytest.mark.parametrize(
    ("words", "size", "name"),
    [
        (["--scale", 8], (72, 96), "a_x8.png"),
        (["--width", 37], (37, 49), "a_w37.png"),
        (["--width", 900, "--height", 60], (45, 60), "a_900x60.png"),
    ],
)
def test_larger_results_are_enlarged_by_lanczos(picture, tmp_path: Path, words, size, name: str) -> None:
    source = picture("a.png")
    for planned in (["--dry-run"], []):
        said = run("upscale", source, *words, *planned).stdout.replace("\n", "")
        assert f"{name}: {size[0]}x{size[1]} (" in said
        assert "resized by Lanczos)" in said
    large = srez.load("photo")(images.read(source).pixels)
    expected = np.concatenate(list(resample.enlarge([large], (36, 48), size)))
    np.testing.assert_array_equal(images.read(tmp_path / name).pixels, expected)
    report = json.loads(run("upscale", source, *words, "--overwrite", "--json").stdout)
    assert report["done"][0]["resized"] == "Lanczos"


def test_dry_run_writes_nothing(picture, tmp_path: Path) -> None:
    good, bad = picture("a.png"), tmp_path / "bad.png"
    bad.write_text("words")
    result = run("upscale", good, bad, "-o", tmp_path / "out", "--scale", 2, "--dry-run")
    assert "out/a.png: 18x24" in result.stdout.replace("\n", "")
    assert "bad.png is not a" in refusal(result, exit_code=1)
    assert sorted(tmp_path.iterdir()) == [good, bad]


def test_pictures_go_through_pipes(picture, tmp_path: Path) -> None:
    source = picture("a.png")
    expected = srez.load("photo")(images.read(source).pixels)
    for words in (["-"], ["-", "-o", "-"], [str(source), "-o", "-"], ["-", "--format", "tiff"]):
        command = [sys.executable, "-m", "srez", "upscale", *words]
        done = subprocess.run(command, input=source.read_bytes(), capture_output=True, check=True)
        np.testing.assert_array_equal(images.read(done.stdout).pixels, expected)
    done = subprocess.run(
        [sys.executable, "-m", "srez", "upscale", "-"], input=b"words", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"standard input is not a" in done.stderr


def test_ctrl_c_keeps_what_is_finished_and_skip_goes_on(picture, tmp_path: Path) -> None:
    for number in range(6):
        picture(f"in/{number}.png", LONG if number == 2 else (150, 150, 3), compress_level=1)
    out = tmp_path / "out"
    words = [sys.executable, "-m", "srez", "upscale", str(tmp_path / "in"), "-o", str(out), "--tile", "64"]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until(lambda: (out / "1.png").exists() or running.poll() is not None)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert "--skip" in errors
    finished = sorted(path.name for path in out.iterdir())
    assert finished == ["0.png", "1.png"]
    assert all(images.size(out / name) == (600, 600) for name in finished)
    picture("in/2.png", (150, 150, 3))
    report = json.loads(run("upscale", tmp_path / "in", "-o", out, "--skip", "--json").stdout)
    assert len(report["skipped"]) == len(finished)
    assert len(list(out.iterdir())) == 6


def test_a_disk_that_fills_leaves_no_half_file(picture, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: both end in an OSError in the middle."""
    small, large = picture("in/a.png", (8, 8, 3)), picture("in/b.png", (120, 120, 3))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))"
    code = f"{limit}\nfrom srez.cli import main\nmain()"
    words = [sys.executable, "-c", code, "upscale", str(large), str(small), "-o", str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "b.png cannot be written: File too large" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_of_two_results_of_one_name_the_first_is_made(picture, tmp_path: Path) -> None:
    first, second = picture("one/a.png"), picture("two/a.png")
    result = run("upscale", first, second, "-o", tmp_path / "out")
    assert "would both become" in refusal(result, exit_code=1)
    np.testing.assert_array_equal(
        images.read(tmp_path / "out/a.png").pixels, srez.load("photo")(images.read(first).pixels)
    )


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    words = ["--debug", "upscale", str(tmp_path / "a.png"), "--model", "facez", "-o", str(tmp_path / "b.png")]
    done = subprocess.run([sys.executable, "-m", "srez", *words], capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr
    assert "ModelError" in done.stderr


def test_demo_writes_the_sheet_and_the_table(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    result = run("demo", "-o", sheet)
    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in ("nearest", "bicubic", "srez", "faces-rgb"))
    assert images.read(sheet).pixels.shape[1] > 4 * 256
    figures = json.loads(run("demo", "-o", sheet, "--json").stdout)["figures"]
    assert figures["srez"]["psnr"] > figures["bicubic"]["psnr"] + 1.5
    assert figures["srez"]["ssim"] > figures["bicubic"]["ssim"] + 0.05
    assert figures["srez"]["consistency"] < 0.3


def test_demo_into_a_missing_folder(tmp_path: Path) -> None:
    assert "cannot be written" in refusal(run("demo", "-o", tmp_path / "missing/sheet.png"))


def test_recipes_are_listed_and_printed(tmp_path: Path) -> None:
    listed = run("recipes").stdout
    assert all(name in listed for name in ("faces", "smoke", "srez"))
    own = tmp_path / "own.toml"
    own.write_text(run("recipes", "show", "faces").stdout)
    assert own.read_text() == run("recipes", "show", own).stdout
    assert "no recipe 'facez'" in refusal(run("recipes", "show", "facez"))


def test_training_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("tensorflow", "torch"):
        monkeypatch.setitem(sys.modules, package, None)
    refused = refusal(run("train", "smoke"))
    assert "training needs TensorFlow or PyTorch: pip install 'srez[train]'" in refused
    assert run("recipes").exit_code == 0  # they are text


@pytest.mark.parametrize(
    ("words", "package", "task"),
    [(("runs",), "filelock", "listing runs"), (("report", "runs/a"), "matplotlib", "writing a report")],
)
def test_looking_at_runs_without_the_extra(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], package: str, task: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert f"{task} needs the packages {package}: pip install 'srez[train]'" in refusal(run(*words))


def test_the_same_words_go_on_with_patterns_too(picture, tmp_path: Path) -> None:
    """A shell replaces a pattern before the command sees it; then results of before are among the inputs."""
    for name in ("a.png", "b.jpg", "deep/a.png"):
        picture(f"in/{name}")
    folder, everywhere = tmp_path / "in", tmp_path / "in/**/*.*"
    assert run("upscale", *folder.glob("*.*")).exit_code == 0
    for words in (sorted(folder.glob("*.*")), [folder / "*.*"], [folder]):
        assert "0 upscaled, 2 skipped, 0 failed" in run("upscale", *words, "--skip").stdout
    assert run("upscale", *folder.glob("*.*"), "--overwrite").exit_code == 0
    assert sorted(path.name for path in folder.glob("*.*")) == ["a.png", "a_x4.png", "b.jpg", "b_x4.jpg"]
    # With -o inside what is searched, results have their inputs' names.
    for counts in ("1 upscaled, 1 skipped", "0 upscaled, 2 skipped"):
        words = [tmp_path / "in/deep*/*.png", "-o", tmp_path / "in/deep/large", "--skip"]
        (tmp_path / "in/deep/large").mkdir(exist_ok=True)
        run("upscale", tmp_path / "in/deep/a.png", "-o", tmp_path / "in/deep/large/a.png", "--skip")
        picture("in/deep2/b.png")
        assert counts in run("upscale", *words).stdout
    result = run("upscale", everywhere, "-o", tmp_path / "out")
    assert (result.exit_code, "would both become" in result.stderr) == (1, True)


def test_a_picture_with_an_ending_like_a_result_is_not_passed_over(picture, tmp_path: Path) -> None:
    picture("in/castle_x4.png")
    picture("in/_x4.png")
    assert "2 upscaled, 0 failed" in run("upscale", tmp_path / "in").stdout
    assert {path.name for path in (tmp_path / "in").iterdir()} == {
        *("castle_x4.png", "castle_x4_x4.png", "_x4.png", "_x4_x4.png")
    }


def test_one_file_under_two_names_is_done_once(picture, tmp_path: Path, monkeypatch) -> None:
    picture("a.png")
    monkeypatch.chdir(tmp_path)
    assert run("upscale", "a.png", "./a.png", tmp_path / "a.png", "-o", "out").stdout.count("36x48") == 1


def test_names_of_any_length(picture, tmp_path: Path) -> None:
    """255 bytes are the most; a result's name may be longer, that of its unfinished file must not be."""
    longest, too_long = f"{'日' * 83}.png", "a" * 300
    sources = [picture(f"in/{longest}"), picture("in/b.png")]
    assert run("upscale", *sources, "-o", tmp_path / "out").exit_code == 0
    assert images.size(tmp_path / "out" / longest) == (36, 48)
    result = run("upscale", tmp_path / "in", tmp_path / too_long)
    assert result.exit_code == 1
    assert result.stderr.count("File name too long") == 2
    assert "1 upscaled, 2 failed" in result.stdout
    for out in (f"{too_long}.png", f"{too_long}/b.png", f"{too_long}/"):
        assert "File name too long" in refusal(run("upscale", sources[1], "-o", tmp_path / out), exit_code=1)


def test_links_that_lead_to_themselves(picture, tmp_path: Path) -> None:
    loop, source = tmp_path / "loop.png", picture("a.png")
    loop.symlink_to(loop)
    assert "symbolic links" in refusal(run("upscale", loop, source, "-o", tmp_path / "out"), exit_code=1)
    assert (tmp_path / "out/a.png").exists()


def test_folders_that_may_not_be_looked_into(picture, tmp_path: Path, monkeypatch) -> None:
    """As root every folder may be, so the system's refusal is put in place."""
    source, stat = picture("a.png"), Path.stat

    def refusing(path: Path, **options) -> object:
        if "locked" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    result = run("upscale", tmp_path / "locked/b.png", source, "-o", tmp_path / "out")
    assert "locked/b.png" in refusal(result, exit_code=1)
    assert (tmp_path / "out/a.png").exists()


def test_hidden_folders_are_left_out(picture, tmp_path: Path) -> None:
    for name in ("in/a.png", "in/.thumbnails/a.png", "in/.b.png"):
        picture(name)
    assert run("upscale", tmp_path / "in", "-r", "-o", tmp_path / "out").exit_code == 0
    assert [path.name for path in (tmp_path / "out").rglob("*.*")] == ["a.png"]


def test_a_suffix_is_no_way_to_another_folder(picture, tmp_path: Path) -> None:
    assert "contains a slash" in refusal(run("upscale", picture("a.png"), "--suffix", "/../../b"))


def test_it_says_so_when_all_is_there(picture, tmp_path: Path) -> None:
    source = picture("a.png")
    assert run("upscale", source).exit_code == 0
    assert run("upscale", source, "--skip").stdout.strip() == "0 upscaled, 1 skipped, 0 failed"


def test_a_dry_run_lists_everything(picture, tmp_path: Path) -> None:
    for number in range(25):
        picture(f"in/{number}.png")
    listed = run("upscale", tmp_path / "in", "--dry-run").stdout.splitlines()
    assert len(listed) == 26
    assert listed[-1] == "25 to upscale, 0 failed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_leaves_no_unfinished_file(picture, tmp_path: Path, number: int) -> None:
    source, out = picture("in/a.png", LONG, compress_level=1), tmp_path / "out"
    out.mkdir()
    words = [sys.executable, "-m", "srez", "upscale", str(source), "-o", str(out / "a.png"), "--tile", "64"]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until(lambda: list(out.iterdir()) or running.poll() is not None)
    running.send_signal(number)
    _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "Stopped. Finished results are kept" in errors
    assert not list(out.iterdir())


def test_a_model_that_is_a_pointer(picture, tmp_path: Path) -> None:
    model = models.write(tmp_path / "mine.onnx")
    model.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "it is a Git LFS pointer" in refusal(run("upscale", picture("a.png"), "--model", model))


def test_a_failure_is_told_at_once(picture, tmp_path: Path) -> None:
    for name, shape in (("in/a.png", (8, 8, 3)), ("in/c.png", LONG)):
        picture(name, shape, compress_level=1)
    (tmp_path / "in/b.png").write_text("words")
    words = [sys.executable, "-m", "srez", "upscale", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert running.stderr
    assert "b.png is not a" in next(line for line in running.stderr if "srez: " in line)
    assert not (tmp_path / "out/c.png").exists()
    running.kill()
    running.communicate()


def test_each_model_that_is_chosen_has_the_look_that_is_asked_for(picture, tmp_path: Path) -> None:
    sources = {"faces": tmp_path / "face.png", "photo": picture("other.png")}
    Image.fromarray(pictures.portrait()).save(sources["faces"])
    assert run("upscale", *sources.values(), "-o", tmp_path / "out", "--fidelity", 0.2).exit_code == 0
    for model, source in sources.items():
        expected = srez.load(model, fidelity=0.2)(images.read(source).pixels)
        np.testing.assert_array_equal(images.read(tmp_path / "out" / source.name).pixels, expected)


def test_pictures_do_not_go_to_a_terminal(picture) -> None:
    controller, terminal = pty.openpty()
    words = [sys.executable, "-m", "srez", "upscale", str(picture("a.png")), "-o", "-"]
    done = subprocess.run(words, stdout=terminal, stderr=subprocess.PIPE, text=True, check=False)
    os.close(terminal)
    os.close(controller)
    assert done.returncode == 2
    assert "cannot go to a terminal" in done.stderr


def test_a_pipe_with_a_name_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert "a.png is a pipe" in refusal(run("upscale", tmp_path / "a.png"), exit_code=1)


def test_a_folder_that_looks_like_a_file(picture, tmp_path: Path) -> None:
    source, out = picture("a.png"), tmp_path / "results.v2"
    assert "if it is a folder, create it first" in refusal(run("upscale", source, "-o", out))
    out.mkdir()
    assert run("upscale", source, "-o", out).exit_code == 0
    assert (out / "a.png").exists()


def test_a_defect_of_ours_costs_one_picture(picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture("in/a.png", (7, 9, 3))
    picture("in/b.png")
    bands = Upscaler.bands

    def defective(upscaler: Upscaler, image: np.ndarray, *rest: Any, **named: Any) -> Iterator[np.ndarray]:
        if len(image) == 7:
            raise KeyError("unforeseen")
        return bands(upscaler, image, *rest, **named)

    monkeypatch.setattr(Upscaler, "bands", defective)
    said = refusal(run("upscale", tmp_path / "in", "-o", tmp_path / "out"), exit_code=1)
    assert "a.png: this is a bug in srez (KeyError: 'unforeseen')" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]
    debugged = run("--debug", "upscale", tmp_path / "in", "-o", tmp_path / "out", "--overwrite")
    assert debugged.exit_code == 1
    assert "Traceback" in debugged.stderr
    assert "in defective" in debugged.stderr
    assert "1 upscaled, 1 failed" in debugged.stdout


def test_subfolders_that_cannot_be_read_are_named(picture, tmp_path: Path, monkeypatch) -> None:
    """As root every folder can be, so the system's refusal is put in place."""
    for name in ("in/a.png", "in/closed/b.png", "in/deep/closed/c.png", "in/deep/d.png"):
        picture(name)
    scandir = os.scandir

    def refusing(path: Any = ".") -> Any:
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    result = run("upscale", tmp_path / "in", "-r", "-o", tmp_path / "out")
    assert result.exit_code == 1
    for folder in ("in/closed", "in/deep/closed"):
        assert f"srez: {tmp_path / folder} cannot be read: Permission denied" in result.stderr
    assert "2 upscaled, 2 failed" in result.stdout
    result = run("upscale", tmp_path / "in/closed", tmp_path / "in/deep/d.png", "-o", tmp_path / "other")
    assert "in/closed cannot be read" in refusal(result, exit_code=1)
    assert run("upscale", tmp_path / "in", "-o", tmp_path / "top").exit_code == 0  # nobody asked for them


def test_pictures_in_folders_that_may_be_listed_only(picture, tmp_path: Path, monkeypatch) -> None:
    picture("in/locked/a.png")
    picture("in/b.png")
    stat = Path.stat

    def refusing(path: Path, **options: Any) -> object:
        if path.parent.name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    result = run("upscale", tmp_path / "in", "-r", "-o", tmp_path / "out")
    assert "locked/a.png cannot be read: Permission denied" in refusal(result, exit_code=1)
    assert "1 upscaled, 1 failed" in result.stdout


def test_the_second_of_two_results_of_one_name_fails(picture, tmp_path: Path) -> None:
    for name in ("in/a.jpg", "in/a.png", "in/b.png"):
        picture(name)
    for existing, counts in ((), "2 upscaled, 1 failed"), (("--skip",), "0 upscaled, 2 skipped, 1 failed"):
        result = run("upscale", tmp_path / "in", "--format", "webp", *existing)
        said = refusal(result, exit_code=1)
        assert f"in/a.jpg and {tmp_path / 'in/a.png'} would both become {tmp_path / 'in/a_x4.webp'}" in said
        assert "with another -o or --suffix" in said
        assert counts in result.stdout


def test_a_dry_run_tells_what_will_be_refused(picture, tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 99, 200)]
    (tmp_path / "in").mkdir()
    frames[0].save(tmp_path / "in/animated.gif", save_all=True, append_images=frames[1:])
    picture("in/wide.png", (1, 5000, 3))
    picture("in/a.png")
    for words in ([], ["--dry-run"]):
        result = run("upscale", tmp_path / "in", "--format", "webp", "-o", tmp_path / "out", "--json", *words)
        assert result.exit_code == 1
        assert "animated.gif is animated (3 frames)" in result.stderr
        assert "wide.webp: WebP cannot hold a side of more than 16,383 pixels" in result.stderr
        report = json.loads(result.stdout)
        assert [entry["width"] for entry in report["planned" if words else "done"]] == [36]
        assert ("done" in report, "planned" in report) == ((False, True) if words else (True, False))
        assert len(report["failed"]) == 2
        (tmp_path / "out/a.webp").unlink(missing_ok=True)
    said = refusal(run("upscale", tmp_path / "in/a.png", "--scale", 9999, "--dry-run"), exit_code=1)
    assert "a.png: a 9x12 picture cannot become 89991x119988" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("- -o b.png <&-", "standard input is closed"),
        ("- -o b.png 0>c", "standard input cannot be read"),
        ("a.png -o - >&-", "standard output is closed"),
        ("a.png -o - >/dev/full", "standard output cannot be written: No space left on device"),
        ("a.png -o b.png >/dev/full", "standard output cannot be written: No space left on device"),
        ("a.png -o b.png --json >/dev/full", "standard output cannot be written: No space left on device"),
        ("a.png -o b.png --json >&-", ""),
    ],
)
def test_standard_streams_that_are_closed_or_full(picture, tmp_path: Path, words: str, sentence: str) -> None:
    picture("a.png")
    command = f"{shlex.quote(sys.executable)} -m srez upscale {words}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if line and "MP" not in line]  # without the bar
    assert [line[: len(sentence) + 6] for line in said] == ([f"srez: {sentence}"] if sentence else [])
    assert done.returncode == (1 if sentence else 0)
    assert (tmp_path / "b.png").exists() == words.startswith("a.png -o b.png")
