"""The one table of defaults."""

import pickle

from batchgen.terms import LOCAL, LOCAL_LIMITS, TOKEN_LIFE, XENODIA, Failures, Hold, Limits, Rate, Terms, defaults


def test_the_table_of_defaults() -> None:
    """The documentation prints exactly this; a changed default is a decision."""
    assert dict(defaults()) == {
        "provider.profile.idempotency": "none",
        "provider.profile.token_ttl": "none",
        "provider.profile.url_ttl": "none",
        "provider.profile.task_ttl": "none",
        "provider.profile.failed_is_free": "false",
        "failures.attempts": "2",
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
        "limits.expert.download_tries": "5",
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
