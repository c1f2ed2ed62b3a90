"""What a user installs."""

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """Models, recipes, py.typed, and what the page and the report are made of, too."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {path for path in (ROOT / "src/srez").rglob("*") if path.is_file()}
    sources = {path.relative_to(ROOT / "src").as_posix() for path in files if path.suffix != ".pyc"}
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
