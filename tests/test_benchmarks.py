"""The scripts in `benchmarks/`, as far as they run in a moment."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WRITTEN = {"out", "output"}  # parameters that name what a script writes


def paths_read(script: Path) -> Iterator[tuple[str, str]]:
    """The parameters of a script's commands that are paths to read, and how they are declared."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and is_command(node):
            for each in node.args.args:
                declared = ast.unparse(each.annotation) if each.annotation else ""
                if "Path" in declared and each.arg not in WRITTEN:
                    yield each.arg, declared


def is_command(node: ast.FunctionDef) -> bool:
    return node.name == "main" or "app.command()" in map(ast.unparse, node.decorator_list)


@pytest.mark.parametrize("script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_what_is_read_has_to_exist(script: Path) -> None:
    for name, declared in paths_read(script):
        assert "exists=True" in declared, name


@pytest.mark.parametrize("words", [["reduced", "no.zip", "2"], ["repair", "no.zip"]])
def test_a_missing_zip_is_told_without_a_traceback(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / f"benchmarks/{words[0]}.py"), *words[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'no.zip' does not exist" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["excess", "."], "holds no pictures in a known layout"),
        (["load_memory", "no.zip"], "no.zip does not exist"),
        (["faces_search", "--data", "no.zip", "--partition", __file__], "no.zip does not exist"),
    ],
)
def test_data_that_is_none_is_told_without_a_traceback(
    words: list[str], sentence: str, tmp_path: Path
) -> None:
    command = [sys.executable, str(ROOT / f"benchmarks/{words[0]}.py"), *words[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    (line,) = (line for line in done.stderr.splitlines() if line.startswith(f"{words[0]}.py: "))
    assert sentence in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_every_command_of_srez_tells_of_mistakes(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert "from srez" not in text or "\n    typer.run(" not in text
