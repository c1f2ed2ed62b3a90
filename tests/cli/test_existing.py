"""`srez upscale`: results that are there already."""

import json
from pathlib import Path

import pytest
from PIL import Image

from helpers.commands import refusal, upscale
from srez import images
from srez.upscaling import batch
from srez.upscaling.convert import Options
from srez.upscaling.loading import chooser
from srez.upscaling.plan import Existing, Rules, make_plan
from srez.upscaling.size import Size


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_existing_results_are_left_refused_or_replaced(picture, tmp_path: Path) -> None:
    source, target = picture("a.png"), tmp_path / "b.png"
    target.write_bytes(b"old")
    assert "exists" in refusal(upscale(source, "-o", target), exit_code=1)
    assert upscale(source, "-o", target, "--skip").exit_code == 0
    assert target.read_bytes() == b"old"
    assert upscale(source, "-o", target, "--overwrite").exit_code == 0
    assert images.size(target) == (36, 48)


def test_it_says_so_when_all_is_there(picture, tmp_path: Path) -> None:
    source = picture("a.png")
    assert upscale(source).exit_code == 0
    assert upscale(source, "--skip").stdout.strip() == "0 upscaled, 1 skipped, 0 failed"


@pytest.mark.parametrize("existing", ["--skip", "--overwrite"])
def test_a_folder_in_the_place_of_a_result_is_no_result(picture, tmp_path: Path, existing: str) -> None:
    source = picture("a.png")
    (tmp_path / "out/a.png").mkdir(parents=True)
    result = upscale(source, "-o", tmp_path / "out", existing, "--json")
    assert result.exit_code == 1
    assert f"{tmp_path / 'out/a.png'} is a folder" in result.stderr
    report = json.loads(result.stdout)
    assert (report["skipped"], [each["source"] for each in report["failed"]]) == ([], [str(source)])


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


def test_the_same_words_go_on_with_patterns_too(picture, tmp_path: Path) -> None:
    """A shell replaces a pattern before the command sees it; then results of before are among the inputs."""
    for name in ("a.png", "b.jpg", "deep/a.png"):
        picture(f"in/{name}")
    folder, everywhere = tmp_path / "in", tmp_path / "in/**/*.*"
    assert upscale(*folder.glob("*.*")).exit_code == 0
    for words in (sorted(folder.glob("*.*")), [folder / "*.*"], [folder]):
        assert "0 upscaled, 2 skipped, 0 failed" in upscale(*words, "--skip").stdout
    assert upscale(*folder.glob("*.*"), "--overwrite").exit_code == 0
    assert sorted(path.name for path in folder.glob("*.*")) == ["a.png", "a_x4.png", "b.jpg", "b_x4.jpg"]
    # With -o inside what is searched, results have their inputs' names.
    for counts in ("1 upscaled, 1 skipped", "0 upscaled, 2 skipped"):
        words = [tmp_path / "in/deep*/*.png", "-o", tmp_path / "in/deep/large", "--skip"]
        (tmp_path / "in/deep/large").mkdir(exist_ok=True)
        upscale(tmp_path / "in/deep/a.png", "-o", tmp_path / "in/deep/large/a.png", "--skip")
        picture("in/deep2/b.png")
        assert counts in upscale(*words).stdout
    result = upscale(everywhere, "-o", tmp_path / "out")
    assert (result.exit_code, "would both become" in result.stderr) == (1, True)


def test_a_picture_with_an_ending_like_a_result_is_not_passed_over(picture, tmp_path: Path) -> None:
    picture("in/castle_x4.png")
    picture("in/_x4.png")
    assert "2 upscaled, 0 failed" in upscale(tmp_path / "in").stdout
    assert {path.name for path in (tmp_path / "in").iterdir()} == {
        *("castle_x4.png", "castle_x4_x4.png", "_x4.png", "_x4_x4.png")
    }


def test_earlier_results_are_not_upscaled_again(picture, tmp_path: Path) -> None:
    folder = picture("in/a.jpg").parent
    for words, made in (
        ([], "a_x4.jpg"),
        (["--scale", 2], "a_x2.jpg"),
        (["--format", "webp"], "a_x4.webp"),
        (["--suffix", "-big", "--format", "png"], "a-big.png"),
    ):
        before = names(folder)
        result = upscale(folder, *words, "--json")
        assert result.exit_code == 0, result.output
        assert names(folder) == sorted([*before, made])
        earlier = [str(folder / name) for name in before if name != "a.jpg"]
        assert sorted(json.loads(result.stdout)["earlier_results"]) == earlier
    assert upscale(folder, "-o", tmp_path / "out").exit_code == 0
    assert names(tmp_path / "out") == ["a.jpg"]


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
