"""`srez upscale`: what is refused in one sentence, without a change to any file."""

import os
from pathlib import Path

import pytest

from helpers import models
from helpers.commands import refusal, run, upscale


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
        ((source, alpha, "-o", source), "is one file, but there are 2 pictures"),
        ((source, alpha, "-o", "-"), "is one file, but there are 2 pictures"),
        ((source, "-o", out, "--model", "facez"), "no model 'facez'"),
        ((source, "-o", out, "--model", "photo-jpeg"), "photo repairs JPEGs by itself"),
        ((source, "-o", out, "--model", tmp_path / "a.onnx"), "does not exist"),
        ((source, "-o", out, "--format", "jpeg"), "contradict each other"),
        ((source, "-o", out, "--overwrite", "--skip"), "either --overwrite or --skip"),
        ((source, "-o", out, "--scale", 2, "--width", 7), "either --scale, or --width and --height"),
        ((source, "-o", out, "--model", plain, "--fidelity", 0.5), "model plain has no vivid weights"),
        ((source, "-o", out, "--model", "faces", "--repair", 0.5), "model faces does not repair"),
        ((source, "-o", out, "--tile", 5), "choose a side from 32 to 4096 pixels"),
        ((source, "-o", "-", "--json"), "cannot both go to standard output"),
    ):
        assert sentence in refusal(upscale(*words))
    for repair in (2, "much", ""):
        result = upscale(source, "-o", out, "--repair", repair)
        assert result.exit_code == 2
        assert f"'{repair}' is neither auto nor a number" in result.stderr
    for words, sentence in (
        ((tmp_path / "nowhere.png", "-o", out), "nowhere.png does not exist"),
        ((source, "-o", source / "b.png"), "cannot be created"),
        ((source, "-o", tmp_path / "exists.png"), "exists: use --overwrite"),
        ((alpha, "-o", tmp_path / "b.jpg"), "JPEG cannot hold transparency"),
        ((source, "-o", out, "--scale", 9999), "a.png: a 9x12 picture cannot become 89991x119988"),
        ((source, "-o", out, "--width", 37, "--max-pixels", 110), "cannot become 37x49"),
        ((source, "-o", out, "--max-pixels", 100), "more than 100 pixels: if you trust it, allow more"),
    ):
        assert sentence in refusal(upscale(*words), exit_code=1)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["null", "pipe.png"])
def test_results_go_to_files_and_folders_only(picture, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "null").symlink_to(os.devnull)
    place, source = tmp_path / name, picture("a.png")
    for words in ((source,), (source, picture("b.png"), "--overwrite")):
        sentence = refusal(upscale(*words, "-o", place))
        assert sentence == f"srez: {place} is neither a file nor a folder: -o - writes to standard output"
    assert "null is neither a file nor a folder: choose a folder" in refusal(
        run("watch", tmp_path, tmp_path / "null")
    )
    assert not any(path.is_file() for path in (tmp_path / "null", tmp_path / "pipe.png"))


def test_a_model_that_is_a_pointer(picture, tmp_path: Path) -> None:
    model = models.write(tmp_path / "mine.onnx")
    model.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "it is a Git LFS pointer" in refusal(upscale(picture("a.png"), "--model", model))
