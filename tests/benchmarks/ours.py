"""Our arm of the race: the program's own run of a manifest, as `batchgen run` begins it, in this process.

`python -m tests.benchmarks.ours URL FOLDER`. The journal's syncs are counted in SQLite's own file layer, and can be
made as slow as a real disk's; the measured arms leave that out.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import apsw

from batchgen import batch
from batchgen.batch.asked import RunOptions
from batchgen.batch.means import Means
from batchgen.journal import Caps, Entry, Progress
from batchgen.journal.sqlite import SqliteJournal
from batchgen.report.figures import Figures
from batchgen.store.disk import RealDisk
from tests.benchmarks.measure import Work, measured


@dataclass
class Syncs:
    """How often a disk was told to make sure."""

    journal: int = 0
    pictures: int = 0


class Nobody:
    """An observer that does not look."""

    def opened(self, folder: str, run: int, new: bool) -> None:
        """Nothing."""

    def finished(self, progress: Progress) -> None:
        """Nothing."""

    def figures(self, figures: Figures) -> None:
        """Nothing."""


class SlowFiles(apsw.VFS):
    """SQLite's files, whose syncs are counted and take as long as they are told."""

    def __init__(self, syncs: Syncs, seconds: float) -> None:
        self._told = syncs, seconds
        super().__init__("slow", base="", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "SlowFile":  # noqa: N802
        """Open one."""
        return SlowFile(name, flags, *self._told)


class SlowFile(apsw.VFSFile):
    """One of them."""

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int], syncs: Syncs, seconds: float) -> None:
        super().__init__("", name, flags)
        self._syncs, self._seconds = syncs, seconds

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Count, and take the time."""
        self._syncs.journal += 1
        time.sleep(self._seconds)
        super().xSync(flags)


@dataclass
class SlowDisk(RealDisk):
    """A disk for pictures whose syncs are counted and take as long as they are told."""

    syncs: Syncs = field(default_factory=Syncs)
    seconds: float = 0.0

    def sync(self, fd: int) -> None:
        """Count, and take the time."""
        self._slow()
        super().sync(fd)

    def sync_dir(self, path: str) -> None:
        """Count, and take the time."""
        self._slow()
        super().sync_dir(path)

    def _slow(self) -> None:
        self.syncs.pictures += 1
        time.sleep(self.seconds)


class Forgetful:
    """A journal that records nothing of what is carried: what durability is held against."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Nothing."""


def manifest(work: Work, url: str, folder: Path) -> Path:
    """The race as a manifest."""
    (folder / "outputs").mkdir(exist_ok=True)
    table = folder / "shoes.csv"
    with table.open("w") as file:
        file.write("sku\n")
        file.writelines(f"job-{number:06}\n" for number in range(work.jobs))
    expert = {
        "submit_slots": work.slots,
        "submit_slots_most": work.slots,
        "polls_per_second": work.polls_per_second,
        "downloads": work.slots,
    }
    path = folder / "m.yaml"
    written = {
        "batchgen": 1,
        "name": "race",
        "provider": {"base_url": url, "api_key": "env:KEY", "profile": {"idempotency": "replay"}},
        "rows": {"from": table.name, "id": "{{ sku }}"},
        "prompts": {"shoe": "A shoe on a rock, number {{ sku }}"},
        "models": {"draft": {"model": "gpt-image-2"}},
        "output": {"path": "{{ sku }}.{{ ext }}", "check": work.check},
        "limits": {"in_flight": work.in_flight, "rate": "none", "expert": expert},
        "budget": {"prices": {"gpt-image-2": 0.04}, "ask_above_usd": 1_000_000},
    }
    path.write_text(json.dumps(written))
    return path


def main() -> None:
    """Run it here."""
    url, where = sys.argv[1:3]
    work, syncs = Work.read(), Syncs()
    path = manifest(work, url, Path(where))
    means = Means()
    if work.sync_seconds or work.journal == "counted":
        vfs = SlowFiles(syncs, work.sync_seconds)
        assert vfs is not None
        means = Means(disk=SlowDisk(syncs, work.sync_seconds))
    if work.journal == "off":
        means = Means(journal=Forgetful)  # type: ignore[arg-type]  # all that a run asks of it
    options = RunOptions(str(path), means=means)
    codes: list[int] = []

    def run() -> None:
        loop = {"use_uvloop": work.uvloop}
        codes.append(anyio.run(batch.run, options, Nobody(), backend_options=loop).exit_code)

    def told() -> dict[str, Any]:
        return {"journal_syncs": syncs.journal, "picture_syncs": syncs.pictures, "exit": codes[0]}

    measured(run, work, told)


if __name__ == "__main__":
    main()
