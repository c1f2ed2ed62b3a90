"""`srez upscale`: where results go."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import srez
from helpers.commands import refusal, run_apart, upscale
from srez import images


def test_results_go_beside_their_inputs(picture, tmp_path: Path) -> None:
    inputs = [picture("in/a.jpg"), picture("in/b.bmp"), picture("in/deep/c.webp")]
    assert upscale(inputs[0]).stdout.replace("\n", "").endswith("a_x4.jpg: 36x48 (photo, repair 1)")
    assert upscale(tmp_path / "in", "--skip").exit_code == 0
    assert upscale(tmp_path / "in", "--recursive", "--skip", "--scale", 2).exit_code == 0
    assert upscale(tmp_path / "in/[ab].*", "--suffix", "-big", "--format", "avif").exit_code == 0
    names = {str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in").rglob("*.*")}
    made = {"a_x4.jpg", "b_x4.png", "a_x2.jpg", "b_x2.png", "deep/c_x2.webp", "a-big.avif", "b-big.avif"}
    assert names == made | {"a.jpg", "b.bmp", "deep/c.webp"}


@pytest.mark.parametrize(("name", "made"), [("jpeg", "a.jpg"), ("jpg", "a.jpg"), ("tif", "a.tif")])
def test_formats_by_their_suffixes_too(picture, tmp_path: Path, name: str, made: str) -> None:
    assert upscale(picture("a.png"), "-o", tmp_path / "out", "--format", name).exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [made]


def test_several_pictures_do_not_go_to_a_folder_that_is_called_like_one(picture, tmp_path: Path) -> None:
    first, second = picture("in/a.png"), picture("in/b.png")
    for inputs in ([first, second], [tmp_path / "in"], [tmp_path / "in/*.png"]):
        result = upscale(*inputs, "-o", tmp_path / "large.png")
        assert "-o" in refusal(result)
        assert not (tmp_path / "large.png").exists()
    assert upscale(first, first, "-o", tmp_path / "large.png").exit_code == 0
    assert (tmp_path / "large.png").is_file()
    (tmp_path / "2024.png").mkdir()
    assert upscale(first, second, "-o", tmp_path / "2024.png").exit_code == 0


def test_folders_keep_their_shape_in_another(picture, tmp_path: Path) -> None:
    picture("in/a.png")
    picture("in/deep/a.png")
    out = tmp_path / "in/large"
    for counts in ("2 upscaled, 0 failed", "0 upscaled, 2 skipped, 0 failed"):
        result = upscale(tmp_path / "in", "-r", "-o", out, "--skip")
        assert result.exit_code == 0, result.output
        assert counts in result.stdout
    assert sorted(path for path in out.rglob("*.png")) == [out / "a.png", out / "deep/a.png"]


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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.webp"]
    with source.open("rb") as stdin:
        assert run_apart("upscale", "-", tmp_path / "c.png", stdin=stdin).returncode == 0
    with Image.open(tmp_path / "c.png") as image:
        assert image.size == (20, 24)


def test_a_new_name_for_the_result_of_a_result(picture, tmp_path: Path) -> None:
    source, first, second = picture("a.png", (6, 5, 3)), tmp_path / "b.png", tmp_path / "c.png"
    assert upscale(source, first).exit_code == 0
    assert upscale(first, second, "--again").exit_code == 0
    with Image.open(second) as image:
        assert image.size == (80, 96)
    made = second.read_bytes()
    assert upscale(first, second, "--again", "--overwrite", "--scale", 1).exit_code == 0
    assert second.read_bytes() == made
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.png",
        "b.png",
        "b_x1.png",
        "c.png",
        "c_x1.png",
    ]


def test_two_names_of_pictures_are_two_inputs(picture, tmp_path: Path) -> None:
    sources = [picture(name, (6, 5, 3)) for name in ("a.png", "b.png")]
    before = [source.read_bytes() for source in sources]
    assert upscale(*sources, "--overwrite").exit_code == 0
    assert [source.read_bytes() for source in sources] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a_x4.png", "b.png", "b_x4.png"]


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


def test_a_folder_that_looks_like_a_file(picture, tmp_path: Path) -> None:
    source, out = picture("a.png"), tmp_path / "results.v2"
    assert "if it is a folder, create it first" in refusal(upscale(source, "-o", out))
    out.mkdir()
    assert upscale(source, "-o", out).exit_code == 0
    assert (out / "a.png").exists()


def test_a_suffix_is_no_way_to_another_folder(picture, tmp_path: Path) -> None:
    assert "contains a slash" in refusal(upscale(picture("a.png"), "--suffix", "/../../b"))


def test_of_two_results_of_one_name_the_first_is_made(picture, tmp_path: Path) -> None:
    first, second = picture("one/a.png"), picture("two/a.png")
    result = upscale(first, second, "-o", tmp_path / "out")
    assert "would both become" in refusal(result, exit_code=1)
    np.testing.assert_array_equal(
        images.read(tmp_path / "out/a.png").pixels, srez.load("photo")(images.read(first).pixels)
    )


def test_the_second_of_two_results_of_one_name_fails(picture, tmp_path: Path) -> None:
    for name in ("in/a.jpg", "in/a.png", "in/b.png"):
        picture(name)
    for existing, counts in ((), "2 upscaled, 1 failed"), (("--skip",), "0 upscaled, 2 skipped, 1 failed"):
        result = upscale(tmp_path / "in", "--format", "webp", *existing)
        said = refusal(result, exit_code=1)
        assert f"in/a.jpg and {tmp_path / 'in/a.png'} would both become {tmp_path / 'in/a_x4.webp'}" in said
        assert "with another -o or --suffix" in said
        assert counts in result.stdout
