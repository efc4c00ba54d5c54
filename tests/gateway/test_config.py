"""The file of accounts and limits: what it takes, what it says about mistakes, and that it is read again."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import SettingsError
from batchgen.gateway.book import Book, key_digest
from batchgen.gateway.config import Config, Limits, micro_usd, rate_of
from batchgen.gateway.refusal import Refusal
from batchgen.gateway.rules import BOTTOMLESS, Rules
from batchgen.terms import Rate
from tests.gateway.house import KEY, OTHER_KEY, house

pytestmark = pytest.mark.anyio

WHOLE = """
balance_usd: 0.50           # of the gateway's own key
rate: 5/s
token_ttl: 24h
task_ttl: 60d
file_ttl: 14d
url_ttl: 90s
retry_after: date
accounts:
  catalogue-team:
    keys: ["env:TEAM_KEY", "file:key.txt", "sha256:DIGEST"]
    balance_usd: 25
    rate: 20/10s
    running: 100
    models: [nano-banana-pro]
  intern:
    keys: []
"""


def config(folder: Path, text: str, own: str | None = None, **environment: str) -> Config:
    path = folder / "gateway.yaml"
    path.write_text(text)
    return Config(str(path), own, environment)


def test_everything_is_read(tmp_path: Path) -> None:
    """Accounts by all kinds of keys, limits with their units, lifetimes in seconds, and the own key's own limits."""
    (tmp_path / "key.txt").write_text("second\n")
    third = hashlib.sha256(b"third").hexdigest()
    rules = config(tmp_path, WHOLE.replace("DIGEST", third), own="mine", TEAM_KEY="first").read()
    team = [rules.accounts[key_digest(key)] for key in ("first", "second", "third")]
    assert len(set(team)) == 1
    assert (team[0].owner, team[0].name, team[0].deposit_micro_usd) == (
        "account:catalogue-team",
        "catalogue-team",
        25_000_000,
    )
    assert (team[0].rate, team[0].running, team[0].models) == (Rate(20, 10), 100, frozenset({"nano-banana-pro"}))
    own = rules.accounts[key_digest("mine")]
    assert (own.owner, own.deposit_micro_usd, own.rate) == (key_digest("mine"), 500_000, Rate(5, 1))
    assert (own.running, own.models) == (None, None)
    assert len(rules.accounts) == 4
    lives = [rules.token_ttl_seconds, rules.task_ttl_seconds, rules.file_ttl_seconds, rules.url_ttl_seconds]
    assert lives == [86_400, 60 * 86_400, 14 * 86_400, 90]
    assert rules.retry_after == "date"


def test_nothing_said_is_no_limit(tmp_path: Path) -> None:
    """An empty file, and no file, leave the own key without limits and nothing with an end but addresses."""
    for each in (config(tmp_path, "", own="mine"), Config(None, "mine", {})):
        rules = each.read()
        (own,) = rules.accounts.values()
        assert (own.deposit_micro_usd, own.rate, own.running, own.models) == (BOTTOMLESS, None, None, None)
        assert rules == Rules(rules.accounts)


def test_typed_limits_hold_where_the_file_says_nothing(tmp_path: Path) -> None:
    """Limits of the command line are the own key's, unless the file has others."""
    path = tmp_path / "c.yaml"
    path.write_text("balance_usd: 2\n")
    limits = Limits.model_validate({"balance_usd": "1", "running": 3})
    (own,) = Config(str(path), "mine", {}, limits).read().accounts.values()
    assert (own.deposit_micro_usd, own.running) == (2_000_000, 3)


WRONG = [
    ("balance: 5", ":1:1: balance: Extra inputs"),
    ("accounts:\n  a:\n    keys: [env:X]\n    rate: fast\n", ":4:5: accounts.a.rate: 'fast' is no rate"),
    ("accounts:\n  a: {}\n", ":2:3: accounts.a.keys: Field required"),
    ("accounts:\n  a:\n    keys:\n      - 7\n", ":4:9: accounts.a.keys.0: "),
    ("token_ttl: 5", ":1:1: token_ttl: is no length of time"),
    ("token_ttl: 0s", ":1:1: token_ttl: is no length of time"),
    ("balance_usd: -1", ":1:1: balance_usd: -1 is no amount"),
    ("balance_usd: true", ":1:1: balance_usd: True is no amount"),
    ("balance_usd: .nan", ":1:1: balance_usd: nan is no amount"),
    ("balance_usd: lots", ":1:1: balance_usd: 'lots' is no amount"),
    ("running: 0", ":1:1: running: "),
    ("retry_after: never", ":1:1: retry_after: "),
    ("rate: 5/s\nrate: 6/s\n", ":2:1: rate stands here twice"),
    ("accounts:\n - {a: 1, a: 2}\n", ":2:11: a stands here twice"),
    ("- 1", ":1:1: "),
    ("a: [", "this is not YAML"),
    ("accounts:\n  a:\n    keys: [sk_live_secret]\n", "account a: a key is given as env:NAME"),
    ("accounts:\n  a:\n    keys: ['sha256:12']\n", "account a: a key is given as env:NAME"),
    ("accounts:\n  a:\n    keys: ['env:NOT_SET']\n", "env:NOT_SET holds no key"),
    ("accounts:\n  a:\n    keys: ['file:nowhere']\n", "file:nowhere holds no key"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_mistakes_are_named_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    """A mistake is told with file, line, column and key, and no key of an account is said again."""
    with pytest.raises(SettingsError) as error:
        config(tmp_path, text).read()
    assert str(error.value).startswith(str(tmp_path / "gateway.yaml"))
    assert said in str(error.value)
    assert "secret" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file is an error that names it."""
    with pytest.raises(SettingsError, match=r"nowhere\.yaml could not be read"):
        Config(str(tmp_path / "nowhere.yaml"), None, {}).read()


@given(st.integers(1, 999_999), st.integers(1, 99_999))
def test_rates_are_read_as_they_are_written(count: int, seconds: int) -> None:
    """A rate's text and its meaning agree."""
    assert rate_of(str(Rate(count, seconds))) == Rate(count, seconds)
    assert rate_of(f"{count}/m") == Rate(count, 60)


@given(st.integers(0, 10**12))
def test_dollars_are_exact(micro: int) -> None:
    """An amount of dollars is exact to the millionth."""
    assert micro_usd(f"{micro // 10**6}.{micro % 10**6:06}") == micro


async def test_a_key_is_revoked_while_it_runs(tmp_path: Path) -> None:
    """A key that is taken out of the file is refused without a restart, a new one is taken; tasks stay."""
    text = "accounts:\n  a:\n    keys: ['env:ONE']\n"
    source = config(tmp_path, text, ONE=KEY, TWO=OTHER_KEY)
    async with house(tmp_path / "state", rules=source.read()) as there:
        book = Book(source.read(), source.read_again)
        there.book.rules = book.rules
        task_id = (await there.create()).json()["task_id"]
        (tmp_path / "gateway.yaml").write_text(text.replace("ONE", "TWO"))
        await book.refresh()
        there.book.rules = book.rules
        assert (await there.create()).status_code == 401
        assert (await there.client.get(f"/v1/tasks/{task_id}")).status_code == 401
        assert (await there.task(task_id, key=OTHER_KEY))["task_id"] == task_id


async def test_a_broken_file_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While the file cannot be used the old rules stay and the log says why, once; mended, it is taken up."""
    source = config(tmp_path, "accounts: {a: {keys: ['env:ONE']}}", ONE="1", TWO="2")
    book = Book(source.read(), source.read_again)
    before = book.rules
    path = tmp_path / "gateway.yaml"
    path.write_text("accounts: [")
    for _ in range(3):
        await book.refresh()
    assert book.rules is before
    assert [record.getMessage() for record in caplog.records if "not YAML" in record.getMessage()] == [
        caplog.records[0].getMessage()
    ]
    path.unlink()
    await book.refresh()
    assert book.rules is before
    path.write_text("accounts: {a: {keys: ['env:TWO']}}")
    await book.refresh()
    assert book.account("Bearer 2").name == "a"
    with pytest.raises(Refusal):
        book.account("Bearer 1")


async def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    """Rules are replaced only when the file changed."""
    source = config(tmp_path, "running: 1", own="k")
    book = Book(source.read(), source.read_again)
    before = book.rules
    await book.refresh()
    assert book.rules is before
    os.utime(tmp_path / "gateway.yaml", ns=(1, 1))
    await book.refresh()
    assert book.rules is not before
