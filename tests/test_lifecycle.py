"""The life of a job: every arrow there is and every arrow there is not, and what each milestone calls for."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import FailureClass
from batchgen.lifecycle import (
    FOLLOWS,
    Accepted,
    AttemptFailed,
    Await,
    Fetch,
    Generated,
    GiveUp,
    IllegalMilestone,
    InDoubt,
    JobFailed,
    Milestone,
    Planned,
    SendAgain,
    Start,
    StartAgain,
    Started,
    Step,
    Stored,
    Submit,
    Wait,
    advance,
    inherit,
    next_step,
    token_lives,
)
from batchgen.terms import Failures, Idempotency, Profile, Resend, Terms
from tests.lives import FAILURES, SINCE, asset, lives, successor

KINDS = list(FOLLOWS)
ARROWS = [(before, after) for before, followers in FOLLOWS.items() for after in followers]
NO_ARROWS = [pair for pair in itertools.product(KINDS, KINDS) if pair not in ARROWS]

DIAGRAM = """
Planned Started +1, Planned InDoubt +1, Started Accepted 0, Started InDoubt 0, Started Planned -1,
Started AttemptFailed 0, InDoubt Accepted 0, InDoubt Started 0, InDoubt Planned 0, InDoubt JobFailed 0,
Accepted Generated 0, Accepted AttemptFailed 0, Accepted JobFailed 0, Generated Stored 0, Generated AttemptFailed 0,
AttemptFailed Started +1, AttemptFailed JobFailed 0, AttemptFailed InDoubt +1, JobFailed Planned 0,
JobFailed JobFailed 0, Stored Planned 0, Stored Stored 0, Stored Generated 0
"""

EXAMPLES: dict[type[Milestone], Milestone] = {
    Planned: Planned(3),
    Started: Started(3, "bg-x", 40_000, SINCE),
    Accepted: Accepted(3, "task", 40_000),
    Generated: Generated(3, "task", 39_000),
    Stored: Stored(3, "task", 39_000, (asset(),)),
    InDoubt: InDoubt(3, "bg-x", 40_000, SINCE, "no answer"),
    AttemptFailed: AttemptFailed(3, "transient", "why", 0),
    JobFailed: JobFailed(3, "refused", "why"),
}
DOUBT = InDoubt(1, "bg-x", 40_000, SINCE, "no answer")


def _profile(idempotency: Idempotency, ttl: float | None = None) -> Profile:
    return Profile(idempotency=idempotency, token_ttl_seconds=ttl)


def test_the_table_has_exactly_the_arrows_of_the_diagram() -> None:
    """No arrow can be added, lost or bent without this list being changed too."""
    moves = {"same": "0", "next": "+1", "back": "-1"}
    table = {
        f"{before.__name__} {after.__name__} {moves[move]}"
        for before, followers in FOLLOWS.items()
        for after, move in followers.items()
    }
    assert table == {arrow.strip() for arrow in DIAGRAM.split(",")}


@pytest.mark.parametrize(("before", "after"), ARROWS)
def test_every_arrow_can_be_walked(before: type[Milestone], after: type[Milestone]) -> None:
    """What the table allows is returned as it is."""
    milestone = successor(EXAMPLES[before], after)
    assert advance(EXAMPLES[before], milestone) is milestone


@pytest.mark.parametrize(("before", "after"), ARROWS)
@pytest.mark.parametrize("off", [-1, 1])
def test_an_arrow_with_a_wrong_attempt_is_refused(before: type[Milestone], after: type[Milestone], off: int) -> None:
    """The attempt number moves along an arrow in one way only."""
    milestone = successor(EXAMPLES[before], after)
    wrong = replace(milestone, attempt=milestone.attempt + off)
    with pytest.raises(IllegalMilestone, match=rf"\({wrong.attempt}\)"):
        advance(EXAMPLES[before], wrong)


@pytest.mark.parametrize(("before", "after"), NO_ARROWS)
@pytest.mark.parametrize("attempt", [2, 3, 4])
def test_what_is_no_arrow_is_refused(before: type[Milestone], after: type[Milestone], attempt: int) -> None:
    """Nothing follows but what the table names, whatever its attempt number."""
    with pytest.raises(IllegalMilestone, match=f"{before.__name__}.*cannot be followed by {after.__name__}"):
        advance(EXAMPLES[before], replace(EXAMPLES[after], attempt=attempt))


@pytest.mark.parametrize("field", ["token", "since", "price_micro_usd"])
@pytest.mark.parametrize(("before", "after"), [(Started, InDoubt), (InDoubt, Started)])
def test_a_token_never_changes_within_its_attempt(before: type[Milestone], after: type[Milestone], field: str) -> None:
    """Token, since and price are copied between Started and InDoubt, never renewed."""
    milestone = successor(EXAMPLES[before], after)
    assert isinstance(milestone, Started | InDoubt)
    renewals = {
        "token": replace(milestone, token="bg-y"),
        "since": replace(milestone, since=SINCE + 1),
        "price_micro_usd": replace(milestone, price_micro_usd=1),
    }
    renewed = renewals[field]
    with pytest.raises(IllegalMilestone, match="does not keep"):
        advance(EXAMPLES[before], renewed)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_job_can_only_be_dropped(failure: FailureClass) -> None:
    """A second JobFailed is a person's *never mind* and nothing else."""
    second = JobFailed(3, failure, "never mind")
    if failure == "dropped":
        assert advance(EXAMPLES[JobFailed], second) is second
    else:
        with pytest.raises(IllegalMilestone, match="dropped"):
            advance(EXAMPLES[JobFailed], second)


def test_every_milestone_can_be_reached() -> None:
    """From the first Planned, arrows lead to each kind."""
    reached: set[type[Milestone]] = {Planned}
    while grown := {after for before in reached for after in FOLLOWS[before]} - reached:
        reached |= grown
    assert reached == set(KINDS)


@given(lives())
def test_an_attempt_number_never_falls_but_where_nothing_was_taken(life: tuple[Milestone, ...]) -> None:
    """Only a Started proven not taken gives its number back, so no two purchases share one."""
    for before, after in itertools.pairwise(life):
        assert after.attempt >= before.attempt or (isinstance(before, Started) and isinstance(after, Planned))
        assert after.attempt >= 0


@pytest.mark.parametrize(
    ("reached", "step"),
    [
        (Planned(0), Start(1)),
        (Planned(4), Start(5)),
        (EXAMPLES[Started], Submit(Started(3, "bg-x", 40_000, SINCE))),
        (EXAMPLES[Accepted], Await(Accepted(3, "task", 40_000))),
        (EXAMPLES[Generated], Fetch(Generated(3, "task", 39_000))),
        (EXAMPLES[Stored], None),
        (EXAMPLES[JobFailed], None),
        (AttemptFailed(1, "transient", "why", 0), Start(2)),
        (AttemptFailed(2, "transient", "why", 0), GiveUp(AttemptFailed(2, "transient", "why", 0))),
        (AttemptFailed(3, "transient", "why", 0), GiveUp(AttemptFailed(3, "transient", "why", 0))),
        (DOUBT, Wait(DOUBT)),
    ],
)
def test_each_milestone_calls_for_its_step(reached: Milestone, step: Step | None) -> None:
    """Under the default terms: two attempts, and a payment in doubt waits for a person."""
    assert next_step(reached, Terms(), SINCE) == step


@pytest.mark.parametrize("failure", [failure for failure in FAILURES if failure != "transient"])
def test_only_a_transient_failure_is_attempted_again(failure: FailureClass) -> None:
    """Any other class ends the job, however many attempts are left."""
    failed = AttemptFailed(1, failure, "why", 0)
    assert next_step(failed, Terms(failures=Failures(attempts=9)), SINCE) == GiveUp(failed)


def test_a_living_token_is_sent_again_under_its_own_attempt() -> None:
    """Where the provider answers a token as before, sending it again cannot pay twice."""
    assert next_step(DOUBT, Terms(profile=_profile("replay")), SINCE + 1e9) == StartAgain(DOUBT)
    assert next_step(DOUBT, Terms(profile=_profile("reject", 100)), SINCE + 1) == StartAgain(DOUBT)


def test_a_payment_in_doubt_is_sent_anew_only_within_terms() -> None:
    """Only with the policy, an attempt left, a price to count, no proof of payment, and no token that still lives."""
    resend = Terms(failures=Failures(attempts=2, in_doubt=Resend(90_000)))
    assert next_step(DOUBT, resend, SINCE) == SendAgain(DOUBT, 90_000)
    last, paid = replace(DOUBT, attempt=2), replace(DOUBT, known_paid=True)
    assert next_step(last, resend, SINCE) == Wait(last)
    assert next_step(paid, resend, SINCE) == Wait(paid)
    unpriced = replace(DOUBT, price_micro_usd=None)
    assert next_step(unpriced, resend, SINCE) == Wait(unpriced)
    assert next_step(DOUBT, replace(resend, profile=_profile("replay")), SINCE) == StartAgain(DOUBT)


@pytest.mark.parametrize(
    ("profile", "after_seconds", "alive"),
    [
        (_profile("none"), 0, False),
        (_profile("none", 100), 0, False),
        (_profile("replay"), 1e9, True),
        (_profile("reject"), 0, False),
        (_profile("replay", 100), 0, True),
        (_profile("replay", 100), 89.9, True),
        (_profile("replay", 100), 90, False),
        (_profile("reject", 100), 89.9, True),
        (_profile("reject", 100), 90, False),
        (_profile("replay", 100), -1, False),
    ],
)
def test_a_token_lives_for_nine_tenths_of_its_time(profile: Profile, after_seconds: float, alive: bool) -> None:
    """Keys are pruned early and clocks differ, backwards too; without promises no token lives."""
    assert token_lives(DOUBT, profile, SINCE + after_seconds) is alive
    assert token_lives(replace(DOUBT, known_paid=True), profile, SINCE + after_seconds) is False


@given(lives())
def test_a_started_that_is_found_is_in_doubt(life: tuple[Milestone, ...]) -> None:
    """Nobody saw how far it got, so it keeps all that the token needs; any other milestone is what it says."""
    found = inherit(life[-1])
    if isinstance(life[-1], Started):
        assert isinstance(advance(life[-1], found), InDoubt)
        assert not getattr(found, "known_paid", True)
    else:
        assert found is life[-1]


@given(lives(), st.integers(1, 4), st.sampled_from(["none", "replay", "reject"]), st.floats(0, 1e6))
def test_every_state_but_the_ends_calls_for_something(
    life: tuple[Milestone, ...], attempts: int, idempotency: Idempotency, later: float
) -> None:
    """No job can fall asleep: only Stored and JobFailed call for nothing, and each step speaks of its milestone."""
    terms = Terms(profile=_profile(idempotency, 1000), failures=Failures(attempts, in_doubt=Resend(10**9)))
    step = next_step(life[-1], terms, SINCE + later)
    assert (step is None) == isinstance(life[-1], Stored | JobFailed)
    if isinstance(step, Start):
        assert step.attempt == life[-1].attempt + 1
