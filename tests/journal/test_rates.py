"""Turns of a credential are counted once for all who share it, by the server's clock."""

import multiprocessing
import os
import time
from collections.abc import Iterator

import pytest

from batchgen.terms import Rate
from tests.postgres import missing, server

if missing() and not os.environ.get("CI"):
    pytest.skip(missing(), allow_module_level=True)

import psycopg

from batchgen.journal.postgres.rates import Given, Rates, digest, open_rates


@pytest.fixture(scope="module")
def conninfo() -> Iterator[str]:
    """A server."""
    assert not missing(), missing()
    with server() as found:
        yield found


@pytest.fixture
def credential(request: pytest.FixtureRequest) -> bytes:
    """A credential of one test."""
    return digest("https://provider.example", request.node.name)


def test_a_window_is_used_up_once(conninfo: str, credential: bytes) -> None:
    """Whoever asks gets what the window leaves, and is told how long to wait when it leaves nothing."""
    first, second, rate = Rates(conninfo, credential), Rates(conninfo, credential), Rate(10, 3600)
    assert first.take("", rate, 6) == Given(6)
    assert second.take("", rate, 6) == Given(4)
    refused = first.take("", rate, 1)
    assert refused.turns == 0
    assert 3000 < refused.wait_seconds <= 3600
    assert first.take("dear", rate, 1) == Given(1)
    for each in (first, second):
        each.close()


def test_each_holds_to_its_own_rate(conninfo: str, credential: bytes) -> None:
    """Runs that were told different rates of one credential each count all turns against their own."""
    rates = Rates(conninfo, credential)
    assert rates.take("", Rate(10, 3600), 8) == Given(8)
    assert rates.take("", Rate(5, 3600), 1).turns == 0
    assert rates.take("", Rate(20, 3600), 50) == Given(12)
    rates.close()


def test_another_credential_has_a_window_of_its_own(conninfo: str, credential: bytes) -> None:
    """Turns of one credential, or of one provider, are none of another's; the key itself is nowhere."""
    other = Rates(conninfo, digest("https://other.example", "test"))
    rates = Rates(conninfo, credential)
    assert rates.take("", Rate(1, 3600), 1) == other.take("", Rate(1, 3600), 1) == Given(1)
    assert digest("https://a", "key") != digest("https://b", "key")
    for each in (rates, other):
        each.close()


def test_a_pause_holds_all(conninfo: str, credential: bytes) -> None:
    """A time that the provider asked one run to wait, every run of the credential waits in every lane."""
    first, second = Rates(conninfo, credential), Rates(conninfo, credential)
    first.hold(1800)
    first.hold(5)
    for lane in ("", "dear"):
        held = second.take(lane, Rate(10, 1), 1)
        assert held.turns == 0
        assert 1700 < held.wait_seconds <= 1800
    for each in (first, second):
        each.close()


def test_what_is_old_is_forgotten(conninfo: str, credential: bytes) -> None:
    """A turn counts for as long as its window, and leaves nothing behind."""
    rates = Rates(conninfo, credential)
    assert rates.take("", Rate(3, 60), 3) == Given(3)
    with psycopg.connect(conninfo, autocommit=True) as by_hand:
        by_hand.execute("UPDATE batchgen.turns SET at = at - interval '61 s' WHERE credential = %s", (credential,))
    assert rates.take("", Rate(3, 60), 2) == Given(2)
    with psycopg.connect(conninfo, autocommit=True) as by_hand:
        left = by_hand.execute("SELECT sum(count) FROM batchgen.turns WHERE credential = %s", (credential,)).fetchone()
    assert left == (2,)
    rates.close()


def test_a_user_who_may_not_share(conninfo: str, credential: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Who may not use what others count in goes on alone, and it is said."""
    rates = open_rates(conninfo, credential)
    assert rates is not None
    rates.close()
    with psycopg.connect(conninfo, autocommit=True) as by_hand:
        by_hand.execute("CREATE ROLE stranger LOGIN")
    assert open_rates(conninfo.replace("user=judge", "user=stranger"), credential) is None
    assert "counts its own alone" in caplog.text


def _race(conninfo: str, credential: bytes, seconds: float) -> None:
    rates, end = Rates(conninfo, credential), time.monotonic() + seconds
    while time.monotonic() < end:
        given = rates.take("", Rate(20, 0.5), 3)
        if not given.turns:
            time.sleep(min(given.wait_seconds, 0.02))
    rates.close()


def test_processes_that_race_for_turns(conninfo: str, credential: bytes) -> None:
    """However many processes ask at once, no window of the server's time holds more turns than the rate."""
    spawn = multiprocessing.get_context("spawn")
    racers = [spawn.Process(target=_race, args=(conninfo, credential, 2.0)) for _ in range(3)]
    watched = Rates(conninfo, credential)
    watched.take("", Rate(10**6, 3600), 1)  # so that nothing is forgotten meanwhile
    for each in racers:
        each.start()
    for each in racers:
        each.join()
    assert [each.exitcode for each in racers] == [0, 0, 0]
    with psycopg.connect(conninfo, autocommit=True) as by_hand:
        found = by_hand.execute(
            """SELECT max(within), sum(count) FROM (SELECT count, sum(count) OVER (
                ORDER BY at RANGE BETWEEN interval '499999 us' PRECEDING AND CURRENT ROW) AS within
            FROM batchgen.turns WHERE credential = %s) AS turns""",
            (credential,),
        ).fetchone()
    assert found is not None
    assert found[0] <= 20
    assert found[1] > 20
    watched.close()
