"""What the README says of more than one machine, typed as it stands there."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres, s3
from tests.stories.world import HERE, Done

pytestmark = pytest.mark.timeout(600)

HEADING = "## Beyond one machine"
MISSING = postgres.missing() or s3.missing()
EXTRAS = ".[postgres,cloud,dask]"


def commands() -> list[str]:
    """The commands of the section, one a line."""
    section = (HERE / "README.md").read_text(encoding="utf-8").split(f"\n{HEADING}\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    found: list[str] = block.splitlines()
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the servers keep their data: a place that PostgreSQL's own user may enter, as it may /var/tmp."""
    path = Path(tempfile.mkdtemp(prefix="batchgen-beyond-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def typed(command: str, checkout: Path, home: Path) -> Done:
    """Type a command in a checkout."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_", "PYTHON"))}
    environ = {**clean, "BATCHGEN_SERVERS": str(home / "servers")}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=checkout,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def judge(checkout: Path, home: Path) -> None:
    """All three do what the README says of them; the last leaves a batch that lies in both servers, and stays there."""
    first, second, third = commands()
    for command in (first, second):
        done = typed(command, checkout, home)
        assert done.code == 0, done.text
    assert "27 of 27" in done.text
    stored = typed(third, checkout, home)
    assert (stored.code, "6 pictures in s3://pictures/grid.local" in stored.text) == (0, True), stored.text
    batch = checkout / "outputs/grid.local"
    assert not (batch / ".batchgen/journal.db").exists()
    assert not [*batch.glob("*.png"), *batch.glob("*.jpg")]
    proven = typed(".ci/servers .venv/bin/batchgen verify outputs/grid.local --read-data", checkout, home)
    assert (proven.code, "6 of 6 as they were stored" in proven.text) == (0, True), proven.text


def test_there_are_three() -> None:
    """The section has one block of three commands, and the first installs what the others need."""
    first, second, third = commands()
    assert first == f".ci/venv {EXTRAS[2:-1]}"
    assert "--dask local" in second
    assert third.startswith(".ci/servers ")
    assert {"--dask", "--journal", "--store"} <= set(third.split())


@pytest.mark.skipif(bool(MISSING) and not os.environ.get("CI"), reason=MISSING)
def test_they_run(tmp_path: Path, home: Path) -> None:
    """The three commands of the README work as they are written, in a checkout with this environment for its own."""
    checkout = tmp_path / "checkout"
    for name in (".ci", "manifests"):
        shutil.copytree(HERE / name, checkout / name)
    for name in ("batchgen", "tests"):
        (checkout / name).symlink_to(HERE / name)
    (checkout / "outputs").mkdir()
    asked = tmp_path / "asked"
    tools = {"pip": f'echo "$@" >> {asked}', "python": f'exec {sys.executable} "$@"'}
    tools["batchgen"] = f'PYTHONPATH={HERE} exec {sys.executable} -m batchgen "$@"'
    (checkout / ".venv/bin").mkdir(parents=True)
    for name, source in tools.items():
        path = checkout / ".venv/bin" / name
        path.write_text(f"#!/bin/sh\n{source}\n")
        path.chmod(0o755)
    judge(checkout, home)
    assert asked.read_text().splitlines()[0].endswith(f"-e {EXTRAS}")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_they_run_in_a_fresh_clone(tmp_path: Path, home: Path) -> None:
    """The three commands of the README work as they are written, in a clone that has nothing yet."""
    checkout = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(HERE), str(checkout)], check=True)
    judge(checkout, home)
    for command in commands()[1:]:
        again = typed(command, checkout, home)
        assert (again.code, "nothing left to buy" in again.text) == (0, True), again.text
