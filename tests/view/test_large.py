"""A batch of 50,000 jobs is as light to look at as a small one."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batchgen.journal import Selection
from batchgen.journal.record import SqliteRecord
from batchgen.view.pages import PAGE
from tests.benchmarks.journal import made
from tests.view.sights import Sight, looked_at

pytestmark = pytest.mark.anyio

JOBS = 50_000


async def test_fifty_thousand_jobs(tmp_path: Path) -> None:
    """A page of them holds a few cards, costs the server less than a tenth of a second of CPU, wherever it
    stands; a search through all of them less than two seconds, of which a quiet machine needs a twentieth.
    """
    sight = Sight(tmp_path)
    await made(sight.journal, JOBS)
    with looked_at(sight) as (client, desk):
        text = (await client.get("/")).text  # the first one puts all jobs in order, once
        assert text.count('class="tile"') == PAGE
        assert len(text) < 100_000
        assert desk.watch.scene.tally("all") == JOBS
        middle = f"/wall?before=0.0_{JOBS // 2}"
        for place in ("/", "/wall", middle, "/jobs/25000", "/?state=failed"):
            spent = []
            for _ in range(5):
                began = time.process_time()
                assert (await client.get(place)).status_code == 200
                spent.append(time.process_time() - began)
            assert min(spent) < 0.1, place
        assert (await client.get(middle)).text.count('class="tile"') == PAGE
    with SqliteRecord(sight.journal.path) as record:
        record.newest(Selection(), 1)
        assert _cpu(lambda: record.newest(Selection(text="nowhere to be found"), PAGE)) < 2
        found = record.newest(Selection(text="NUMBER 4999"), PAGE)
    assert {each.job.id for each in found} == {"shoes/0004999", *(f"shoes/004999{digit}" for digit in range(10))}


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
