"""How a picture comes home: from a fresh offer, whole, once, and what is paid for is never bought again by itself."""

import errno
from collections.abc import AsyncIterable
from dataclasses import replace
from typing import Any

import anyio
import pytest

from batchgen.api import Offer, Receipt, Waiting
from batchgen.errors import BadAsset, Blocked, JournalError, OfferExpired, Parked, TaskFailed, Unavailable
from batchgen.lifecycle import Accepted, Generated, JobFailed, Stored
from batchgen.store import Saved, Slot
from batchgen.store.memory import MemoryStore
from batchgen.terms import Expert, Limits, Terms
from batchgen.worker.tools import Tools
from tests.worker.rig import Rig, png, with_profile

pytestmark = pytest.mark.anyio


async def test_expired_offer_asks_the_task_again() -> None:
    """A dead URL is no failure: the task is asked for a fresh one, and the picture fetched from that."""
    rig = Rig()
    rig.provider.downloads = [OfferExpired("410")]
    assert (await rig.run())[0] == 0
    assert len(rig.provider.asked) == 2
    assert len(rig.provider.orders) == 1


DEAD = [OfferExpired("410"), png()[:40], b"<html>busy</html>", Unavailable("no answer")]
"""What a host of pictures may give while it is down."""


@pytest.mark.parametrize("dead", DEAD, ids=["gone", "torn", "a page", "silent"])
async def test_an_outage_of_minutes_is_sat_out(dead: Any) -> None:
    """While the host of the pictures is down for three minutes the task is asked again, ever more slowly."""
    rig = Rig()
    back = rig.clock() + 180

    def host() -> Any:
        return dead if rig.clock() < back else png()

    rig.provider.downloads = [host] * 200
    assert (await rig.run())[0] == 0
    assert len(rig.provider.asked) <= 20
    pauses = [pause for pause in rig.clock.slept if pause >= 0.5]
    assert max(pauses[:3]) < 5 < max(pauses) <= 30


@pytest.mark.parametrize("dead", DEAD, ids=["gone", "torn", "a page", "silent"])
async def test_an_outage_of_hours_loses_nothing(dead: Any) -> None:
    """A picture that cannot be had in this run keeps its task, is no failure, and a later run brings it home."""
    rig = Rig()
    rig.provider.downloads = [dead] * 500
    for _ in range(3):
        code, reason = await rig.run()
        assert (code, rig.totals.money.lost) == (75, 0)
        assert rig.provider.asked.count("task-1") <= 40 * 3
        rig.clock.now += 8 * 3600
    assert reason
    rig.provider.downloads = []
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 1
    assert rig.totals.money.spent == 40_000


@pytest.mark.parametrize(("dead", "failure"), [(DEAD[0], "expired"), (DEAD[1], "bad_asset")], ids=["gone", "torn"])
async def test_offers_that_are_dead_for_days_are_a_named_loss(dead: Any, failure: str) -> None:
    """What was ready and not to be had in runs three days apart is lost; it is not bought again by itself."""
    rig = Rig()
    rig.provider.downloads = [dead] * 500
    assert (await rig.run())[0] == 75
    assert rig.kinds() == ["Planned", "Started", "Accepted", "Generated"]
    rig.clock.now += 2.9 * 86400
    assert (await rig.run())[0] == 75
    rig.clock.now += 0.1 * 86400
    assert (await rig.run())[0] == 1
    head = rig.head()
    assert isinstance(head, JobFailed)
    assert head.failure == failure
    assert rig.totals.money.lost == 40_000
    assert rig.files == {}
    await rig.run()
    assert len(rig.provider.orders) == 1


async def test_one_bad_run_after_a_long_rest_loses_nothing() -> None:
    """A batch that lay still for weeks and meets an outage keeps its task: time counts from the first dead offer."""
    rig = Rig()
    rig.provider.statuses = [Parked("403")]
    assert (await rig.run())[0] == 75
    assert isinstance(rig.head(), Accepted)
    rig.clock.now += 30 * 86400
    rig.provider.downloads = [OfferExpired("410")] * 500
    assert (await rig.run())[0] == 75
    assert isinstance(rig.head(), Generated)


async def test_a_task_that_is_gone_is_a_named_loss() -> None:
    """A task that says itself that it is gone, after its offers were dead, is given up at once."""
    rig = Rig()
    rig.provider.downloads = [OfferExpired("410")] * 9
    offer = Offer(("https://p.example/1",), rig.clock() + 1, 40_000)
    rig.provider.statuses = [offer, offer, TaskFailed("410: no longer to be had", failure="expired")]
    assert (await rig.run())[0] == 1
    assert rig.head() == JobFailed(1, "expired", "410: no longer to be had")
    assert rig.totals.money.lost == 40_000
    await rig.run()
    assert len(rig.provider.orders) == 1


async def test_a_pause_before_the_next_offer_ends_with_the_run() -> None:
    """Told to end, a run does not sit out the pause between two offers; the job keeps its task."""
    rig = Rig()
    pausing = anyio.Event()

    async def sleep(seconds: float) -> None:
        if rig.provider.fetched:
            pausing.set()
            await anyio.sleep_forever()
        await rig.clock.sleep(seconds)

    def patient(tools: Tools) -> None:
        timing = replace(tools.clocks.timing, sleep=sleep)
        object.__setattr__(tools, "clocks", replace(tools.clocks, timing=timing))
        tools.__post_init__()
        group.start_soon(end, tools)

    async def end(tools: Tools) -> None:
        await pausing.wait()
        tools.halt.stop_asking(143, "told to end")

    rig.provider.downloads = [OfferExpired("410")] * 9
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            assert (await rig.run(patient))[0] == 143
    assert isinstance(rig.head(), Accepted | Generated)


async def test_stale_offer_is_not_used() -> None:
    """An offer older than half a minute is asked for again before anything is fetched."""
    rig = Rig()
    old = Offer(("https://p.example/old",), rig.clock() - 31, 1)
    rig.provider.submits = [Receipt("t", old)]
    assert (await rig.run())[0] == 0
    assert rig.provider.fetched == ["https://pictures.example/t?sig=secret"]


async def test_a_short_lived_offer_is_used_sooner() -> None:
    """Where URLs are promised for ten seconds only, an offer six seconds old is asked for again."""
    rig = Rig(terms=with_profile(Terms(), url_ttl_seconds=10))
    rig.provider.submits = [Receipt("t", Offer(("https://p.example/old",), rig.clock() - 6, 1))]
    assert (await rig.run())[0] == 0
    assert rig.provider.fetched == ["https://pictures.example/t?sig=secret"]


async def test_torn_picture_is_fetched_again() -> None:
    """A truncated picture is refused and fetched anew."""
    rig = Rig()
    rig.provider.downloads = [png()[:40], b"<html>busy</html>", b""]
    assert (await rig.run())[0] == 0
    assert len(rig.provider.fetched) == 4
    assert len(rig.files) == 1


async def test_several_pictures_are_all_kept() -> None:
    """A task that gives more than one picture has all of them stored, each under its own name."""
    rig = Rig()
    urls = tuple(f"https://p.example/{n}" for n in range(3))
    rig.provider.statuses = [Offer(urls, rig.clock() + 1, 9)]
    rig.provider.downloads = [png(colour=n) for n in range(3)]
    assert (await rig.run())[0] == 0
    assert rig.pictures == ["job0-2.png", "job0-3.png", "job0.png"]
    head = rig.head()
    assert isinstance(head, Stored)
    assert [asset.name for asset in head.assets] == ["job0.png", "job0-2.png", "job0-3.png"]


async def test_a_full_disk_loses_nothing() -> None:
    """When nothing can be written the run stops buying, ends 4, and what is paid for is fetched by the next run."""

    class Full(MemoryStore):
        async def save(self, slot: Slot, chunks: AsyncIterable[bytes]) -> Saved:
            raise OSError(errno.ENOSPC, "No space left on device")

    rig = Rig(jobs=3, terms=Terms(limits=Limits(in_flight=1)))
    rig.wrap_store = lambda store: Full(store.files)
    code, reason = await rig.run()
    assert code == 4
    assert "No space left" in reason
    assert len(rig.provider.orders) == 1
    assert isinstance(rig.head(), Accepted)
    rig.wrap_store = lambda store: store
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 3


class FailingAt:
    """A journal that fails when a milestone of this kind is to be recorded, as a killed process would."""

    def __init__(self, journal: Any, kind: type) -> None:
        self.inner, self.kind = journal, kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def append(self, entries: Any, caps: Any = None) -> None:
        """Fail, or pass on."""
        if any(isinstance(entry.milestone, self.kind) for entry in entries):
            raise JournalError("the disk is gone")
        await self.inner.append(entries, caps)


async def test_picture_saved_before_a_crash_is_found() -> None:
    """A picture that was saved but not yet journaled is taken by the next run without a download."""
    rig = Rig()
    rig.wrap_journal = lambda journal: FailingAt(journal, Stored)
    with pytest.raises(JournalError):
        await rig.run()
    assert isinstance(rig.head(), Accepted)
    assert rig.pictures == ["job0.png"]
    rig.wrap_journal = lambda journal: journal
    assert (await rig.run())[0] == 0
    assert len(rig.provider.fetched) == 1
    assert rig.totals.money.spent == 40_000
    assert list(rig.files) == ["job0.png"]


@pytest.mark.parametrize(
    "answer",
    [TaskFailed("404", failure="expired", missing=True), Parked("403: of another account"), Unavailable("502")],
)
async def test_picture_found_needs_no_living_task(answer: Exception) -> None:
    """It is taken even when the provider has forgotten the task or hides it; then its planned price counts."""
    rig = Rig()
    rig.wrap_journal = lambda journal: FailingAt(journal, Stored)
    with pytest.raises(JournalError):
        await rig.run()
    rig.wrap_journal = lambda journal: journal
    rig.clock.now += 9999
    rig.provider.statuses = [None, *[answer] * 9]
    assert (await rig.run())[0] == 0
    assert rig.totals.money.spent == 50_000


async def test_unrecorded_task_is_named_loudly(caplog: pytest.LogCaptureFixture) -> None:
    """A 202 that cannot be journaled is at least told with its task, so that a person can claim it."""
    rig = Rig()
    rig.wrap_journal = lambda journal: FailingAt(journal, Accepted)
    with pytest.raises(JournalError):
        await rig.run()
    assert "job job0 is task task-1" in caplog.text


async def test_generated_is_written_with_what_follows() -> None:
    """A poll is free, so its news is never a commit of its own."""
    rig = Rig()
    batches: list[tuple[str, ...]] = []

    class Noting(FailingAt):
        async def append(self, entries: Any, caps: Any = None) -> None:
            batches.append(tuple(type(entry.milestone).__name__ for entry in entries))
            await self.inner.append(entries, caps)

    rig.wrap_journal = lambda journal: Noting(journal, Generated)
    await rig.run()
    assert batches == [("Started",), ("Accepted",), ("Generated", "Stored")]


async def test_a_download_outlives_the_first_signal() -> None:
    """A picture on its way when the run is told to end is brought home within the grace."""
    rig = Rig()
    holding, release = anyio.Event(), anyio.Event()

    async def slow() -> bytes:
        holding.set()
        await release.wait()
        return png()

    rig.provider.downloads = [slow]

    def interrupt(tools: Tools) -> None:
        tools.halt.stop_asking(143, "told to end")
        release.set()

    assert await rig.run_until(holding, interrupt) == 143
    assert isinstance(rig.head(), Stored)


async def test_a_download_that_outlasts_the_grace_is_left() -> None:
    """At the end of the grace a download is cut off; the job keeps its task for the next run."""
    rig = Rig()
    holding = anyio.Event()

    async def endless() -> bytes:
        holding.set()
        await anyio.sleep_forever()
        raise AssertionError

    rig.provider.downloads = [endless]

    def interrupt(tools: Tools) -> None:
        tools.shelter.expire(anyio.current_time())
        tools.halt.stop_asking(143, "told to end")

    assert await rig.run_until(holding, interrupt) == 143
    assert isinstance(rig.head(), Accepted)
    rig.provider.downloads = []
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 1


async def test_a_forbidden_address_keeps_the_task() -> None:
    """A picture at an address that may not be asked is offered once, and its task waits for mended settings."""
    rig = Rig()
    rig.provider.downloads = [Blocked("its address may not be fetched")]
    code, reason = await rig.run()
    assert code == 75
    assert "may not be fetched" in reason
    assert isinstance(rig.head(), Accepted)
    assert (await rig.run())[0] == 0
    assert len(rig.provider.orders) == 1


async def test_a_bad_picture_is_fetched_from_a_fresh_offer() -> None:
    """What came down broken is fetched again from a URL that the task has just given."""
    rig = Rig()
    rig.provider.statuses = [Offer((f"https://p.example/{n}",), rig.clock() + 9, 1) for n in range(3)]
    rig.provider.downloads = [BadAsset("torn"), BadAsset("torn")]
    assert (await rig.run())[0] == 0
    assert rig.provider.fetched == [f"https://p.example/{n}" for n in range(3)]


async def test_an_offer_that_aged_in_the_queue_is_asked_for_again() -> None:
    """A download that waited longer for its place than its offer lives asks the task, once, and keeps the place."""
    rig = Rig(jobs=3, terms=Terms(limits=Limits(expert=Expert(downloads=1))))

    async def slow() -> bytes:
        while len(rig.provider.asked) < 3:
            await anyio.lowlevel.checkpoint()
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        rig.clock.now += 100
        return png()

    rig.provider.downloads = [slow, slow, slow]
    assert (await rig.run())[0] == 0
    assert len(rig.provider.fetched) == 3
    assert len(rig.provider.asked) == 3 + 2


async def test_a_busy_host_of_pictures_is_left_alone_by_all() -> None:
    """A host that names a time to come back is not asked before, by whatever job."""
    rig = Rig(jobs=3, terms=Terms(limits=Limits(expert=Expert(downloads=1))))
    times = []

    def busy() -> Unavailable:
        times.append(rig.clock())
        return Unavailable("429", answered=True, retry_after_seconds=20)

    def fine() -> bytes:
        times.append(rig.clock())
        return png()

    rig.provider.downloads = [busy, fine, fine, fine]
    assert (await rig.run())[0] == 0
    assert min(times[1:]) - times[0] >= 20


async def test_a_task_that_names_fewer_pictures_keeps_its_place() -> None:
    """When a fresh offer lacks a picture that the first one had, the task waits for the next run."""
    rig = Rig()
    rig.provider.statuses = [Offer(("https://p.example/1", "https://p.example/2"), rig.clock() + 1, 9)]
    rig.provider.statuses += [Offer(("https://p.example/1",), rig.clock() + 1, 9)] * 99
    rig.provider.downloads = [png(), OfferExpired("410")]
    code, reason = await rig.run()
    assert (code, "fewer pictures" in reason) == (75, True)
    assert isinstance(rig.head(), Generated)


async def test_jobs_wait_side_by_side() -> None:
    """Many jobs are under way at once, never more than in_flight."""
    rig = Rig(jobs=40, terms=Terms(limits=Limits(in_flight=7, rate=None)))
    most = 0

    def look() -> Waiting:
        nonlocal most
        most = max(most, rig.totals.counts["running"])
        return Waiting("generating")

    rig.provider.statuses = [look] * 30
    assert (await rig.run())[0] == 0
    assert most == 7
