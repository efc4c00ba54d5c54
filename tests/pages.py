"""What stands in the documentation, found for the tests: pages, blocks of code, files, links."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.stories.world import HERE

DOCS = HERE / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^\*\*`(/[^`]+)`\*\*[^\n]*\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Link:
    """A link to another place in this repository; without a fragment it is a whole file."""

    source: Path
    target: str
    fragment: str

    @property
    def path(self) -> Path:
        """The file that it leads to."""
        return (self.source.parent / self.target).resolve() if self.target else self.source


def text(name: str) -> str:
    """A page."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The blocks of a page in one language, in order."""
    return [body for found, body in _BLOCK.findall(text(name)) if found == language]


def files(name: str) -> dict[str, str]:
    """The files that a page shows, by the path that stands above each."""
    return dict(_FILE.findall(text(name)))


def links(page: Path) -> list[Link]:
    """The links of a page that lead to files; code is no link."""
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [Link(page, *target.partition("#")[::2]) for target in _LINK.findall(prose)]


def anchors(page: Path) -> set[str]:
    """The fragments that the headings of a page make."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip().lower().replace(" ", "-")
        for heading in _HEADING.findall(prose)
    }
