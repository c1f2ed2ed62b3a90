"""The walls of the house: what may import what."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import srez

SOURCE = Path(srez.__file__).parent
HEAVY = {"tensorflow", "keras", "ray", "fastapi", "gradio"}


# A room may import the rooms before it and no others, so imports between rooms have no cycles.
ROOMS = (
    "errors",
    "output",
    "machine",
    "progress",
    "wording",
    "images",
    "apart",
    "models",
    "browser",
    "datasets",
    "upscaling",
    "__init__",
    "runs",
    "evaluation",
    "train",
    "serve",
    "cluster",
    "cli",
    "__main__",
)
ON_TOP = ("serve", "cluster", "cli")  # of which only the command line knows the others

# Who alone may import what.
ALONE = {
    "tensorflow": {"train"},
    "keras": {"train"},
    "onnxruntime": {"models"},
    "ray": {"cluster"},
    "fsspec": {"cluster"},
    "pyarrow": {"cluster"},
    "fastapi": {"serve"},
    "starlette": {"serve"},
    "gradio": {"serve"},
    "uvicorn": {"serve"},
    "psutil": {"machine"},
    "typer": {"cli"},
    "PIL": {"images", "evaluation"},  # evaluation draws sheets
    "skimage": set(),
    "numba": {"models"},
    "watchfiles": {"upscaling"},
    "srez.evaluation.protocol": {"evaluation", "train", "cli"},
    "srez.cluster": {"cluster", "cli"},
    "srez.serve": {"serve", "cli"},
    "srez.train": {"train", "cluster", "cli"},
}


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> set[str]:
    """All that a file imports, also inside functions: modules, and the names taken from them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def imported_rooms(path: Path) -> set[str]:
    """The other rooms that a file imports; "__init__" for what `srez` itself offers."""
    ours = {name for name in imports(path) if name.startswith("srez.")}
    tops = {name.split(".")[1] for name in ours}
    return {top if top in ROOMS else "__init__" for top in tops} - {room(path)}


def test_every_room_imports_only_rooms_before_it() -> None:
    for path in sources():
        assert room(path) in ROOMS, f"{path}: list its room in ROOMS, after those that it imports"
        before = ROOMS[: ROOMS.index(room(path))]
        assert imported_rooms(path) <= set(before), path
    assert {room(path) for path in sources()} == set(ROOMS)


@pytest.mark.parametrize("module", ALONE)
def test_only_one_room_imports(module: str) -> None:
    for path in sources():
        if room(path) not in ALONE[module]:
            assert not any(name == module or name.startswith(module + ".") for name in imports(path)), path


def test_frameworks_stand_only_in_the_files_named_for_them() -> None:
    """Networks and losses are written in `keras.ops`, so that they run on every backend."""
    for path in sources():
        for framework in ("tensorflow", "torch"):
            names = imports(path)
            is_meant = path.stem.endswith(f"_{framework}") or path in OTHERS[framework]
            uses = any(name == framework or name.startswith(f"{framework}.") for name in names)
            assert is_meant or not uses, path


OTHERS = {
    "tensorflow": [],
    "torch": [SOURCE / "evaluation/perceptual.py"],
}  # whose distance is a PyTorch network


def test_nothing_below_imports_what_is_on_top() -> None:
    for path in sources():
        if room(path) not in ("cli", "__main__"):
            assert not imported_rooms(path) & set(ON_TOP), path


def test_only_evaluation_defines_a_protocol() -> None:
    """Others measure by a protocol that `evaluation` defines; none makes one of its own."""
    for path in sources():
        if room(path) != "evaluation":
            calls = [
                node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
            ]
            names = {ast.unparse(function).rpartition(".")[2] for function in calls}
            assert "Protocol" not in names, path


def loaded_after(code: str, *arguments: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after running some code."""
    report = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code + report, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_import_is_light() -> None:
    loaded = loaded_after("import srez; srez.load")
    assert not loaded & (HEAVY | {"skimage", "scipy", "pydantic"})
    assert "numpy" in loaded
    assert "numpy" not in loaded_after("import srez.__main__")  # Ctrl-C has to be heeded from the start


def test_onnx_runtime_does_not_report_to_its_makers() -> None:
    loaded_after("import os, srez; srez.load(); assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'")


def test_only_the_runtime_imports_onnx_runtime() -> None:
    users = [path for path in sources() if "onnxruntime" in imports(path)]
    assert users == [SOURCE / "models/runtime.py"]


def test_upscale_is_light(picture, tmp_path: Path) -> None:
    code = "from srez.cli import main\ntry: main()\nexcept SystemExit as end: assert not end.code"
    target = tmp_path / "out.png"
    loaded = loaded_after(code, "upscale", str(picture("a.png")), "-o", str(target))
    assert not loaded & (HEAVY | {"skimage", "scipy", "numba"})
    assert target.exists()


def test_looking_at_runs_needs_no_training() -> None:
    assert not loaded_after("import srez.runs, srez.runs.report.page") & (HEAVY | {"pydantic", "scipy"})
    assert "matplotlib" not in loaded_after("import srez.runs")


def test_files_of_images_are_opened_in_one_place() -> None:
    openers = ("Image.open", "decode_image", "decode_jpeg", "decode_png", "imread")
    for path in sources():
        if room(path) != "images":
            text = path.read_text()
            assert not [opener for opener in openers if opener in text], path


# Files that only Linux has all of; the rest of the package runs where one of these is missing.
LINUX_ONLY = {"apart/box.py", "apart/nursery.py", "apart/confined.py"}
POSIX = ("fcntl", "grp", "pwd", "resource", "termios")
POSIX_CALLS = ("os.fork", "os.geteuid", "os.getuid", "os.killpg", "os.mkfifo", "os.setsid", "signal.SIGKILL")


def test_what_only_posix_has_is_guarded() -> None:
    """Modules are imported inside `try`, and calls are made by what `srez serve` refuses to start without."""
    for path in sources():
        if path.relative_to(SOURCE).as_posix() in LINUX_ONLY:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bare = [name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names]
        assert not set(bare) & set(POSIX), path
        calls = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not calls & set(POSIX_CALLS), path


def test_text_files_are_utf_8_everywhere() -> None:
    """Else Windows takes its own encoding; ruff does not see the calls on what has no type hint."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".read_text", ".write_text")):
                assert "encoding" in {word.arg for word in node.keywords}, f"{path}:{node.lineno}"


def test_a_missing_source_is_told_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    code = "from srez.cli import main\ntry: main()\nexcept SystemExit as end: assert end.code"
    loaded = loaded_after(code, "data", "pack", str(tmp_path / "nope"), str(tmp_path / "x"))
    assert not loaded & {"tensorflow", "keras", "torch"}
