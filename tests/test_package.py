"""What a user installs."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from PIL import Image

from helpers.drawn_faces import drawn_face

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """Models, recipes, py.typed, and what the page and the report are made of, too."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {path for path in (ROOT / "src/srez").rglob("*") if path.is_file()}
    sources = {path.relative_to(ROOT / "src").as_posix() for path in files if "__pycache__" not in path.parts}
    assert {"srez/py.typed", "srez/models/weights/faces.onnx", "srez/serve/page/page.css"} <= sources
    assert sources <= names


def test_the_wheel_holds_the_sources_of_the_browser_page(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    needed = [
        path for name in ("src", "public") for path in (ROOT / "web" / name).rglob("*") if path.is_file()
    ]
    needed += (ROOT / "web" / name for name in ("index.html", "package.json", "package-lock.json"))
    needed += [*(ROOT / "web").glob("tsconfig*.json"), ROOT / "web/vite.config.ts"]
    assert {f"srez/{path.relative_to(ROOT).as_posix()}" for path in needed} <= names
    assert not any("node_modules" in name for name in names)


@pytest.mark.docs
def test_the_wheel_upscales_where_there_is_nothing_but_python(tmp_path: Path) -> None:
    """As the guides say: install, then upscale. It brings neither TensorFlow nor PyTorch."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    venv.create(tmp_path / "new", with_pip=True)
    programs = tmp_path / "new" / ("Scripts" if sys.platform == "win32" else "bin")
    drawn_face(1, (40, 30)).save(tmp_path / "photo.jpg")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    constraints = str(ROOT / "constraints.txt")
    for command in (
        ["python", "-m", "pip", "install", "--quiet", "-c", constraints, str(wheel)],
        ["srez", "upscale", "photo.jpg"],
        [
            "python",
            "-c",
            "import importlib.util as u; assert not (u.find_spec('keras') or u.find_spec('torch'))",
        ],
    ):
        words = [str(programs / command[0]), *command[1:]]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "photo_x4.jpg") as result:
        assert result.size == (160, 120)


@pytest.mark.docs
def test_the_tests_run_from_the_sdist(tmp_path: Path) -> None:
    """Some of them: those that read most of the files beside the package."""
    (archive,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/test_package.py", "tests/test_docs.py"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    wanted = ["tests/images/test_resample.py", "-k", "not reference and not examples_run"]
    done = subprocess.run(
        [*command, *wanted], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
