"""The walls of the house: what may import what."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import srez

SOURCE = Path(srez.__file__).parent
HEAVY = {"tensorflow", "keras", "ray", "fastapi", "gradio"}


def imports(path: Path) -> set[str]:
    """All modules that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def loaded_after(code: str, *arguments: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after running some code."""
    report = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code + report, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_import_is_light() -> None:
    loaded = loaded_after("import srez")
    assert not loaded & (HEAVY | {"skimage", "scipy", "pydantic"})
    assert "numpy" in loaded


def test_onnx_runtime_does_not_report_to_its_makers() -> None:
    loaded_after("import os, srez; srez.load(); assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'")


def test_only_the_runtime_imports_onnx_runtime() -> None:
    for path in SOURCE.rglob("*.py"):
        if path != SOURCE / "models/runtime.py":
            assert "onnxruntime" not in imports(path), path


def test_upscale_is_light(picture, tmp_path: Path) -> None:
    code = "from srez.cli import main\ntry: main()\nexcept SystemExit as end: assert not end.code"
    target = tmp_path / "out.png"
    loaded = loaded_after(code, "upscale", str(picture("a.png")), "-o", str(target))
    assert not loaded & (HEAVY | {"skimage", "scipy"})
    assert target.exists()


def test_looking_at_runs_needs_no_training() -> None:
    assert not loaded_after("import srez.runs, srez.runs.report.page") & (HEAVY | {"pydantic", "scipy"})
    assert "matplotlib" not in loaded_after("import srez.runs")


def test_only_train_imports_tensorflow() -> None:
    for path in SOURCE.rglob("*.py"):
        if "train" not in path.relative_to(SOURCE).parts:
            tops = {name.partition(".")[0] for name in imports(path)}
            assert not tops & {"tensorflow", "keras"}, path


@pytest.mark.parametrize("above", ["srez.cli", "srez.serve", "srez.cluster"])
def test_nothing_below_imports_what_is_above(above: str) -> None:
    own = SOURCE / above.removeprefix("srez.")
    for path in SOURCE.rglob("*.py"):
        if path.name != "__main__.py" and not {own, SOURCE / "cli"} & set(path.parents):
            assert not any(name == above or name.startswith(above + ".") for name in imports(path)), path


def test_files_of_images_are_opened_in_one_place() -> None:
    for path in SOURCE.rglob("*.py"):
        if SOURCE / "images" not in path.parents:
            text = path.read_text()
            assert "Image.open" not in text, path
            assert "decode_image" not in text, path
            assert "decode_jpeg" not in text, path
