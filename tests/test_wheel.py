"""Sleeping by the thousand."""

import asyncio
import time

import anyio
import pytest

from batchgen.wheel import TICK_SECONDS, Wheel

pytestmark = pytest.mark.anyio


async def test_nobody_wakes_early() -> None:
    """A sleep is at least as long as was asked, whatever else sleeps."""
    wheel, early = Wheel(), []

    async def sleeper(seconds: float) -> None:
        began = asyncio.get_running_loop().time()
        await wheel.sleep(seconds)
        early.append(seconds - (asyncio.get_running_loop().time() - began))

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(sleeper, number * 0.0007)
    assert len(early) == 50
    assert max(early) <= 0.0011  # the loop wakes a timer up to its clock's resolution before its time


async def test_all_of_one_tick_share_a_timer() -> None:
    """However many sleep until the same hundredth of a second, the loop holds one timer for them."""
    wheel = Wheel()
    async with anyio.create_task_group() as group:
        for _ in range(1000):
            group.start_soon(wheel.sleep, 30.0)
        await anyio.wait_all_tasks_blocked()
        assert len(wheel._slots) < 1000 / 2
        group.cancel_scope.cancel()


async def test_a_cancelled_sleeper_wakes_nobody() -> None:
    """A sleep that is broken off leaves the others of its tick asleep until their time."""
    wheel, woken = Wheel(), []

    async def sleeper() -> None:
        await wheel.sleep(TICK_SECONDS)
        woken.append(True)

    async with anyio.create_task_group() as group:
        group.start_soon(sleeper)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await wheel.sleep(TICK_SECONDS)
    assert woken == [True]
    assert wheel._slots == {}


async def test_no_time_is_a_moment() -> None:
    """A sleep of nothing lets others run and needs no timer."""
    wheel = Wheel()
    began = time.process_time()
    await wheel.sleep(0.0)
    await wheel.sleep(-1.0)
    assert wheel._slots == {}
    assert time.process_time() >= began
