"""Write docs/http.md and docs/recipes.md from the code.

python docs/site/generate.py
"""

import ast
import inspect
import tempfile
import tomllib
from pathlib import Path

from pydantic import BaseModel

from srez.serve.api import app, openapi, reference
from srez.serve.limits import Settings
from srez.serve.service import Service
from srez.train import recipe
from srez.train.recipes import names

DOCS = Path(__file__).parents[1]


def http() -> str:
    """The reference of the HTTP API."""
    with tempfile.TemporaryDirectory() as state:
        service = Service(Settings(state=Path(state)))
        service.start()
        try:
            return reference.markdown(openapi.document(app.api(service), with_key=False))
        finally:
            service.stop()


def recipes() -> str:
    """The keys of a recipe, from its models: their types, defaults and comments."""
    source = inspect.getsource(recipe)
    comments = {
        number: line.partition("  # ")[2]
        for number, line in enumerate(source.splitlines(), 1)
        if "  # " in line
    }
    parts = [
        "# Recipes",
        "",
        "A recipe is a TOML file; `srez recipes` lists those that come with srez.",
        "`--set KEY=VALUE` changes a key. This page is made from the models that check a recipe.",
    ]
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            kind = getattr(recipe, node.name)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                parts += ["", *_table(node, comments)]
    parts += ["", "## Recipes that come with srez", ""]
    parts += [f"- `{name}`: {_first_comment(name)}" for name in names()]
    return "\n".join(parts) + "\n"


def _table(node: ast.ClassDef, comments: dict[int, str]) -> list[str]:
    about = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
    rows = [f"## {node.name}", "", about, "", "| key | type | default | what |", "|---|---|---|---|"]
    for field in node.body:
        if isinstance(field, ast.AnnAssign):
            default = f"`{ast.unparse(field.value)}`" if field.value else "required"
            kind = ast.unparse(field.annotation).replace("|", "\\|")
            what = comments.get(field.end_lineno or 0, "").replace("|", "\\|")
            rows.append(f"| `{ast.unparse(field.target)}` | `{kind}` | {default} | {what} |")
    return rows


def _first_comment(name: str) -> str:
    text = (Path(recipe.__file__).parent / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    tomllib.loads(text)
    lines = [line.removeprefix("#").strip() for line in text.partition("\n\n")[0].splitlines()]
    return " ".join(lines).removeprefix(f"{name}: ").partition(". ")[0].rstrip(".") + "."


def main() -> None:
    """Write both."""
    (DOCS / "http.md").write_text(http(), encoding="utf-8")
    (DOCS / "recipes.md").write_text(recipes(), encoding="utf-8")


if __name__ == "__main__":
    main()
