"""The brake: counts in a row, nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.brake import DOUBTS, Brake
from batchgen.terms import StopAt

SAME_REFUSALS = StopAt().in_a_row


def test_the_twentieth_refusal_with_one_reason_stops() -> None:
    """Not one earlier, and the sentence names the reason."""
    brake = Brake()
    assert [brake.refused("bad prompt") for _ in range(SAME_REFUSALS - 1)] == [None] * (SAME_REFUSALS - 1)
    assert "bad prompt" in str(brake.refused("bad prompt"))


def test_another_reason_begins_anew() -> None:
    """Different refusals are the jobs' fault, not the run's."""
    brake = Brake()
    reasons = ["a"] * (SAME_REFUSALS - 1) + ["b"] * (SAME_REFUSALS - 1)
    assert {brake.refused(reason) for reason in reasons} == {None}
    assert brake.refused("b")


def test_the_tenth_doubt_in_a_row_stops() -> None:
    """Not one earlier, and the sentence says that each may have been paid."""
    brake = Brake()
    assert [brake.doubted() for _ in range(DOUBTS - 1)] == [None] * (DOUBTS - 1)
    assert "may have been paid" in str(brake.doubted())


def test_a_refusal_is_an_answer_and_ends_the_doubts() -> None:
    """Who answers no is not out of reach."""
    brake = Brake()
    for _ in range(DOUBTS - 1):
        brake.doubted()
    assert brake.refused("no") is None
    assert brake.doubted() is None


def test_off_means_that_no_failure_stops() -> None:
    """With `stop_at: off` neither a streak nor a share stops a run; doubts still do."""
    brake = Brake(None)
    assert {brake.refused("no") for _ in range(500)} == {None}
    assert {brake.failed() for _ in range(500)} == {None}
    assert [brake.doubted() is None for _ in range(DOUBTS)] == [True] * (DOUBTS - 1) + [False]


@given(st.lists(st.booleans(), max_size=600), st.integers(1, 300), st.floats(0.01, 1))
def test_a_share_stops_once_enough_jobs_have_ended(stored: list[bool], least: int, share: float) -> None:
    """It stops at a failure when and only when so many jobs ended and the share of failures is reached."""
    brake = Brake(StopAt(share=share, of_at_least=least))
    for number, good in enumerate(stored, 1):
        failures = number - sum(stored[:number])
        if good:
            brake.stored()
        else:
            assert (brake.failed() is not None) == (number >= least and failures >= share * number)


@given(st.lists(st.tuples(st.sampled_from(["taken", "doubt", "a", "b"]), st.integers(1, 25)), max_size=8))
def test_it_stops_exactly_at_a_streak(streaks: list[tuple[str, int]]) -> None:
    """Whatever happens, it stops when and only when the last refusals or doubts in a row are too many.

    A doubt says nothing of a refusal: it neither ends nor lengthens that streak.
    """
    brake = Brake()
    outcomes = [outcome for outcome, count in streaks for _ in range(count)]
    for index, outcome in enumerate(outcomes):
        said = {"taken": brake.taken, "doubt": brake.doubted}.get(outcome, lambda: brake.refused(outcome))()  # noqa: B023
        past = outcomes[: index + 1]
        since_taken = past[len(past) - past[::-1].index("taken") :] if "taken" in past else past
        answers = [one for one in since_taken if one != "doubt"]
        if outcome == "doubt":
            streak, limit = _tail(since_taken, "doubt"), DOUBTS
        else:
            streak, limit = _tail(answers, outcome), SAME_REFUSALS
        assert (said is not None) == (outcome != "taken" and streak >= limit)


def _tail(outcomes: list[str], kind: str) -> int:
    count = 0
    while count < len(outcomes) and outcomes[-1 - count] == kind:
        count += 1
    return count
