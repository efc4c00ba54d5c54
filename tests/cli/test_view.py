"""`batchgen view`."""

import json

import pytest

from batchgen.cli import view
from tests.cli.desk import FOLDER, FakeDoors, typed


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
    assert not view.has_screen(environment)
