"""A cluster of real processes on loopback: a scheduler and workers under their nannies, to be killed and frozen."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.stories.world import HERE

PATIENCE = 90


@dataclass
class Machines:
    """Starts and ends what a cluster is made of; `environ` is what its processes find beside our own."""

    home: Path
    environ: dict[str, str]
    scheduler: "subprocess.Popen[bytes] | None" = None
    nannies: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    schedulers: int = 0

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        found: str = json.loads(self._file.read_text())["address"]
        return found

    def start(self, workers: int) -> None:
        """A scheduler and so many workers of one thread each."""
        self.schedulers += 1
        words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self._file))
        self.scheduler = self._type("distributed.cli.dask_scheduler", *words)
        until(self._file.exists, "the scheduler is there")
        for _ in range(workers):
            self.add()

    def add(self) -> None:
        """One more worker, under a nanny."""
        words = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--death-timeout", "10")
        at = ("--local-directory", str(self.home / "scratch"), "--scheduler-file", str(self._file))
        self.nannies.append(self._type("distributed.cli.dask_worker", *words, *at))

    def worker(self, nanny: "subprocess.Popen[bytes]") -> psutil.Process | None:
        """The process that a nanny looks after."""
        with suppress(psutil.NoSuchProcess):
            for each in psutil.Process(nanny.pid).children():
                if "spawn_main" in " ".join(each.cmdline()):
                    return each
        return None

    def kill_worker(self, which: int, number: signal.Signals = signal.SIGKILL) -> psutil.Process | None:
        """Send a worker a signal, and nobody else."""
        worker = self.worker(self.nannies[which])
        if worker is not None:
            with suppress(psutil.NoSuchProcess):
                worker.send_signal(number)
        return worker

    def kill_machine(self, which: int) -> None:
        """Kill a worker with its nanny, as when the power goes."""
        nanny = self.nannies.pop(which)
        worker = self.worker(nanny)
        for each in (nanny, worker):
            if each is not None:
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(signal.SIGKILL)
        nanny.wait()

    def kill_scheduler(self) -> None:
        """Kill the scheduler; its workers leave by themselves."""
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def end(self) -> None:
        """End all that is left, frozen or not."""
        left = [each for nanny in self.nannies if (each := self.worker(nanny)) is not None]
        for process in (self.scheduler, *self.nannies):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        for worker in left:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        self.nannies.clear()

    @property
    def _file(self) -> Path:
        return self.home / f"scheduler-{self.schedulers}.json"

    def _type(self, module: str, *words: str) -> "subprocess.Popen[bytes]":
        environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *words],
                env={**environ, "PYTHONPATH": str(HERE), **self.environ},
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


@contextmanager
def machines(home: Path, **environ: str) -> Iterator[Machines]:
    """A cluster that is gone at the end of the block."""
    home.mkdir()
    found = Machines(home, environ)
    try:
        yield found
    finally:
        found.end()


def until(what: Callable[[], object], words: str, seconds: float = PATIENCE) -> None:
    """Wait until something is so; on a busy machine that may take long."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"waited in vain until {words}"
        time.sleep(0.05)
