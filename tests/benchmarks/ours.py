"""Our arm of the race: the program's own run of a manifest, as `batchgen run` begins it, in this process.

`python -m tests.benchmarks.ours URL FOLDER`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from batchgen import batch
from batchgen.batch.asked import RunOptions
from batchgen.batch.means import Means
from batchgen.cli.doors import spare_the_collector
from batchgen.journal import Caps, Entry, Progress
from batchgen.journal.sqlite import SqliteJournal
from batchgen.report.figures import Figures
from tests.benchmarks.measure import Work, measured


class Nobody:
    """An observer that does not look."""

    def opened(self, folder: str, run: int, new: bool) -> None:
        """Nothing."""

    def finished(self, progress: Progress) -> None:
        """Nothing."""

    def figures(self, figures: Figures) -> None:
        """Nothing."""


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
        "downloads": work.downloads,
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
    work = Work.read()
    path = manifest(work, url, Path(where))
    means = Means(journal=Forgetful) if work.journal == "off" else Means()  # type: ignore[arg-type]  # enough of one
    options = RunOptions(str(path), means=means)
    codes: list[int] = []

    def run() -> None:
        loop = {"use_uvloop": work.uvloop}
        spare_the_collector()
        codes.append(anyio.run(batch.run, options, Nobody(), backend_options=loop).exit_code)

    def told() -> dict[str, Any]:
        return {"exit": codes[0]}

    measured(run, work, told)


if __name__ == "__main__":
    main()
