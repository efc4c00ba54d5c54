"""The one reader of a journal, and what it makes of it."""

import os
import shutil
import time
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from batchgen.errors import Damaged
from batchgen.journal import Record
from batchgen.view.scene import Past, Sample, shares
from batchgen.view.stream import event, events
from batchgen.view.watching import MOST_REST_SECONDS, TICK_SECONDS, Watch, rest_seconds
from tests.view.sights import Sight, asked, doubted, refused, stored

pytestmark = pytest.mark.anyio
GOLDEN = Path(__file__).parent.parent / "journal/golden"


@pytest.fixture
def sight(tmp_path: Path) -> Sight:
    """An empty batch folder."""
    return Sight(tmp_path)


async def test_it_waits_for_a_batch(sight: Sight) -> None:
    """Before the first run there is a scene without figures; as soon as there is a journal it is read."""
    watch = sight.watch()
    first = await watch.refresh()
    assert (first.number, first.summary, first.trouble) == (1, None, "")
    assert await watch.ask(lambda record: record.totals()) is None
    await sight.run([asked("a"), asked("b")], a=stored(sight.picture("a.png")))
    second = await watch.refresh()
    assert second.number == 2
    assert second.summary is not None
    assert (second.tally("stored"), second.tally("queued"), second.tally("all")) == (1, 1, 2)


async def test_it_reads_only_what_has_changed(sight: Sight) -> None:
    """A journal that nobody wrote is not read again, and opened once however often somebody asks."""
    await sight.run([asked("a")])
    watch = sight.watch()
    first = await watch.refresh()
    assert await watch.refresh() is first
    await sight.run([asked("a")], a=refused())
    second = await watch.refresh()
    assert second.number == first.number + 1
    assert second.causes[0].reasons == (("content policy", 1),)
    assert await watch.ask(lambda record: record.totals().counts["failed"]) == 1
    assert sight.opened == 1


async def test_a_run_that_is_killed_is_no_run(sight: Sight) -> None:
    """While a run holds the batch it is live and has a forecast; when it is gone the page says so, without a write."""
    await sight.run([asked("a"), asked("b")], a=stored(sight.picture("a.png")))
    watch = sight.watch()
    async with sight.journal.open():
        scene = await watch.refresh()
        assert scene.summary is not None
        assert scene.summary.live
    scene = await watch.refresh()
    assert scene.summary is not None
    assert not scene.summary.live
    assert scene.runs[0].ended is None
    assert scene.outlook == "no forecast yet"


async def test_a_forecast_is_of_this_run(sight: Sight) -> None:
    """What the run before had stored does not count for the pace of this one."""
    await sight.run([asked("a"), asked("b"), asked("c")], a=stored(sight.picture("a.png")))
    watch = sight.watch()
    async with sight.journal.open() as journal:
        sight.now = sight.journal.now + 60
        scene = await watch.refresh()
        assert scene.outlook == "no forecast yet"
        assert scene.figures.stored_at_start == 1
        await journal.totals()


async def test_another_file_under_the_name(sight: Sight, tmp_path: Path) -> None:
    """A journal that was replaced by a mended one is opened anew; one that is taken away is waited for again."""
    await sight.run([asked("a")])
    other = Sight(tmp_path / "other")
    await other.run([asked("a"), asked("b")])
    watch = sight.watch()
    assert (await watch.refresh()).tally("all") == 1
    for end in filter(os.path.exists, (f"{sight.journal.path}-wal", f"{sight.journal.path}-shm")):
        os.unlink(end)
    os.replace(other.journal.path, sight.journal.path)
    assert (await watch.refresh()).tally("all") == 2
    os.unlink(sight.journal.path)
    assert (await watch.refresh()).summary is None


async def test_a_journal_that_cannot_be_read(sight: Sight) -> None:
    """The page says why, goes on looking, and shows the batch once it can be read."""
    sight.spoil()
    watch = sight.watch()
    scene = await watch.refresh()
    assert "damaged" in scene.trouble
    with pytest.raises(Damaged):
        await watch.ask(lambda record: record.totals())
    os.unlink(sight.journal.path)
    await sight.run([asked("a")])
    assert (await watch.refresh()).trouble == ""


async def test_an_older_journal_is_followed_once_a_run_has_renewed_it(sight: Sight) -> None:
    """A journal of an older format is read from a copy; when a run brings it up to date, that is seen too."""
    shutil.copy(GOLDEN / "format-1.db", sight.journal.path)
    watch = sight.watch()
    before = (await watch.refresh()).tally("all")
    async with sight.journal.open(None) as journal:
        await watch.refresh()
        await journal.owe([asked(f"new-{number}") for number in range(before + 3)], "inputs")
        sight.now += 10
        await watch.refresh()
        sight.now += 10
        assert (await watch.refresh()).tally("all") == before + 3


async def test_all_who_look_share_one_reader(sight: Sight) -> None:
    """Three pages are told of the same scene, which is read once; when they leave nobody is counted as looking."""
    await sight.run([asked("a")])
    watch = sight.watch()
    told: list[list[str]] = [[], [], []]

    async def page(said: list[str]) -> None:
        async with aclosing(events(watch, lambda scene: f"scene {scene.number}")) as stream:
            async for each in stream:
                said += [each] * (not each.startswith(":"))  # that nothing is new, on a slow machine
                if "grown" in each:
                    return

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for said in told:
                group.start_soon(page, said)
            await anyio.wait_all_tasks_blocked()
            assert watch.looking == 3
            await watch.refresh()
    assert told[0] == told[1] == told[2] == ["retry: 1000\n\n", "data: scene 1\n\n", "event: grown\ndata: \n\n"]
    assert sight.opened == 1
    assert watch.looking == 0


async def test_a_page_that_is_new_is_not_renewed(sight: Sight) -> None:
    """A page that was drawn from the newest milestone is told the figures, and not that something has come."""
    await sight.run([asked("a")])
    watch = sight.watch()
    seen = (await watch.refresh()).seen
    async with aclosing(events(watch, lambda scene: scene.seen, seen)) as stream:
        said = [await anext(stream), await anext(stream)]
        watch.end()
        assert [each async for each in stream] == []
    assert said == ["retry: 1000\n\n", f"data: {seen}\n\n"]


async def test_it_runs_until_it_is_stopped(sight: Sight) -> None:
    """While somebody looks a new scene comes by itself; at the end every stream ends, and the journal is let go."""
    await sight.run([asked("a")])
    watch = sight.watch()
    grown, running = anyio.Event(), anyio.CancelScope()

    async def page() -> None:
        async for each in events(watch, None):
            if "grown" in each:
                grown.set()

    async def run() -> None:
        with running:
            await watch.run()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(page)
            group.start_soon(run)
            await grown.wait()
            running.cancel()
    assert watch.ended
    assert watch.looking == 0
    assert await watch.refresh() is watch.scene


async def test_nobody_waits_for_what_is_not_coming(sight: Sight) -> None:
    """A stream speaks though nothing happens, so that one whose reader has left comes to its end."""
    watch = sight.watch()
    await watch.refresh()
    assert await watch.next(1, 0.01) is None
    assert (await watch.next(0, 0.01)) is watch.scene


async def test_figures_of_models_and_causes(sight: Sight) -> None:
    """Per model what is stored and how long one takes; causes by class with the command's words; words for ears."""
    await sight.run(
        [asked("a"), asked("b"), asked("c", model="gpt-image-2"), asked("d"), asked("e")],
        a=stored(sight.picture("a.png")),
        b=refused("policy one"),
        d=refused("policy two"),
        c=doubted(),
    )
    scene = await sight.watch().refresh()
    assert [(each.model, each.stored, each.seconds) for each in scene.figures.models] == [
        ("gpt-image-2", 0, None),
        ("nano-banana-pro", 1, 3.0),
    ]
    assert [(each.name, each.jobs, each.remedy) for each in scene.causes] == [
        ("refused", 2, ("run", "--redo", "refused")),
        ("in_doubt", 1, ("resolve",)),
    ]
    assert scene.spoken == "20% of the pictures are stored, 2 jobs failed, 1 payment in doubt"
    assert [name for name, _, _ in scene.bar] == ["stored", "in_doubt", "failed"]


def test_shares_fill_the_whole() -> None:
    """Parts stand side by side and never reach beyond the whole, even when they are more than it."""
    assert shares([("a", 1), ("b", 0), ("c", 3)], 4) == [("a", 0.0, 250.0), ("c", 250.0, 750.0)]
    assert shares([("a", 3), ("b", 3)], 4) == [("a", 0.0, 750.0), ("b", 750.0, 250.0)]
    assert shares([("a", 1)], 0) == []


def test_the_past_is_of_one_run_and_short() -> None:
    """The pace of late knows only this run's samples of the last minutes."""
    past = Past().then(Sample(0, 1, 5, 5)).then(Sample(10, 2, 5, 5)).then(Sample(70, 2, 15, 20))
    assert past.a_minute == 10
    assert len(past.samples) == 2
    assert Past().a_minute == Past().then(Sample(0, 1, 5, 5)).a_minute == 0
    assert len(past.then(Sample(1000, 2, 20, 20)).samples) == 1


def test_an_event_is_one_event() -> None:
    """A text of many lines, with whatever line ends, stays one event."""
    assert event("a\nb\r\n\u2028c") == "data: a\ndata: b\ndata: \ndata: c\n\n"
    assert event("", "grown") == "event: grown\ndata: \n\n"


def test_a_record_is_asked_in_one_thread_at_a_time(sight: Sight) -> None:
    """However many ask at once, the journal is read by one at a time."""
    inside: list[int] = []
    most: list[int] = []

    def question(record: Record) -> None:
        inside.append(1)
        most.append(len(inside))
        record.totals()
        time.sleep(0.005)  # long enough for another to come in
        inside.pop()

    async def main() -> None:
        await sight.run([asked("a")])
        watch: Watch = sight.watch()
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(watch.ask, question)

    anyio.run(main)
    assert set(most) == {1}
    assert len(most) == 20


@pytest.mark.parametrize("took", [0.0, 0.001, 0.1, 3.0, 60.0])
def test_the_reader_rests_and_comes_back(took: float) -> None:
    """A journal that takes long to read is read less often, yet never left alone for longer than a person waits."""
    assert TICK_SECONDS <= rest_seconds(took) <= MOST_REST_SECONDS
    assert rest_seconds(took) == MOST_REST_SECONDS or rest_seconds(took) >= 20 * took
