"""What the documentation says is what the program does."""

import ast
import re
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer.main
import yaml
from typer.core import TyperGroup
from typer.testing import CliRunner

import srez
from helpers import documented
from srez.cli import app
from srez.train import recipes

ROOT = Path(__file__).parents[1]
GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = GROUP.commands
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_reference_is_up_to_date(tmp_path: Path) -> None:
    words = ["srez.cli", "utils", "docs", "--name", "srez", "--title", "The srez command"]
    page = tmp_path / "cli.md"
    subprocess.run(
        [sys.executable, "-m", "typer", *words, "--output", str(page)], check=True, capture_output=True
    )
    assert (ROOT / "docs/cli.md").read_text() == page.read_text(), "run: make docs"


@pytest.mark.parametrize(("script", "page"), [("page", "benchmarks.md"), ("faces_page", "faces.md")])
def test_the_comparisons_are_what_the_results_say(script: str, page: str) -> None:
    code = f"import {script}, sys; sys.stdout.write({script}.render())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True
    )
    assert (ROOT / "docs" / page).read_text() == done.stdout, "run: make docs"


def test_every_option_has_a_help_text() -> None:
    groups = [command.commands for command in COMMANDS.values() if isinstance(command, TyperGroup)]
    for command in [*COMMANDS.values(), *(below for group in groups for below in group.values())]:
        for parameter in command.params:
            assert getattr(parameter, "help", None), (command.name, parameter.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def places_to_change() -> list[tuple[str, str]]:
    """The files and names that CONTRIBUTING sends a reader to."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return re.findall(r"^\| [^|]+ \| `(src/[^`]+)` \| `(\w+)` \|$", text, re.M)


def test_contributing_answers_six_questions() -> None:
    assert len(places_to_change()) == 6


@pytest.mark.parametrize(("file", "name"), places_to_change())
def test_contributing_names_what_exists(file: str, name: str) -> None:
    body = ast.parse((ROOT / file).read_text()).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    assert name in names | {target.id for target in targets if isinstance(target, ast.Name)}


def test_contributing_names_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for path in (ROOT / "src/srez").iterdir():
        if (path / "__init__.py").exists():  # not what an earlier version has left
            assert f"| `{path.name}/` |" in text


@pytest.mark.parametrize("page", documented.PAGES, ids=lambda page: page.name)
def test_every_command_is_run_or_marked(page: Path) -> None:
    """`test_commands_shown` runs those without a mark; here every block is seen, and every mark has a use.

    What changes the machine, such as pip, must have a mark: `<!-- not run (pip install): WHY -->`.
    """
    text, blocks = page.read_text(encoding="utf-8"), documented.blocks(page)
    assert text.count("```") == 2 * len(blocks)
    assert len(re.findall(r"^ *<!-- not run", text, re.MULTILINE)) == sum(
        len(block.marks) for block in blocks
    )
    for block in blocks:
        assert block.language in ("sh", "python", "yaml", ""), block
        if block.language in ("yaml", ""):  # a file, or what a program prints
            assert not re.search(r"^(\$|srez|curl|pip|make|python) ", block.text, re.MULTILINE), block
        for command in block.run if block.language == "sh" else ():
            assert re.match(r"srez |curl |python |ff\w+ |\w+=\S+\n", command), f"{command}: mark it"
        for start in block.marks:
            assert any(command.startswith(start) for command in block.commands), start


def commands_in_docs() -> list[str]:
    """Those of srez: in blocks, in sentences, and in an example."""
    found = [command.replace("\\\n", " ") for block in documented.shown() for command in block.commands]
    for page in [*documented.PAGES, ROOT / "docs/cli.md"]:
        found += re.findall(r"`(srez [^`\n]+)`", page.read_text(encoding="utf-8"))
    found.append(yaml.safe_load((ROOT / "examples/kuberay.yaml").read_text())["spec"]["entrypoint"])
    return sorted({command.strip() for command in found if command.startswith("srez ")})


@pytest.mark.parametrize("line", commands_in_docs())
def test_commands_in_the_docs_exist_with_their_options(line: str) -> None:
    words = shlex.split(line.replace("srez --debug ", "srez "), comments=True)[1:]
    command = COMMANDS[words[0]]
    if isinstance(command, TyperGroup) and len(words) > 1 and not words[1].startswith("-"):
        command = command.commands[words[1]]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert {word for word in words[1:] if word.startswith("-") and word != "-"} <= options
    changes = [words[number + 1] for number, word in enumerate(words) if word == "--set"]
    if words[0] == "train" and words[1:2] and words[1] in recipes.names():
        recipes.load(words[1], changes)


def test_contributing_names_targets_that_exist() -> None:
    (targets,) = documented.blocks(ROOT / "CONTRIBUTING.md")
    text = (ROOT / "Makefile").read_text()
    for command in targets.commands:
        assert re.search(rf"^{command.split()[1]}:", text, re.MULTILINE), command


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir())


def names_from_srez(script: Path) -> set[tuple[str, str]]:
    """The modules of srez that a script imports from, and the names that it takes."""
    nodes = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.ImportFrom)]
    ours = [(node.module, node.names) for node in nodes if node.module and node.module.startswith("srez")]
    return {(module, alias.name) for module, names in ours for alias in names}


@pytest.mark.parametrize("script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_benchmarks_import_what_exists(script: Path) -> None:
    """They take minutes to run, but a name that srez no longer has is found at once."""
    for module, name in names_from_srez(script):
        assert hasattr(import_module(module), name) or find_spec(f"{module}.{name}"), f"{module}.{name}"


def test_readme_gives_the_figures_of_the_card() -> None:
    text = (ROOT / "README.md").read_text()
    for row in (row for row in srez.load("faces").card.figures if row["set"] == "500 validation faces"):
        name = row["method"] if row["method"] in ("nearest", "bicubic") else f"`{row['method']}`"
        figures = f"{row['psnr']:.2f} dB | {row['ssim']:.4f} | {row['consistency']:.2f}"
        assert re.search(rf"\| {name}[^|]* \| {re.escape(figures)} \|", text)


def test_readme_gives_the_figures_of_the_benchmarks() -> None:
    name = "photo"
    rows = [row for row in srez.load(name).card.figures if row["method"] == name]
    assert [row["set"] for row in rows] == ["Set5", "Set14", "BSD100"]
    figures = (f"{row['psnr']:.2f} / {row['ssim']:.4f}".replace(" 0.", " .") for row in rows)
    assert f"| `{name}` | {' | '.join(figures)} |" in (ROOT / "README.md").read_text()


def test_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"srez {name}" in text
    assert CliRunner().invoke(app, []).exit_code == 2
