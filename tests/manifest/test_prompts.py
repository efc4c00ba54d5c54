"""Prompts, from the manifest and from files."""

from pathlib import Path

import pytest

from batchgen.manifest.prompts import LARGEST, Prompts
from batchgen.manifest.schema import PromptFile
from tests.manifest.writing import expanded, write


@pytest.mark.parametrize("raw", [b"One\n\nTwo", b"One\r\n\r\nTwo\r\n\r\n", b"\xef\xbb\xbfOne\n\nTwo\n"])
def test_files_read_alike(tmp_path: Path, raw: bytes) -> None:
    """Line ends, the last empty lines and a BOM are no part of a prompt."""
    write(tmp_path, raw, "p.txt")
    assert Prompts(tmp_path).text(PromptFile(file="p.txt")) == "One\n\nTwo"


def test_everything_else_is_kept() -> None:
    """Spaces, tabs, leading lines and templates of a literal prompt are sent as they are."""
    assert Prompts(Path("/nowhere")).text("\n a \t{{ x }} \n") == "\n a \t{{ x }} "


def test_the_size_limit_is_exact(tmp_path: Path) -> None:
    """A megabyte is taken, one byte more is not."""
    write(tmp_path, b"a" * LARGEST, "a.txt")
    write(tmp_path, b"a" * (LARGEST + 1), "b.txt")
    prompts = Prompts(tmp_path)
    assert len(prompts.text(PromptFile(file="a.txt"))) == LARGEST
    with pytest.raises(ValueError, match="more than 1 MiB"):
        prompts.text(PromptFile(file="b.txt"))


def test_files_are_read_once(tmp_path: Path) -> None:
    """A file that is gone after the first look is still known."""
    path = write(tmp_path, "x", "a.txt")
    prompts = Prompts(tmp_path)
    prompts.text(PromptFile(file="a.txt"))
    path.unlink()
    assert prompts.text(PromptFile(file="a.txt")) == "x"


@pytest.mark.parametrize("changed", ["a.txt", "b.txt"])
def test_every_prompt_file_is_an_input(tmp_path: Path, changed: str) -> None:
    """The digest of the inputs sees a change in any of several files."""
    for name in ("a.txt", "b.txt"):
        write(tmp_path, name, name)
    text = "prompts: {a: {file: a.txt}, b: {file: b.txt}}\nmodels: {m: {model: m}}\n"
    before = expanded(tmp_path, text).inputs
    write(tmp_path, "other", changed)
    assert expanded(tmp_path, text).inputs != before
