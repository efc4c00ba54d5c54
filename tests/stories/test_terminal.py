"""The panel in a real terminal: what tmux shows is what was painted, at every size and after every resize."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from batchgen.cli.panel import Panel, Room, room_on
from tests.cli.painted import GOLDEN, NIGHT, SCENES
from tests.stories.world import HERE, PATIENCE, World, at, gateway, jobs
from tests.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@dataclass
class Tmux:
    """One window of a tmux of our own."""

    socket: str

    def __call__(self, *words: str) -> str:
        """A command of tmux."""
        told = ["tmux", "-u", "-S", self.socket, "-f", os.devnull, *words]
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        env.pop("TMUX", None)
        return subprocess.run(told, env=env, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    def begin(self, width: int, height: int, *words: str) -> None:
        """Open the window; its command goes on when this returns."""
        self("new-session", "-d", "-x", str(width), "-y", str(height), "--", *words)

    def seen(self) -> list[str]:
        """What can be seen, without empty rows below."""
        rows = [each.rstrip() for each in self("capture-pane", "-p").split("\n")]
        return "\n".join(rows).rstrip("\n").split("\n")

    def shows(self, what: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the window shows something."""
        until = time.monotonic() + PATIENCE
        while not what(found := self.seen()):
            assert time.monotonic() < until, "\n".join(found)
            time.sleep(0.05)
        return found


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    """A window that is closed in the end."""
    with tempfile.TemporaryDirectory(prefix="bg-", dir="/tmp") as folder:  # a socket's name must be short
        found = Tmux(f"{folder}/s")
        yield found
        subprocess.run(["tmux", "-S", found.socket, "kill-server"], check=False, capture_output=True)


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [("panel-80x24", 80, 24), ("panel-40x10", 40, 10), ("panel-200x60", 200, 60), ("hostile-panel", 80, 24)],
)
def test_tmux_shows_what_was_painted(tmux: Tmux, tmp_path: Path, name: str, width: int, height: int) -> None:
    """The bytes that the panel writes look in tmux as the golden file says, wide letters and all."""
    written: list[str] = []

    class Kept(Terminal):
        def write(self, text: str) -> int:
            written.append(text)
            return super().write(text)

    scene = SCENES[name]
    figures = scene.args[0]  # type: ignore[attr-defined]  # a partial of `panel`
    terminal = Kept(width, height)
    panel = Panel(terminal.outlet, "autumn-catalogue", 15, terminal.size)
    early = replace(figures, elapsed_seconds=figures.elapsed_seconds - 10, submits=figures.submits - 21)
    panel.show(replace(early, polls=figures.polls - 290, downloads=figures.downloads - 9))
    panel.show(figures)
    (tmp_path / "frames").write_text("".join(written), encoding="utf-8")
    tmux.begin(width, height, "sh", "-c", f"stty -opost; cat '{tmp_path}/frames'; exec sleep 600")
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    assert tmux.shows(lambda seen: seen == golden) == golden


def test_a_run_in_a_terminal_that_is_resized(tmux: Tmux, tmp_path: Path) -> None:
    """While a run goes its window is made small and large: nothing but the panel is ever left; status sees the run."""
    world = World(tmp_path / "world")
    with gateway(tmp_path / "gw", "--pace", "60") as server:
        world.write(jobs=jobs(8), budget={"max_usd": 40}, **at(server))
        environ = [f"XENODIA_API_KEY={server.key}", f"PYTHONPATH={HERE}", "TERM=tmux", f"HOME={tmp_path}"]
        run = f"'{sys.executable}' -m batchgen run m.yaml"
        line = f"trap : INT; cd '{world.root}' && {run}; echo code $?; exec sleep 600"
        tmux.begin(80, 24, "env", *environ, "sh", "-c", line)
        first = tmux.shows(lambda seen: any("running            8" in each for each in seen))
        first = tmux.shows(lambda seen: any("of $40.00 · " in each and "on the disk" in each for each in seen))
        assert "new batch" in first
        for width, height in ((40, 10), (200, 60), (20, 8), (80, 24)):
            tmux("resize-window", "-x", str(width), "-y", str(height))
            room = room_on(os.terminal_size((width, height)), 1)
            seen = tmux.shows(partial(_panel_alone, room=room))
            assert all(len(each) <= room.width for each in seen)
        said = world.type("status", "m.yaml")
        assert "run, running as process" in said.out
        assert "running 8 of 8" in said.text
        tmux("send-keys", "C-c")
        last = tmux.shows(lambda seen: "code 130" in seen)
    assert any(each.startswith("story: interrupted") for each in last)
    assert not any("per second" in each for each in last)


def _panel_alone(seen: list[str], room: Room) -> bool:
    """Whether the panel begins on the first row, and nothing stands below its last."""
    heads = [number for number, each in enumerate(seen) if "run 1 · " in each]
    most = room.lines + sum(rows + 2 for rows in (room.models, room.causes) if rows)
    return heads == [0] and len(seen) <= most and sum("queued" in each for each in seen) == 1


def test_the_figures_of_these_pictures_are_those_of_the_page() -> None:
    """The night that is painted is one of ten thousand pictures in flight."""
    assert NIGHT.in_flight == 10_000
