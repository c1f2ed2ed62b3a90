"""The documentation site, as readers get it."""

import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright

import srez
from helpers.waiting import PATIENCE
from srez import browser

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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.mark.docs
def test_every_link_within_the_site_resolves(site: Path) -> None:
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
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
            assert file.exists(), f"{path.relative_to(site)}: {target}"
            if parts.fragment and file in pages and parts.fragment != "__skip":
                assert unquote(parts.fragment) in pages[file].anchors, f"{path.relative_to(site)}: {target}"


@pytest.mark.docs
def test_the_browser_page_is_there_to_try_if_there_is_node(site: Path) -> None:
    has_node = shutil.which("npm") is not None
    assert (site / "try" / browser.SERVICE_WORKER).is_file() == has_node
    guide = _Page((site / "browser/index.html").read_text(encoding="utf-8"))
    assert ("../try/" in guide.targets) == has_node


@pytest.mark.docs
def test_the_divider_of_the_gallery_moves_by_keys_and_by_clicks(site: Path) -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("there is no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"], timeout=PATIENCE * 1000
        )
        page = chrome.new_page(viewport={"width": 390, "height": 800})
        page.set_default_timeout(PATIENCE * 1000)
        page.goto((site / "gallery/index.html").as_uri())
        pairs = page.locator(".compare")
        assert page.locator(".compare input[type=range][aria-label*='bicubic']").count() == pairs.count() > 3
        first = pairs.first
        first.locator("input").press("ArrowLeft")
        assert first.get_attribute("style") == "--split: 49%;"
        box = first.bounding_box()
        assert box
        assert box["width"] <= 390
        first.locator("input").click(position={"x": box["width"] / 4, "y": 20})
        assert 15 < float(first.locator("input").input_value()) < 35
        chrome.close()


def test_the_reference_of_python_names_all_that_is_public() -> None:
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    for name in set(srez.__all__) - {"__version__"}:
        place = getattr(srez, name).__module__
        assert f"::: {place}.{name}" in page or f"::: {place}\n" in page, name


@pytest.mark.docs
def test_pages_made_from_code_are_up_to_date() -> None:
    code = "import generate; print(generate.http(), generate.recipes(), sep='\\0', end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "docs/site", capture_output=True, text=True, check=True
    )
    http, recipes = done.stdout.split("\0")
    assert (ROOT / "docs/http.md").read_text(encoding="utf-8") == http, "run: make docs"
    assert (ROOT / "docs/recipes.md").read_text(encoding="utf-8") == recipes, "run: make docs"
