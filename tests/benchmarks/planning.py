"""What planning costs: `python -m tests.benchmarks.planning [ROWS...]`. CPU seconds, microseconds a row, megabytes.

Each line is a process of its own, so that its peak of memory is its own too; what the interpreter takes with the
program's modules is taken off.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import apsw

from batchgen import batch
from batchgen.batch.asked import RunOptions, asked
from batchgen.expansion import expanded
from batchgen.journal.codec import encode_milestone, seal
from batchgen.journal.owing import RECOUNT
from batchgen.journal.sqlite import open_journal
from batchgen.lifecycle import Stored
from tests.lives import asset

MANIFEST = """\
batchgen: 1
name: scale
provider: {base_url: "http://127.0.0.1:9", api_key: "env:KEY"}
rows: {from: products.csv, id: "{{ sku }}"}
prompts:
  packshot: "A {{ colour }} {{ title | truncate(80) }} on a white desk, number {{ sku }}"
models:
  draft: {model: gpt-image-2}
output: {path: "{{ sku[:3] }}/{{ sku }}.{{ ext }}"}
budget: {prices: {gpt-image-2: 0.07}}
"""


def made(folder: Path, rows: int, *, odd: int = -1) -> None:
    """A manifest with a table; one of its rows has another colour."""
    (folder / "outputs").mkdir(exist_ok=True)
    (folder / "m.yaml").write_text(MANIFEST)
    with (folder / "products.csv").open("w") as file:
        file.write("SKU,Title,Colour,Vendor,Stock\n")
        for number in range(rows):
            colour = "violet" if number == odd else ("red", "green", "blue")[number % 3]
            file.write(f"{number:07},Walking boot of the north,{colour},Acme & Sons,{number % 90}\n")


def plan(folder: str) -> str:
    """Plan it; nobody is asked."""
    found = anyio.run(batch.plan, RunOptions(f"{folder}/m.yaml", offline=True))
    counts = {kind: count for kind, count in found.comparison.counts.items() if count}
    return json.dumps({"to_buy": found.to_buy, **counts})


def owe(folder: str) -> str:
    """Make its journal owe all of it, and store every picture without buying any."""

    async def owing() -> None:
        read = asked(RunOptions(f"{folder}/m.yaml"))
        with expanded(read.manifest) as expansion:
            async with open_journal(str(read.location.journal), read.identity(), verb="run") as journal:
                await journal.owe(expansion.scratch, expansion.inputs)
                await journal._commits.do(_store_all)
                await journal.end(0, "everything is there")
        (read.location.hidden / "epoch").unlink()

    anyio.run(owing)
    return ""


def _store_all(connection: apsw.Connection) -> None:
    kind, body = "Stored", encode_milestone(Stored(0, "t", 70_000, (asset("a.png"),)))
    connection.execute(
        f"""INSERT INTO milestones SELECT number, 1, 1, 1.0, '{kind}', 0, ?1, seal(number, 1, 1, 1.0, '{kind}', 0, ?1)
            FROM jobs""",
        (body,),
    )
    connection.execute(f"UPDATE jobs SET head = 1, kind = '{kind}', state = 'stored'")
    connection.execute("DELETE FROM totals WHERE standing <> ''")
    connection.execute(
        f"INSERT INTO totals SELECT model, standing, what, amount, seal(model, standing, what, amount) FROM ({RECOUNT})"
    )
    assert seal("checked") == seal("checked")


def again(folder: str) -> str:
    """Run it again when all is there."""
    done = subprocess.run(
        [sys.executable, "-m", "batchgen", "run", f"{folder}/m.yaml"],
        env={**os.environ, "KEY": "k" * 20},
        check=False,
        capture_output=True,
        text=True,
    )
    return f"exit {done.returncode}, {done.stdout.strip().splitlines()[-1:]}"


TASKS: dict[str, Callable[[str], str]] = {"plan": plan, "owe": owe, "again": again}


def measured(task: str, folder: Path, rows: int) -> None:
    """Do one task in a process of its own, and print what it took."""
    command = [sys.executable, "-m", "tests.benchmarks.planning", "--task", task, str(folder)]
    began = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    wall = time.monotonic() - began
    cpu, peak, said = json.loads(done.stdout)
    figures = f"{rows:>9,} {cpu:>8.1f} {cpu / rows * 1e6:>9.1f} {wall:>8.1f} {peak / 1024:>9.1f}"
    print(f"{task:<8} {figures}  {said}", flush=True)


def one(task: str, folder: str) -> None:
    """The process of one task."""
    bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    said = TASKS[task](folder)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = time.process_time() - began + children.ru_utime + children.ru_stime
    peak = max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children.ru_maxrss) - bare
    print(json.dumps([cpu, peak, said]))


def main(sizes: list[int]) -> None:
    """The table."""
    print(f"{'task':<8} {'rows':>9} {'CPU s':>8} {'us a row':>9} {'wall s':>8} {'MB more':>9}")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made(folder, rows)
            measured("plan", folder, rows)
            measured("owe", folder, rows)
            measured("again", folder, rows)
            made(folder, rows, odd=rows // 2)
            measured("plan", folder, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        one(*sys.argv[2:4])
    else:
        main([int(each) for each in sys.argv[1:]] or [100_000, 1_000_000])
