"""Money and limits: what an account has left, how fast it may buy, and how it is told to wait."""

from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.api import wire
from batchgen.gateway.book import Book, key_digest
from batchgen.gateway.refusal import Refusal
from batchgen.gateway.rules import Account, RetryAfter, Rules
from batchgen.gateway.task import Asked, Ended, Task, new_id, new_picture
from batchgen.gateway.till import Till
from batchgen.terms import Rate
from tests.gateway.house import ACCOUNTS, CREATE, FIRST, KEY, PNG, Clock, House, Painter, house

pytestmark = pytest.mark.anyio

PRICE = 134_000


def ruled(retry_after: RetryAfter = "seconds", **limits: Any) -> Rules:
    """The first key with these limits, the second without."""
    return Rules(ACCOUNTS | {key_digest(KEY): replace(FIRST, **limits)}, retry_after=retry_after)


async def balance(there: House) -> int:
    answer = await there.client.get(wire.BALANCE)
    assert answer.status_code == 200
    return int(answer.json()["balance_micro_usdc"])


def refused(answer: httpx.Response, status: int, code: str) -> httpx.Response:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return answer


async def test_money_is_reserved_and_then_spent(tmp_path: Path) -> None:
    """A create reserves its price at once, its end commits it, and the balance says so all the while."""
    painter = Painter(hold=anyio.Event())
    async with house(tmp_path, painter=painter, rules=ruled(deposit_micro_usd=300_000)) as there:
        assert await balance(there) == 300_000
        task_id = (await there.create()).json()["task_id"]
        assert await balance(there) == 300_000 - PRICE
        assert painter.hold is not None
        painter.hold.set()
        await there.ended(task_id)
        assert await balance(there) == 300_000 - PRICE


async def test_a_failed_task_gives_its_money_back(tmp_path: Path) -> None:
    """The reservation of a task that fails is released."""
    rules = ruled(deposit_micro_usd=PRICE)
    async with house(tmp_path, painter=Painter(failure=RuntimeError()), rules=rules) as there:
        for _ in range(2):
            assert (await there.bought())["state"] == "fail"
        assert await balance(there) == PRICE


async def test_an_empty_purse_buys_nothing(tmp_path: Path) -> None:
    """A picture that the balance does not cover is a 402 and no sale; a cheaper one, and another key, still buy."""
    async with house(tmp_path, rules=ruled(deposit_micro_usd=2 * PRICE)) as there:
        await there.bought()
        refused(await there.create(CREATE | {"resolution": "4K"}), 402, "insufficient_balance")
        await there.bought(token="k")
        refused(await there.create(), 402, "insufficient_balance")
        assert (await there.create(token="k")).status_code == 202
        assert (await there.create(key="second-key")).status_code == 202
        assert len(there.paid()) == 3


async def test_many_creates_at_once_do_not_overdraw(tmp_path: Path) -> None:
    """Creates that arrive together spend what there is and not more."""
    async with house(tmp_path, rules=ruled(deposit_micro_usd=3 * PRICE)) as there:
        statuses = []

        async def buy() -> None:
            statuses.append((await there.create()).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(buy)
        assert sorted(statuses) == [202] * 3 + [402] * 7
        assert await balance(there) == 0


async def test_a_repeated_create_reserves_once(tmp_path: Path) -> None:
    """Creates with one key that arrive together reserve the price of one task."""
    async with house(tmp_path, rules=ruled(deposit_micro_usd=20 * PRICE)) as there:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(there.create, None, "k")
        assert await balance(there) == 19 * PRICE


async def test_the_balance_survives_a_restart(tmp_path: Path) -> None:
    """What was spent and what is reserved is the same after a restart over the same folder."""
    rules = ruled(deposit_micro_usd=3 * PRICE, running=1)
    async with house(tmp_path, painter=Painter(hold=anyio.Event()), rules=rules) as there:
        task_id = (await there.create()).json()["task_id"]
    async with house(tmp_path, painter=Painter(hold=anyio.Event()), rules=rules) as there:
        assert await balance(there) == 2 * PRICE
        refused(await there.create(), 429, "too_many_running")
    async with house(tmp_path, rules=rules) as there:
        await there.ended(task_id)
        await there.bought()
        assert await balance(there) == PRICE


async def test_the_window_refuses_and_lets_in_again(tmp_path: Path) -> None:
    """More new tasks than the rate are 429 with the time that helps; refusals and repeated creates do not count."""
    async with house(tmp_path, rules=ruled(rate=Rate(2, 10))) as there:
        await there.create(token="k")
        there.clock.now += 4
        await there.create()
        for _ in range(3):
            answer = refused(await there.create(), 429, "rate_limited")
            assert answer.headers["Retry-After"] == "6"
        assert (await there.create(token="k")).status_code == 202
        there.clock.now += 6
        assert (await there.create()).status_code == 202
        assert len(there.paid()) == 3


async def test_running_tasks_are_limited(tmp_path: Path) -> None:
    """With as many tasks running as allowed the next is 429, until one has ended."""
    painter = Painter(hold=anyio.Event())
    async with house(tmp_path, painter=painter, rules=ruled(running=1)) as there:
        task_id = (await there.create()).json()["task_id"]
        refused(await there.create(), 429, "too_many_running")
        assert painter.hold is not None
        painter.hold.set()
        await there.ended(task_id)
        assert (await there.create()).status_code == 202


async def test_the_time_to_wait_is_said_as_it_was_asked_for(tmp_path: Path) -> None:
    """Retry-After is seconds, a date that is not too early, or absent, as the rules want it."""
    for form in ("seconds", "date", "none"):
        rules = ruled(form, rate=Rate(1, 10))
        async with house(tmp_path / form, rules=rules, clock=Clock(1_000_000.25)) as there:
            await there.create()
            said = refused(await there.create(), 429, "rate_limited").headers.get("Retry-After")
        match form:
            case "seconds":
                assert said == "10"
            case "date":
                assert parsedate_to_datetime(said or "").timestamp() == 1_000_011
            case "none":
                assert said is None


async def test_a_key_may_be_kept_to_some_models(tmp_path: Path) -> None:
    """A model that is not an account's is a 403 and no sale."""
    async with house(tmp_path, rules=ruled(models=frozenset({"gpt-image-2"}))) as there:
        refused(await there.create(), 403, "model_not_allowed")
        assert (await there.create(CREATE | {"model": "gpt-image-2"})).status_code == 202
        assert len(there.paid()) == 1


async def test_a_body_that_the_disk_refuses_costs_nothing(tmp_path: Path) -> None:
    """When a create breaks off before its sale, its reservation is undone."""
    async with house(tmp_path, rules=ruled(deposit_micro_usd=PRICE)) as there:
        (tmp_path / "references").rmdir()
        data = {"model": "nano-banana-pro", "prompt": "x"}
        assert (await there.multipart(data, [("image", ("a.png", PNG))])).status_code == 500
        assert await balance(there) == PRICE


async def test_the_balance_is_told_to_its_owner_alone(tmp_path: Path) -> None:
    """Without a key there is no balance; without a deposit it is larger than anybody spends."""
    async with house(tmp_path) as there:
        assert await balance(there) == 10**15
        there.client.headers.pop("Authorization")
        refused(await there.client.get(wire.BALANCE), 401, "invalid_credential")


def test_who_sees_an_end_sees_its_money() -> None:
    """A task that is read with its end is settled then, once, even if the till has not heard of it otherwise."""
    account = Account("o", "o", 100)
    till = Till(Book(Rules({"d": account})), Clock(), {}, [])
    task = a_task(60)
    till.take(account, task)
    failed = replace(task, ended_at=1.0, error={"code": "500"})
    assert till.see(task) is task
    assert till.balance(account) == 40
    for _ in range(2):
        assert till.see(failed) is failed
        assert till.balance(account) == 100
    till.settle(Ended(task.id, 1.0, error={"code": "500"}))
    assert till.balance(account) == 100


def a_task(price: int) -> Task:
    asked = Asked("gpt-image-2", "x", "auto", "1K", None)
    return Task(new_id(), "o", None, None, "0", asked, price, 0.0, 0.0, new_picture("png"))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(0, 40)),
        st.tuples(st.sampled_from(["end", "fail", "undo"]), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.integers(0, 7)),
    ),
    max_size=60,
)


@given(steps, st.integers(0, 200), st.integers(1, 4), st.integers(1, 5))
@settings(max_examples=80)
def test_the_till_keeps_its_laws(done: list[tuple[str, int]], deposit: int, count: int, running: int) -> None:
    """Whatever happens: money is neither made nor lost, no window has too many sales, never too many run."""
    clock = Clock(0.0)
    account = Account("o", "o", deposit, Rate(count, 10), running)
    till = Till(Book(Rules({"d": account})), clock, {}, [])
    at_work: list[Task] = []
    sold_at: list[float] = []
    spent = 0
    for what, number in done:
        match what:
            case "buy":
                task = a_task(number)
                recent = sum(1 for at in sold_at if at > clock.now - 10)
                fits = till.balance(account) >= number and recent < count and len(at_work) < running
                try:
                    till.take(account, task)
                except Refusal:
                    assert not fits
                else:
                    assert fits
                    at_work.append(task)
                    sold_at.append(clock.now)
            case "wait":
                clock.now += number
            case "undo" if at_work:
                till.give_back(at_work.pop())
                sold_at.pop()
            case _ if at_work:
                task = at_work.pop(number % len(at_work))
                till.settle(Ended(task.id, clock.now, error={"code": "500"} if what == "fail" else None))
                spent += 0 if what == "fail" else task.price_micro_usd
        assert till.balance(account) == deposit - spent - sum(task.price_micro_usd for task in at_work)
        assert till.running == len(at_work) <= running
