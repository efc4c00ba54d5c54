"""What comes in any case is waited for, whoever is cancelled meanwhile."""

import asyncio

import anyio
import pytest
from anyio.lowlevel import checkpoint

from batchgen.promised import Promised

pytestmark = pytest.mark.anyio


def promised() -> Promised[str]:
    return Promised(asyncio.get_running_loop())


async def test_what_is_brought_is_returned() -> None:
    """Whoever waits gets the result, also one that was there before."""
    early, late = promised(), promised()
    early.bring("early")
    assert await early.wait() == "early"
    asyncio.get_running_loop().call_soon(late.bring, "late")
    assert await late.wait() == "late"


async def test_what_failed_is_raised() -> None:
    """An error reaches whoever waits as it is."""
    over = promised()
    over.fail(OSError("the disk is full"))
    with pytest.raises(OSError, match="the disk is full"):
        await over.wait()


async def test_a_cancellation_waits_until_it_is_there() -> None:
    """A cancelled scope is left only at the wait behind it, however often it cancels meanwhile."""
    over, seen = promised(), []
    async with anyio.create_task_group() as group:

        async def waits() -> None:
            seen.append(await over.wait())
            await checkpoint()
            seen.append("went on")

        group.start_soon(waits)
        await checkpoint()
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            for _ in range(10):
                await checkpoint()
            assert not seen
            over.bring("kept")
    assert seen == ["kept"]


async def test_it_may_be_there_when_the_cancellation_is_heard_of() -> None:
    """What is brought between a cancellation and its hearing is not lost."""
    over, seen = promised(), []
    async with anyio.create_task_group() as group:

        async def waits() -> None:
            seen.append(await over.wait())

        group.start_soon(waits)
        await checkpoint()
        group.cancel_scope.cancel()
        over.bring("kept")
    assert seen == ["kept"]


async def test_a_task_that_is_cancelled_itself_ends() -> None:
    """A cancellation that is no scope's, as an interrupt from the keyboard, is not held up."""
    over = promised()
    task = asyncio.ensure_future(over.wait())
    await checkpoint()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
