"""What MkDocs must be told: pages from outside docs/, decisions, links elsewhere, and the page to try."""

import posixpath
import re
import shutil
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from srez import browser

ROOT = Path(__file__).parents[2]
PAGES = {  # outside docs/, by where the site has them
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
    "licences.md": "LICENSES/weights.md",
}
GUIDE, TRY = (
    "browser.md",
    "try",
)  # the page that upscales in the browser: described, and built where there is Node
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages, and one that lists the decisions."""
    for address, source in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, address, content=text))
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    titles = [path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for path in decisions]
    lines = [f"- [{title}]({path.name})" for title, path in zip(titles, decisions, strict=True)]
    text = "# Why it is built as it is\n\n" + "\n".join(lines) + "\n"
    files.append(File.generated(config, "adr/index.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links lead to the site's pages; a link to source code becomes its text. The guide gets a button."""
    address = page.file.src_uri
    source = PAGES.get(address, f"docs/{address}")

    def led(match: re.Match[str]) -> str:
        mark, text, target, anchor = match.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        found = next((key for key, value in PAGES.items() if value == path), None)
        if path == "docs/adr":
            found = "adr/index.md"
        elif path.startswith("docs/"):
            found = path.removeprefix("docs/")
        if found is None:
            return f"{mark}{text}"
        relative = posixpath.relpath(found, posixpath.dirname(address) or ".")
        return f"{mark}[{text}]({relative}{anchor or ''})"

    if address == GUIDE and shutil.which("npm"):
        title, rest = markdown.split("\n", 1)
        markdown = (
            f'{title}\n\n<a class="md-button md-button--primary" href="../{TRY}/">Try it here</a>\n{rest}'
        )
    return _LINK.sub(led, markdown)


def on_post_build(config: Any) -> None:
    """Build the page that upscales in the browser, if there is Node."""
    if shutil.which("npm"):
        browser.build(Path(config.site_dir) / TRY)
