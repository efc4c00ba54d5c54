"""The one table of defaults."""

import pickle

import pytest

from batchgen.terms import (
    LOCAL,
    LOCAL_LIMITS,
    TOKEN_LIFE,
    XENODIA,
    Accept,
    Failures,
    Hold,
    Limits,
    Price,
    Rate,
    Terms,
    defaults,
)


def test_the_table_of_defaults() -> None:
    """The documentation prints exactly this; a changed default is a decision."""
    assert dict(defaults()) == {
        "provider.profile.idempotency": "none",
        "provider.profile.token_ttl": "none",
        "provider.profile.url_ttl": "none",
        "provider.profile.task_ttl": "none",
        "provider.profile.failed_is_free": "false",
        "failures.attempts": "2",
        "failures.accept": "0",
        "failures.stop_at.in_a_row": "20",
        "failures.stop_at.share": "10%",
        "failures.stop_at.of_at_least": "200",
        "failures.in_doubt": "hold",
        "limits.in_flight": "100",
        "limits.rate": "15/10s",
        "limits.deadline": "none",
        "limits.give_up_waiting": "20m",
        "limits.expert.submit_slots": "4",
        "limits.expert.submit_slots_most": "8",
        "limits.expert.polls_per_second": "5",
        "limits.expert.downloads": "8",
        "limits.expert.max_bytes": "67108864",
        "limits.expert.submit_tries": "3",
        "limits.expert.poll_tries": "8",
        "limits.expert.download_tries": "40",
        "budget.max_usd": "none",
        "budget.max_usd_per_day": "none",
        "budget.max_usd_per_picture": "none",
        "budget.ask_above_usd": "20",
        "budget.prices": "none",
    }


def test_a_model_has_its_own_limits_or_the_common_ones() -> None:
    """`of` finds a model's own limits and nobody else's."""
    own = Limits(in_flight=1)
    terms = Terms(models={"m": own})
    assert terms.of("m") is own
    assert terms.of("n") is terms.limits


def test_nothing_is_assumed_of_the_provider() -> None:
    """The built-in provider promises nothing, so what is in doubt is held and a token is trusted less than its life."""
    assert (XENODIA.idempotency, XENODIA.failed_is_free, XENODIA.token_ttl_seconds) == ("none", False, None)
    assert Failures().in_doubt == Hold()
    assert 0 < TOKEN_LIFE < 1


def test_the_local_gateway_is_described() -> None:
    """The gateway honours tokens for ever, bills no failure, and needs no rate."""
    assert (LOCAL.idempotency, LOCAL.token_ttl_seconds, LOCAL.failed_is_free) == ("replay", None, True)
    assert LOCAL_LIMITS.rate is None
    assert LOCAL_LIMITS.expert.polls_per_second > Limits().expert.polls_per_second


def test_rates_read_as_they_are_written() -> None:
    """A rate prints in the form that a manifest takes."""
    assert str(Rate(15, 10)) == "15/10s"
    assert str(Rate(1, 0.5)) == "1/0.5s"


def test_terms_can_be_sent_to_a_worker() -> None:
    """Terms survive pickling, for engines whose workers are elsewhere."""
    terms = Terms(models={"m": Limits(rate=None)})
    assert pickle.loads(pickle.dumps(terms)) == terms


@pytest.mark.parametrize(
    ("accept", "failed", "jobs", "fine"),
    [
        (Accept(), 0, 10, True),
        (Accept(), 1, 10, False),
        (Accept(count=2), 2, 3, True),
        (Accept(count=2), 3, 10**6, False),
        (Accept(share=0.01), 500, 50_000, True),
        (Accept(share=0.01), 501, 50_000, False),
        (Accept(share=0.07), 7, 100, True),
        (Accept(share=0.01), 1, 99, False),
    ],
)
def test_accepted_failures(accept: Accept, failed: int, jobs: int, fine: bool) -> None:
    """A count is exact; a share is of all jobs, rounded down, and never short of it by the way floats are kept."""
    assert accept.allows(failed, jobs) == fine


def test_a_price_is_found_by_resolution() -> None:
    """A tier names the resolutions it serves; without a tier the flat price counts, and without both none is known."""
    tiers = Price(tiers_micro_usd={"1k_2k": 120_000, "4K": 240_000})
    assert [tiers.of(each) for each in (None, "1K", "2K", "4K", "8K")] == [120_000, 120_000, 120_000, 240_000, None]
    assert Price(70_000).of("4K") == 70_000
    assert Price(70_000, {"4k": 90_000}).of("4K") == 90_000
