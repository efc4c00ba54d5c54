"""`batchgen resolve`."""

import json
from pathlib import Path

import pytest

from batchgen.decide import Decision, Drop, Paid, Resend
from batchgen.lifecycle import Planned, Started
from tests.cli.desk import FakeDoors, typed
from tests.report.made import FakeRecord, doubted, progress, stored

DOUBTS = FakeRecord(
    [
        doubted("shoe"),
        doubted("look/東京\x1b[2J", price=None),
        doubted("old", standing="replaced", number=17),
        progress(Started(1, "bg", 120_000, 1_700_000_000.0), "cut off"),
        stored("fine"),
    ]
)


def test_the_list() -> None:
    """What is in doubt is listed with price and age, a Started of a killed run too; a replaced job by its number."""
    said = typed("resolve", doors=FakeDoors(DOUBTS))
    lines = said.stdout.splitlines()
    assert said.exit_code == 0
    assert lines[0] == "4 payments in doubt"
    assert lines[1].startswith("  shoe ")
    assert "$0.07" in lines[1]
    assert "days ago  request sent" in lines[1]
    assert "price unknown" in lines[2]
    assert lines[3].startswith("  old@17 ")
    assert "$0.12" in lines[4]
    assert "fine" not in said.stdout
    assert lines[-1] == "  next         batchgen resolve --resend ID, or --drop ID, or --paid TASK_ID ID"


def test_an_empty_list() -> None:
    """No doubts are said to be none."""
    said = typed("resolve", doors=FakeDoors(FakeRecord([stored("a")])))
    assert said.stdout == "no payment is in doubt\n"


def test_a_long_list_is_cut_for_people_only() -> None:
    """People see the first 50 and how many more there are; a program gets all."""
    record = FakeRecord([doubted(f"j{n}") for n in range(60)])
    said = typed("resolve", "--json", doors=FakeDoors(record))
    assert len(said.stdout.splitlines()) == 60
    assert "  and 10 more: --json lists all" in said.stderr


def test_json() -> None:
    """With --json each doubt is one object with price and age as numbers."""
    found = [json.loads(each) for each in typed("resolve", "--json", doors=FakeDoors(DOUBTS)).stdout.splitlines()]
    assert [each["id"] for each in found] == ["shoe", "look/東京\x1b[2J", "old@17", "cut off"]
    assert [each["price_usd"] for each in found] == [0.07, None, 0.07, 0.12]
    assert found[0]["age_seconds"] > 0


@pytest.mark.parametrize(
    ("words", "decision", "names"),
    [
        (("--resend", "shoe"), Resend(), ("shoe",)),
        (("--resend", "--all"), Resend(), None),
        (("--drop", "look/*", "old@17"), Drop(), ("look/*", "old@17")),
        (("--drop", "--not-billed", "shoe"), Drop(not_billed=True), ("shoe",)),
        (("--paid", "task_1", "shoe"), Paid("task_1"), ("shoe",)),
    ],
)
def test_decisions(words: tuple[str, ...], decision: Decision, names: tuple[str, ...] | None) -> None:
    """Each decision reaches the journal's door with exactly the jobs that were named."""
    doors = FakeDoors(FakeRecord([progress(Planned(1), "shoe")]))
    said = typed("resolve", *words, doors=doors)
    assert said.exit_code == 0
    assert doors.decided == [(decision, names)]
    assert said.stdout.splitlines() == [
        "1 job decided; `batchgen run` carries out what is left to do",
        "  shoe  queued",
    ]


def test_decisions_for_a_program() -> None:
    """With --json each decided job is told as it stands."""
    said = typed("resolve", "--resend", "--all", "--json", doors=FakeDoors(FakeRecord([progress(Planned(1), "shoe")])))
    assert json.loads(said.stdout) == {"id": "shoe", "state": "queued"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--resend",), "name the jobs by ids or globs, or all of them by --all"),
        (("--resend", "--all", "shoe"), "name the jobs by ids or globs, or all of them by --all"),
        (("--resend", "--drop", "shoe"), "exclude each other"),
        (("--paid", "task_1", "--all"), "--paid is for one job"),
        (("--paid", "task_1", "a", "b"), "--paid is for one job"),
        (("shoe",), "say what to do"),
        (("--all",), "say what to do"),
        (("--not-billed", "--resend", "shoe"), "--not-billed goes with --drop"),
    ],
)
def test_half_a_decision_decides_nothing(words: tuple[str, ...], reason: str) -> None:
    """A decision that is not clear about what or whom is refused whole."""
    doors = FakeDoors(DOUBTS)
    said = typed("resolve", *words, doors=doors)
    assert said.exit_code == 2
    assert reason in said.stderr
    assert doors.decided == []


def test_decisions_are_never_taken_from_the_environment() -> None:
    """A setting left in the environment decides nothing."""
    doors = FakeDoors(DOUBTS)
    said = typed("resolve", doors=doors, BATCHGEN_RESEND="1", BATCHGEN_ALL="1", BATCHGEN_DROP="1", BATCHGEN_PAID="x")
    assert said.exit_code == 0
    assert doors.decided == []


def test_the_first_word_may_be_the_manifest(tmp_path: Path) -> None:
    """A first word that is there as a file or folder names the batch; otherwise it is an id."""
    doors = FakeDoors(DOUBTS)
    typed("resolve", str(tmp_path), "--resend", "shoe", doors=doors)
    typed("resolve", "--resend", "shoe", doors=doors)
    assert [each[0] for each in doors.located] == [str(tmp_path), "batchgen.yaml"]
    assert [names for _, names in doors.decided] == [("shoe",), ("shoe",)]
    listed = typed("resolve", str(tmp_path), doors=doors)
    assert f"batchgen resolve {tmp_path} --resend ID" in listed.stdout


def test_no_batch_yet() -> None:
    """Without a journal there is nothing to decide."""
    said = typed("resolve", doors=FakeDoors(exists=False))
    assert said.exit_code == 2
    assert "there is nothing to decide" in said.stderr
