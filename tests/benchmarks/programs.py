"""What is measured without a peer: planning, running again, starting, and jobs that do nothing but wait."""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.arms import MEMORY
from tests.benchmarks.planning import made


def child_cpu(command: Sequence[str], **environ: str) -> float:
    """CPU seconds of a command that may end as it likes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, **environ}, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def task(name: str, folder: Path) -> tuple[float, float]:
    """CPU seconds and megabytes of one task of tests.benchmarks.planning."""
    command = [sys.executable, "-m", "tests.benchmarks.planning", "--task", name, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    cpu, peak, _ = json.loads(done.stdout)
    return cpu, peak / 1024


def planned(rows: int) -> tuple[float, float]:
    """Microseconds a row to plan a table, and megabytes over the interpreter."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        made(Path(name), rows)
        cpu, peak = task("plan", Path(name))
    return cpu / rows * 1e6, peak


def finished_again(rows: int) -> tuple[float, float]:
    """CPU seconds of a run that finds everything there, and its megabytes."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        made(Path(name), rows)
        task("owe", Path(name))
        return task("again", Path(name))


def started(times: int) -> dict[str, float]:
    """How much more CPU than bare Python `--help` and the `status` of a small batch take."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder, 20)
        task("owe", folder)
        commands = {
            "bare": ["-c", "pass"],
            "help": ["-m", "batchgen", "--help"],
            "status": ["-m", "batchgen", "status", f"{folder}/m.yaml"],
        }
        taken: dict[str, list[float]] = {each: [] for each in commands}
        for _ in range(times + 1):  # the first warms what is compiled and cached
            for each, words in commands.items():
                taken[each].append(child_cpu([sys.executable, *words], KEY="k" * 20))
    bare = statistics.median(taken["bare"][1:])
    return {each: statistics.median(values[1:]) / bare for each, values in taken.items()}


def waiting(jobs: int) -> dict[str, float]:
    """What jobs cost that wait: measured in a process of its own by tests.benchmarks.waiting."""
    command = [sys.executable, "-m", "tests.benchmarks.waiting", str(jobs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told
