"""`batchgen view`."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from batchgen.cli import browser
from tests.cli.desk import FOLDER, FakeDoors, typed
from tests.stories.world import HERE, World

PATIENT = """
import sys, threading
from batchgen.cli import program
from tests.cli.desk import FakeDoors

class Patient(FakeDoors):
    def view(self, options, ready):
        super().view(options, ready)
        for each in threading.enumerate():
            if each.name == "browser":
                each.join()

program.main(["view", *sys.argv[1:]], obj=Patient())
"""
"""Shows a batch until the browser was opened, or could not be."""


def test_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is found as every verb finds it; its folder and the page's address are told, and no browser opened."""
    monkeypatch.delenv("DISPLAY", raising=False)
    doors = FakeDoors()
    said = typed("view", "m.yaml", "--port", "0", "--outputs", "o", doors=doors)
    assert said.exit_code == 0
    options = doors.viewed[0]
    assert (options.source, options.port, str(options.location.folder)) == ("m.yaml", 0, FOLDER)
    assert options.where == ("--outputs", "o", "m.yaml")
    assert doors.located == [("m.yaml", "o", None, None)]
    assert said.stdout == f"{FOLDER}\nshown at http://127.0.0.1:8780/ until Ctrl-C\n"


def test_without_options() -> None:
    """Any free port will do when the usual one is taken, and commands need no words for the batch."""
    doors = FakeDoors(exists=False)
    assert typed("view", doors=doors).exit_code == 0
    assert (doors.viewed[0].port, doors.viewed[0].where) == (None, ())


def test_json() -> None:
    """For programs the address is one object."""
    said = typed("view", "--json")
    assert json.loads(said.stdout) == {"url": "http://127.0.0.1:8780/", "folder": FOLDER}


def test_a_port_is_a_port() -> None:
    """What cannot be a port is refused."""
    assert typed("view", "--port", "70000").exit_code == 2


@pytest.mark.parametrize("environment", [{}, {"DISPLAY": ":0"}])
def test_a_browser_needs_a_person_and_a_screen(environment: dict[str, str]) -> None:
    """Nothing is opened where standard output is no terminal, screen or not."""
    assert not browser.has_screen(environment)


@pytest.mark.timeout(900)
def test_the_browser_is_opened(tmp_path: Path) -> None:
    """--open hands the page's address to the browser that is named; one that blocks holds up neither page nor end."""
    world = World(tmp_path)
    os.mkfifo(tmp_path / "asked")
    chosen = tmp_path / "browser"
    chosen.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\nexec sleep 600\n')
    chosen.chmod(0o755)
    manifest = world.write(jobs=[{"id": "a", "prompt": "A shoe"}], provider="local")
    server = world.start("view", manifest.name, "--port", "0", "--open", "--json", BROWSER=f"{chosen} %s")
    try:
        asked = (tmp_path / "asked").read_text().strip()
        assert "No run has begun here yet" in httpx.get(asked, timeout=300, trust_env=False).text
        server.send_signal(signal.SIGINT)
        assert server.wait(300) == 0
        assert server.stdout is not None
        assert json.loads(server.stdout.readline())["url"] == asked
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("word", "told"), [("--open", True), ("--no-open", False)])
def test_where_there_is_no_browser(tmp_path: Path, word: str, told: bool) -> None:
    """Asked for a browser that cannot be started it says so; not asked it is silent."""
    done = subprocess.run(
        [sys.executable, "-c", PATIENT, word],
        env={"PATH": "/nowhere", "PYTHONPATH": str(HERE), "BROWSER": "/nowhere/browser %s"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ("no browser could be started here" in done.stdout) == told, done.stderr
