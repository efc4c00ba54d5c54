"""The crash explorer as a person runs it: what it prints, its exit code, and that it can fail."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.selftest.mutations import EQUIVALENT, MUTATIONS, Mutation, applied, mutated

HERE = Path(__file__).parent.parent.parent


def selftest(*words: str, root: Path = HERE) -> "subprocess.CompletedProcess[str]":
    """`batchgen selftest crash` of the package below this folder."""
    command = [sys.executable, "-m", "batchgen", "selftest", "crash", *words]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=3000)


def test_no_death_breaks_a_promise() -> None:
    """A sample of deaths at all calls, of every kind: no promise is broken, and the exit code says so."""
    done = selftest("--deaths", "45", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["breaches"] == []
    assert outcome["deaths"] + outcome["missed"] == 45
    assert outcome["deaths"] > 40  # what company a commit has may differ from life to life
    died = {kind for call in outcome["calls"] for kind, count in call["deaths"].items() if count}
    assert died == {"exception", "full", "kill", "power", "torn"}
    doors = {call["call"].partition(".")[0].partition(" ")[0] for call in outcome["calls"]}
    assert doors == {"journal", "store", "disk", "provider", "sqlite", "fsync"}
    assert f"{outcome['deaths']} deaths" in done.stderr


def test_whole_and_a_number_exclude_each_other() -> None:
    """A contradiction on the command line is refused before anything dies."""
    assert selftest("--whole", "--deaths", "3").returncode == 2


QUICK = ("FULL is NORMAL",)
"""Tried on every day; the others with -m slow."""


CASES = [pytest.param(each, marks=[] if each in QUICK else pytest.mark.slow) for each in MUTATIONS]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_it_fails_without(name: str, tmp_path: Path) -> None:
    """With any one sync, flush or intent taken out of the program, the explorer finds a broken promise."""
    mutation: Mutation = MUTATIONS[name]
    applied(mutation, HERE, tmp_path)
    words = [word for kind in mutation.kinds for word in ("--kind", kind)]
    words += [word for setting in mutation.settings for word in ("--setting", setting)]
    done = selftest("--whole", "--first", "--seed", "3", *words, root=tmp_path)
    ill = "does not even end well" in " ".join(done.stderr.split())  # some are noticed without any death
    assert done.returncode == 1 or ill, f"{name}: not noticed\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_taken_out_is_there(name: str) -> None:
    """Every mutation still finds its place, and leaves a program that Python can read."""
    mutation = MUTATIONS[name]
    compile(mutated(mutation, (HERE / "batchgen" / mutation.path).read_text(encoding="utf-8")), mutation.path, "exec")


SYNCS = ("os.fsync(", ".flush()", "sync_folder(", "disk.sync(", "disk.sync_dir(", '"synchronous')
NO_PART_OF_A_RUN = (
    "gateway/painter/png.py",  # what is flushed is a compressor
    "gateway/__main__.py",  # a pipe
    "store/child.py",  # a pipe
    "journal/scratch.py",  # outlives no run
    "journal/mending.py",  # a verb of its own, with tests of its own
    "journal/migration.py",
    "journal/salvage.py",
)


def syncs() -> Iterator[tuple[str, str]]:
    """Every line that makes something durable, with its file."""
    for room in ("journal", "store", "worker", "gateway", "report"):
        for path in sorted((HERE / "batchgen" / room).rglob("*.py")):
            name = path.relative_to(HERE / "batchgen").as_posix()
            for line in path.read_text(encoding="utf-8").splitlines():
                text = line.strip()
                if name not in NO_PART_OF_A_RUN and any(each in text for each in SYNCS) and not text.startswith("def "):
                    yield name, text


def test_every_sync_is_listed() -> None:
    """Each sync and flush in the rooms of journal, store, worker and gateway has its mutation, or a reason for none."""
    tried = [(each.path, each.old.strip().splitlines()[0].strip()) for each in MUTATIONS.values()]
    tried += [(path, text) for path, text, _ in EQUIVALENT]
    found = list(syncs())
    assert len(found) > 20
    assert [each for each in found if not any(each[0] == path and text in each[1] for path, text in tried)] == []
