"""The object of `status --json`."""

import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.ledger import Money
from batchgen.lifecycle import JobFailed, Planned
from batchgen.report.summary import OTHER, REASONS, Summary, as_json, summary, write_report
from tests.report.made import FakeRecord, doubted, failed, progress, run, stored


def record() -> FakeRecord:
    """One of everything."""
    jobs = [
        stored("a"),
        replace(stored("b"), changed=True),
        failed("c"),
        failed("d"),
        failed("e", "bad_asset", "not a picture"),
        replace(failed("gone"), standing="gone"),
        doubted("f"),
        doubted("f", standing="replaced"),
        progress(Planned(0), "g"),
        progress(JobFailed(1, "dropped", "dropped by me"), "h"),
    ]
    money = Money(spent=240_001, reserved=3, in_doubt=140_000, lost=120_000)
    return FakeRecord(jobs, [run(number) for number in range(9, 0, -1)], money)


def test_the_object_is_as_promised() -> None:
    """Keys, sums and counts are exactly those of the contract."""
    found = as_json(summary(record(), "/abs/autumn"))
    assert list(found) == [
        *("v", "name", "folder", "counts", "kept", "models", "spent_usd", "reserved_usd", "in_doubt_usd", "lost_usd"),
        *("failures", "runs"),
    ]
    assert found["v"] == 1
    assert (found["name"], found["folder"], found["kept"]) == ("autumn", "/abs/autumn", 1)
    assert found["counts"] == {"queued": 1, "running": 0, "stored": 2, "failed": 3, "in_doubt": 2, "dropped": 1}
    sums = (found["spent_usd"], found["reserved_usd"], found["in_doubt_usd"], found["lost_usd"])
    assert sums == (0.240001, 0.000003, 0.14, 0.12)


def test_failures_are_counted_by_cause() -> None:
    """Failed jobs of the manifest are counted by class and reason, the most frequent first; gone ones are not."""
    found = as_json(summary(record(), "/abs/autumn"))["failures"]
    assert found == [
        {"class": "refused", "reason": "content policy", "jobs": 2},
        {"class": "bad_asset", "reason": "not a picture", "jobs": 1},
    ]


def test_rare_reasons_are_counted_together() -> None:
    """A provider that gives every failure a reason of its own does not fill the object."""
    jobs = [failed(f"j{n}", "transient", f"request {n} failed") for n in range(REASONS + 7)]
    found = summary(FakeRecord(jobs), "/abs").failures
    assert len(found) == REASONS + 1
    assert sum(each.jobs for each in found) == REASONS + 7
    assert [each.jobs for each in found if each.reason == OTHER] == [7]


def test_the_last_five_runs_are_listed() -> None:
    """Runs come newest first, at most five, with times in UTC; one without an end has none."""
    runs = as_json(summary(record(), "/abs"))["runs"]
    assert [each["number"] for each in runs] == [9, 8, 7, 6, 5]
    assert runs[0] == {
        "number": 9,
        "verb": "run",
        "began": "2023-11-14T22:13:20Z",
        "ended": "2023-11-15T05:11:20Z",
        "exit_code": 0,
        "reason": "everything is there",
        "counts": {"stored": 8},
    }
    unended = as_json(Summary("a", "/a", runs=(run(ended=None, exit_code=None),)))["runs"][0]
    assert unended["ended"] is unended["exit_code"] is None


def test_an_unrun_batch_has_the_same_object() -> None:
    """A batch that was never run has every state at 0."""
    assert set(as_json(Summary("a", "/a"))["counts"].values()) == {0}


def test_report_json_is_whole(tmp_path: Path) -> None:
    """`report.json` holds the object, replaces the old one and leaves nothing beside it."""
    target = tmp_path / "report.json"
    target.write_text("old")
    found = summary(record(), str(tmp_path))
    write_report(str(target), found)
    assert json.loads(target.read_text()) == as_json(found)
    assert os.listdir(tmp_path) == ["report.json"]


def test_report_json_survives_a_failed_write(tmp_path: Path) -> None:
    """When the new report cannot be put in place, the error is told and the old one is as it was."""
    target = tmp_path / "report.json"
    target.mkdir()
    (target / "inside").touch()
    with pytest.raises(IsADirectoryError):
        write_report(str(target), Summary("a", "/a"))
    assert (target / "inside").exists()


def test_report_json_is_written_by_one_at_a_time(tmp_path: Path) -> None:
    """Whoever comes while another writes it waits, and then writes its own; neither finds anything gone."""
    target, part = tmp_path / "report.json", tmp_path / "report.json.part"
    found = summary(record(), str(tmp_path))
    with ThreadPoolExecutor() as pool:
        with part.open("w") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            writing = pool.submit(write_report, str(target), found)
            other.write("half of one, and the other half")
            other.flush()
            part.replace(target)
        writing.result(60)
        for each in [pool.submit(write_report, str(target), found) for _ in range(40)]:
            each.result(60)
    assert json.loads(target.read_text()) == as_json(found)
    assert os.listdir(tmp_path) == ["report.json"]
