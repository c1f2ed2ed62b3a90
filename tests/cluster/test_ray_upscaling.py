"""Many pictures with a real Ray on this machine, one of whose actors is killed."""

import errno
import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
from PIL import Image
from typer.testing import CliRunner

from helpers.commands import SREZ
from helpers.killing import kill_one
from helpers.waiting import PATIENCE
from srez import images
from srez.cli import app
from srez.cluster import upscaling
from srez.cluster.upscaling import manifest
from srez.cluster.upscaling.manifest import Row
from srez.cluster.upscaling.planning import plan
from srez.cluster.upscaling.store import Store
from srez.cluster.upscaling.workers import Worker
from srez.errors import DefectError, ModelError, OptionError
from srez.upscaling.convert import Options
from srez.upscaling.plan import Existing, Rules
from srez.upscaling.size import Size

RAY = ("--engine", "ray", "--workers", "2", "--recursive", "--json")
PICTURES, BAD = 240, 5


def write_pictures(folder: Path, count: int, side: int) -> None:
    """Pictures of random pixels in two subfolders, and some files that are none."""
    random = np.random.default_rng(1)
    for number in range(count):
        path = folder / ("even" if number % 2 == 0 else "odd") / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
    for number in range(BAD):
        (folder / f"bad{number}.png").write_bytes(f"no picture {number}".encode())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}


@pytest.mark.cluster
def test_a_killed_actor_and_bad_files_cost_nothing_else(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", PICTURES, 32)
    command = [*SREZ, "upscale", str(tmp_path / "in"), str(tmp_path / "out"), *RAY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        kill_one(run.pid, "MapWorker", of=2, when=lambda: len(contents(tmp_path / "out")) > 20)
        stdout, stderr = run.communicate(timeout=5 * PATIENCE)
    assert run.returncode == 1, stderr
    assert "Traceback" not in stderr
    report = json.loads(stdout)
    assert (report["done"], report["kept"], len(report["errors"])) == (PICTURES, 0, BAD)
    local = [*SREZ, "upscale", str(tmp_path / "in"), "-r", "-o", str(tmp_path / "local")]
    subprocess.run(local, capture_output=True, check=False)
    results = contents(tmp_path / "out")
    assert len(results) == PICTURES
    assert results == contents(tmp_path / "local")
    rows = {row["source"]: row for row in pq.read_table(tmp_path / "out/manifest.parquet").to_pylist()}
    assert rows.keys() == contents(tmp_path / "in").keys()
    for name, data in contents(tmp_path / "in").items():
        row = rows[name]
        assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        if name.startswith("bad"):
            assert row["status"] == "refused"
            assert "is not a PNG" in row["error"]
        else:
            assert (row["status"], row["error"], row["width"]) == ("done", None, 128)

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (json.loads(again.stdout)["done"], json.loads(again.stdout)["kept"]) == (0, PICTURES + BAD)
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*") if p.is_file()}

    (
        tmp_path / "out/even/0000.png"
    ).unlink()  # a lost result, a mended file and a new one: these and only these
    (tmp_path / "in/bad0.png").write_bytes((tmp_path / "in/odd/0001.png").read_bytes())
    (tmp_path / "in/new.png").write_bytes((tmp_path / "in/odd/0003.png").read_bytes())
    third = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert (third["done"], third["kept"], len(third["errors"])) == (3, PICTURES + BAD - 2, BAD - 1)
    changed = {p.name for p in (tmp_path / "out").rglob("*.png") if before.get(p) != p.stat().st_mtime_ns}
    assert changed == {"0000.png", "bad0.png", "new.png"}


def test_what_a_killed_run_wrote_counts() -> None:
    """Parts of the manifest of a driver that died, in a file system that is no local folder."""
    memory = fsspec.filesystem("memory")
    row = Row("a.png", "a.png", "done", "0123", 3, "1", sha256="00")
    target = Store.at("memory://results")
    with target.writing(f"{manifest.PARTS}/1.parquet") as file:
        pq.write_table(manifest.to_table([row]), file)
    memory.pipe_file("/results/a.png", b"...")
    killed = manifest.Manifest(target)
    assert killed.earlier == {"a.png": row}
    asked = Row("a.png", "a.png", "open", "0123", 3, "1")
    assert plan([asked], killed.earlier, target, Rules()) == ([], [row])
    changed = replace(asked, version="2")
    assert plan([changed], killed.earlier, target, Rules()) == ([changed], [])
    killed.finish([row])
    with memory.open("/results/manifest.parquet", "rb") as file:
        assert manifest.from_table(pq.read_table(file)) == [row]
    assert not memory.find(f"/results/{manifest.PARTS}")


Upscale = Callable[..., upscaling.BatchResult]


@pytest.fixture
def upscale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upscale:
    """Upscales the folder `in` into `out`, in this process instead of Ray's."""

    def run(to_do: list[Row], batch: upscaling.Batch, workers: int) -> Iterator[pa.Table]:
        worker = Worker(batch)
        for row in to_do:
            yield worker(manifest.to_table([row]))

    def upscale(
        model: str = "auto", fidelity: float | None = None, tile: int | None = None, **keys: Any
    ) -> upscaling.BatchResult:
        choice = upscaling.ModelChoice(model, fidelity, tile)
        rules = Rules(**{key: value for key, value in keys.items() if key in Rules.__annotations__})
        options = Options(**{key: value for key, value in keys.items() if key in Options.__annotations__})
        batch = upscaling.Batch(str(tmp_path / "in"), str(tmp_path / "out"), choice, rules, options)
        return upscaling.upscale(batch, 1, "local", lambda *_: None)

    monkeypatch.setattr(upscaling, "connected", lambda *_: nullcontext())
    monkeypatch.setattr(upscaling.workers, "run", run)
    return upscale


def rows(tmp_path: Path) -> dict[str, dict]:
    return {row["source"]: row for row in pq.read_table(tmp_path / "out/manifest.parquet").to_pylist()}


def test_results_of_others_are_not_replaced(upscale: Upscale, tmp_path: Path) -> None:
    write_pictures(tmp_path / "in/all", 2, 4)
    (tmp_path / "in/all/even/0000.png").rename(tmp_path / "in/a.png")
    (tmp_path / "in/all/odd/0001.png").rename(tmp_path / "in/b.png")
    theirs = tmp_path / "out/a.png"
    theirs.parent.mkdir()
    theirs.write_bytes(b"of somebody else")
    report = upscale()
    assert (report.done, report.kept) == (1, 0)
    assert report.errors == {"a.png": f"{theirs} exists: use --overwrite to replace it or --skip to leave it"}
    row = rows(tmp_path)["a.png"]
    assert (row["status"], row["settings"]) == ("failed", None)
    for _ in range(2):
        report = upscale(existing=Existing.SKIP)
        assert (report.done, report.kept, report.errors) == (0, 2, {})
        assert rows(tmp_path)["a.png"]["status"] == "kept"
    assert upscale().errors
    assert theirs.read_bytes() == b"of somebody else"
    assert upscale(existing=Existing.OVERWRITE).done == 2
    assert upscale().kept == 2
    assert images.read(theirs).size == (16, 16)


@pytest.mark.parametrize(
    "change",
    [{"model": "faces"}, {"quality": 50}, {"size": Size(scale=2)}, {"size": Size(width=7)}],
    ids=["model", "quality", "scale", "width"],
)
def test_other_settings_are_done_again(upscale: Upscale, tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "in/a.jpg")
    assert upscale().done == 1
    before = rows(tmp_path)["a.jpg"]
    report = upscale(**change)
    assert (report.done, report.kept, report.errors) == (1, 0, {})
    assert rows(tmp_path)["a.jpg"]["settings"] != before["settings"]
    assert (upscale(**change).kept, upscale().done) == (1, 1)
    assert rows(tmp_path)["a.jpg"] == before


def test_what_a_stopped_run_made_is_its_own(
    upscale: Upscale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops when the result is there and the manifest does not have it yet."""
    (tmp_path / "in").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "in/a.png")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(manifest.Manifest, "add", stop)
        assert upscale().stopped
    assert (tmp_path / "out/a.png").exists()
    assert rows(tmp_path)["a.png"]["status"] == "open"
    report = upscale()
    assert (report.done, report.errors) == (1, {})


def test_what_is_too_large_may_be_allowed(upscale: Upscale, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "in/a.png")
    assert "more than 15 pixels" in upscale(max_pixels=15).errors["a.png"]
    assert upscale().done == 1


def raise_(error: Exception) -> Callable[..., Any]:
    """A function that raises an error, whatever it is called with."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


BANDS = "srez.upscaling.upscaler.Upscaler.bands"
CAT_FILE = "fsspec.implementations.local.LocalFileSystem.cat_file"


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (BANDS, MemoryError()),
        ("srez.images.reading.decode", MemoryError()),
        (CAT_FILE, MemoryError()),
        (BANDS, ModelError("the weights are corrupt")),
        ("srez.upscaling.loading.Upscaler", ModelError("there is no such model")),
        (BANDS, DefectError("nobody foresaw this")),
        (BANDS, ZeroDivisionError()),
        (BANDS, OSError(errno.ENOSPC, "No space left on device")),
        (CAT_FILE, OSError(errno.EIO, "Input/output error")),
        (CAT_FILE, RuntimeError("the bucket cannot be reached")),
    ],
    ids=[
        "memory-for-tiles", "memory-for-pixels", "memory-for-bytes", "corrupt-model", "lost-model", "defect",
        "unforeseen", "full-disk", "unreadable-store", "unreadable-bucket",
    ],
)  # fmt: skip
def test_what_is_not_the_files_fault_is_tried_again(
    upscale: Upscale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, error: Exception
) -> None:
    write_pictures(tmp_path / "in", 1, 4)
    with monkeypatch.context() as fault:
        fault.setattr(broken, raise_(error))
        report = upscale(recursive=True)
    row = rows(tmp_path)["even/0000.png"]
    assert (report.done, row["status"]) == (0, "failed")
    assert "even/0000.png" in row["error"]
    report = upscale(recursive=True)
    assert (report.done, len(report.errors)) == (1, BAD)
    assert rows(tmp_path)["bad0.png"]["status"] == "refused"


def test_a_missing_package_is_not_the_files_fault(
    upscale: Upscale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    picture = images.Picture(np.zeros((4, 4, 3), np.uint8))
    images.write(tmp_path / "in/a.heic", picture)
    with monkeypatch.context() as fault:
        fault.setattr("srez.images.formats.find_spec", lambda _: None)
        assert "pip install" in upscale(format=images.PNG).errors["a.heic"]
    assert upscale(format=images.PNG).done == 1


def test_contents_decide_what_is_a_picture(upscale: Upscale, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    names = ("a.jpg_large", "b", "notes.txt", ".hidden.png", "__MACOSX/c.png")
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), "red").save(tmp_path / "in" / name, "JPEG")
    (tmp_path / "in/notes.txt").write_text("no picture")
    result = upscale(recursive=True)
    assert (result.done, result.others, result.errors) == (2, 1, {})
    targets = {source: row["target"] for source, row in rows(tmp_path).items()}
    assert targets == {"a.jpg_large": "a.jpg", "b": "b.jpg"}


def test_results_of_earlier_runs_are_left_out(upscale: Upscale, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "in/a.png")
    assert upscale().done == 1
    (tmp_path / "out/a.png").rename(tmp_path / "in/renamed.png")
    for done in (1, 0):
        result = upscale()
        assert (result.done, result.earlier_results, result.errors) == (done, 1, {})
    assert rows(tmp_path)["renamed.png"]["status"] == "result"
    result = upscale(again=True)
    assert (result.done, result.earlier_results) == (1, 0)
    assert images.size(tmp_path / "out/renamed.png") == (64, 64)


def test_a_subfolder_that_cannot_be_listed_is_named(
    upscale: Upscale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path / "in", 2, 4)
    scandir = os.scandir

    def closed(path: str | Path) -> Any:
        if str(path).endswith("/odd"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    with monkeypatch.context() as fault:
        fault.setattr(os, "scandir", closed)
        result = upscale(recursive=True)
    assert (result.done, len(result.errors)) == (1, BAD + 1)
    assert "odd cannot be listed: Permission denied" in result.errors["odd"]
    assert (upscale(recursive=True).done, "odd" in rows(tmp_path)) == (1, False)


def test_of_two_results_of_one_name_the_first_is_made(upscale: Upscale, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.bmp", "a.png", "b.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / "in" / name)
    for done, kept in ((2, 0), (0, 2)):
        report = upscale()
        assert (report.done, report.kept, list(report.errors)) == (done, kept, ["a.png"])
        assert "a.bmp and a.png would both become a.png" in report.errors["a.png"]
    after = rows(tmp_path)
    assert (after["a.bmp"]["status"], after["a.png"]["status"], after["a.png"]["settings"]) == (
        "done",
        "failed",
        None,
    )
    (tmp_path / "in/a.bmp").unlink()
    assert "exists: use --overwrite" in upscale().errors["a.png"]


def test_refusals(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    out = str(tmp_path / "out")
    for words, sentence in (
        ((str(tmp_path), str(tmp_path)), "holds the inputs: choose another target"),
        ((str(tmp_path / "nowhere"), out), "holds no pictures"),
        ((str(tmp_path), "nosuch://bucket"), "nosuch://bucket cannot be opened"),
        ((str(tmp_path),), "takes a source and a target"),
    ):
        result = CliRunner().invoke(app, ["upscale", *words, "--engine", "ray"])
        assert (result.exit_code, sentence in result.stderr.replace("\n", "")) == (2, True), result.stderr
    batch = upscaling.Batch(str(tmp_path), out, upscaling.ModelChoice("faces"))
    with pytest.raises(OptionError, match="cannot connect to Ray"):
        upscaling.upscale(batch, 1, "127.0.0.1:1", lambda *_: None)


def test_a_ray_that_does_not_start_in_time_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")

    def late(*_: Any, **__: Any) -> None:
        raise Exception("The current node timed out during startup. This could happen because of raylet.")

    monkeypatch.setattr(ray, "init", late)
    words = ["upscale", str(tmp_path), str(tmp_path / "out"), "--engine", "ray", "--ray-address", "local"]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, "timed out during startup" in " ".join(result.stderr.split())) == (2, True)
    assert "Traceback" not in result.stderr
