"""One job as people see it."""

import pytest

from batchgen.job import FileReference, UrlReference
from batchgen.journal import Written
from batchgen.lifecycle import Accepted, Generated, Milestone, Planned, Started, Stored
from batchgen.report.cards import Times, card, redo, reference_name, remedy, times
from tests.report.made import asset, doubted, failed, progress, stored


def life(*milestones: Milestone) -> list[Written]:
    """A life with ten seconds between any two milestones."""
    return [Written(at, each, 1, 100.0 + 10 * at) for at, each in enumerate(milestones)]


def test_a_stored_job() -> None:
    """A card has the picture's files, its cost, and the fields that were sent, defaults included."""
    found = card(stored("cube"))
    assert (found.id, found.state, found.cost_micro_usd, found.files) == ("cube", "stored", 120_000, (asset(),))
    assert found.settings == {"aspect_ratio": "1:1", "resolution": "1K", "output_format": "png"}
    assert (found.task_id, found.attempts, found.next_step) == ("task-1", 1, "done")


def test_what_went_wrong() -> None:
    """A failure has class and reason, a doubt how far it got and its price, and each the command that goes on."""
    lost = card(failed("cube"))
    assert (lost.state, lost.failure, lost.reason) == ("failed", "refused", "content policy")
    doubt = card(doubted("cube"))
    assert (doubt.failure, doubt.reason, doubt.price_micro_usd) == (None, "request sent, no answer", 70_000)
    assert "resolve" in doubt.next_step
    assert remedy(lost.state, lost.failure) == ("run", "--redo", "refused")
    assert remedy(doubt.state, doubt.failure) == ("resolve",)
    assert remedy("queued", None) == ("run",)
    assert remedy("stored", None) == remedy("dropped", "dropped") == ()


def test_times_are_those_of_the_newest_attempt() -> None:
    """The time of a picture counts from the sending of its own attempt, whatever came before."""
    first = (Planned(0), Started(1, "t", 1, 0.0), Accepted(1, "a", 1), Generated(1, "a", 1), Stored(1, "a", 1, ()))
    assert times(life(*first)) == Times(110.0, 140.0)
    again = (*first, Planned(1), Started(2, "u", 1, 0.0), Accepted(2, "b", 1))
    assert times(life(*again)) == Times(160.0, None)
    done = (*again, Generated(2, "b", 1), Stored(2, "b", 1, ()))
    assert times(life(*done)).seconds == 30.0
    moved = (*done, Stored(2, "b", 1, ()))
    assert times(life(*moved)).seconds == 30.0


def test_a_token_sent_twice_counts_from_the_first_time() -> None:
    """An attempt that was started again with the same token has waited since it was first sent."""
    twice = (Planned(0), Started(1, "t", 1, 0.0), Started(1, "t", 1, 0.0), Stored(1, "a", 1, ()))
    assert times(life(*twice)).seconds == 20.0
    assert Times().seconds is None


@pytest.mark.parametrize("name", ["a[1]", "what?", "*", "plain"])
def test_redo_names_one_job(name: str) -> None:
    """The command for one job means that job alone, whatever signs its id has."""
    from batchgen.journal.choosing import pattern

    glob = redo(name)[-1]
    assert pattern(glob).match(name)
    assert not pattern(glob).match(f"{name}x")
    assert not pattern(glob).match("a1")


def test_references_have_no_query() -> None:
    """A reference is told by its path or its address, and never with what may be a key."""
    assert reference_name(FileReference("refs/a.png", "0" * 64, 1, "image/png")) == "refs/a.png"
    assert reference_name(UrlReference("https://cdn.test/a.png?token=SECRET")) == "https://cdn.test/a.png"


def test_a_waiting_job() -> None:
    """A job that was never sent has no cost, no task and no time."""
    found = card(progress(Planned(0)), life(Planned(0)))
    assert (found.state, found.cost_micro_usd, found.task_id, found.times) == ("queued", None, None, Times())
