"""`batchgen run`."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from batchgen.batch import Observer
from batchgen.journal import Run
from batchgen.ledger import Money
from batchgen.report.exposition import HELP
from batchgen.report.figures import Figures
from tests.cli.desk import FOLDER, FakeDoors, typed
from tests.report.made import FakeRecord, doubted, failed, stored

EIGHT = FakeRecord([stored(f"p{n}", number=n) for n in range(8)], money=Money(spent=960_000))


def events(stdout: str) -> list[dict[str, Any]]:
    """The JSON lines of a run."""
    return [json.loads(each) for each in stdout.splitlines()]


def tell(observer: Observer) -> None:
    """A run of two minutes that stores one picture and loses one."""
    observer.opened(FOLDER, 2, False)
    for seconds in range(0, 121, 30):
        observer.figures(Figures(8, {"stored": 1, "running": 7}, 0, float(seconds), note=""))
        _settle(observer)
    observer.finished(stored("p1"))
    observer.finished(failed("p2"))


def _settle(observer: Any) -> None:
    """Let the teller catch up, so that no snapshot is skipped."""
    import threading

    reached = threading.Event()
    observer._todo.put(reached.set)
    assert reached.wait(5)


def test_a_good_run() -> None:
    """A run tells the folder and its number first on stdout, and the last lines on stderr."""
    said = typed("run", "autumn.yaml", doors=FakeDoors(EIGHT, tell=tell))
    assert said.exit_code == 0
    assert said.stdout.splitlines()[:2] == [FOLDER, "run 2 of this batch"]
    assert said.stderr.splitlines()[-2] == f"  8 pictures in {FOLDER}"
    assert "batchgen report autumn.yaml --open" in said.stderr.splitlines()[-1]


def test_nothing_to_do() -> None:
    """A batch that is all there says where it is, that there was nothing to do, and exits 0."""
    said = typed("run", doors=FakeDoors(EIGHT, number=0))
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [FOLDER, "nothing to do"]
    assert said.stderr.startswith("autumn: complete, all 8 pictures are there")


def test_a_line_a_minute() -> None:
    """Without a terminal a line comes every 60 seconds, and not at every snapshot."""
    said = typed("run", doors=FakeDoors(EIGHT, tell=tell))
    lines = [each for each in said.stdout.splitlines() if "stored" in each]
    assert lines == [
        "1 of 8 stored · 7 running · 60/h · about 7 min left",
        "1 of 8 stored · 7 running · 30/h · about 14 min left",
    ]


def test_a_new_batch_is_called_new() -> None:
    """The first run of a batch says so."""
    said = typed("run", doors=FakeDoors(EIGHT, tell=lambda observer: observer.opened(FOLDER, 1, True)))
    assert said.stdout.splitlines()[:2] == [FOLDER, "new batch"]


def noted(notes: Sequence[str]) -> list[str]:
    """What is said of these notes, one a second."""

    def pausing(observer: Observer) -> None:
        for second, note in enumerate(notes):
            observer.figures(Figures(8, {}, elapsed_seconds=float(second), note=note))
            _settle(observer)

    return typed("run", doors=FakeDoors(EIGHT, tell=pausing)).stdout.splitlines()


def test_a_note_that_lasts_is_told_once() -> None:
    """A pause that lasts is told once, however it counts down, and once when it is over."""
    pause = [f"paused for {left} s: the server\x1b is busy" for left in range(9, 0, -1)]
    assert noted(["", *pause, "", "", "", ""]) == ["paused for 6 s: the server\\x1b is busy", "going on"]


def test_short_pauses_are_no_news() -> None:
    """Pauses that come and go within moments, as under a rate limit all night, are not told."""
    assert noted(["", "paused for 1 s: the server asks for it"] * 30) == []


def test_json() -> None:
    """With --json stdout has a line per finished picture, one a minute and one at the end; people read stderr."""
    said = typed("run", "--json", doors=FakeDoors(EIGHT, tell=tell, exit_code=1, reason="1 picture is missing"))
    found = events(said.stdout)
    assert [each["event"] for each in found] == ["progress", "progress", "picture", "picture", "end"]
    assert [each["state"] for each in found if each["event"] == "picture"] == ["stored", "failed"]
    assert found[-1]["exit_code"] == said.exit_code == 1
    assert (found[-1]["run"], found[-1]["spent_usd"], found[-1]["reason"]) == (2, 0.96, "1 picture is missing")
    assert found[-1]["batch"]["counts"]["stored"] == 8
    assert FOLDER in said.stderr


def test_quiet_is_silent_when_all_is_well() -> None:
    """-q prints nothing at all at exit 0, and the last lines otherwise."""
    good = typed("run", "-q", doors=FakeDoors(EIGHT, tell=tell))
    assert (good.exit_code, good.output) == (0, "")
    bad = typed("run", "-q", doors=FakeDoors(EIGHT, tell=tell, exit_code=75, reason="later"))
    assert bad.stdout == ""
    assert bad.stderr.splitlines()[0].endswith("run 2, exit 75")


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 70, 75, 130, 143])
def test_every_code_passes_through(code: int) -> None:
    """The exit code is the ending's, and the last lines name it."""
    said = typed("run", "autumn.yaml", doors=FakeDoors(EIGHT, exit_code=code, reason="so it is"))
    assert said.exit_code == code
    assert f"exit {code}" in said.stderr


def test_the_next_command_is_as_it_was_typed() -> None:
    """Going on repeats the words; deciding keeps those that name the batch, and leaves others out."""
    words = ("run", "my look.yaml", "--outputs", "/o", "--max-pictures", "3")
    again = typed(*words, doors=FakeDoors(EIGHT, exit_code=75))
    assert again.stderr.splitlines()[-1] == "  next         batchgen run 'my look.yaml' --outputs /o --max-pictures 3"
    record = FakeRecord([doubted("a")])
    decide = typed(*words, doors=FakeDoors(record, exit_code=3))
    assert decide.stderr.splitlines()[-1].startswith("  next         batchgen resolve --outputs /o 'my look.yaml'")


def test_options_reach_the_run() -> None:
    """Every option is handed on; a run that nobody watches is unattended."""
    doors = FakeDoors(EIGHT)
    words = ("--outputs", "o", "--journal", "j", "--provider", "local", "--grace", "1m30s", "--max-pictures", "3")
    typed("run", "a.yaml", *words, doors=doors)
    asked = doors.options[0]
    assert (asked.manifest, asked.outputs, asked.journal, asked.provider) == ("a.yaml", "o", "j", "local")
    assert (asked.grace_seconds, asked.max_pictures, asked.offline, asked.unattended) == (90.0, 3, False, True)
    assert asked.confirm("buy?") is False


def test_a_manifest_that_looks_like_an_option() -> None:
    """A manifest whose name begins with a dash is named so that it can be pasted."""
    said = typed("run", "--", "-odd.yaml", doors=FakeDoors(EIGHT, exit_code=1))
    assert said.stderr.splitlines()[-1].startswith("  next         batchgen status ./-odd.yaml")


def test_defaults() -> None:
    """Without options: batchgen.yaml, 25 seconds, no cap."""
    doors = FakeDoors(EIGHT)
    typed("run", doors=doors)
    asked = doors.options[0]
    assert (asked.manifest, asked.grace_seconds, asked.max_pictures, asked.outputs) == (
        "batchgen.yaml",
        25.0,
        None,
        None,
    )


def test_the_environment_is_read() -> None:
    """Every option may stand in the environment, the same for every verb; what is typed wins."""
    doors = FakeDoors(EIGHT)
    typed("run", doors=doors, BATCHGEN_OUTPUTS="/env", BATCHGEN_GRACE="5s", BATCHGEN_MAX_PICTURES="7")
    typed("plan", "--outputs", "/typed", doors=doors, BATCHGEN_OUTPUTS="/env", BATCHGEN_PROVIDER="local")
    typed("status", doors=doors, BATCHGEN_OUTPUTS="/env")
    assert (doors.options[0].outputs, doors.options[0].grace_seconds, doors.options[0].max_pictures) == ("/env", 5.0, 7)
    assert (doors.options[1].outputs, doors.options[1].provider) == ("/typed", "local")
    assert doors.located[0][1] == "/env"


def test_harmful_ids_and_reasons() -> None:
    """Escapes and bidi marks in what a server or a manifest said reach neither stdout nor stderr."""
    evil = "\x1b]52;c;x\x07\u202e\x9b31m\u2028"
    record = FakeRecord([failed(f"id{evil}", "refused", f"no{evil}")], name=f"autumn{evil}")

    def telling(observer: Observer) -> None:
        observer.opened(f"/abs{evil}", 1, True)
        observer.finished(failed(f"id{evil}"))
        observer.figures(Figures(1, {}, elapsed_seconds=61, note=evil))

    for words in (("run",), ("run", "--json"), ("status",), ("status", "--json"), ("export", "-o", "-"), ("resolve",)):
        said = typed(*words, doors=FakeDoors(record, tell=telling, exit_code=4, reason=f"why{evil}"))
        for mark in ("\x1b", "\x07", "\u202e", "\x9b", "\u2028"):
            assert mark not in said.output


def test_runs_is_a_field_of_the_record(tmp_path: Path) -> None:
    """The end line lists the last runs as `status --json` does."""
    record = FakeRecord(EIGHT.jobs, runs=(_run(3), _run(2)))
    found = events(typed("run", "--json", doors=FakeDoors(record)).stdout)
    assert [each["number"] for each in found[-1]["batch"]["runs"]] == [3, 2]


def _run(number: int) -> Run:
    from tests.report.made import run

    return run(number)


def test_what_programs_read_is_documented() -> None:
    """Every key of every line of `run --json` and of `status --json`, and every gauge, stands in the documentation."""
    text = (Path(__file__).parent.parent.parent / "docs/cli.md").read_text(encoding="utf-8")
    section = text.partition("\n## For programs\n")[2].partition("\n## ")[0]
    found = events(typed("run", "--json", doors=FakeDoors(EIGHT, tell=tell, exit_code=1)).stdout)
    rows = {each["event"]: each.keys() - {"event"} for each in found}
    for event in ("progress", "end"):
        (row,) = [line for line in section.splitlines() if line.startswith(f"| `{event}` |")]
        assert set(re.findall(r"`(\w+)`", row)) - {event} == rows[event]
    batch = found[-1]["batch"]
    assert all(f"`{key}`" in section for key in (*batch, *batch["runs"][0]))
    assert set(re.findall(r"\| `batchgen_(\w+)` \|", section)) == HELP.keys()
