"""Every command and every program of the documents is run, in order, as somebody types them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import pages
from tests.manifest.exports import SHOPIFY
from tests.stories.world import HERE

pytestmark = pytest.mark.timeout(600)  # whole commands, one after the other, on a machine that may be busy


def typed(folder: Path, *words: str) -> str:
    """Run a command in a folder, with the program on the path and hardly anything else; what it said."""
    program = folder / ".bin/batchgen"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={HERE} exec {sys.executable} -m batchgen "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["/usr/bin/env", "-i", f"PATH={program.parent}:/usr/bin:/bin", f"PYTHONPATH={HERE}", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def script(page: str) -> str:
    """All commands of a page, one after the other."""
    return "\n".join(pages.blocks(page, "sh"))


def test_the_quickstart_is_quick(tmp_path: Path) -> None:
    """The commands of the quickstart work in an empty folder, and the second run buys nothing."""
    said = typed(tmp_path, "/bin/sh", "-e", "-c", script("quickstart.md"))
    assert "nothing to do" in said
    assert "all 2 pictures are there" in said


@pytest.mark.parametrize("page", ["resume.md", "moving.md"])
def test_a_page_of_commands(page: str, tmp_path: Path) -> None:
    """The commands of a page work in the folder of a first manifest; nothing is bought twice."""
    typed(tmp_path, "batchgen", "init")
    typed(tmp_path, "/bin/sh", "-e", "-c", script(page))
    for ledger in tmp_path.rglob("paid.jsonl"):
        assert len(ledger.read_text().splitlines()) == 2


def test_a_catalogue_from_export_to_upload(tmp_path: Path) -> None:
    """The way of a catalogue ends in a file that Shopify imports: a line per product, with a picture's address."""
    (tmp_path / "products.csv").write_text(SHOPIFY, newline="")
    typed(tmp_path, "/bin/sh", "-e", "-c", script("shopify.md"))
    (program,) = pages.blocks("shopify.md", "python")
    typed(tmp_path, sys.executable, "-c", program)
    head, *lines = (tmp_path / "import.csv").read_text().splitlines()
    assert head == "Handle,Title,Image Src"
    assert [line.split(",")[0] for line in lines] == ["linen-shirt", "mug"]
    for line in lines:
        published = "https://cdn.example.com/catalogue/"
        address = line.rsplit(",", 1)[1]
        assert address.startswith(published)
        assert (tmp_path / "outputs/products.local" / address.removeprefix(published)).is_file()


def test_every_example_in_python_runs(tmp_path: Path) -> None:
    """Each program of the page on Python runs by itself, in the folder of a first manifest."""
    typed(tmp_path, "batchgen", "init")
    programs = pages.blocks("python.md", "python")
    assert len(programs) >= 7
    said = [typed(tmp_path, sys.executable, "-W", "error", "-c", program) for program in programs]
    assert said[0].startswith("0 2 ")
