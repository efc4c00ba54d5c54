"""`batchgen report`: where it writes, what it says, and what it refuses."""

import json
from pathlib import Path

import pytest

from batchgen.report.page import files_of
from tests.cli.desk import FakeDoors, flat, typed
from tests.report.batches import build, manifest, picture
from tests.stories.world import HERE


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished batch of four."""
    found = manifest(tmp_path_factory.mktemp("report"), 2, budget={"max_usd": 3})
    build(found, picture)
    return found


def test_from_manifest_or_folder(path: Path) -> None:
    """The page lands in the batch folder, whether the manifest or the folder is named, and its name is said."""
    from batchgen.cli.doors import Doors

    folder = path.parent / "outputs/autumn.local"
    for word in (path, folder):
        said = typed("report", str(word), doors=Doors())
        assert (said.exit_code, flat(said.stdout)) == (0, f"4 pictures of 4 jobs in {folder}/report.html")
    text = (folder / "report.html").read_text()
    assert f"batchgen run {path} --redo" in text or str(path) in text
    typed("report", str(path), doors=Doors())
    assert "<small>of $3.00</small>" in (folder / "report.html").read_text()


def test_for_programs(path: Path, tmp_path: Path) -> None:
    """With --json the files are told as data, contact sheets too."""
    from batchgen.cli.doors import Doors

    words = ("-o", str(tmp_path / "a.html"), "--contact-sheet", str(tmp_path / "s.png"), "--json")
    said = typed("report", str(path), *words, doors=Doors())
    assert json.loads(said.stdout) == {
        "v": 1,
        "file": str(tmp_path / "a.html"),
        "jobs": 4,
        "pictures": 4,
        "missing": 0,
        "contact_sheets": [str(tmp_path / "s.png")],
    }
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.html", files_of("a.html"), "s.png"]


@pytest.mark.parametrize(
    ("words", "told"),
    [(("-o", "page.txt"), "the page is an .html file"), (("--contact-sheet", "a.jpg"), "is a .png file")],
)
def test_what_it_refuses(path: Path, words: tuple[str, ...], told: str) -> None:
    """A page that is no page and a sheet that is no PNG are refused with 2."""
    from batchgen.cli.doors import Doors

    said = typed("report", str(path), *words, doors=Doors())
    assert (said.exit_code, told in flat(said.stderr)) == (2, True)


def test_no_batch_yet() -> None:
    """Without a batch there is nothing to report: 2, and what begins one."""
    said = typed("report", doors=FakeDoors(exists=False))
    assert (said.exit_code, "`batchgen run` begins one" in flat(said.stderr)) == (2, True)


def test_a_place_that_cannot_be_written(path: Path) -> None:
    """A page that cannot be written is told with its name, and exits 2."""
    from batchgen.cli.doors import Doors

    said = typed("report", str(path), "-o", "/proc/no/report.html", doors=Doors())
    assert (said.exit_code, "choose another by -o" in flat(said.stderr)) == (2, True)


def test_open_starts_the_browser(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--open hands the page's address to the browser that the environment names; without one it says so."""
    import subprocess
    import sys

    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    browser.chmod(0o755)
    for named, told in ((f"{browser} %s", ""), (f"{tmp_path}/none %s", "no browser could be started")):
        done = subprocess.run(
            [sys.executable, "-m", "batchgen", "report", str(path), "--open"],
            env={"PATH": "/nowhere", "PYTHONPATH": str(HERE), "BROWSER": named},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, told in done.stdout) == (0, True), done.stderr
    assert (tmp_path / "asked").read_text().strip() == (path.parent / "outputs/autumn.local/report.html").as_uri()
