"""A run whose standard streams are piped, cut off, closed, or a terminal of another kind: it ends as it should."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.stories.warm import quick_gateway
from tests.stories.world import HERE, PATIENCE, World, at, jobs

ESCAPE = "\x1b"


@dataclass
class Shop:
    """A batch that can be bought again and again, each time into another folder."""

    world: World
    key: str
    bought: int = 0

    def typed(self, line: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """A line typed in a shell, in which RUN stands for the command; its code is that of the run."""
        self.bought += 1
        command = f"{sys.executable} -m batchgen run m.yaml --outputs out{self.bought}"
        env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE), "XENODIA_API_KEY": self.key, **environ}
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace("RUN", command)],
            cwd=self.world.root,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def stored(self) -> int:
        """How many pictures the last run brought, each proven."""
        from tests.stories.world import Batch

        return len(Batch(self.world.root / f"out{self.bought}/story").whole())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with two pictures."""
    root = tmp_path_factory.mktemp("streams")
    world = World(root / "world")
    with quick_gateway(root / "gw", "none") as server:
        world.write(jobs=jobs(2), output={"check": "structure"}, **at(server))
        yield Shop(world, server.key)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("RUN | cat", 0),
        ("RUN | head -1", 0),
        ("RUN --json | head -1", 0),
        ("RUN --max-pictures 1 2>&1 | head -1", 75),
        ("RUN >&-", 0),
        ("RUN 2>&-", 0),
        ("RUN --max-pictures 1 >&- 2>&- <&-", 75),
    ],
)
def test_pipes_and_closed_streams(shop: Shop, line: str, code: int) -> None:
    """The pictures are there and the exit code says so, whoever reads; no escape is written where no terminal is."""
    done = shop.typed(line)
    assert (done.returncode, shop.stored()) == (code, 2 if code == 0 else 1), done.stderr
    assert ESCAPE not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if "2>" not in line:
        assert "safe to run again: yes" in done.stderr


@pytest.mark.skipif(shutil.which("script") is None, reason="`script` is not installed")
@pytest.mark.parametrize(
    ("setting", "environ", "panel"),
    [
        ("", {"TERM": "xterm"}, True),
        ("stty cols 20 rows 8;", {"TERM": "xterm", "NO_COLOR": "1"}, True),
        ("stty cols 100 rows 30;", {"TERM": "linux", "LC_ALL": "C", "LANG": "C"}, True),
        ("", {"TERM": "xterm", "PYTHONIOENCODING": "ascii"}, True),
        ("", {"TERM": "dumb"}, False),
        ("", {}, False),
    ],
)
def test_terminals(shop: Shop, setting: str, environ: dict[str, str], panel: bool) -> None:
    """On a terminal that is known to obey there is a panel, on any other lines; both end in the same words."""
    done = shop.typed(f"script -qec '{setting} RUN' /dev/null", **environ)
    assert (done.returncode, shop.stored()) == (0, 2), done.stdout
    drawn, _, last = done.stdout.rpartition(f"{ESCAPE}[J")
    assert (ESCAPE in drawn) == panel
    assert ("per second" in drawn) == (panel and "rows 8" not in setting)
    assert "safe to run again: yes" in last
    assert "Traceback" not in done.stdout
    if "NO_COLOR" in environ:
        assert f"{ESCAPE}[0m" not in done.stdout
    if "PYTHONIOENCODING" in environ:
        assert done.stdout.isascii()
        assert r"\u" not in drawn
