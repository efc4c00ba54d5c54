"""A journal of many jobs: what people ask of it often is answered at once."""

from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.benchmarks.journal import FAILED, command, made, spent
from tests.journal.desks import SqliteDesk


def told(desk: SqliteDesk, jobs: int) -> None:
    """`batchgen status` counts all jobs and causes right."""
    said = command(desk)
    assert f'"stored":{jobs - jobs // FAILED},"failed":{jobs // FAILED}' in said
    assert f'"reason":"content policy","jobs":{jobs // FAILED}' in said


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_status_of_a_million_jobs(tmp_path: Path) -> None:
    """`batchgen status` takes less than a second of CPU, from its start to its end, with a million jobs."""
    desk = SqliteDesk(str(tmp_path))
    anyio.run(partial(made, desk, 1_000_000))
    took = []
    for _ in range(3):
        before = spent()
        told(desk, 1_000_000)
        took.append(spent() - before)
    assert min(took) < 1  # seconds of CPU; the machine may be busy with other things, too


def test_status_of_many_jobs(tmp_path: Path) -> None:
    """`batchgen status` says the same of a journal that was made by a benchmark as of any other."""
    desk = SqliteDesk(str(tmp_path))
    anyio.run(partial(made, desk, 2_000))
    told(desk, 2_000)
