"""What an export of many jobs costs: `python -m tests.benchmarks.export [JOBS]`; CPU seconds and peak memory of each.

Each export is a command of its own, on a catalogue with two pictures for every row of a table of six columns.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial

import anyio

from batchgen.job import Draft, InputRow, Request, draft
from tests.benchmarks.journal import live
from tests.journal.desks import SqliteDesk
from tests.stories.world import HERE

WAYS = (("jsonl",), ("csv",), ("parquet",), ("csv", "--wide"), ("csv", "--base-url", "https://cdn.example.com/x"))


def drafts(count: int) -> Iterator[Draft]:
    """Two views of every row."""
    for number in range(count // 2):
        cells = {"sku": f"{number:07}", "title": "A shoe, of leather", "colour": "brown", "price": "49.90"}
        row = InputRow(number + 2, f"{number:07}", {**cells, "vendor": "Acme", "description": "Worn daily. " * 12})
        for view in ("front", "back"):
            name = f"{number:07}/{view}"
            made = draft(name, Request("nano-banana-pro", f"A shoe by the sea, number {number}, {view}"), name)
            yield Draft(made.id, made.request, made.path, made.fingerprint, made.recipe, row, {"view": view})


async def made(desk: SqliteDesk, count: int) -> None:
    """A finished batch."""
    async with desk.open() as journal:
        await journal.owe(drafts(count), "inputs")
        await journal._commits.do(partial(live, run=journal.run))
        journal._milestones += count * 4
        await journal.end(1, "made")


def exported(desk: SqliteDesk, target: str, *words: str) -> None:
    """Export once, as a person would; the peak is that of the command alone."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    code = f"import resource, sys; from batchgen.cli import main\ntry: main()\nfinally: print({PEAK}, file=sys.stderr)"
    command = [sys.executable, "-c", code, "export", desk.folder, "--journal", desk.path, "-q", "-o", target, *words]
    environ = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size, what = os.path.getsize(target) / 1e6, " ".join((os.path.splitext(target)[1], *words))
    wall = time.perf_counter() - wall
    peak = int(done.stderr.split()[-1]) / 1024
    print(f"{what:<44} {cpu:7.1f} s cpu {wall:7.1f} s {peak:6.0f} MB peak {size:8.1f} MB file", flush=True)


PEAK = "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss"


def main() -> None:
    """Export a batch of the size that was asked for in every way."""
    count = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        desk = SqliteDesk(folder)
        anyio.run(made, desk, count)
        print(f"{count:,} jobs, a journal of {os.path.getsize(desk.path) / 1e6:,.0f} MB", flush=True)
        for kind, *words in WAYS:
            exported(desk, f"{folder}/out.{kind}", *words)


if __name__ == "__main__":
    main()
