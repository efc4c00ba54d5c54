"""Without room on the disk nothing is bought, and what is paid for waits for it."""

import errno
from collections.abc import AsyncIterable, Callable
from dataclasses import replace
from typing import Any

import pytest

from batchgen.lifecycle import Accepted, Planned, Stored
from batchgen.store import Saved, Slot
from batchgen.store.memory import MemoryStore
from batchgen.worker.room import PATIENCE_SECONDS, Room
from batchgen.worker.tools import Tools
from tests.worker.rig import Rig

pytestmark = pytest.mark.anyio


def short_until(rig: Rig, moment: float) -> Callable[[Tools], None]:
    """A disk that is short of room for a while."""

    async def measure() -> str:
        return "the disk has 3 MB left; make room" if rig.clock() < moment else ""

    return lambda tools: object.__setattr__(tools, "room", Room(measure))


class FullStore:
    """A store that fails for want of room until a moment."""

    def __init__(self, store: MemoryStore, rig: Rig, until: float, code: int = errno.ENOSPC) -> None:
        self._store, self._rig, self._until, self._code = store, rig, until, code
        self.tries = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
        """Fail while there is no room."""
        self.tries += 1
        if self._rig.clock() < self._until:
            raise OSError(self._code, "No space left on device")
        return await self._store.save(slot, chunks)


async def test_nothing_is_bought_without_room() -> None:
    """A disk that stays short ends the run with 4 and its reason; no POST was sent and no job has failed."""
    rig = Rig(jobs=3)
    code, reason = await rig.run(short_until(rig, rig.clock() + 10 * PATIENCE_SECONDS))
    assert (code, reason) == (4, "the disk has 3 MB left; make room")
    assert not rig.provider.orders
    assert [type(rig.head(n)) for n in (1, 2, 3)] == [Planned] * 3


async def test_the_run_goes_on_when_there_is_room_again() -> None:
    """Within a minute it waits, and buys then as if nothing had been."""
    rig = Rig(jobs=3)
    code, _ = await rig.run(short_until(rig, rig.clock() + PATIENCE_SECONDS / 2))
    assert code == 0
    assert len(rig.provider.orders) == 3


async def test_what_is_paid_for_goes_on_without_room_to_buy() -> None:
    """A task of an earlier run is fetched while nothing new may be bought."""
    rig = Rig(jobs=2, caps=replace(Rig().caps, run_pictures=1))
    await rig.run()
    rig.caps = replace(rig.caps, run_pictures=None)
    code, _ = await rig.run(short_until(rig, rig.clock() + 10 * PATIENCE_SECONDS))
    assert code == 4
    assert sorted(type(rig.head(n)).__name__ for n in (1, 2)) == ["Planned", "Stored"]


async def test_a_download_waits_for_room() -> None:
    """It is tried again while the disk is full, and stored when it is not; nothing is bought twice."""
    rig = Rig(jobs=2)
    rig.wrap_store = lambda store: FullStore(store, rig, rig.clock() + PATIENCE_SECONDS / 2)
    code, _ = await rig.run()
    assert code == 0
    assert isinstance(rig.head(), Stored)
    assert len(rig.provider.orders) == 2


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
async def test_no_job_fails_for_space(fault: int) -> None:
    """A disk that stays full ends the run with 4; the jobs keep their tasks, and the next run fetches them."""
    rig = Rig(jobs=2)
    began = rig.clock()
    rig.wrap_store = lambda store: FullStore(store, rig, began + 10**6, fault)
    code, reason = await rig.run()
    assert (code, "No space left" in reason) == (4, True)
    assert {type(rig.head(n)) for n in (1, 2)} <= {Accepted, Planned}
    bought = len(rig.provider.orders)
    assert (rig.clock() - began >= PATIENCE_SECONDS) == (fault != errno.EIO)
    rig.wrap_store = lambda store: store
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 2 >= bought


class AwayStore(FullStore):
    """A store that does not answer."""

    async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
        """Nobody is there."""
        raise ConnectionError(errno.EHOSTUNREACH, "s3://pictures does not answer")


async def test_a_store_that_is_away_ends_the_run_and_fails_nothing() -> None:
    """Nothing more is bought, the run ends with 75 and the store's name, and the next one fetches what is paid for."""
    rig = Rig(jobs=2)
    rig.wrap_store = lambda store: AwayStore(store, rig, 0)
    code, reason = await rig.run()
    assert (code, "s3://pictures does not answer" in reason) == (75, True)
    assert {type(rig.head(n)) for n in (1, 2)} <= {Accepted, Planned}
    rig.wrap_store = lambda store: store
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 2
