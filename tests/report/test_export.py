"""Rows of an export."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import (
    Accepted,
    AttemptFailed,
    Generated,
    InDoubt,
    JobFailed,
    Milestone,
    Planned,
    Started,
    Stored,
)
from batchgen.report.export import row, rows
from batchgen.report.plain import line
from tests.report.made import FakeRecord, asset, doubted, failed, progress, stored

PROMISED = (
    *("id", "state", "path", "sha256", "bytes", "width", "height", "model", "prompt", "attempts", "task_id"),
    *("cost_usd", "class", "reason"),
)

ONE_OF_EACH: tuple[tuple[Milestone, str], ...] = (
    (Planned(0), "queued"),
    (Started(1, "t", 1, 0.0), "running"),
    (Accepted(1, "task", 1), "running"),
    (Generated(1, "task", 120_000), "running"),
    (Stored(1, "task", None, (asset(),)), "stored"),
    (InDoubt(1, "t", 1, 0.0, "no answer"), "in_doubt"),
    (AttemptFailed(1, "transient", "busy", 5), "queued"),
    (JobFailed(1, "refused", "policy"), "failed"),
    (JobFailed(1, "dropped", "by me"), "dropped"),
)


@pytest.mark.parametrize(("milestone", "state"), ONE_OF_EACH)
def test_every_row_has_the_promised_keys(milestone: Milestone, state: str) -> None:
    """Whatever a job has reached, its row has all keys and the state that people know."""
    found = row(progress(milestone))
    assert tuple(found)[: len(PROMISED)] == PROMISED
    assert set(found) == set(row(stored()))
    assert found["state"] == state


def test_a_stored_row() -> None:
    """A stored picture's row says where it is, what it is and what it cost."""
    found = row(stored("a/b"))
    assert (found["id"], found["path"], found["bytes"], found["width"], found["height"]) == (
        *("a/b", "a/b.png", 12_345, 1024, 576),
    )
    assert (found["cost_usd"], found["task_id"], found["attempts"], found["sha256"]) == (0.12, "task-1", 1, "a" * 64)
    assert (found["class"], found["reason"]) == (None, None)


def test_several_pictures_of_one_task() -> None:
    """A task that gave two pictures has both names in its one row."""
    found = row(progress(Stored(1, "t", 0, (asset("a.png"), asset("a-2.png")))))
    assert found["path"] == "a.png"
    assert found["files"] == ["a.png", "a-2.png"]
    assert found["cost_usd"] == 0.0


def test_a_failed_row() -> None:
    """A failed picture's row says why."""
    found = row(failed("x", "bad_asset", "not a picture"))
    assert (found["class"], found["reason"], found["path"]) == ("bad_asset", "not a picture", None)
    assert row(progress(AttemptFailed(1, "transient", "busy", 120_000)))["cost_usd"] == 0.12
    assert row(doubted("y"))["reason"] == "request sent, no answer"


def test_rows_are_those_that_count() -> None:
    """Rows are the jobs of the manifest as it stands, plus replaced ones in doubt; others are left out."""
    jobs = [stored("a"), doubted("b", standing="replaced"), doubted("c", standing="gone")]
    jobs += [replace(stored("d"), standing="replaced"), replace(stored("e"), standing="gone")]
    assert [each["id"] for each in rows(FakeRecord(jobs))] == ["a", "b"]


@given(st.text())
def test_lines_are_plain_ascii(prompt: str) -> None:
    """A JSON line holds any prompt, is one line of ASCII, and gives the prompt back."""
    told = line(row(progress(Planned(0), prompt=prompt)))
    assert told.isascii()
    assert told.count("\n") == 1
    assert told[:-1].isprintable()
    assert json.loads(told)["prompt"] == prompt
