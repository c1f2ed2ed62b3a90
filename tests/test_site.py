"""The documentation site, as readers get it."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]


class _Page(HTMLParser):
    """Where a page leads, and where one can lead into it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value is not None and tag != "base":
                self.targets.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


@pytest.mark.docs
def test_the_site_builds_without_a_warning_and_every_link_within_resolves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in tmp_path.rglob("*.html")}
    assert len(pages) > 40
    for path, page in pages.items():
        if path.name == "404.html":  # its links start at the site's root
            continue
        for target in page.targets:
            parts = urlsplit(target)
            assert not parts.netloc or parts.scheme in ("http", "https"), (path, target)
            if parts.scheme or parts.netloc:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            file = file / "index.html" if file.is_dir() else file
            assert file.exists(), f"{path.relative_to(tmp_path)}: {target}"
            if parts.fragment and file in pages and parts.fragment != "__skip":
                assert unquote(parts.fragment) in pages[file].anchors, (
                    f"{path.relative_to(tmp_path)}: {target}"
                )


@pytest.mark.docs
def test_pages_made_from_code_are_up_to_date() -> None:
    code = "import generate; print(generate.http(), generate.recipes(), sep='\\0', end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "docs/site", capture_output=True, text=True, check=True
    )
    http, recipes = done.stdout.split("\0")
    assert (ROOT / "docs/http.md").read_text(encoding="utf-8") == http, "run: make docs"
    assert (ROOT / "docs/recipes.md").read_text(encoding="utf-8") == recipes, "run: make docs"
