"""The commands that the guides show."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# docs/cli.md shows how to call, not calls: test_the_reference_is_up_to_date makes it anew.
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSES/weights.md")),
    *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "cli.md"),
]
_FENCE = re.compile(r"((?:^ *<!-- not run.*-->\n)*)^( *)```(.*)\n((?:.*\n)*?)^ *```$", re.MULTILINE)
_MARK = re.compile(r"<!-- not run(?: \(([^)]+)\))?: (\S.{9,}) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: the page's path from the root.
        line: where the block begins, from 1.
        language: what stands behind the fence; empty for what a program prints.
        text: what is in it, without the page's indentation.
        marks: what is not run, with the reason: the beginning of commands, or "" for all of them.
    """

    page: str
    line: int
    language: str
    text: str
    marks: dict[str, str]

    @property
    def commands(self) -> list[str]:
        """One for each command of a shell, which may have several lines; the whole text in Python."""
        if self.language == "python":
            return [self.text]
        return re.findall(r"^(?:.*(?:\\|\|)\n)*.+\n", self.text, re.MULTILINE)

    @property
    def run(self) -> list[str]:
        """The commands that no mark takes out."""
        return [command for command in self.commands if not command.startswith(tuple(self.marks))]


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        marks, indent, language, body = match.groups()
        lines = [line.removeprefix(indent) for line in body.splitlines(keepends=True)]
        name = page.relative_to(ROOT).as_posix()
        number = text.count("\n", 0, match.start(2)) + 1
        found.append(Block(name, number, language, "".join(lines), dict(_MARK.findall(marks))))
    return found


def shown() -> list[Block]:
    """All blocks that hold commands."""
    return [block for page in PAGES for block in blocks(page) if block.language in ("sh", "python")]
