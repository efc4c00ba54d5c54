"""The documentation holds together: every link leads somewhere, every message is real, the reference is current."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgen.errors import WORST_FIRST
from tests import generated_docs, pages
from tests.stories.world import HERE

SOURCES = sorted((HERE / "batchgen").rglob("*.py"))


def test_the_reference_is_current() -> None:
    """The reference is what the program says of itself now; `python -m tests.generated_docs` writes it anew."""
    assert pages.text("reference.md").split("\n") == (generated_docs.page().rstrip() + "\n").split("\n")


def test_the_reference_leaves_nothing_out() -> None:
    """Every verb, option, error, exit code and key of the schema stands in the reference."""
    text = pages.text("reference.md")
    for name, command in generated_docs.verbs().items():
        section = text.partition(f"### batchgen {name}\n")[2].partition("\n### ")[0]
        assert section, name
        for option in generated_docs.options(command):
            assert f"`{option.opts[0]}" in section, (name, option.opts)
            assert option.help, (name, option.opts)
    assert all(f"| `{each.__name__}` |" in text for each in generated_docs.every_error())
    assert set(generated_docs.CODES) == set(WORST_FIRST)
    assert all(generated_docs.carrying(code) for code in (1, 2, 3, 4, 5, 70, 75))


def test_every_variable_of_the_environment_is_documented() -> None:
    """What the program reads from the environment by name, the reference names."""
    table = pages.text("reference.md").partition("## Environment")[2].partition("\n## ")[0]
    named = set(re.findall(r"[A-Z][A-Z_]+[A-Z]", table))
    read: set[str] = set()
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        read |= set(re.findall(r"""environ(?:\.get)?[\[(]"([A-Z_]+)\"""", source))
        read |= set(re.findall(r'"(XENODIA_[A-Z_]*KEY[A-Z_]*|SSL_CERT_FILE)"', source))
    assert read <= named
    assert {"XENODIA_API_KEY", "SSL_CERT_FILE", "NO_COLOR", "TERM"} <= read


@pytest.mark.parametrize("page", [HERE / "README.md", *pages.PAGES], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link leads to a file that is there, and a fragment to a heading of that file."""
    for link in pages.links(page):
        assert link.path.exists(), (page.name, link.target)
        if link.fragment:
            assert link.fragment in pages.anchors(link.path), (page.name, link.target, link.fragment)


def test_every_page_can_be_found() -> None:
    """The index leads to every page."""
    index = pages.DOCS / "README.md"
    listed = {link.path for link in pages.links(index)}
    assert {page for page in pages.PAGES if page != index} <= listed


def sentences() -> Iterator[str]:
    """Every text in the program; what is put into one when it is said stands as a bar."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)):
                    yield text
                case ast.JoinedStr(values=values):
                    yield "".join(str(each.value) if isinstance(each, ast.Constant) else "|" for each in values)


def messages(page: str) -> list[str]:
    """The messages that a page speaks of: what is set in italics in the first cell of a row, or between sentences."""
    text = " ".join(pages.text(page).split("## ", 1)[1].split())
    return [each.replace("\\|", "|") for each in re.findall(r"(?<![*\w])\*([^*|]{12,}?)\*(?![*\w])", text)]


@pytest.mark.parametrize(("page", "least"), [("troubleshooting.md", 40), ("moving.md", 4)])
def test_messages_are_those_of_the_program(page: str, least: int) -> None:
    """Every message that a page explains is one that the program says; `…` stands for what it puts in."""
    known = " ".join(sentences())
    found = messages(page)
    assert len(found) >= least
    missing = [each for each in found if not all(part.strip() in known for part in each.split("…"))]
    assert missing == []


def test_every_stop_is_explained() -> None:
    """What a person does about each refusal of a whole run is on the page of messages."""
    text = " ".join(pages.text("troubleshooting.md").split())
    source = (HERE / "batchgen/api/outcomes.py").read_text(encoding="utf-8")
    stops = re.findall(r'Meaning\.STOP_\w+: "[;,] (.*?)"', source)
    assert len(stops) == 6
    assert [each for each in stops if not any(part in text for part in re.split(r"[;,] ", each))] == []


def test_every_class_of_failure_is_explained() -> None:
    """What to do about each class of failure is on the page of messages."""
    text = pages.text("troubleshooting.md")
    assert all(f"| `{each}` |" in text for each in ("refused", "rejected", "transient", "expired", "bad_asset"))
