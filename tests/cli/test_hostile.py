"""Text from outside that means harm, wherever people or programs read it."""

import json
import logging

import pytest

from batchgen.batch import Observer
from batchgen.cli.log import Plain
from batchgen.job import Draft, Request
from batchgen.journal import Comparison, Difference
from batchgen.plan import Cost, Plan
from batchgen.report.figures import Figures
from batchgen.report.plain import columns, harmless
from tests.cli.desk import FOLDER, FakeDoors, typed
from tests.report.made import FakeRecord, doubted, failed, progress, stored, with_model

HOSTILE = {
    "markup": "</script><img src=x onerror=alert(1)>",
    "escapes": "\x1b[2J\x1b]52;c;cGF5\x07\x1b]0;you\x1b\\\x9b31m\x1bP1$r\x1b\\",
    "bidi": "\u202egnp.exe\u2066\u200f\u061c",
    "lines": "fine\r\nbatchgen: complete, all 8 pictures are there\n\x0b\x0c\x85\u2028\u2029",
    "nothing": "a\x00b\x7f",
    "hidden": "pay\u200b\u2060\ufeff\U000e0041\u00ad",
    "wide": "東京タワー" * 30,
    "emoji": "👩‍🚀🏳️‍🌈" * 20,
    "stacked": "e" + "\u0301" * 200,
    "half": "\udce9",
}
CONTROLS = "\x1b\x07\x9b\r\x00\x7f\x0b\x0c\x85\u2028\u2029"
UNSEEN = "\u202e\u2066\u200f\u061c\u200b\u2060\ufeff\U000e0041\u00ad\u200d"
FORBIDDEN = {*CONTROLS, *UNSEEN}


@pytest.fixture(params=HOSTILE, ids=str)
def evil(request: pytest.FixtureRequest) -> str:
    """One hostile text after the other."""
    return HOSTILE[request.param]


def batch(evil: str) -> FakeRecord:
    """A batch in which everything from outside is hostile."""
    jobs = [
        with_model(stored(f"a{evil}"), f"m{evil}"),
        with_model(failed(f"f{evil}", "refused", f"why {evil}"), f"n{evil}"),
        doubted(f"d{evil}"),
        progress(stored("x").milestone, f"p{evil}", prompt=f"prompt {evil}"),
    ]
    return FakeRecord(jobs, name=f"autumn{evil}")


def plan(evil: str) -> Plan:
    """A plan in which everything from outside is hostile."""
    draft = Draft(f"id{evil}", Request(f"m{evil}", f"A boot {evil}"), f"path{evil}", "f")
    new = Difference("new", f"n{evil}", f"because {evil}", was=f"w{evil}")
    costs = (Cost(f"m{evil}", 1, 40_000, "budget.prices"),)
    found = Comparison({"new": 1}, 1, {"new": (new,)})
    return Plan(FOLDER, "autumn", 1, True, found, (f"note {evil}",), costs, samples=(draft,))


def doors(evil: str) -> FakeDoors:
    """Doors to that batch; a run of it ends badly."""

    def telling(observer: Observer) -> None:
        observer.opened(f"/abs/{evil}", 1, True)
        observer.figures(Figures(1, {}, elapsed_seconds=61, note=f"note {evil}"))
        observer.finished(failed(f"id{evil}", "refused", f"why {evil}"))

    return FakeDoors(batch(evil), tell=telling, exit_code=4, reason=f"stopped: {evil}", planned=plan(evil))


COMMANDS = [
    *(("run",), ("run", "--json"), ("status",), ("status", "--json"), ("status", "--format", "prometheus")),
    *(("plan",), ("plan", "--json"), ("export", "-o", "-"), ("resolve",), ("resolve", "--json")),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_that_a_terminal_obeys(words: tuple[str, ...], evil: str) -> None:
    """No command prints a character that moves a cursor, hides a word or ends a line that is not its own."""
    said = typed(*words, doors=doors(evil))
    assert not FORBIDDEN & set(said.output)
    assert "\ncomplete" not in said.output
    assert "\nbatchgen: complete" not in said.output


@pytest.mark.parametrize("words", [("run", "-q"), ("status",), ("plan",), ("resolve",)], ids=" ".join)
def test_lines_stay_narrow(words: tuple[str, ...], evil: str) -> None:
    """However wide a name is, no line of a table or of the last lines is wider than 80 columns."""
    lines = typed(*words, doors=doors(evil)).output.splitlines()
    assert max(map(columns, lines)) <= 80


def test_columns_stay_where_they_are(evil: str) -> None:
    """The figures of every model stand in the same columns, whatever the models are called."""
    lines = typed("status", doors=doors(evil)).stdout.splitlines()
    head = next(number for number, each in enumerate(lines) if each.startswith("  model "))
    rows = lines[head + 1 : head + 4]
    assert {columns(each) for each in rows} == {columns(lines[head])}
    assert all(each.split()[-5:] in (list("00100"), list("00010"), list("00101")) for each in rows)


def test_programs_get_the_text_as_it_was(evil: str) -> None:
    """JSON carries every character, escaped, and comes back as it went."""
    told = typed("run", "--json", doors=doors(evil)).stdout.splitlines()
    picture, end = (json.loads(each) for each in (told[-2], told[-1]))
    assert (picture["id"], picture["reason"]) == (f"id{evil}", f"why {evil}")
    assert end["batch"]["name"] == f"autumn{evil}"
    assert f"m{evil}" in end["batch"]["models"]
    assert all(each.isascii() for each in told)


def test_the_log_is_one_line_each(evil: str) -> None:
    """A log record stays one line, and says what it was told in visible letters."""
    record = logging.LogRecord("batchgen", logging.INFO, "", 1, "answered %s", (evil,), None)
    line = Plain().format(record)
    assert len(line.splitlines()) == 1
    assert not FORBIDDEN & set(line)
    assert line.endswith(harmless(evil))
