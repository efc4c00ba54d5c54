"""`batchgen selftest`: what it asks the explorer for, and what it says of the outcome."""

import json
from collections.abc import Callable
from pathlib import Path

from batchgen.cli.doors import Doors
from batchgen.selftest import Options, Outcome
from batchgen.selftest.explorer import Breach, Row, Trial
from batchgen.selftest.moments import KINDS
from batchgen.selftest.scene import SETTINGS
from tests.cli.desk import typed

TRIAL = Trial("replay", "power", "before journal.append Started", 7)


class Explored(Doors):
    """An explorer that only notes what it is asked for."""

    def __init__(self, breaches: int = 0, missed: int = 0) -> None:
        self.asked: list[Options] = []
        self.missed = missed
        self.breaches = breaches

    def explore(self, options: Options, told: Callable[[int, int], None]) -> Outcome:
        self.asked.append(options)
        told(3, 3)
        rows = (Row("disk.sync", 9, {"kill": 2, "power": 1}, 0), Row("journal.append Started", 3, {}, self.breaches))
        return Outcome(rows, (Breach(TRIAL, "9: lost"),) * self.breaches, 12, 3, self.missed, 4.2)


def test_no_broken_promise() -> None:
    """Exit 0, a row for each call with its deaths, and the count that matters in the last line."""
    doors = Explored()
    done = typed("selftest", "crash", doors=doors)
    assert done.exit_code == 0
    said = done.stdout.splitlines()
    assert said[0].split() == ["call", "calls", *KINDS, "broken"]
    assert said[1].split() == ["disk.sync", "9", "2", "1"]
    assert said[-1] == "12 moments before and after calls, 3 deaths, 4 s: 0 broken promises"
    assert doors.asked == [Options()]


def test_deaths_that_never_came() -> None:
    """A moment that no life came to again is not counted as tried."""
    said = typed("selftest", "crash", doors=Explored(missed=2)).stdout
    assert "3 deaths (2 more never came), 4 s: 0 broken promises" in said


def test_a_broken_promise() -> None:
    """Exit 1, and where, how and what; no more than twenty, with the count of the rest."""
    done = typed("selftest", "crash", doors=Explored(23))
    assert done.exit_code == 1
    said = done.stdout
    assert said.count("replay, power before journal.append Started, time 7: 9: lost") == 20
    assert "and 3 more" in said
    assert "23 broken promises" in said


def test_as_json() -> None:
    """One object on stdout, with every breach whole."""
    done = typed("selftest", "crash", "--json", doors=Explored(1))
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["deaths"] == 3
    assert said["calls"][0] == {"call": "disk.sync", "calls": 9, "deaths": {"kill": 2, "power": 1}, "breaches": 0}
    assert said["breaches"] == [
        {"setting": "replay", "kind": "power", "name": TRIAL.name, "turn": 7, "what": "9: lost"},
    ]


def test_what_is_asked_for() -> None:
    """Each option reaches the explorer; without any, all kinds and settings in a sample."""
    doors = Explored()
    words = (
        "--whole",
        "--seed",
        "9",
        "--kind",
        "power",
        "--kind",
        "kill",
        "--setting",
        "hold",
        "--first",
        "--keep",
        "d",
    )
    assert typed("selftest", "crash", *words, doors=doors).exit_code == 0
    (options,) = doors.asked
    assert options.deaths is None
    assert (options.seed, options.first, options.kept) == (9, True, Path("d"))
    assert list(options.kinds) == ["kill", "power"]
    assert list(options.settings) == ["hold"]


def test_the_words_are_the_explorers() -> None:
    """Help offers just the kinds and settings that there are."""
    from batchgen.cli import selftest

    assert selftest.KINDS == KINDS
    assert selftest.SURROUNDINGS == SETTINGS


def test_whole_and_a_number_exclude_each_other() -> None:
    """A contradiction is refused before anything dies."""
    doors = Explored()
    assert typed("selftest", "crash", "--whole", "--deaths", "3", doors=doors).exit_code == 2
    assert doors.asked == []
